// Ids as types, so that a customer can not be passed where an item is meant. Each is a string of bytes (valid UTF-8 once a
// codec has accepted it); an empty one means "absent" where a field is optional. Ordered bytewise.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace attune {

template <class Tag>
struct Id {
  std::string text;

  Id() = default;
  explicit Id(std::string t) : text(std::move(t)) {}
  explicit Id(std::string_view t) : text(t) {}
  explicit Id(const char* t) : text(t) {}

  [[nodiscard]] bool empty() const { return text.empty(); }
  friend auto operator<=>(const Id&, const Id&) = default;
};

using CustomerId = Id<struct CustomerTag>;
using EventId = Id<struct EventTag>;
using ItemId = Id<struct ItemTag>;
using SessionId = Id<struct SessionTag>;
using OrderId = Id<struct OrderTag>;
using RecommendationId = Id<struct RecommendationTag>;
using Slot = Id<struct SlotTag>;

} // namespace attune

template <class Tag>
struct std::hash<attune::Id<Tag>> {
  std::size_t operator()(const attune::Id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.text); }
};
