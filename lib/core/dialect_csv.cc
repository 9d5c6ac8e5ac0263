#include <csv.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "core/canonical_json.h"
#include "core/column_rules.h"
#include "core/dialect.h"

namespace attune {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Takes one record apart with libcsv. Cells keep their memory from record to record.
class CsvCells {
 public:
  explicit CsvCells(char separator) : separator_(static_cast<unsigned char>(separator))
  {
    ATTUNE_ASSERT(csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) == 0);
    csv_set_delim(&parser_, separator_);
  }
  ~CsvCells() { csv_free(&parser_); }
  CsvCells(const CsvCells&) = delete;
  CsvCells& operator=(const CsvCells&) = delete;

  [[nodiscard]] Check split(std::string_view record)
  {
    count_ = 0;
    rows_ = 0;
    const bool parsed = csv_parse(&parser_, record.data(), record.size(), on_cell, on_row, this) == record.size() &&
                        csv_fini(&parser_, on_cell, on_row, this) == 0;
    if (!parsed) {
      reset();
      return std::string_view("a quote out of place");
    }
    return rows_ > 1 ? Check(std::string_view("a carriage return within a record")) : Check();
  }

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const std::string& operator[](std::size_t i) const { return cells_[i]; }
  [[nodiscard]] bool equal(const std::vector<std::string>& other) const
  {
    return count_ == other.size() && std::equal(other.begin(), other.end(), cells_.begin());
  }
  [[nodiscard]] std::vector<std::string> all() const
  {
    return {cells_.begin(), cells_.begin() + static_cast<std::ptrdiff_t>(count_)};
  }

 private:
  static void on_cell(void* text, std::size_t length, void* self)
  {
    static_cast<CsvCells*>(self)->add({static_cast<const char*>(text), length});
  }
  static void on_row(int, void* self) { ++static_cast<CsvCells*>(self)->rows_; }

  void add(std::string_view text)
  {
    if (count_ == cells_.size()) {
      cells_.emplace_back();
    }
    cells_[count_++].assign(text);
  }

  // After a fault libcsv stays in the middle of its record.
  void reset()
  {
    csv_free(&parser_);
    ATTUNE_ASSERT(csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) == 0);
    csv_set_delim(&parser_, separator_);
  }

  unsigned char separator_;
  csv_parser parser_{};
  std::vector<std::string> cells_;
  std::size_t count_ = 0;
  std::size_t rows_ = 0;
};

void turn_sign(std::string& number)
{
  if (number.front() == '-') {
    number.erase(0, 1);
  } else {
    number.insert(number.begin(), '-');
  }
}

class CsvDialect final : public Dialect {
 public:
  explicit CsvDialect(std::shared_ptr<const ColumnMap> map) : map_(std::move(map)), rules_(map_->rules()), cells_(rules_.separator)
  {
  }

  Result<bool, Reject> parse(std::string_view record, Event& out) override
  {
    out.clear();
    if (const Check check = split(record); !check) {
      return rejected("", check.error());
    }
    if (cells_.size() == 0) {
      return false;
    }
    if (header_.empty()) {
      return read_header();
    }
    if (!fault_.empty()) {
      return rejected("", fault_);
    }
    if (cells_.size() != header_.size()) {
      return Reject{"", std::to_string(cells_.size()) + " cells where the header has " + std::to_string(header_.size())};
    }
    if (cells_.equal(header_)) {
      return false;
    }
    return read_record(out);
  }

 private:
  Check split(std::string_view record)
  {
    if (record.size() > kMaxEventBytes) {
      return std::string_view("over 64 KiB");
    }
    if (header_.empty() && record.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      record.remove_prefix(kByteOrderMark.size());
    }
    if (!simdjson::validate_utf8(record.data(), record.size())) {
      return std::string_view("not UTF-8");
    }
    return cells_.split(record);
  }

  // Without its columns no record of this input can be read, so each is refused for what the header lacks.
  Result<bool, Reject> read_header()
  {
    header_ = cells_.all();
    position_.clear();
    for (const std::string& column : rules_.columns) {
      const auto found = std::find(header_.begin(), header_.end(), column);
      if (found == header_.end()) {
        fault_ = "the header has no column `" + shown(column) + '`';
        return rejected("", fault_);
      }
      if (std::find(found + 1, header_.end(), column) != header_.end()) {
        fault_ = "the header has column `" + shown(column) + "` twice";
        return rejected("", fault_);
      }
      position_.push_back(static_cast<std::size_t>(found - header_.begin()));
    }
    return false;
  }

  [[nodiscard]] const std::string& cell(Column column) const { return cells_[position_[column]]; }

  Result<bool, Reject> read_record(Event& out)
  {
    if (!choose_sources()) {
      return false;
    }
    for (const ColumnSource* source : sources_) {
      if (source == nullptr) {
        continue;
      }
      if (const Check check = fill(*source, out); !check) {
        return rejected(field_name(source->field), check.error());
      }
    }
    if (const Check check = fill_properties(out); !check) {
      return rejected("properties", check.error());
    }
    if (!rules_.id.empty()) {
      out.id = row_id();
    }
    if (!has_type_) {
      return Reject{"type", "missing"};
    }
    const auto valid = validate(out);
    return valid ? Result<bool, Reject>(true) : Result<bool, Reject>(valid.error());
  }

  // Which source each field has for this record; false when a rule says to skip it.
  bool choose_sources()
  {
    sources_.fill(nullptr);
    has_type_ = false;
    put(rules_.fields);
    for (const ColumnRule& rule : rules_.rules) {
      const auto holds = [this](const ColumnCondition& condition) { return this->holds(condition); };
      if (!std::all_of(rule.conditions.begin(), rule.conditions.end(), holds)) {
        continue;
      }
      if (rule.skip) {
        return false;
      }
      put(rule.fields);
    }
    return true;
  }

  void put(const std::vector<ColumnSource>& fields)
  {
    for (const ColumnSource& source : fields) {
      sources_[static_cast<std::size_t>(source.field)] = &source;
    }
  }

  [[nodiscard]] bool holds(const ColumnCondition& condition) const
  {
    const std::string& text = cell(condition.column);
    switch (condition.kind) {
      case ColumnCondition::Kind::empty:
        return text.empty();
      case ColumnCondition::Kind::is:
        return std::find(condition.texts.begin(), condition.texts.end(), text) != condition.texts.end();
      case ColumnCondition::Kind::prefix:
        return std::any_of(condition.texts.begin(), condition.texts.end(),
                           [&text](const std::string& prefix) { return text.compare(0, prefix.size(), prefix) == 0; });
    }
    return false;
  }

  Check fill(const ColumnSource& source, Event& out)
  {
    if (source.constant) {
      text_ = *source.constant;
    } else if (!gather(source)) {
      return {};
    }
    if (!source.values.empty()) {
      const auto known =
          std::find_if(source.values.begin(), source.values.end(), [this](const auto& value) { return value.first == text_; });
      if (known == source.values.end()) {
        return std::string_view("not among the values of the map");
      }
      text_ = known->second;
    }
    if (source.negate) {
      turn_sign(text_);
    }
    has_type_ |= source.field == Field::type;
    return set(source, out);
  }

  // The text of the source's cells; false when there is none.
  bool gather(const ColumnSource& source)
  {
    text_.clear();
    for (const Column column : source.columns) {
      const std::string& given = cell(column);
      const bool absent = given.empty() || std::find(source.absent.begin(), source.absent.end(), given) != source.absent.end();
      if (source.join && absent) {
        return false;
      }
      if (source.join && !text_.empty()) {
        text_ += *source.join;
      }
      if (!absent) {
        text_ += given;
      }
      if (!source.join && !absent) {
        break;
      }
    }
    const std::string& suffix = source.drop_suffix;
    if (!suffix.empty() && text_.size() > suffix.size() &&
        text_.compare(text_.size() - suffix.size(), suffix.size(), suffix) == 0) {
      text_.resize(text_.size() - suffix.size());
    }
    return !text_.empty();
  }

  Check set(const ColumnSource& source, Event& out) const
  {
    if (source.field != Field::time && source.field != Field::sent) {
      return set_from_cell(out, source.field, text_);
    }
    const auto time = read_time_cell(source, text_);
    if (!time) {
      return time.error();
    }
    (source.field == Field::time ? out.time : out.sent) = *time;
    return {};
  }

  Check fill_properties(Event& out)
  {
    text_.clear();
    text_ += '{';
    for (const Column column : rules_.properties) {
      if (cell(column).empty()) {
        continue;
      }
      if (text_.size() > 1) {
        text_ += ',';
      }
      append_json_string(rules_.columns[column], text_);
      text_ += ':';
      append_json_string(cell(column), text_);
    }
    text_ += '}';
    return text_.size() > 2 ? set_properties(out, text_) : Check();
  }

  EventId row_id()
  {
    text_.clear();
    text_ += '[';
    for (const Column column : rules_.id) {
      if (text_.size() > 1) {
        text_ += ',';
      }
      append_json_string(cell(column), text_);
    }
    text_ += ']';
    return hashed_id(text_);
  }

  std::shared_ptr<const ColumnMap> map_;
  const ColumnMap::Rules& rules_;
  CsvCells cells_;
  std::vector<std::string> header_;
  std::string fault_; // of the header
  std::vector<std::size_t> position_; // of each of the map's columns in a record
  std::array<const ColumnSource*, kFields> sources_{};
  bool has_type_ = false;
  std::string text_; // scratch
};

} // namespace

std::unique_ptr<Dialect> csv_dialect(std::shared_ptr<const ColumnMap> map)
{
  return std::make_unique<CsvDialect>(std::move(map));
}

} // namespace attune
