#include "core/item_filter.h"

#include <array>

namespace attune {
namespace {

constexpr std::array<std::string_view, 12> kFilterNames{"unlisted", "stock",   "expired",   "excluded",
                                                        "hidden",   "in_cart", "just_seen", "purchased_within",
                                                        "seen",     "shown",   "reminder",  "category_cap"};

std::string times(std::int64_t count)
{
  return count == 1 ? "once" : std::to_string(count) + " times";
}

std::string quoted(std::string_view text)
{
  return '`' + std::string(text) + '`';
}

} // namespace

std::string_view filter_name(Filter filter)
{
  return kFilterNames[static_cast<std::size_t>(filter)];
}

std::string length_in_words(Milliseconds length)
{
  struct Unit {
    std::string_view name;
    std::int64_t ms;
  };
  constexpr std::array<Unit, 4> kUnits{{{"day", 86'400'000}, {"hour", 3'600'000}, {"minute", 60'000}, {"second", 1'000}}};
  const std::int64_t ms = length.count();
  for (const auto& unit : kUnits) {
    const std::int64_t count = ms / unit.ms;
    if (count == 0 || (ms % unit.ms) * 10 > ms) continue;
    return std::to_string(count) + ' ' + std::string(unit.name) + (count == 1 ? "" : "s");
  }
  return ms >= 1000 ? std::to_string(ms / 1000) + " seconds" : "less than a second";
}

std::string Refusal::sentence() const
{
  switch (filter) {
    case Filter::unlisted:
      return "not in the catalog";
    case Filter::stock:
      return "out of stock since the catalog says " + std::to_string(count);
    case Filter::expired:
      return "expired " + length_in_words(ago) + " ago";
    case Filter::excluded:
      return "on an exclude list of the rules";
    case Filter::hidden:
      return "hidden by a condition of the rules";
    case Filter::in_cart:
      return "in the cart already";
    case Filter::just_seen:
      return "the item just seen";
    case Filter::purchased_within:
      return "bought " + length_in_words(ago) + " ago, and purchased_within is " + length_in_words(within);
    case Filter::seen:
      return "looked at " + times(count) + " within " + length_in_words(within) + ", which is as often as `seen` allows";
    case Filter::shown:
      return "shown " + times(count) + " within " + length_in_words(within) + ", which is as often as `shown` allows";
    case Filter::reminder:
      return "looked at before, and this slot does not remind";
    case Filter::category_cap:
      return "the list shows " + std::to_string(count) + " of " + quoted(text) + " already, the most it may";
  }
  return {};
}

std::optional<Refusal> ItemFilter::refused_by_catalog(const CatalogItem* known) const
{
  const Occasion& occasion = asker_.occasion();
  if (known == nullptr || known->deleted) {
    // An empty catalog leaves nothing out.
    const bool told = known != nullptr || occasion.catalog->size() > 0;
    return settings_.unlisted && told ? std::optional(Refusal{Filter::unlisted, 0, {}, {}, {}}) : std::nullopt;
  }
  if (settings_.stock && known->stock && *known->stock <= 0) return Refusal{Filter::stock, *known->stock, {}, {}, {}};
  if (settings_.expired && known->expires && *known->expires <= occasion.now)
    return Refusal{Filter::expired, 0, occasion.now - *known->expires, {}, {}};
  return std::nullopt;
}

std::optional<Refusal> ItemFilter::refused_by_mark(const Mark& mark) const
{
  if (mark.in_cart) return Refusal{Filter::in_cart, 0, {}, {}, {}};
  if (mark.just_seen) return Refusal{Filter::just_seen, 0, {}, {}, {}};
  if (mark.bought)
    return Refusal{Filter::purchased_within, 0, asker_.occasion().now - *mark.bought, *settings_.purchased_within, {}};
  if (settings_.seen && mark.looks >= settings_.seen->times)
    return Refusal{Filter::seen, mark.looks, {}, settings_.seen->within, {}};
  if (settings_.shown && mark.shows >= settings_.shown->times)
    return Refusal{Filter::shown, mark.shows, {}, settings_.shown->within, {}};
  if (!settings_.reminders && mark.looked_at) return Refusal{Filter::reminder, 0, {}, {}, {}};
  return std::nullopt;
}

std::optional<Refusal> ItemFilter::refuses(const ItemId& item, const CatalogItem* known)
{
  if (auto refusal = refused_by_catalog(known)) return refusal;
  for (const auto& list : settings_.excluded)
    if (list->contains(item)) return Refusal{Filter::excluded, 0, {}, {}, {}};
  for (const auto& condition : settings_.hidden)
    if (holds(*condition, asker_, {&item, known})) return Refusal{Filter::hidden, 0, {}, {}, {}};
  if (!marked_) mark_all();
  const auto mark = marks_.find(item.text);
  return mark == marks_.end() ? std::nullopt : refused_by_mark(mark->second);
}

void ItemFilter::mark_purchases(const Profile& profile)
{
  const Timestamp now = asker_.occasion().now;
  const auto bought = [&](std::string_view item, Timestamp time) {
    if (time <= now - *settings_.purchased_within) return;
    auto& newest = marks_[item].bought;
    if (!newest || time > *newest) newest = time;
  };
  for (const auto& [item, time] : profile.summary.last_purchases) bought(item.text, time);
  const auto& orders = profile.recent[static_cast<std::size_t>(RecentList::orders_and_carts)];
  for (auto kept = orders.rbegin(); kept != orders.rend() && kept->time > now - *settings_.purchased_within; ++kept)
    if (kept->type() == EventType::purchase)
      for (const auto item : kept->view().items()) bought(item, kept->time);
}

void ItemFilter::mark_all()
{
  marked_ = true;
  const Occasion& occasion = asker_.occasion();
  if (settings_.just_seen && !occasion.seen.empty()) marks_[occasion.seen.back().text].just_seen = true;
  if (!settings_.reminders)
    for (const auto& item : occasion.seen) marks_[item.text].looked_at = true;
  if (!occasion.profile) return;

  if (settings_.in_cart)
    for (const auto& line : asker_.cart()) marks_[line.item.text].in_cart = true;
  if (settings_.purchased_within) mark_purchases(*occasion.profile);
  if (settings_.seen || !settings_.reminders) mark_looks();
  if (settings_.shown) mark_shows();
}

void ItemFilter::mark_looks()
{
  const Timestamp after = settings_.seen ? asker_.occasion().now - settings_.seen->within : kMinTime;
  for (const auto& [item, time, event] : asker_.looks(settings_.reminders ? after : kMinTime)) {
    auto& mark = marks_[item];
    mark.looked_at = true;
    if (settings_.seen && time > after) ++mark.looks; // a view or click names one item
  }
}

void ItemFilter::mark_shows()
{
  const Timestamp after = asker_.occasion().now - settings_.shown->within;
  const auto& impressions = asker_.impressions(after);
  marks_.reserve(marks_.size() + impressions.size());
  for (const auto& [item, time, event] : impressions) {
    if (time <= after) break; // the newest come first
    auto& mark = marks_[item];
    if (mark.last_show != event) ++mark.shows;
    mark.last_show = event;
  }
}

} // namespace attune
