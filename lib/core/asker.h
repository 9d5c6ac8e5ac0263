// Asker: what is known of whoever asks for one answer, read off the profile, the request and the catalog when first asked for and
// kept, so that what no rule uses costs nothing. A pure function of its Occasion.
//
// Thread rule: one thread owns an Asker; it lives for one answer. Views it returns point into the profile and the catalog, which have
// to outlive it unchanged.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/catalog.h"
#include "core/profile.h"

namespace attune {

class Segments;

// Who asks, where and when: what rules are about.
struct Occasion {
  const Profile* profile = nullptr; // null: nothing is known of the customer
  const Catalog* catalog = nullptr; // REQUIRES: not null. An empty one says nothing of any item
  CustomerId customer; // empty: nobody known
  Slot slot;
  ItemId page; // the item of the page; empty: none
  std::span<const ItemId> seen; // as the recommender reads the session, oldest first; the last is the one just seen
  Timestamp now;
};

// An item and when something was done with it. One event may name an item twice.
struct Touch {
  std::string_view item;
  Timestamp time;
  std::size_t event = 0; // from the newest on, counted from 1
};

// Whose accessories (CatalogItem::accessories): of the page's item, of what is in the cart, of the last purchase.
enum class AccessoryOf : std::uint8_t { page = 0, cart = 1, purchase = 2 };
inline constexpr std::size_t kAccessoryOrigins = 3;

class Asker {
 public:
  // `segments` has to outlive it.
  Asker(Occasion occasion, const Segments& segments);

  [[nodiscard]] const Occasion& occasion() const { return occasion_; }

  // As core/profile.h has them; without a profile: nothing, 0.
  const std::vector<CartLine>& cart();
  [[nodiscard]] Int128 spent(Currency currency); // micro-units
  [[nodiscard]] std::uint64_t count(std::string_view type, std::optional<Milliseconds> within);
  [[nodiscard]] std::uint64_t events();
  [[nodiscard]] std::optional<Timestamp> first();
  [[nodiscard]] std::optional<Timestamp> last();
  [[nodiscard]] std::optional<Timestamp> purchased(); // anything
  [[nodiscard]] std::optional<Timestamp> purchased(const ItemId& item);
  const std::vector<std::pair<std::string, double>>& affinity(); // core/affinity.h
  [[nodiscard]] std::string_view consent(); // "granted", "refused", "unknown"
  [[nodiscard]] bool in_segment(std::size_t segment);

  // What the profile keeps of views and clicks, and of impressions, after a time (and maybe some before it), item by item; the newest
  // first, events after `now` left out. Good until the next call that asks for more.
  const std::vector<Touch>& looks(Timestamp after = kMinTime);
  const std::vector<Touch>& impressions(Timestamp after = kMinTime);

  [[nodiscard]] bool is_accessory(AccessoryOf of, std::string_view item);
  // Of the page's item, and of the item of a cart line; null where the catalog does not know it.
  [[nodiscard]] const CatalogItem* known(const ItemId& item) const { return occasion_.catalog->find(item); }

 private:
  enum class Membership : std::uint8_t { unknown, yes, no };

  struct Touches {
    std::optional<Timestamp> after; // read as far as here
    std::vector<Touch> all;
  };

  template <class Wanted>
  const std::vector<Touch>& read(Touches& touches, RecentList list, Timestamp after, const Wanted& wanted) const;
  void append_accessories(const ItemId& item, std::vector<std::string_view>& out) const;
  std::vector<std::string_view> accessories(AccessoryOf of);
  const std::optional<Event>& newest_order();

  Occasion occasion_;
  const Segments& segments_;
  std::optional<std::vector<CartLine>> cart_;
  std::optional<Spend> spend_;
  std::optional<TypeCounts> counts_;
  std::vector<std::pair<Milliseconds, TypeCounts>> windows_;
  std::optional<std::uint64_t> events_;
  std::optional<std::optional<Event>> newest_order_;
  std::optional<std::vector<std::pair<std::string, double>>> affinity_;
  Touches looks_;
  Touches impressions_;
  std::array<std::optional<std::vector<std::string_view>>, kAccessoryOrigins> accessories_; // each sorted
  std::vector<Membership> segments_known_;
};

} // namespace attune
