#include "core/arrangement.h"

#include <algorithm>

#include "core/category_cap.h"

namespace attune {
namespace {

class Arranger {
 public:
  Arranger(std::span<const RankedItem> ranked, std::size_t n, const ArrangementRules& rules, ItemFilter& filter,
           const Catalog& catalog)
      : ranked_(ranked),
        rules_(rules),
        filter_(filter),
        catalog_(catalog),
        counts_(rules.caps),
        diversity_(ranked, rules.lambda, diversity_pool(n)),
        places_(n),
        used_(ranked.size(), false)
  {
  }

  Arrangement arrange()
  {
    for (const auto* pin : rules_.pins) place_rule(pin->rule, pin->place, {&pin->item, 1}, nullptr);
    for (const auto* offer : rules_.offers) place_rule(offer->rule, offer->place, offer->items, offer);
    fill();
    if (rules_.why) tell_left_out();
    for (const auto& place : places_)
      if (place.item != nullptr) done_.items.push_back(place);
    return std::move(done_);
  }

 private:
  // An item that could be placed, or the reason why it can not.
  struct Chance {
    Arranged item;
    std::string reason;
  };

  [[nodiscard]] std::optional<std::size_t> rank_of(const ItemId& item) const
  {
    for (std::size_t i = 0; i < ranked_.size(); ++i)
      if (*ranked_[i].item == item) return i;
    return std::nullopt;
  }

  [[nodiscard]] bool has_place(const ItemId& item) const
  {
    return std::any_of(places_.begin(), places_.end(),
                       [&item](const auto& place) { return place.item != nullptr && *place.item == item; });
  }

  Chance chance_of(const ItemId& item)
  {
    Chance chance;
    chance.item.ranked = rank_of(item);
    chance.item.item = &item;
    chance.item.known = chance.item.ranked ? ranked_[*chance.item.ranked].known : catalog_.find(item);
    if (chance.item.ranked) chance.item.score = ranked_[*chance.item.ranked].score;
    auto refusal = filter_.refuses(item, chance.item.known);
    if (!refusal) refusal = counts_.full(chance.item.known);
    if (refusal)
      chance.reason = '`' + item.text + "`: " + refusal->sentence();
    else if (has_place(item))
      chance.reason = '`' + item.text + "` has a place already";
    return chance;
  }

  void not_placed(const Rule& rule, std::string reason)
  {
    if (rules_.why) done_.not_placed.push_back({&rule, std::move(reason)});
  }

  void place_rule(const Rule& rule, std::size_t place, std::span<const ItemId> items, const Offer* offer)
  {
    if (place > places_.size()) return not_placed(rule, "place " + std::to_string(place) + " is beyond the end of the list");
    auto& spot = places_[place - 1];
    if (spot.item != nullptr) return not_placed(rule, "place " + std::to_string(place) + " is taken by `" + spot.rule->name + '`');
    std::optional<Chance> best;
    for (const auto& item : items) {
      auto chance = chance_of(item);
      if (!best || is_better(chance, *best)) best = std::move(chance);
    }
    if (!best->reason.empty()) return not_placed(rule, best->reason);
    spot = best->item;
    spot.rule = &rule;
    spot.offer = offer;
    if (spot.ranked) used_[*spot.ranked] = true;
    took_place(spot.known);
  }

  static bool is_better(const Chance& a, const Chance& b)
  {
    if (a.reason.empty() != b.reason.empty()) return a.reason.empty();
    return a.item.ranked && (!b.item.ranked || *a.item.ranked < *b.item.ranked);
  }

  void took_place(const CatalogItem* known)
  {
    counts_.count(known);
    diversity_.place(known);
  }

  void fill()
  {
    const auto open = [this](std::size_t i) { return !used_[i] && !counts_.full(ranked_[i].known); };
    for (auto& place : places_) {
      if (place.item != nullptr) continue;
      const auto next = diversity_.best(open);
      if (!next) return;
      place = {ranked_[*next].item, ranked_[*next].known, next, ranked_[*next].score, nullptr, nullptr};
      used_[*next] = true;
      took_place(place.known);
    }
  }

  void tell_left_out()
  {
    for (std::size_t i = 0; i < ranked_.size(); ++i)
      if (!used_[i])
        if (auto full = counts_.full(ranked_[i].known)) done_.left_out.push_back({i, *full});
  }

  std::span<const RankedItem> ranked_;
  const ArrangementRules& rules_;
  ItemFilter& filter_;
  const Catalog& catalog_;
  CategoryCounts counts_;
  Diversity diversity_;
  std::vector<Arranged> places_;
  std::vector<bool> used_; // beside ranked_
  Arrangement done_;
};

} // namespace

std::string Arranged::sentence() const
{
  if (rule == nullptr) return "";
  if (!rule->say.empty()) return rule->say;
  return (offer != nullptr ? "put here by the offer `" : "put here by the pin `") + rule->name + '`';
}

Arrangement arrange(std::span<const RankedItem> ranked, std::size_t n, const ArrangementRules& rules, ItemFilter& filter,
                    const Catalog& catalog)
{
  return Arranger(ranked, n, rules, filter, catalog).arrange();
}

} // namespace attune
