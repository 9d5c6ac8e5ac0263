#include "core/condition_toml.h"

#include <array>
#include <span>

#include "core/event.h"
#include "core/money.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 3> kConsents{"granted", "refused", "unknown"};
constexpr std::array<std::string_view, 7> kWeekdays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::array<std::string_view, 3> kOrigins{"page", "cart", "purchase"};

// The only texts the field can be; nothing: any.
std::span<const std::string_view> texts_of(Fact fact)
{
  switch (fact) {
    case Fact::consent:
      return kConsents;
    case Fact::weekday:
      return kWeekdays;
    case Fact::item_accessory_of:
      return kOrigins;
    default:
      return {};
  }
}

std::string listed(std::span<const std::string_view> names)
{
  std::string all;
  for (const auto name : names) all.append(all.empty() ? "" : ", ").append(name);
  return all;
}

class TestReader {
 public:
  TestReader(TomlFields& fields, const FactRules& rules, const SegmentNumbers& segments)
      : fields_(fields), rules_(rules), segments_(segments)
  {
    test_.fact = rules.fact;
  }

  Test read()
  {
    read_keys();
    read_comparison();
    fields_.done();
    return std::move(test_);
  }

 private:
  // Whether the field takes this key, and whether it needs it.
  [[nodiscard]] std::optional<TomlValue> key(std::string_view name)
  {
    const auto at = rules_.keys.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view behind = rules_.keys.substr(at + name.size());
    if (!fields_.has(name) && behind.starts_with('!'))
      fields_.fail("field `" + std::string(rules_.name) + "` needs `" + std::string(name) + '`');
    return fields_.take(name);
  }

  void read_keys()
  {
    if (const auto value = key("currency")) {
      const auto currency = parse_currency(value->text());
      if (!currency) value->fail("not three capital letters of ISO 4217");
      test_.currency = *currency;
    }
    if (const auto value = key("type")) {
      test_.of = value->text();
      const auto type = parse_type(test_.of);
      if (!type || is_identity(*type)) value->fail("not a type of event that is counted");
    }
    if (const auto value = key("within")) test_.within = value->duration();
    if (const auto value = key("item")) test_.of = value->text();
    if (const auto value = key("category")) test_.of = value->text();
  }

  // Says that this is the one comparison.
  void compare_by(Comparison comparison, const TomlValue& value)
  {
    if (compared_by_)
      value.fail("a second comparison beside `" + compared_by_->path + "` in line " + std::to_string(compared_by_->line()));
    compared_by_.emplace(value);
    test_.comparison = comparison;
  }

  void read_comparison()
  {
    if (const auto value = fields_.take("is")) read_equality(Comparison::is, *value);
    if (const auto value = fields_.take("is_not")) read_equality(Comparison::is_not, *value);
    const bool may_lack = rules_.fact != Fact::segment;
    if (const auto value = may_lack ? fields_.take("exists") : std::nullopt)
      compare_by(value->flag() ? Comparison::exists : Comparison::absent, *value);
    const bool open_text = rules_.kind == FactKind::text && texts_of(rules_.fact).empty() && rules_.fact != Fact::segment;
    if (open_text) {
      if (const auto value = fields_.take("starts_with")) read_texts(Comparison::starts_with, *value);
      if (const auto value = fields_.take("contains")) read_texts(Comparison::contains, *value);
    }
    if (rules_.kind != FactKind::text && rules_.kind != FactKind::flag) read_bounds();
    if (!compared_by_) fields_.fail("no comparison for field `" + std::string(rules_.name) + '`');
  }

  void read_equality(Comparison comparison, const TomlValue& value)
  {
    if (rules_.kind == FactKind::text) return read_texts(comparison, value);
    compare_by(comparison, value);
    if (!value.node.is_array()) {
      test_.numbers.push_back(number_of(value));
      return;
    }
    for (const auto& element : value.elements()) test_.numbers.push_back(number_of(element));
  }

  void read_texts(Comparison comparison, const TomlValue& value)
  {
    compare_by(comparison, value);
    test_.texts = value.texts();
    std::sort(test_.texts.begin(), test_.texts.end());
    const auto known = texts_of(rules_.fact);
    for (const auto& text : test_.texts) {
      if (!known.empty() && std::find(known.begin(), known.end(), text) == known.end())
        value.fail("none of " + listed(known) + ": `" + text + '`');
      if (rules_.fact != Fact::segment) continue;
      const auto at = segments_.find(text);
      if (at == segments_.end()) value.fail("no [segment." + text + "] in this file");
      test_.segments.push_back(at->second);
    }
  }

  [[nodiscard]] std::int64_t number_of(const TomlValue& value) const
  {
    switch (rules_.kind) {
      case FactKind::millionths:
        return value.millionths();
      case FactKind::duration:
        return value.duration().count();
      case FactKind::time_of_day:
        return value.time_of_day();
      case FactKind::flag:
        return value.flag() ? 1 : 0;
      default:
        constexpr std::int64_t kMost = 1'000'000'000'000;
        return value.whole(-kMost, kMost);
    }
  }

  void read_bounds()
  {
    // All numbers are whole, in the unit of their kind, so `over` is `at_least` of the next.
    const auto low = one_of("at_least", "over");
    const auto high = one_of("at_most", "under");
    if (!low && !high) return;
    compare_by(Comparison::between, low ? *low : *high);
    if (low) test_.low = number_of(*low) + (low->path.ends_with(".over") ? 1 : 0);
    if (high) test_.high = number_of(*high) - (high->path.ends_with(".under") ? 1 : 0);
    if (low && high && test_.low > test_.high && rules_.kind != FactKind::time_of_day)
      low->fail("never holds together with `" + high->path + "` in line " + std::to_string(high->line()));
  }

  [[nodiscard]] std::optional<TomlValue> one_of(std::string_view a, std::string_view b)
  {
    auto first = fields_.take(a);
    auto second = fields_.take(b);
    if (first && second) second->fail("a second bound beside `" + first->path + "` in line " + std::to_string(first->line()));
    std::optional<TomlValue> bound;
    if (first) bound.emplace(*first);
    if (second) bound.emplace(*second);
    return bound;
  }

  TomlFields& fields_;
  const FactRules& rules_;
  const SegmentNumbers& segments_;
  Test test_;
  std::optional<TomlValue> compared_by_;
};

Condition read_test(TomlFields& fields, const ConditionPlace& place, const SegmentNumbers& segments)
{
  const auto field = fields.need("field");
  const auto fact = fact_named(field.text());
  if (!fact) field.fail("no field `" + field.text() + '`');
  const FactRules& rules = fact_rules(*fact);
  if (std::find(place.scopes.begin(), place.scopes.end(), rules.scope) == place.scopes.end())
    field.fail("`" + std::string(rules.name) + "` is not a field of " + std::string(place.what));
  Condition condition;
  condition.kind = Condition::Kind::test;
  condition.test = TestReader(fields, rules, segments).read();
  return condition;
}

} // namespace

Condition read_condition(const TomlValue& value, const ConditionPlace& place, const SegmentNumbers& segments, int depth)
{
  if (depth > kMaxConditionDepth) value.fail("nested too deep");
  Condition condition;
  const auto add_all = [&](const TomlValue& parts) {
    for (const auto& part : parts.elements()) condition.parts.push_back(read_condition(part, place, segments, depth + 1));
  };
  if (value.node.is_array()) {
    add_all(value);
    return condition;
  }
  TomlFields fields(value);
  if (const auto parts = fields.take("all")) {
    add_all(*parts);
  } else if (const auto some = fields.take("any")) {
    condition.kind = Condition::Kind::any;
    add_all(*some);
  } else if (const auto part = fields.take("not")) {
    condition.kind = Condition::Kind::none;
    condition.parts.push_back(read_condition(*part, place, segments, depth + 1));
  } else {
    return read_test(fields, place, segments);
  }
  fields.done();
  return condition;
}

} // namespace attune
