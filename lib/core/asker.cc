#include "core/asker.h"

#include <algorithm>

#include "base/assert.h"
#include "core/affinity.h"
#include "core/segment.h"

namespace attune {
namespace {

std::uint64_t count_in(const TypeCounts& counts, std::string_view type)
{
  const auto at = std::lower_bound(counts.begin(), counts.end(), type,
                                   [](const auto& entry, std::string_view name) { return entry.first < name; });
  return at != counts.end() && at->first == type ? at->second : 0;
}

} // namespace

Asker::Asker(Occasion occasion, const Segments& segments) : occasion_(std::move(occasion)), segments_(segments)
{
  ATTUNE_ASSERT(occasion_.catalog != nullptr);
}

const std::vector<CartLine>& Asker::cart()
{
  if (!cart_) cart_ = occasion_.profile ? attune::cart(*occasion_.profile) : std::vector<CartLine>{};
  return *cart_;
}

Int128 Asker::spent(Currency currency)
{
  if (!spend_) spend_ = occasion_.profile ? attune::spend(*occasion_.profile) : Spend{};
  for (const auto& [known, total] : *spend_)
    if (known == currency) return total.micro;
  return 0;
}

std::uint64_t Asker::count(std::string_view type, std::optional<Milliseconds> within)
{
  if (!occasion_.profile) return 0;
  if (!within) {
    if (!counts_) counts_ = attune::counts(*occasion_.profile);
    return count_in(*counts_, type);
  }
  for (const auto& [length, counts] : windows_)
    if (length == *within) return count_in(counts, type);
  windows_.emplace_back(*within, window_counts(*occasion_.profile, occasion_.now, *within));
  return count_in(windows_.back().second, type);
}

std::uint64_t Asker::events()
{
  if (!events_) events_ = occasion_.profile ? occasion_.profile->version() : 0;
  return *events_;
}

std::optional<Timestamp> Asker::first()
{
  return occasion_.profile ? first_time(*occasion_.profile) : std::nullopt;
}

std::optional<Timestamp> Asker::last()
{
  return occasion_.profile ? last_time(*occasion_.profile) : std::nullopt;
}

const std::optional<Event>& Asker::newest_order()
{
  if (!newest_order_) newest_order_ = occasion_.profile ? last_purchase(*occasion_.profile) : std::nullopt;
  return *newest_order_;
}

std::optional<Timestamp> Asker::purchased()
{
  const auto& order = newest_order();
  return order ? order->time : std::nullopt;
}

std::optional<Timestamp> Asker::purchased(const ItemId& item)
{
  return occasion_.profile ? last_purchase_of(*occasion_.profile, item) : std::nullopt;
}

const std::vector<std::pair<std::string, double>>& Asker::affinity()
{
  if (!affinity_)
    affinity_ = occasion_.profile ? attune::affinity(*occasion_.profile, *occasion_.catalog, occasion_.now)
                                  : std::vector<std::pair<std::string, double>>{};
  return *affinity_;
}

std::string_view Asker::consent()
{
  if (!occasion_.profile || !occasion_.profile->consent) return "unknown";
  return occasion_.profile->consent->granted ? "granted" : "refused";
}

bool Asker::in_segment(std::size_t segment)
{
  // A segment asks others, never itself (core/rules_toml.cc refuses cycles), so this ends.
  segments_known_.resize(segments_.size());
  if (segments_known_[segment] == Membership::unknown) {
    const bool in = holds(segments_[segment].when, *this);
    segments_known_[segment] = in ? Membership::yes : Membership::no;
  }
  return segments_known_[segment] == Membership::yes;
}

template <class Wanted>
const std::vector<Touch>& Asker::read(Touches& touches, RecentList list, Timestamp after, const Wanted& wanted) const
{
  if (!occasion_.profile || (touches.after && *touches.after <= after)) return touches.all;
  touches.after = after;
  touches.all.clear();
  std::size_t event = 0;
  const auto& recent = occasion_.profile->recent[static_cast<std::size_t>(list)];
  for (auto kept = recent.rbegin(); kept != recent.rend() && kept->time > after; ++kept) {
    if (kept->time > occasion_.now || !wanted(kept->type())) continue;
    const KeptView view = kept->view();
    ++event;
    if (!view.item.empty()) touches.all.push_back({view.item, kept->time, event});
    for (const auto& line : view.lines) touches.all.push_back({line.item, kept->time, event});
  }
  return touches.all;
}

const std::vector<Touch>& Asker::looks(Timestamp after)
{
  return read(looks_, RecentList::other, after, [](EventType type) { return type == EventType::view || type == EventType::click; });
}

const std::vector<Touch>& Asker::impressions(Timestamp after)
{
  return read(impressions_, RecentList::impressions, after, [](EventType type) { return type == EventType::impression; });
}

void Asker::append_accessories(const ItemId& item, std::vector<std::string_view>& out) const
{
  if (const auto* its = known(item))
    for (const auto& accessory : its->accessories) out.emplace_back(accessory.text);
}

std::vector<std::string_view> Asker::accessories(AccessoryOf of)
{
  std::vector<std::string_view> all;
  switch (of) {
    case AccessoryOf::page:
      append_accessories(occasion_.page, all);
      break;
    case AccessoryOf::cart:
      for (const auto& line : cart()) append_accessories(line.item, all);
      break;
    case AccessoryOf::purchase:
      if (const auto& order = newest_order())
        for (const auto& line : order->items) append_accessories(line.item, all);
      break;
  }
  std::sort(all.begin(), all.end());
  return all;
}

bool Asker::is_accessory(AccessoryOf of, std::string_view item)
{
  auto& known_ones = accessories_[static_cast<std::size_t>(of)];
  if (!known_ones) known_ones = accessories(of);
  return std::binary_search(known_ones->begin(), known_ones->end(), item);
}

} // namespace attune
