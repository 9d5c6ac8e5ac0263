// ItemFilter: what is not to be shown to one asker in one slot, each refusal with its filter's name and one sentence.
// Not synchronized: one thread owns one; it lives for one answer. The Asker, the settings and the catalog have to outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/asker.h"
#include "core/condition.h"

namespace attune {

// In the order they are asked; the first that refuses is the one that is told.
enum class Filter : std::uint8_t {
  unlisted, // not in a catalog that holds something; deleted
  stock,
  expired,
  excluded, // on an exclude list
  hidden, // a condition says so
  in_cart,
  just_seen,
  purchased_within,
  seen, // looked at too often
  shown, // shown too often: the frequency cap
  reminder, // looked at already, where the slot does not remind
  category_cap, // said by core/arrangement.h alone
};
[[nodiscard]] std::string_view filter_name(Filter filter);

// Times within a length of time.
struct TimesWithin {
  std::uint32_t times = 1; // that many are too many
  Milliseconds within{0};
};

using ExcludeList = std::unordered_map<ItemId, std::size_t>; // with the line each stands in

struct FilterSettings {
  bool unlisted = true;
  bool stock = true;
  bool expired = true;
  bool in_cart = true;
  bool just_seen = true;
  std::optional<Milliseconds> purchased_within;
  std::optional<TimesWithin> seen;
  std::optional<TimesWithin> shown;
  bool reminders = true;
  // Lists and conditions on items, of which one is enough. Shared: every slot has those of the default.
  std::vector<std::shared_ptr<const ExcludeList>> excluded;
  std::vector<std::shared_ptr<const Condition>> hidden;
};

struct Refusal {
  Filter filter = Filter::unlisted;
  std::int64_t count = 0;
  Milliseconds ago{0};
  Milliseconds within{0};
  std::string_view text; // of the rules, which outlive it

  [[nodiscard]] std::string_view name() const { return filter_name(filter); }
  // "bought 3 days ago, and purchased_within is 30 days". No final period.
  [[nodiscard]] std::string sentence() const;
};

// "3 days", "1 hour", "90 seconds": in the largest unit that loses at most a tenth.
[[nodiscard]] std::string length_in_words(Milliseconds length);

class ItemFilter {
 public:
  ItemFilter(const FilterSettings& settings, Asker& asker) : settings_(settings), asker_(asker) {}
  // `known` is what the asker's catalog says of the item, null for nothing.
  // Cost: one look-up, some tens of ns; the first call reads off the profile what the settings need (microseconds; with `seen`,
  // `shown` or no reminders some tens of them).
  [[nodiscard]] std::optional<Refusal> refuses(const ItemId& item, const CatalogItem* known);

 private:
  // What stands against an item because of what the asker did with it.
  struct Mark {
    bool in_cart = false;
    bool just_seen = false;
    bool looked_at = false; // ever, as far as is kept
    std::optional<Timestamp> bought;
    std::uint32_t looks = 0; // within settings.seen
    std::uint32_t shows = 0; // within settings.shown
    std::size_t last_show = 0; // Touch::event: an impression that names an item twice showed it once
  };

  [[nodiscard]] std::optional<Refusal> refused_by_catalog(const CatalogItem* known) const;
  [[nodiscard]] std::optional<Refusal> refused_by_mark(const Mark& mark) const;
  void mark_all();
  void mark_purchases(const Profile& profile);
  void mark_looks();
  void mark_shows();

  const FilterSettings& settings_;
  Asker& asker_;
  bool marked_ = false;
  std::unordered_map<std::string_view, Mark> marks_;
};

} // namespace attune
