#include "core/field_rules.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "core/canonical_json.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, kFields> kNames{
    "alias",      "category", "currency", "customer",       "granted", "id",      "item", "items", "order", "price",
    "properties", "quantity", "query",    "recommendation", "sent",    "session", "slot", "time",  "type"};

std::string_view over(std::size_t max)
{
  switch (max) {
    case kMaxIdBytes:
      return "over 64 bytes";
    case kMaxCustomerBytes:
      return "over 128 bytes";
    case kMaxStringBytes:
      return "over 256 bytes";
    case kMaxQueryBytes:
      return "over 512 bytes";
    default:
      return "over 2048 bytes";
  }
}

Check set_string(std::string& place, std::string_view text, std::size_t max)
{
  const Check check = check_text(text, max);
  if (check) {
    place.assign(text);
  }
  return check;
}

Check set_type(Event& event, std::string_view text)
{
  const auto type = parse_type(text);
  if (!type) {
    const Check check = check_text(text, kMaxStringBytes);
    return check ? Check(std::string_view("unknown type")) : check;
  }
  event.type = *type;
  if (*type == EventType::custom) {
    return set_string(event.custom_type, text, kMaxStringBytes);
  }
  return {};
}

Check set_currency(Event& event, std::string_view text)
{
  const auto currency = parse_currency(text);
  if (!currency) {
    return kNotACurrency;
  }
  event.currency = *currency;
  return {};
}

// Reads fixed groups of digits from the front of a text; any miss is remembered, so one look at the end is enough.
class DigitReader {
 public:
  explicit DigitReader(std::string_view text) : text_(text) {}

  unsigned number(std::size_t digits)
  {
    unsigned value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const unsigned digit = i < text_.size() ? static_cast<unsigned char>(text_[i]) - '0' : 10U;
      failed_ |= digit > 9;
      value = value * 10 + digit;
    }
    text_.remove_prefix(std::min(digits, text_.size()));
    return value;
  }
  char one_of(std::string_view set)
  {
    const char c = text_.empty() ? '\0' : text_.front();
    failed_ |= set.find(c) == std::string_view::npos;
    text_.remove_prefix(std::min<std::size_t>(1, text_.size()));
    return c;
  }
  // ".5" is 500; every digit is looked at, three count.
  unsigned milliseconds()
  {
    if (text_.empty() || text_.front() != '.') {
      return 0;
    }
    text_.remove_prefix(1);
    const std::size_t length = std::min(text_.find_first_not_of("0123456789"), text_.size());
    failed_ |= length == 0;
    unsigned value = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      value = value * 10 + (i < length ? static_cast<unsigned char>(text_[i]) - '0' : 0U);
    }
    text_.remove_prefix(length);
    return value;
  }
  [[nodiscard]] bool done() const { return !failed_ && text_.empty(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 24 * 60 * kMinuteMs;

} // namespace

std::string_view field_name(Field field)
{
  return kNames[static_cast<std::size_t>(field)];
}

std::optional<Field> field_named(std::string_view name)
{
  for (std::size_t i = 0; i < kFields; ++i) {
    if (kNames[i] == name) {
      return static_cast<Field>(i);
    }
  }
  return std::nullopt;
}

Check check_text(std::string_view text, std::size_t max)
{
  if (text.empty()) {
    return std::string_view("empty");
  }
  if (text.size() > max) {
    return over(max);
  }
  if (std::memchr(text.data(), '\0', text.size()) != nullptr) {
    return std::string_view("holds a NUL");
  }
  return {};
}

Checked<Money> read_price(std::string_view text)
{
  if (!is_decimal(text)) {
    return std::string_view("not a decimal");
  }
  if (text.front() == '-') {
    return std::string_view("negative");
  }
  const std::size_t point = text.find('.');
  if (point != std::string_view::npos && text.size() - point > 7) {
    return std::string_view("over 6 decimals");
  }
  const auto total = parse_total(text);
  if (!total || total->micro > kMaxPriceMicro) {
    return std::string_view("over 1000000000");
  }
  return Money{static_cast<std::int64_t>(total->micro)};
}

Check check_price(Money price)
{
  if (price.micro < 0) {
    return std::string_view("negative");
  }
  return price.micro > kMaxPriceMicro ? Check(std::string_view("over 1000000000")) : Check();
}

Checked<std::int64_t> read_quantity(std::string_view digits)
{
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  const std::string_view magnitude = digits.substr(!digits.empty() && digits.front() == '-' ? 1 : 0);
  const bool leading_zero = magnitude.size() > 1 && magnitude.front() == '0';
  if (stop != end || error == std::errc::invalid_argument || leading_zero) {
    return std::string_view("not a whole number");
  }
  if (error == std::errc::result_out_of_range) {
    value = digits.front() == '-' ? 0 : kMaxQuantity + 1;
  }
  const Check check = check_quantity(value);
  return check ? Checked<std::int64_t>(value) : Checked<std::int64_t>(check.error());
}

Check check_quantity(std::int64_t quantity)
{
  if (quantity < 1) {
    return std::string_view("under 1");
  }
  return quantity > kMaxQuantity ? Check(std::string_view("over 1000000")) : Check();
}

Checked<Timestamp> read_rfc3339(std::string_view text)
{
  DigitReader reader(text);
  const int year = static_cast<int>(reader.number(4));
  reader.one_of("-");
  const unsigned month = reader.number(2);
  reader.one_of("-");
  const unsigned day = reader.number(2);
  reader.one_of("Tt ");
  const unsigned hour = reader.number(2);
  reader.one_of(":");
  const unsigned minute = reader.number(2);
  reader.one_of(":");
  const unsigned second = reader.number(2);
  const unsigned ms = reader.milliseconds();
  const char zone = reader.one_of("Zz+-");
  std::int64_t offset = 0;
  if (zone == '+' || zone == '-') {
    const unsigned hours = reader.number(2);
    reader.one_of(":");
    const unsigned minutes = reader.number(2);
    if (hours > 23 || minutes > 59) {
      return kNotATime;
    }
    offset = (zone == '+' ? 1 : -1) * static_cast<std::int64_t>(hours * 60 + minutes) * kMinuteMs;
  }
  if (!reader.done()) {
    return kNotATime;
  }
  const date::year_month_day calendar = date::year(year) / static_cast<int>(month) / static_cast<int>(day);
  if (!calendar.ok() || hour > 23 || minute > 59 || second > 60) {
    return kNotATime;
  }
  const std::int64_t days = date::sys_days(calendar).time_since_epoch().count();
  const Timestamp time{days * kDayMs + (hour * 60 + minute) * kMinuteMs + second * std::int64_t{1000} + ms - offset};
  if (second == 60 && ((time.ms % kDayMs) + kDayMs) % kDayMs >= 1000) {
    return kNotATime; // a leap second ends a UTC day; anywhere else 60 is a mistake
  }
  const Check check = check_time(time);
  return check ? Checked<Timestamp>(time) : Checked<Timestamp>(check.error());
}

Checked<Timestamp> read_milliseconds(std::string_view digits)
{
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  const std::string_view magnitude = digits.substr(!digits.empty() && digits.front() == '-' ? 1 : 0);
  const bool leading_zero = magnitude.size() > 1 && magnitude.front() == '0';
  if (stop != end || error == std::errc::invalid_argument || leading_zero || digits == "-0") {
    return kNotATime;
  }
  if (error == std::errc::result_out_of_range) {
    return check_time(Timestamp{kMaxTime.ms + 1}).error();
  }
  const Check check = check_time(Timestamp{value});
  return check ? Checked<Timestamp>(Timestamp{value}) : Checked<Timestamp>(check.error());
}

Check check_time(Timestamp time)
{
  return time < kMinTime || time > kMaxTime ? Check(std::string_view("not within the years 1 to 9999")) : Check();
}

bool is_text(Field field)
{
  switch (field) {
    case Field::granted:
    case Field::items:
    case Field::price:
    case Field::properties:
    case Field::quantity:
    case Field::sent:
    case Field::time:
      return false;
    default:
      return true;
  }
}

Check set_text(Event& event, Field field, std::string_view text)
{
  switch (field) {
    case Field::alias:
      return set_string(event.alias.text, text, kMaxCustomerBytes);
    case Field::category:
      return set_string(event.category, text, kMaxStringBytes);
    case Field::currency:
      return set_currency(event, text);
    case Field::customer:
      return set_string(event.customer.text, text, kMaxCustomerBytes);
    case Field::id:
      return set_string(event.id.text, text, kMaxIdBytes);
    case Field::item:
      return set_string(event.item.text, text, kMaxCustomerBytes);
    case Field::order:
      return set_string(event.order.text, text, kMaxStringBytes);
    case Field::query:
      return set_string(event.query, text, kMaxQueryBytes);
    case Field::recommendation:
      return set_string(event.recommendation.text, text, kMaxStringBytes);
    case Field::session:
      return set_string(event.session.text, text, kMaxStringBytes);
    case Field::slot:
      return set_string(event.slot.text, text, kMaxStringBytes);
    case Field::type:
      return set_type(event, text);
    default:
      break;
  }
  ATTUNE_ASSERT(is_text(field));
  return {};
}

namespace {

template <class T, class Place>
Check keep(const Checked<T>& value, Place& place)
{
  if (!value) {
    return value.error();
  }
  place = *value;
  return {};
}

Checked<Timestamp> read_time_cell(std::string_view text)
{
  const bool digits = text.find_first_not_of("0123456789", !text.empty() && text.front() == '-' ? 1 : 0) == std::string_view::npos;
  return digits ? read_milliseconds(text) : read_rfc3339(text);
}

Check set_granted(Event& event, std::string_view text)
{
  if (text != "true" && text != "false") {
    return std::string_view("not true or false");
  }
  event.granted = text == "true";
  return {};
}

} // namespace

Check set_from_cell(Event& event, Field field, std::string_view text)
{
  switch (field) {
    case Field::price:
      return keep(read_price(text), event.price);
    case Field::quantity:
      return keep(read_quantity(text), event.quantity);
    case Field::time:
      return keep(read_time_cell(text), event.time);
    case Field::sent:
      return keep(read_time_cell(text), event.sent);
    case Field::granted:
      return set_granted(event, text);
    default:
      return set_text(event, field, text);
  }
}

Check set_properties(Event& event, std::string_view json)
{
  if (json.size() > kMaxPropertiesBytes) {
    return std::string_view("over 16 KiB");
  }
  const Check check = properties_fault(check_json_object(json, kMaxPropertiesDepth));
  if (check) {
    event.properties.assign(json);
  }
  return check;
}

Check properties_fault(const Check& check)
{
  return !check && check.error() == kNestedTooDeep ? Check(std::string_view("deeper than 8 levels")) : check;
}

std::string line_field(std::size_t index, std::string_view name)
{
  std::string field = "items[" + std::to_string(index) + ']';
  if (!name.empty()) {
    field += '.';
    field += name;
  }
  return field;
}

Reject rejected(std::string_view field, std::string_view reason)
{
  return Reject{std::string(field), std::string(reason)};
}

std::string shown(std::string_view name)
{
  constexpr std::size_t kShown = 64;
  std::size_t length = std::min(name.size(), kShown);
  while (length > 0 && length < name.size() && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80) {
    --length;
  }
  std::string text(name.substr(0, length));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

} // namespace attune
