// ItemTable: the items a model has met: their ids, and what is counted of each alone. Those of which no click is kept any more wait in line to
// be let go of: their numbers are given to new items, so that there are never many more items than clicks that are kept.
// Not synchronized; const functions may be called by many threads. Memory: about 100 bytes an item, and its id's bytes.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <tsl/robin_map.h>

#include "core/elementary.h"
#include "core/session_table.h"

namespace attune {

// Numbers for strings, given in the order in which they are met. Texts stay where they are.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default; // the keys point into texts that stay where they are
  Vocabulary& operator=(Vocabulary&&) = default;

  static constexpr std::uint32_t kNone = 0xFFFF'FFFFU;
  [[nodiscard]] std::uint32_t find(std::string_view text) const
  {
    const auto found = numbers_.find(text);
    return found == numbers_.end() ? kNone : found->second;
  }
  // REQUIRES: fewer than 2^32 - 1 texts.
  std::uint32_t intern(std::string_view text)
  {
    if (const auto found = numbers_.find(text); found != numbers_.end()) return found->second;
    const auto number = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(text);
    numbers_.emplace(texts_.back(), number);
    return number;
  }
  // `number` stands for another text from now on. REQUIRES: it is none of them yet.
  void rename(std::uint32_t number, std::string_view text)
  {
    numbers_.erase(std::string_view(texts_[number]));
    texts_[number].assign(text);
    texts_[number].shrink_to_fit();
    numbers_.emplace(texts_[number], number);
  }
  [[nodiscard]] std::string_view text(std::uint32_t number) const { return texts_[number]; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  void reserve(std::size_t size) { numbers_.reserve(size); }

 private:
  std::deque<std::string> texts_;
  tsl::robin_map<std::string_view, std::uint32_t> numbers_;
};

inline constexpr std::uint32_t kNoCategory = Vocabulary::kNone;

struct ItemFacts {
  std::uint32_t sessions = 0; // raw: kept sessions that hold it
  std::uint32_t clicks = 0; // raw: kept clicks on it, repeats dropped
  std::uint32_t returns = 0; // raw: of these, clicks in sessions that held it already
  std::uint32_t first = 0; // the model's clock when it was first learned
  std::uint32_t last = 0; // and when it was last learned
  std::uint32_t category = kNoCategory; // what events last said it is
};

// What answers need of an item's support, kept apart so that it stays in the cache. Derived from ItemFacts::sessions.
struct ItemWeight {
  float log_support = 0; // log(1 + sessions)
  float by_root = 0; // 1 / sqrt(sessions + kCosineShrinkage)
};
inline constexpr float kCosineShrinkage = 20; // sessions added, so that rare items do not stand out by their cosine

inline constexpr std::size_t kLeftItems = 1000; // may stay although no click on them is kept, and one in eight of all items

struct ItemTable {
  Vocabulary ids;
  std::vector<ItemFacts> facts; // per item
  std::vector<ItemWeight> weights; // per item
  Vocabulary categories;
  std::deque<ItemNumber> left; // of which no click was kept when they came here, in that order; each once
  std::vector<bool> is_left; // per item

  // No click on it is kept.
  void leave(ItemNumber item)
  {
    if (is_left[item]) return;
    is_left[item] = true;
    left.push_back(item);
  }
  // The one to be let go of for a new one: the first in line of which there is still no click, and of which `spared` does not say that it has
  // to wait. kUnknownItem: there is room.
  template <class Spared>
  ItemNumber take_left(Spared&& spared)
  {
    for (auto looked = left.size(); looked-- > 0 && left.size() > kLeftItems + facts.size() / 8;) {
      const auto item = left.front();
      left.pop_front();
      is_left[item] = false;
      if (facts[item].clicks > 0) continue;
      if (!spared(item)) return item;
      leave(item);
    }
    return kUnknownItem;
  }

  // Makes an item's weight anew, after its sessions changed.
  void weigh(ItemNumber item)
  {
    const auto sessions = static_cast<float>(facts[item].sessions);
    weights[item] = {log_of(1.0F + sessions), 1.0F / std::sqrt(sessions + kCosineShrinkage)};
  }
};

} // namespace attune
