// Refusals: of which customers nothing may be learned, and up to when: forget and consent events (DESIGN section 4), for a model.
// A function of the set of identity events. Not synchronized. Memory: 80 bytes a customer that ever forgot or answered.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/event.h"

namespace attune {

class Refusals {
 public:
  // What stands of one customer (a hash, core/lesson.h).
  struct Standing {
    std::uint64_t customer = 0;
    std::int64_t forgotten = INT64_MIN; // what is at or before it is refused
    std::int64_t answered = INT64_MIN; // time of the consent that stands, the newest
    std::uint64_t granted = 1; // 0: everything is refused, whatever its time
  };

  // A forget or consent event; returns whether more is refused than before.
  bool take(const Event& event);
  [[nodiscard]] bool admits(std::uint64_t customer, std::int64_t time) const
  {
    if (standing_.empty()) return true;
    const auto found = standing_.find(customer);
    return found == standing_.end() || (found->second.granted != 0 && time > found->second.forgotten);
  }
  void merge(const Refusals& other);

  // What a snapshot holds, sorted by customer.
  [[nodiscard]] std::vector<Standing> all() const;
  void restore(const std::vector<Standing>& all);

 private:
  bool merge(const Standing& other);

  std::map<std::uint64_t, Standing> standing_;
};

} // namespace attune
