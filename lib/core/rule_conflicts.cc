#include "core/rule_conflicts.h"

#include <map>
#include <unordered_map>

namespace attune {
namespace {

std::string named(const Rule& rule)
{
  return '`' + rule.name + '`';
}

std::string in_line(std::size_t line)
{
  return " in line " + std::to_string(line);
}

class Conflicts {
 public:
  Conflicts(const RuleBook& book, const SlotRules& slot, const SlotLines& lines) : book_(book), slot_(slot), lines_(lines) {}

  std::optional<Conflict> first()
  {
    for (const auto number : slot_.pins)
      if (auto reason = against(book_.pins[number]))
        return Conflict{book_.pins[number].rule.line, "pin " + named(book_.pins[number].rule) + *reason};
    for (const auto number : slot_.offers)
      if (auto reason = against(book_.offers[number]))
        return Conflict{book_.offers[number].rule.line, "offer " + named(book_.offers[number].rule) + *reason};
    return std::nullopt;
  }

 private:
  using Reason = std::optional<std::string>;

  [[nodiscard]] Reason never_shown(const ItemId& item) const
  {
    for (const auto& list : slot_.filters.excluded)
      if (const auto at = list->find(item); at != list->end())
        return " puts `" + item.text + "` where exclude" + in_line(at->second) + " leaves it out";
    for (std::size_t i = 0; i < slot_.filters.hidden.size(); ++i)
      if (always_holds(*slot_.filters.hidden[i], item))
        return " puts `" + item.text + "` where hide" + in_line(lines_.hidden[i]) + " leaves it out";
    return std::nullopt;
  }

  [[nodiscard]] Reason beyond_the_end(std::size_t place) const
  {
    if (slot_.most == 0 || place <= slot_.most) return std::nullopt;
    return " is at place " + std::to_string(place) + ", and n" + in_line(lines_.most) + " is " + std::to_string(slot_.most);
  }

  // A pin that stands before and is in force whenever `rule` is.
  [[nodiscard]] static const Pin* taken(const std::vector<const Pin*>& earlier, const Rule& rule)
  {
    for (const auto* pin : earlier)
      if (covers(pin->rule, rule)) return pin;
    return nullptr;
  }

  Reason against(const Pin& pin)
  {
    if (auto reason = never_shown(pin.item)) return reason;
    if (auto reason = beyond_the_end(pin.place)) return reason;
    auto& at_place = by_place_[pin.place];
    if (const auto* earlier = taken(at_place, pin.rule))
      return " has place " + std::to_string(pin.place) + ", which pin " + named(earlier->rule) + in_line(earlier->rule.line) +
             " takes first";
    auto& of_item = by_item_[pin.item];
    if (const auto* earlier = taken(of_item, pin.rule))
      return " puts `" + pin.item.text + "` where pin " + named(earlier->rule) + in_line(earlier->rule.line) +
             " has put it already";
    at_place.push_back(&pin);
    of_item.push_back(&pin);
    return std::nullopt;
  }

  Reason against(const Offer& offer)
  {
    Reason all_refused;
    for (const auto& item : offer.items) {
      all_refused = never_shown(item);
      if (!all_refused) break;
    }
    if (all_refused) return all_refused;
    if (auto reason = beyond_the_end(offer.place)) return reason;
    if (const auto* earlier = taken(by_place_[offer.place], offer.rule))
      return " has place " + std::to_string(offer.place) + ", which pin " + named(earlier->rule) + in_line(earlier->rule.line) +
             " takes first";
    return std::nullopt;
  }

  const RuleBook& book_;
  const SlotRules& slot_;
  const SlotLines& lines_;
  std::map<std::size_t, std::vector<const Pin*>> by_place_;
  std::unordered_map<ItemId, std::vector<const Pin*>> by_item_;
};

} // namespace

std::optional<Conflict> conflict_in(const RuleBook& book, const SlotRules& slot, const SlotLines& lines)
{
  return Conflicts(book, slot, lines).first();
}

} // namespace attune
