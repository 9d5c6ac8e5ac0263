// ColumnRules: what a ColumnMap says, in the form csv_dialect() walks for every record. Private to lib/core.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/column_map.h"
#include "core/field_rules.h"

namespace attune {

// A column is an index into ColumnMap::Rules::columns.
using Column = std::size_t;

struct ColumnCondition {
  enum class Kind { is, prefix, empty };
  Kind kind = Kind::is;
  Column column = 0;
  std::vector<std::string> texts; // any of them; for empty: none
};

enum class TimeFormat { milliseconds_or_rfc3339, seconds, pattern };

// Where one field of an event comes from.
struct ColumnSource {
  Field field = Field::id;
  std::optional<std::string> constant;
  std::vector<Column> columns;
  std::optional<std::string> join; // given: all columns with this between, else the first that is not empty
  std::vector<std::string> absent;
  std::string drop_suffix;
  std::vector<std::pair<std::string, std::string>> values;
  bool negate = false;
  TimeFormat format = TimeFormat::milliseconds_or_rfc3339;
  std::string pattern;
};

struct ColumnRule {
  std::vector<ColumnCondition> conditions; // all must hold
  bool skip = false;
  std::vector<ColumnSource> fields;
};

struct ColumnMap::Rules {
  char separator = ',';
  std::vector<std::string> columns; // every column the map names, once
  std::vector<Column> id;
  std::vector<Column> properties; // ordered by canonical_less of their names
  std::vector<ColumnSource> fields;
  std::vector<ColumnRule> rules;
};

// A time written as `source` says. REQUIRES: source.field is time or sent.
[[nodiscard]] Checked<Timestamp> read_time_cell(const ColumnSource& source, std::string_view text);

} // namespace attune
