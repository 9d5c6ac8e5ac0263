#include "core/reasons.h"

#include <algorithm>
#include <cmath>

#include "core/model_state.h"

namespace attune {

namespace {

class Teller {
 public:
  Teller(const Model& model, const Workspace& work, ItemNumber item, const Catalog& catalog)
      : state_(model.state()), work_(work), item_(item), catalog_(catalog), session_(work.question.session)
  {
  }

  [[nodiscard]] std::string tell(Group group) const
  {
    switch (group) {
      case Group::neighbours:
        return neighbours();
      case Group::sequences:
        return sequences();
      case Group::popular:
        return popular(state_, item_);
      case Group::session:
        return std::find(session_.begin(), session_.end(), item_) != session_.end() ? "seen in this visit" : "new to this visit";
      case Group::affinity:
        return affinity();
      case Group::complements:
        return complements();
    }
    return {};
  }

  static std::string popular(const Model::State& state, ItemNumber item)
  {
    const auto best = state.popularity.best(Window::middle);
    const auto place = static_cast<std::size_t>(std::find(best.begin(), best.end(), item) - best.begin());
    const auto clicks = state.items.facts[item].clicks;
    const auto times = clicks == 1 ? "once" : std::to_string(clicks) + " times";
    if (place == best.size()) return "seen " + times;
    if (place == 0) return "the most popular of all, seen " + times;
    return among(place) + " most popular, seen " + times;
  }

  // With the segment in which it stands highest; empty when it is among the best of none.
  static std::string popular(const Model::State& state, ItemNumber item, Memberships::SegmentSet segments)
  {
    std::size_t highest = kGroupBest;
    std::uint32_t with = 0;
    each_segment(segments, [&](std::uint32_t segment) {
      const auto best = state.in_segment.best(GroupWindow::slow, segment);
      const auto found = std::find_if(best.begin(), best.end(), [item](const auto& each) { return each.item == item; });
      const auto place = static_cast<std::size_t>(found - best.begin());
      if (found == best.end() || place >= highest) return;
      highest = place;
      with = segment;
    });
    if (highest == kGroupBest) return {};
    const auto name = std::string(state.memberships.segments().text(with));
    return (highest == 0 ? "the most popular" : among(highest) + " most popular") + " with customers of the segment " + name;
  }

 private:
  // "among the 10", for the first ten places.
  static std::string among(std::size_t place)
  {
    std::size_t among = 10;
    while (among <= place) among *= 10;
    return "among the " + std::to_string(among);
  }

  [[nodiscard]] std::string name(ItemNumber item) const
  {
    const auto id = state_.items.ids.text(item);
    const auto* known = catalog_.find(ItemId(id));
    return known && !known->name.empty() ? known->name : std::string(id);
  }

  [[nodiscard]] std::string neighbours() const
  {
    const auto evidence = work_.search.why(item_, state_.table);
    if (evidence.of == 0) return "no similar visit holds it";
    const auto of = std::to_string(evidence.of) + (evidence.of == 1 ? " similar visit" : " similar visits");
    if (evidence.beside == item_) return "seen in this visit, as in " + of;
    return "seen next to " + name(evidence.beside) + " in " + std::to_string(evidence.with) + " of " + of;
  }

  [[nodiscard]] std::string sequences() const
  {
    const auto last = session_.back();
    const auto& partners = state_.pairs.of(last);
    const auto found = std::find(partners.items.begin(), partners.items.end(), item_);
    if (found == partners.items.end()) return "not seen after " + name(last);
    const auto& counts = partners.counts[static_cast<std::size_t>(found - partners.items.begin())];
    if (counts.next > 0)
      return "came right after " + name(last) + " " + std::to_string(counts.next) + " of " + std::to_string(partners.transitions) +
             (partners.transitions == 1 ? " time" : " times");
    return (counts.after > 0 ? "came some steps after " : "came before ") + name(last);
  }

  [[nodiscard]] std::string affinity() const
  {
    for (const auto& bought : work_.question.bought)
      if (bought.item == item_) return bought_again(bought);
    const auto& earlier = work_.question.earlier;
    if (std::find(earlier.begin(), earlier.end(), item_) != earlier.end()) return "seen in an earlier visit";
    const auto category = state_.items.facts[item_].category;
    if (category != kNoCategory && category == state_.items.facts[session_.back()].category)
      return "of the same kind as " + name(session_.back());
    return "of a kind looked at in this visit";
  }

  [[nodiscard]] std::string bought_again(const Question::Bought& bought) const
  {
    const auto ago = span_of(static_cast<double>(std::max<std::int64_t>(0, work_.question.now - bought.last)));
    if (bought.times < 2 && !state_.repurchases.was_bought_again(item_)) return "bought " + ago + " ago";
    const auto expected = state_.repurchases.expected(bought, state_.items.facts[item_].category);
    return "bought about every " + span_of(std::exp2(static_cast<double>(expected))) + "; last " + ago + " ago";
  }

  // "28 days", or hours below two days.
  static std::string span_of(double ms)
  {
    constexpr double kHour = 3'600'000;
    const bool in_days = ms >= 48 * kHour;
    const auto number = std::max(1L, std::lround(ms / (in_days ? 24 * kHour : kHour)));
    return std::to_string(number) + (in_days ? " days" : number == 1 ? " hour" : " hours");
  }

  // Beside the item of the basket, or the one just seen, that was most often put into a cart or bought with it.
  [[nodiscard]] std::string complements() const
  {
    auto beside = work_.question.basket;
    beside.push_back(session_.back());
    const BasketCounts* most = nullptr;
    ItemNumber with = kUnknownItem;
    for (const auto item : beside) {
      const auto* counts = item == item_ ? nullptr : state_.complements.of(item).find(item_);
      if (!counts || (most && counts->together <= most->together)) continue;
      most = counts;
      with = item;
    }
    if (!most) return "goes with what is in the cart";
    const auto carts = state_.complements.of(with).baskets;
    return "bought together with " + name(with) + " by " + std::to_string(most->together) + " of " + std::to_string(carts) +
           (carts == 1 ? " cart" : " carts");
  }

  const Model::State& state_;
  const Workspace& work_;
  ItemNumber item_;
  const Catalog& catalog_;
  const std::vector<ItemNumber>& session_;
};

} // namespace

std::vector<Contribution> reasons_of(const Model& model, const Workspace& work, std::size_t place, const Catalog& catalog)
{
  const Teller teller(model, work, work.features.items()[place], catalog);
  std::vector<Contribution> reasons;
  for (std::size_t g = 0; g < kGroups; ++g) {
    const auto part = static_cast<double>(work.scores.part(static_cast<Group>(g), place));
    if (part == 0) continue;
    const auto group = static_cast<Group>(g);
    reasons.push_back({std::string(group_name(group)), part, part > 0 ? teller.tell(group) : std::string()});
  }
  return reasons;
}

Contribution popular_reason(const Model& model, const Ranked& item, std::span<const std::string_view> segments)
{
  const auto& state = model.state();
  auto sentence = Teller::popular(state, item.item, state.memberships.known(segments));
  if (sentence.empty()) sentence = Teller::popular(state, item.item);
  return {std::string(group_name(Group::popular)), item.score, std::move(sentence)};
}

} // namespace attune
