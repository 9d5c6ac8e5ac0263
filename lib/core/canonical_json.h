// Canonical JSON: RFC 8785 (JCS). Members ordered by the UTF-16 code units of their names, strings escaped as little as may be,
// numbers in the forms of ECMAScript's Number::toString, no white space. One value has one text, so texts may be hashed and compared.
//
// One addition: an integer written without point or exponent keeps all its digits when 64 bits hold it. (RFC 8785 gives integers
// beyond 2^53 no form, since a double does not hold them; a shop's numeric ids do not survive being rounded.)
//
// Pure. append_canonical_json() and check_json_object() of a text keep one parser per thread.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/field_rules.h"

namespace attune {

// `text` (valid UTF-8) as a JSON string, quotes included.
void append_json_string(std::string_view text, std::string& out);

// A double as ECMAScript writes it. REQUIRES: finite.
void append_json_number(double number, std::string& out);

// Whether name `a` stands before `b` in a canonical object: by UTF-16 code units, both valid UTF-8.
[[nodiscard]] bool canonical_less(std::string_view a, std::string_view b);

// Whether `json` is one JSON object nested at most `max_depth` deep, itself counted. Total.
[[nodiscard]] Check check_json_object(std::string_view json, int max_depth);

inline constexpr std::string_view kNestedTooDeep = "nested too deep";

// Appends the canonical form of one JSON object or array. On an error `out` is as it was. Total.
[[nodiscard]] Check append_canonical_json(std::string_view json, std::string& out);

// Writes the members of an object, whose names the caller gives in canonical order. Absent values write nothing.
class JsonMembers {
 public:
  explicit JsonMembers(std::string& out); // begins the object
  // Goes on with an object that is begun already and has a member.
  [[nodiscard]] static JsonMembers more(std::string& out) { return JsonMembers(out, false); }
  void name(std::string_view name); // and then its value, by the caller. REQUIRES: nothing in it to escape
  void text(std::string_view key, std::string_view text);
  // An array of strings or of ids. None writes nothing.
  template <class Text>
  void texts(std::string_view key, const std::vector<Text>& texts)
  {
    if (texts.empty()) return;
    name(key);
    char before = '[';
    for (const Text& each : texts) {
      out_ += before;
      if constexpr (std::is_convertible_v<const Text&, std::string_view>)
        append_json_string(each, out_);
      else
        append_json_string(each.text, out_);
      before = ',';
    }
    out_ += ']';
  }
  void integer(std::string_view key, std::int64_t number);
  void price(const std::optional<Money>& price);
  void quantity(std::int64_t quantity);
  void time(std::string_view key, const std::optional<Timestamp>& time);
  void end();

 private:
  JsonMembers(std::string& out, bool first) : out_(out), first_(first) {}

  std::string& out_;
  bool first_ = true;
};

class JsonTree;
struct JsonNode;
void append_canonical_json(const JsonTree& tree, const JsonNode& node, std::string& out);
// The same value in its own order and with its numbers as they were written.
void append_json(const JsonTree& tree, const JsonNode& node, std::string& out);

} // namespace attune
