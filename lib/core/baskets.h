// Baskets: what was bought, or put into a cart, together: what complements are judged by. Each item of one is held out in turn.
//
// A basket is an order (purchases of one customer that carry one order number), or what one session put into its cart and bought.
// Its items are distinct, and sorted by their texts: the order they came in is hidden from whoever is asked.
// Not synchronized while it is filled. Memory: the bytes of each distinct item once, 4 bytes an item of a basket, and the keys.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/probes.h"

namespace attune {

struct Basket {
  std::int64_t time = 0; // of its first line, ms since 1970
  std::string key;
  std::uint64_t customer = 0; // a hash (core/lesson.h); 0: of a session
  std::vector<std::uint32_t> items;
};

class Baskets {
 public:
  // The lines of a purchase that carries an order; any other event adds nothing. REQUIRES: the event has a time.
  void add_order(const Event& event);
  // What every session of these lessons put into its cart or bought.
  void add_sessions(const LessonStream& lessons, const Probes& probes);
  // Without the orders of customers who asked for it (forget, consent).
  void refuse(const Refusals& refusals);
  // Into the order of (time, key); call it once, when all is added.
  void sort();

  [[nodiscard]] const std::vector<Basket>& list() const { return baskets_; }
  [[nodiscard]] std::string_view text(std::uint32_t item) const { return texts_[item]; }
  [[nodiscard]] std::size_t items() const { return texts_.size(); }
  [[nodiscard]] std::uint32_t item_of(std::string_view text) const; // Probes::kNone: in no basket

 private:
  void add(const std::string& key, std::uint64_t customer, std::int64_t time, std::string_view item);

  std::vector<Basket> baskets_;
  std::unordered_map<std::string, std::size_t> places_;
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

} // namespace attune
