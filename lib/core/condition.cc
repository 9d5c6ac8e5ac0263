#include "core/condition.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>

namespace attune {
namespace {

constexpr std::array<FactRules, kFacts> kFactRules{{
    {Fact::spend, "spend", FactScope::customer, FactKind::millionths, "currency!"},
    {Fact::count, "count", FactScope::customer, FactKind::whole, "type! within"},
    {Fact::events, "events", FactScope::customer, FactKind::whole, ""},
    {Fact::first_seen, "first_seen", FactScope::customer, FactKind::duration, ""},
    {Fact::last_seen, "last_seen", FactScope::customer, FactKind::duration, ""},
    {Fact::since_purchase, "since_purchase", FactScope::customer, FactKind::duration, "item"},
    {Fact::cart_lines, "cart.lines", FactScope::customer, FactKind::whole, ""},
    {Fact::cart_quantity, "cart.quantity", FactScope::customer, FactKind::whole, ""},
    {Fact::cart_value, "cart.value", FactScope::customer, FactKind::millionths, "currency!"},
    {Fact::cart_item, "cart.item", FactScope::customer, FactKind::text, ""},
    {Fact::cart_category, "cart.category", FactScope::customer, FactKind::text, ""},
    {Fact::cart_tag, "cart.tag", FactScope::customer, FactKind::text, ""},
    {Fact::affinity, "affinity", FactScope::customer, FactKind::millionths, "category!"},
    {Fact::top_category, "top_category", FactScope::customer, FactKind::text, ""},
    {Fact::consent, "consent", FactScope::customer, FactKind::text, ""},
    {Fact::segment, "segment", FactScope::customer, FactKind::text, ""},
    {Fact::customer, "customer", FactScope::customer, FactKind::text, ""},
    {Fact::slot, "slot", FactScope::request, FactKind::text, ""},
    {Fact::page_item, "page.item", FactScope::request, FactKind::text, ""},
    {Fact::page_category, "page.category", FactScope::request, FactKind::text, ""},
    {Fact::page_tag, "page.tag", FactScope::request, FactKind::text, ""},
    {Fact::time, "time", FactScope::request, FactKind::time_of_day, ""},
    {Fact::weekday, "weekday", FactScope::request, FactKind::text, ""},
    {Fact::item, "item", FactScope::item, FactKind::text, ""},
    {Fact::item_name, "item.name", FactScope::item, FactKind::text, ""},
    {Fact::item_category, "item.category", FactScope::item, FactKind::text, ""},
    {Fact::item_tag, "item.tag", FactScope::item, FactKind::text, ""},
    {Fact::item_price, "item.price", FactScope::item, FactKind::millionths, "currency!"},
    {Fact::item_stock, "item.stock", FactScope::item, FactKind::whole, ""},
    {Fact::item_expires_in, "item.expires_in", FactScope::item, FactKind::duration, ""},
    {Fact::item_listed, "item.listed", FactScope::item, FactKind::flag, ""},
    {Fact::item_accessory_of, "item.accessory_of", FactScope::item, FactKind::text, ""},
}};

constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<std::string_view, kAccessoryOrigins> kOrigins{"page", "cart", "purchase"};

std::int64_t clamped(Int128 number)
{
  constexpr Int128 kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr Int128 kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(number, kLeast, kMost));
}

// --- Texts -----------------------------------------------------------------------------------------------------------------------

bool matches(const Test& test, std::string_view text)
{
  switch (test.comparison) {
    case Comparison::is:
    case Comparison::is_not: {
      const auto at = std::lower_bound(test.texts.begin(), test.texts.end(), text);
      return at != test.texts.end() && *at == text;
    }
    case Comparison::starts_with:
      return std::any_of(test.texts.begin(), test.texts.end(), [text](const auto& want) { return text.starts_with(want); });
    case Comparison::contains:
      return std::any_of(test.texts.begin(), test.texts.end(),
                         [text](const auto& want) { return text.find(want) != std::string_view::npos; });
    case Comparison::exists:
    case Comparison::absent:
    case Comparison::between:
      break;
  }
  return true; // there is one
}

bool matches_some(const Test& test, std::string_view text)
{
  return !text.empty() && matches(test, text);
}

bool matches_some(const Test& test, const std::vector<std::string>& texts)
{
  return std::any_of(texts.begin(), texts.end(), [&test](const auto& text) { return matches(test, text); });
}

template <class Read>
bool matches_in_cart(const Test& test, Asker& asker, const Read& read)
{
  for (const auto& line : asker.cart())
    if (const auto* known = asker.known(line.item); known && matches_some(test, read(*known))) return true;
  return false;
}

template <class Read>
bool matches_known(const Test& test, const CatalogItem* known, const Read& read)
{
  return known != nullptr && matches_some(test, read(*known));
}

const std::vector<std::string>& categories_of(const CatalogItem& item)
{
  return item.categories;
}

const std::vector<std::string>& tags_of(const CatalogItem& item)
{
  return item.tags;
}

std::string_view weekday_of(Timestamp now)
{
  const std::int64_t days = day_of(now); // 1970-01-01 was a Thursday
  return kWeekdays[static_cast<std::size_t>(((days + 4) % 7 + 7) % 7)];
}

bool matches_text(const Test& test, Asker& asker, Shown shown)
{
  const Occasion& occasion = asker.occasion();
  switch (test.fact) {
    case Fact::cart_item:
      return std::any_of(asker.cart().begin(), asker.cart().end(), [&](const auto& line) { return matches(test, line.item.text); });
    case Fact::cart_category:
      return matches_in_cart(test, asker, categories_of);
    case Fact::cart_tag:
      return matches_in_cart(test, asker, tags_of);
    case Fact::top_category:
      return !asker.affinity().empty() && matches(test, asker.affinity().front().first);
    case Fact::consent:
      return matches(test, asker.consent());
    case Fact::segment:
      return std::any_of(test.segments.begin(), test.segments.end(),
                         [&](std::size_t segment) { return asker.in_segment(segment); });
    case Fact::customer:
      return matches_some(test, occasion.customer.text);
    case Fact::slot:
      return matches_some(test, occasion.slot.text);
    case Fact::page_item:
      return matches_some(test, occasion.page.text);
    case Fact::page_category:
      return matches_known(test, asker.known(occasion.page), categories_of);
    case Fact::page_tag:
      return matches_known(test, asker.known(occasion.page), tags_of);
    case Fact::weekday:
      return matches(test, weekday_of(occasion.now));
    case Fact::item:
      return matches_some(test, shown.item->text);
    case Fact::item_name:
      return shown.known != nullptr && matches_some(test, shown.known->name);
    case Fact::item_category:
      return matches_known(test, shown.known, categories_of);
    case Fact::item_tag:
      return matches_known(test, shown.known, tags_of);
    case Fact::item_accessory_of:
      for (std::size_t origin = 0; origin < kAccessoryOrigins; ++origin)
        if (matches(test, kOrigins[origin]) && asker.is_accessory(static_cast<AccessoryOf>(origin), shown.item->text)) return true;
      return false;
    default:
      return false;
  }
}

// --- Numbers ---------------------------------------------------------------------------------------------------------------------

std::optional<std::int64_t> age_of(std::optional<Timestamp> time, Timestamp now)
{
  if (!time) return std::nullopt;
  return std::max<std::int64_t>(0, (now - *time).count());
}

std::int64_t quantity_of(const std::vector<CartLine>& cart)
{
  Int128 sum = 0;
  for (const auto& line : cart) sum += line.quantity;
  return clamped(sum);
}

// Lines of other currencies and lines without a price are left out.
std::int64_t value_of(const std::vector<CartLine>& cart, Currency currency)
{
  Int128 sum = 0;
  for (const auto& line : cart)
    if (line.price && line.currency == currency) sum += static_cast<Int128>(line.price->micro) * line.quantity;
  return clamped(sum);
}

std::int64_t weight_of(const std::vector<std::pair<std::string, double>>& affinity, std::string_view category)
{
  for (const auto& [name, weight] : affinity)
    if (name == category) return std::llround(std::min(weight, 9e12) * 1e6);
  return 0;
}

std::optional<std::int64_t> number_of_item(const Test& test, const CatalogItem* known, Timestamp now)
{
  if (test.fact == Fact::item_listed) return known != nullptr ? 1 : 0;
  if (known == nullptr) return std::nullopt;
  if (test.fact == Fact::item_stock) return known->stock;
  if (test.fact == Fact::item_price && known->price && known->currency == test.currency) return known->price->micro;
  if (test.fact == Fact::item_expires_in && known->expires) return (*known->expires - now).count();
  return std::nullopt;
}

std::optional<std::int64_t> number_of(const Test& test, Asker& asker, Shown shown)
{
  const Timestamp now = asker.occasion().now;
  switch (test.fact) {
    case Fact::spend:
      return clamped(asker.spent(test.currency));
    case Fact::count:
      return clamped(asker.count(test.of, test.within));
    case Fact::events:
      return clamped(asker.events());
    case Fact::first_seen:
      return age_of(asker.first(), now);
    case Fact::last_seen:
      return age_of(asker.last(), now);
    case Fact::since_purchase:
      return age_of(test.of.empty() ? asker.purchased() : asker.purchased(ItemId(test.of)), now);
    case Fact::cart_lines:
      return static_cast<std::int64_t>(asker.cart().size());
    case Fact::cart_quantity:
      return quantity_of(asker.cart());
    case Fact::cart_value:
      return value_of(asker.cart(), test.currency);
    case Fact::affinity:
      return weight_of(asker.affinity(), test.of);
    case Fact::time:
      return (now.ms % kDayMs + kDayMs) % kDayMs;
    default:
      return number_of_item(test, shown.known, now);
  }
}

bool compare(const Test& test, std::int64_t number)
{
  switch (test.comparison) {
    case Comparison::is:
    case Comparison::is_not:
      return std::find(test.numbers.begin(), test.numbers.end(), number) != test.numbers.end();
    case Comparison::between:
      // Only a time of day has its bounds the other way round: from 22:00 to 06:00 goes over midnight.
      return test.low <= test.high ? number >= test.low && number <= test.high : number >= test.low || number <= test.high;
    default:
      return true; // there is one
  }
}

bool negates(Comparison comparison)
{
  return comparison == Comparison::is_not || comparison == Comparison::absent;
}

bool test_holds(const Test& test, Asker& asker, Shown shown)
{
  const bool negated = negates(test.comparison);
  if (fact_rules(test.fact).kind == FactKind::text) return matches_text(test, asker, shown) != negated;
  const auto number = number_of(test, asker, shown);
  return (number && compare(test, *number)) != negated;
}

} // namespace

const FactRules& fact_rules(Fact fact)
{
  return kFactRules[static_cast<std::size_t>(fact)];
}

std::optional<Fact> fact_named(std::string_view name)
{
  const auto* const at =
      std::find_if(kFactRules.begin(), kFactRules.end(), [name](const auto& rules) { return rules.name == name; });
  return at == kFactRules.end() ? std::nullopt : std::optional(at->fact);
}

bool holds(const Condition& condition, Asker& asker, Shown shown)
{
  const auto part_holds = [&](const Condition& part) { return holds(part, asker, shown); };
  switch (condition.kind) {
    case Condition::Kind::test:
      return test_holds(condition.test, asker, shown);
    case Condition::Kind::all:
      return std::all_of(condition.parts.begin(), condition.parts.end(), part_holds);
    case Condition::Kind::any:
      return std::any_of(condition.parts.begin(), condition.parts.end(), part_holds);
    case Condition::Kind::none:
      return std::none_of(condition.parts.begin(), condition.parts.end(), part_holds);
  }
  return false;
}

bool always_holds(const Condition& condition, const ItemId& item)
{
  const auto part_holds = [&item](const Condition& part) { return always_holds(part, item); };
  switch (condition.kind) {
    case Condition::Kind::test:
      if (condition.test.fact != Fact::item) return false;
      return matches(condition.test, item.text) != negates(condition.test.comparison);
    case Condition::Kind::all:
      return std::all_of(condition.parts.begin(), condition.parts.end(), part_holds);
    case Condition::Kind::any:
      return std::any_of(condition.parts.begin(), condition.parts.end(), part_holds);
    case Condition::Kind::none:
      return false; // may be; not known to be
  }
  return false;
}

bool reads_customer(const Condition& condition)
{
  if (condition.kind == Condition::Kind::test) {
    const bool of_cart =
        condition.test.fact == Fact::item_accessory_of &&
        std::any_of(condition.test.texts.begin(), condition.test.texts.end(), [](const auto& of) { return of != "page"; });
    return of_cart || fact_rules(condition.test.fact).scope == FactScope::customer;
  }
  return std::any_of(condition.parts.begin(), condition.parts.end(), reads_customer);
}

} // namespace attune
