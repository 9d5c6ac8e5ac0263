// What is read off a profile; nothing here changes one.

#include <algorithm>
#include <iterator>

#include "core/profile.h"

namespace attune {
namespace {

constexpr std::size_t kOrders = static_cast<std::size_t>(RecentList::orders_and_carts);

const std::vector<KeptEvent>& orders_and_carts(const Profile& profile)
{
  return profile.recent[kOrders];
}

// Lines of a cart, by the newest add.
class Cart {
 public:
  void take(const KeptView& event)
  {
    switch (event.type) {
      case EventType::cart_add:
        return add(event);
      case EventType::cart_remove:
        return remove(event);
      case EventType::purchase:
        for (const auto item : event.items()) erase(item);
        return;
      default:
        return;
    }
  }

  std::vector<CartLine> lines;

 private:
  [[nodiscard]] std::vector<CartLine>::iterator find(std::string_view item)
  {
    return std::find_if(lines.begin(), lines.end(), [item](const CartLine& line) { return line.item.text == item; });
  }

  void add(const KeptView& event)
  {
    CartLine line{ItemId(event.item), std::max<std::int64_t>(event.quantity, 1), event.price, event.currency, event.time};
    if (const auto at = find(event.item); at != lines.end()) {
      line.quantity += at->quantity;
      lines.erase(at);
    }
    lines.push_back(std::move(line));
  }

  void remove(const KeptView& event)
  {
    const auto at = find(event.item);
    if (at == lines.end()) return;
    at->quantity -= event.quantity;
    if (event.quantity == 0 || at->quantity <= 0) lines.erase(at);
  }

  void erase(std::string_view item)
  {
    if (const auto at = find(item); at != lines.end()) lines.erase(at);
  }
};

void append_lines(const KeptView& purchase, std::vector<Line>& lines)
{
  for (const auto& line : purchase.order_lines()) lines.push_back({ItemId(line.item), line.quantity, line.price});
}

} // namespace

std::optional<Timestamp> first_time(const Profile& profile)
{
  auto first = profile.summary.first_time;
  for (const auto& recent : profile.recent)
    if (!recent.empty() && (!first || recent.front().time < *first)) first = recent.front().time;
  return first;
}

std::optional<Timestamp> last_time(const Profile& profile)
{
  std::optional<Timestamp> last;
  if (!profile.summary.folded.empty()) last = profile.summary.folded.back().time;
  for (const auto& recent : profile.recent)
    if (!recent.empty() && (!last || recent.back().time > *last)) last = recent.back().time;
  return last;
}

TypeCounts counts(const Profile& profile)
{
  TypeCounts all;
  for (const auto& tile : profile.summary.tiles) add_counts(all, tile.counts());
  for (const auto& recent : profile.recent)
    for (const auto& kept : recent) add_count(all, kept.view().type_name(), 1);
  return all;
}

NamedCounts item_counts(const Profile& profile)
{
  NamedCounts all;
  for (const auto& stored : profile.summary.tiles) {
    const Tile tile = stored.tile();
    for (const auto& [item, its_counts] : tile.items) add_counts(counts_of(all, item), its_counts);
  }
  for (const auto& recent : profile.recent) {
    for (const auto& kept : recent) {
      const KeptView view = kept.view();
      for (const auto item : view.items()) add_count(counts_of(all, item), view.type_name(), 1);
    }
  }
  return all;
}

Spend spend(const Profile& profile)
{
  Spend all;
  for (const auto& stored : profile.summary.tiles) {
    const Tile tile = stored.tile();
    for (const auto& [currency, amount] : tile.spend) add_spend(all, currency, amount);
  }
  for (const auto& kept : orders_and_carts(profile)) {
    const KeptView view = kept.view();
    if (const auto amount = spend_of(view)) add_spend(all, view.currency, *amount);
  }
  return all;
}

std::vector<const KeptEvent*> recent_in_order(const Profile& profile)
{
  std::vector<const KeptEvent*> all;
  for (const auto& recent : profile.recent) {
    const auto old = static_cast<std::ptrdiff_t>(all.size());
    for (const auto& kept : recent) all.push_back(&kept);
    std::inplace_merge(all.begin(), all.begin() + old, all.end(),
                       [](const KeptEvent* a, const KeptEvent* b) { return before(*a, *b); });
  }
  return all;
}

std::vector<CartLine> cart(const Profile& profile)
{
  Cart cart;
  for (const auto& kept : orders_and_carts(profile)) cart.take(kept.view());
  return std::move(cart.lines);
}

std::optional<Event> last_purchase(const Profile& profile)
{
  std::vector<const KeptEvent*> purchases; // oldest first
  if (profile.summary.newest_order) purchases.push_back(&*profile.summary.newest_order);
  for (const auto& kept : orders_and_carts(profile))
    if (kept.type() == EventType::purchase) purchases.push_back(&kept);
  if (purchases.empty()) return std::nullopt;

  const KeptEvent& newest = *purchases.back();
  Event order = newest.event(profile.customer);
  order.item = {};
  order.quantity = 0;
  order.price.reset();
  order.items.clear();
  for (const auto* purchase : purchases) {
    const KeptView view = purchase->view();
    if (purchase == &newest || (!view.order.empty() && view.order == order.order.text)) append_lines(view, order.items);
  }
  return order;
}

std::optional<Timestamp> last_purchase_of(const Profile& profile, const ItemId& item)
{
  const auto& recent = orders_and_carts(profile);
  for (auto kept = recent.rbegin(); kept != recent.rend(); ++kept) {
    if (kept->type() != EventType::purchase) continue;
    const auto items = kept->view().items();
    if (std::binary_search(items.begin(), items.end(), std::string_view(item.text))) return kept->time;
  }
  const auto& last = profile.summary.last_purchases;
  const auto at =
      std::lower_bound(last.begin(), last.end(), item, [](const auto& entry, const ItemId& id) { return entry.first < id; });
  return at != last.end() && at->first == item ? std::optional(at->second) : std::nullopt;
}

TypeCounts window_counts(const Profile& profile, Timestamp now, Milliseconds length)
{
  const auto inside = [now, after = now - length](Timestamp time) { return time > after && time <= now; };
  TypeCounts all;
  for (const auto& tile : profile.summary.tiles)
    if (inside(tile.start)) add_counts(all, tile.counts());
  for (const auto& recent : profile.recent)
    for (const auto& kept : recent)
      if (inside(kept.time)) add_count(all, kept.view().type_name(), 1);
  return all;
}

} // namespace attune
