#include "core/offer.h"

#include <algorithm>

namespace attune {
namespace {

constexpr Milliseconds kDay = std::chrono::hours(24);

std::optional<std::string> used_up(const Offer& offer, const OfferUse& use)
{
  if (offer.impressions && use.impressions >= *offer.impressions)
    return "its budget of " + std::to_string(*offer.impressions) + " impressions is used up";
  if (offer.redemptions && use.redemptions >= *offer.redemptions)
    return "its budget of " + std::to_string(*offer.redemptions) + " redemptions is used up";
  return std::nullopt;
}

std::optional<std::string> shown_enough(const Offer& offer, Asker& asker)
{
  if (!offer.per_customer && !offer.per_day) return std::nullopt;
  const auto of_offer = [&offer](std::string_view item) {
    return std::any_of(offer.items.begin(), offer.items.end(), [item](const ItemId& id) { return id.text == item; });
  };
  std::uint32_t all = 0;
  std::uint32_t today = 0;
  std::size_t counted = 0; // an impression of two of its items showed it once
  const Timestamp yesterday = asker.occasion().now - kDay;
  for (const auto& [item, time, event] : asker.impressions(offer.per_customer ? kMinTime : yesterday)) {
    if (event == counted || !of_offer(item)) continue;
    counted = event;
    ++all;
    if (time > yesterday) ++today;
  }
  const auto seen = [](std::uint32_t times) {
    return "this customer has seen it " + (times == 1 ? std::string("once") : std::to_string(times) + " times");
  };
  if (offer.per_customer && all >= *offer.per_customer)
    return seen(all) + ", and per_customer is " + std::to_string(*offer.per_customer);
  if (offer.per_day && today >= *offer.per_day)
    return seen(today) + " within a day, and per_day is " + std::to_string(*offer.per_day);
  return std::nullopt;
}

} // namespace

std::optional<std::string> refuses(const Offer& offer, Asker& asker, const OfferLedger* ledger, bool held_out)
{
  if (held_out) return "the customer is in the holdout";
  if (offer.holdout.holds(asker.occasion().customer)) return "the customer is in the offer's own holdout";
  if (ledger) {
    const auto use = ledger->find(offer.rule.name);
    if (use != ledger->end())
      if (auto reason = used_up(offer, use->second)) return reason;
  }
  if (offer.impressions == 0u || offer.redemptions == 0u) return used_up(offer, {});
  if (!in_force(offer.rule, asker, held_out)) return "its dates or its conditions do not hold";
  return shown_enough(offer, asker);
}

void note_use(const Offer& offer, const Event& event, OfferUse& use)
{
  const bool shown = event.type == EventType::impression;
  if (!shown && event.type != EventType::purchase) return;
  if (shown && !event.slot.empty() && !is_for(offer.rule, event.slot.text)) return;
  const auto is_its = [&](const ItemId& item) {
    return std::find(offer.items.begin(), offer.items.end(), item) != offer.items.end();
  };
  const bool any = is_its(event.item) ||
                   std::any_of(event.items.begin(), event.items.end(), [&](const Line& line) { return is_its(line.item); });
  if (any) ++(shown ? use.impressions : use.redemptions);
}

} // namespace attune
