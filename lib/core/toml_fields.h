// TomlFields: the keys of a TOML table, read one by one by name; what nobody read is refused. For the readers of rules files alone:
// core/rules_toml.cc and core/condition_toml.cc. A fault is thrown within them and ends the reading; read_rules() makes it an Error.
#pragma once

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/money.h"

namespace attune {

struct TomlFault {
  std::size_t line = 0;
  std::string reason; // "boost[0].factor: not a number"
};

// A value and where it stands.
struct TomlValue {
  const toml::node& node;
  std::string path; // "boost[0].factor"

  [[nodiscard]] std::size_t line() const { return node.source().begin.line; }
  [[noreturn]] void fail(std::string_view reason) const;

  [[nodiscard]] std::string text() const; // 1 to 256 bytes
  [[nodiscard]] std::vector<std::string> texts() const; // a text, or an array of at least one
  [[nodiscard]] bool flag() const;
  [[nodiscard]] std::int64_t whole(std::int64_t least, std::int64_t most) const;
  [[nodiscard]] double number(double least, double most) const;
  [[nodiscard]] std::int64_t millionths() const; // a number, or a decimal in a string; at most 6 decimals
  [[nodiscard]] Milliseconds duration() const; // "30d"; 1 second to 10 years
  [[nodiscard]] std::int64_t time_of_day() const; // "22:00", in ms
  [[nodiscard]] Timestamp time(bool end_of_day) const; // a TOML date or date-time; one without an offset is UTC
  [[nodiscard]] const toml::table& table() const;
  [[nodiscard]] std::vector<TomlValue> elements() const; // of an array of at least one
  [[nodiscard]] std::vector<TomlValue> tables() const; // of [[…]]
};

class TomlFields {
 public:
  explicit TomlFields(const TomlValue& value) : TomlFields(value.table(), value.path) {}
  TomlFields(const toml::table& table, std::string path) : table_(table), path_(std::move(path)) {}

  [[nodiscard]] std::optional<TomlValue> take(std::string_view key);
  [[nodiscard]] TomlValue need(std::string_view key); // refuses the table when it is not there
  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  void done() const; // refuses what was not taken
  [[nodiscard]] std::size_t line() const { return table_.source().begin.line; }
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[noreturn]] void fail(std::string_view reason) const;

 private:
  const toml::table& table_;
  std::string path_;
  std::vector<std::string> taken_;
};

} // namespace attune
