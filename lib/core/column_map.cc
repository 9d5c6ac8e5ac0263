#include "core/column_map.h"

// GCC 12 takes date's parser for one that reads a field before it is set.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <date/date.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "core/canonical_json.h"
#include "core/column_rules.h"

namespace attune {
namespace {

constexpr std::size_t kMaxMapBytes = 1024 * 1024;

// A fault in the map's text. Thrown within this file only, where it ends the reading; parse() turns it into an Error.
struct MapFault {
  std::size_t line = 0;
  std::string reason;
};

[[noreturn]] void fail(const toml::node& where, std::string reason)
{
  throw MapFault{where.source().begin.line, std::move(reason)};
}

std::string quoted(std::string_view name)
{
  return '`' + shown(name) + '`';
}

std::string text_of(const toml::node& node, std::string_view what)
{
  const auto text = node.value_exact<std::string>();
  if (!text) {
    fail(node, std::string(what) + " is not a string");
  }
  return *text;
}

bool flag_of(const toml::node& node, std::string_view what)
{
  const auto flag = node.value_exact<bool>();
  if (!flag) {
    fail(node, std::string(what) + " is not true or false");
  }
  return *flag;
}

const toml::table& table_of(const toml::node& node, std::string_view what)
{
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    fail(node, std::string(what) + " is not a table");
  }
  return *table;
}

// A string, or an array of them with at least one.
std::vector<std::string> texts_of(const toml::node& node, std::string_view what)
{
  std::vector<std::string> texts;
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    texts.push_back(text_of(node, what));
    return texts;
  }
  for (const toml::node& element : *array) {
    texts.push_back(text_of(element, what));
  }
  if (texts.empty()) {
    fail(node, std::string(what) + " is empty");
  }
  return texts;
}

bool is_time(Field field)
{
  return field == Field::time || field == Field::sent;
}

bool is_number(Field field)
{
  return field == Field::price || field == Field::quantity;
}

std::optional<Timestamp> parse_pattern(const std::string& pattern, std::string_view text)
{
  std::istringstream in{std::string(text)};
  date::sys_time<Milliseconds> time;
  in >> date::parse(pattern, time);
  if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) {
    return std::nullopt;
  }
  return Timestamp{time.time_since_epoch().count()};
}

// Conversions of date's parser alone: it counts a width like `%99…9Y` beyond what an int holds.
bool is_pattern(std::string_view pattern)
{
  constexpr std::string_view kConversions = "YmdeHIMSpjbByFTRz%";
  std::size_t at = pattern.find('%');
  if (at == std::string_view::npos) {
    return false;
  }
  for (; at != std::string_view::npos; at = pattern.find('%', at + 2)) {
    if (at + 1 == pattern.size() || kConversions.find(pattern[at + 1]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

// A pattern that can not read what it wrote itself would refuse every record.
bool reads_itself(const std::string& pattern)
{
  const date::sys_time<Milliseconds> sample{Milliseconds(1'234'567'890'000)};
  std::ostringstream written;
  written << date::format(pattern, sample);
  return parse_pattern(pattern, written.str()).has_value();
}

class MapReader {
 public:
  ColumnMap::Rules read(const toml::table& root)
  {
    const toml::node* fields = nullptr;
    const toml::node* rules = nullptr;
    for (const auto& [key, node] : root) {
      const std::string_view name = key.str();
      if (name == "separator") {
        read_separator(node);
      } else if (name == "id") {
        map_.id = columns_of(node, "id");
      } else if (name == "properties") {
        read_properties(node);
      } else if (name == "fields") {
        fields = &node;
      } else if (name == "rule") {
        rules = &node;
      } else {
        fail(node, quoted(name) + " is not a key of a map");
      }
    }
    if (fields == nullptr) {
      fail(root, "no [fields]");
    }
    read_fields(table_of(*fields, "fields"));
    if (rules != nullptr) {
      read_rules(*rules);
    }
    return std::move(map_);
  }

 private:
  Column column(std::string name, const toml::node& where)
  {
    if (name.empty()) {
      fail(where, "a column without a name");
    }
    const auto known = std::find(map_.columns.begin(), map_.columns.end(), name);
    const auto index = static_cast<Column>(known - map_.columns.begin());
    if (known == map_.columns.end()) {
      map_.columns.push_back(std::move(name));
    }
    return index;
  }

  std::vector<Column> columns_of(const toml::node& node, std::string_view what)
  {
    std::vector<Column> columns;
    for (std::string& name : texts_of(node, what)) {
      columns.push_back(column(std::move(name), node));
    }
    return columns;
  }

  void read_separator(const toml::node& node)
  {
    const std::string text = text_of(node, "separator");
    if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r" || text[0] == '\0' ||
        static_cast<unsigned char>(text[0]) > 0x7E) {
      fail(node, "separator is not one ASCII character other than a quote or a line break");
    }
    map_.separator = text[0];
  }

  void read_properties(const toml::node& node)
  {
    map_.properties = columns_of(node, "properties");
    const auto name = [this](Column at) -> const std::string& { return map_.columns[at]; };
    std::sort(map_.properties.begin(), map_.properties.end(), [&](Column a, Column b) { return canonical_less(name(a), name(b)); });
    if (std::adjacent_find(map_.properties.begin(), map_.properties.end()) != map_.properties.end()) {
      fail(node, "properties names a column twice");
    }
  }

  void read_fields(const toml::table& fields)
  {
    for (const auto& [key, node] : fields) {
      map_.fields.push_back(source_of(key.str(), node));
    }
    for (const Field needed : {Field::type, Field::customer}) {
      const auto is = [needed](const ColumnSource& source) { return source.field == needed; };
      if (std::none_of(map_.fields.begin(), map_.fields.end(), is)) {
        fail(fields, "no field " + quoted(field_name(needed)));
      }
    }
    const auto id = [](const ColumnSource& source) { return source.field == Field::id; };
    if (!map_.id.empty() && std::any_of(map_.fields.begin(), map_.fields.end(), id)) {
      fail(fields, "field `id` beside the columns of id");
    }
  }

  void read_rules(const toml::node& node)
  {
    const toml::array* rules = node.as_array();
    if (rules == nullptr) {
      fail(node, "rule is not written [[rule]]");
    }
    for (const toml::node& rule : *rules) {
      map_.rules.push_back(rule_of(table_of(rule, "rule")));
    }
  }

  ColumnRule rule_of(const toml::table& table)
  {
    ColumnRule rule;
    for (const auto& [key, node] : table) {
      if (key.str() == "if") {
        rule.conditions = conditions_of(node);
      } else if (key.str() == "skip") {
        rule.skip = flag_of(node, "skip");
      } else {
        rule.fields.push_back(source_of(key.str(), node));
      }
    }
    if (rule.conditions.empty()) {
      fail(table, "a rule without `if`");
    }
    if (rule.skip == !rule.fields.empty()) {
      fail(table, rule.skip ? "a rule with both skip and fields" : "a rule that does nothing");
    }
    return rule;
  }

  std::vector<ColumnCondition> conditions_of(const toml::node& node)
  {
    std::vector<ColumnCondition> conditions;
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& element : *array) {
        conditions.push_back(condition_of(table_of(element, "if")));
      }
    } else {
      conditions.push_back(condition_of(table_of(node, "if")));
    }
    return conditions;
  }

  ColumnCondition condition_of(const toml::table& table)
  {
    ColumnCondition condition;
    int tests = 0;
    bool has_column = false;
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (name == "column") {
        condition.column = column(text_of(node, "column"), node);
        has_column = true;
        continue;
      }
      ++tests;
      if (name == "is" || name == "prefix") {
        condition.kind = name == "is" ? ColumnCondition::Kind::is : ColumnCondition::Kind::prefix;
        condition.texts = texts_of(node, name);
      } else if (name == "empty" && flag_of(node, "empty")) {
        condition.kind = ColumnCondition::Kind::empty;
      } else {
        fail(node, name == "empty" ? "empty can only be true" : quoted(name) + " is not a key of `if`");
      }
    }
    if (!has_column || tests != 1) {
      fail(table, "`if` needs a column and one of is, prefix, empty");
    }
    return condition;
  }

  ColumnSource source_of(std::string_view name, const toml::node& node)
  {
    const auto field = field_named(name);
    if (!field || *field == Field::items || *field == Field::properties) {
      fail(node, "field " + quoted(name) + ": not a field of an event that a column can give");
    }
    ColumnSource source;
    source.field = *field;
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      source.columns = {column(text_of(node, "field " + quoted(name)), node)};
      return source;
    }
    for (const auto& [key, value] : *table) {
      read_source_key(source, key.str(), value);
    }
    check_source(source, *table);
    return source;
  }

  void read_source_key(ColumnSource& source, std::string_view key, const toml::node& node)
  {
    if (key == "column") {
      source.columns = columns_of(node, key);
    } else if (key == "join") {
      source.columns = columns_of(node, key);
      source.join = source.join.value_or("");
    } else if (key == "with") {
      source.join = text_of(node, key);
    } else if (key == "constant") {
      source.constant = text_of(node, key);
      check_value(source.field, *source.constant, node);
    } else if (key == "values") {
      read_values(source, table_of(node, key));
    } else if (key == "absent") {
      source.absent = texts_of(node, key);
    } else if (key == "drop_suffix") {
      source.drop_suffix = text_of(node, key);
    } else if (key == "negate" && is_number(source.field)) {
      source.negate = flag_of(node, key);
    } else if (key == "format" && is_time(source.field)) {
      read_format(source, node);
    } else {
      fail(node, "field " + quoted(field_name(source.field)) + ": " + quoted(key) + " is not one of its keys");
    }
  }

  static void check_value(Field field, const std::string& text, const toml::node& where)
  {
    Event scratch;
    const Check check = set_from_cell(scratch, field, text);
    if (!check) {
      fail(where, "field " + quoted(field_name(field)) + ": " + quoted(text) + ": " + std::string(check.error()));
    }
  }

  static void read_values(ColumnSource& source, const toml::table& table)
  {
    for (const auto& [key, node] : table) {
      std::string value = text_of(node, "a value");
      if (!is_time(source.field)) {
        check_value(source.field, value, node);
      }
      source.values.emplace_back(std::string(key.str()), std::move(value));
    }
    if (source.values.empty()) {
      fail(table, "values is empty");
    }
  }

  static void read_format(ColumnSource& source, const toml::node& node)
  {
    source.pattern = text_of(node, "format");
    if (source.pattern == "s") {
      source.format = TimeFormat::seconds;
      return;
    }
    if (!is_pattern(source.pattern) || !reads_itself(source.pattern)) {
      fail(node, "format " + quoted(source.pattern) + " is neither \"s\" nor a pattern a time can be read with");
    }
    source.format = TimeFormat::pattern;
  }

  static void check_source(const ColumnSource& source, const toml::table& table)
  {
    const std::string field = "field " + quoted(field_name(source.field));
    if (table.contains("column") + table.contains("join") + table.contains("constant") != 1) {
      fail(table, field + " needs one of column, join, constant");
    }
    if (table.contains("with") && !table.contains("join")) {
      fail(table, field + ": with needs join");
    }
    if (table.contains("constant") && table.size() != 1) {
      fail(table, field + ": constant stands alone");
    }
  }

  ColumnMap::Rules map_;
};

Error map_error(std::string_view name, std::size_t line, std::string_view reason)
{
  return Error{Code::config, std::string(name) + ':' + std::to_string(line) + ": " + std::string(reason)};
}

} // namespace

Checked<Timestamp> read_time_cell(const ColumnSource& source, std::string_view text)
{
  if (source.format == TimeFormat::pattern) {
    const auto time = parse_pattern(source.pattern, text);
    if (!time) {
      return std::string_view("not in the format of the map");
    }
    const Check check = check_time(*time);
    return check ? Checked<Timestamp>(*time) : Checked<Timestamp>(check.error());
  }
  if (source.format == TimeFormat::seconds) {
    const auto seconds = parse_total(text);
    if (!seconds) {
      return std::string_view("not seconds with up to 6 decimals");
    }
    const Int128 ms = seconds->micro / 1000 - (seconds->micro % 1000 < 0 ? 1 : 0);
    const bool fits = ms >= kMinTime.ms && ms <= kMaxTime.ms;
    return fits ? Checked<Timestamp>(Timestamp{static_cast<std::int64_t>(ms)})
                : Checked<Timestamp>(check_time({kMaxTime.ms + 1}).error());
  }
  Event scratch;
  const Check check = set_from_cell(scratch, Field::time, text);
  return check ? Checked<Timestamp>(*scratch.time) : Checked<Timestamp>(check.error());
}

Result<std::shared_ptr<const ColumnMap>> ColumnMap::parse(std::string_view toml, std::string_view name)
{
  if (toml.size() > kMaxMapBytes) {
    return map_error(name, 1, "over 1 MiB");
  }
  try {
    const toml::table root = toml::parse(toml);
    return std::make_shared<const ColumnMap>(std::make_shared<const Rules>(MapReader().read(root)));
  } catch (const toml::parse_error& error) {
    return map_error(name, error.source().begin.line, error.description());
  } catch (const MapFault& fault) {
    return map_error(name, std::max<std::size_t>(fault.line, 1), fault.reason);
  }
}

char ColumnMap::separator() const
{
  return rules_->separator;
}

} // namespace attune
