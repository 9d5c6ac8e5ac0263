// JsonTree: one JSON text, checked to the last byte, as a flat tree that keeps numbers as they were written (so that money never
// passes through a float) and members in their order. Stricter than RFC 8259 where I-JSON (RFC 7493) is: names are unique, text is
// UTF-8, a number is within a double's range. Built over simdjson on-demand.
//
// Thread rule: one per thread. Memory grows to the largest text seen. Views live until the next parse. Private to lib/core.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/field_rules.h"

namespace attune {

// A text copied behind simdjson's padding. Reused from call to call.
class PaddedText {
 public:
  [[nodiscard]] simdjson::padded_string_view copy(std::string_view text);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

struct JsonNode {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  bool truth = false; // of a boolean
  std::uint32_t end = 0; // one past the last descendant in the tree's order
  std::string_view key; // of a member, unescaped
  std::string_view text; // string: unescaped; number: as written
};

class JsonTree {
 public:
  // The whole of `json`, nothing before or after it but white space. `max_depth`: an object or array in nothing counts 1.
  [[nodiscard]] Check parse(std::string_view json, int max_depth);
  // An object of a document being read, which must outlive the use of this tree.
  [[nodiscard]] Check parse(simdjson::ondemand::object object, int max_depth);

  [[nodiscard]] const JsonNode& root() const { return nodes_.front(); }

  // The members or elements of an object or array, in their order.
  class Children {
   public:
    class Iterator {
     public:
      Iterator(const std::vector<JsonNode>& nodes, std::size_t at) : nodes_(&nodes), at_(at) {}
      const JsonNode& operator*() const { return (*nodes_)[at_]; }
      Iterator& operator++()
      {
        at_ = (*nodes_)[at_].end;
        return *this;
      }
      bool operator!=(const Iterator& other) const { return at_ != other.at_; }

     private:
      const std::vector<JsonNode>* nodes_;
      std::size_t at_;
    };
    Children(const std::vector<JsonNode>& nodes, std::size_t first, std::size_t last) : nodes_(nodes), first_(first), last_(last) {}
    [[nodiscard]] Iterator begin() const { return {nodes_, first_}; }
    [[nodiscard]] Iterator end() const { return {nodes_, last_}; }

   private:
    const std::vector<JsonNode>& nodes_;
    std::size_t first_;
    std::size_t last_;
  };
  [[nodiscard]] Children children(const JsonNode& node) const;
  // The member of that name; null when there is none or `node` is no object.
  [[nodiscard]] const JsonNode* find(const JsonNode& node, std::string_view name) const;

 private:
  Check add(simdjson::ondemand::value value, std::string_view key, int depth_left);
  Check fill_object(std::size_t at, simdjson::ondemand::object object, int depth_left);
  Check fill_array(std::size_t at, simdjson::ondemand::array array, int depth_left);
  [[nodiscard]] bool repeats_a_name(std::size_t object);

  std::vector<JsonNode> nodes_;
  std::vector<std::string_view> names_; // scratch of repeats_a_name
  PaddedText text_;
  simdjson::ondemand::parser parser_;
};

// What simdjson's error says to a person: "not UTF-8", "not JSON", …
[[nodiscard]] std::string_view json_fault(simdjson::error_code error);

// A reason why `json` can be no JSON object at all, judged by its first bytes and size; empty when it may be one.
[[nodiscard]] std::string_view not_an_object(std::string_view json, std::size_t max_bytes);

} // namespace attune
