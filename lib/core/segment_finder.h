// SegmentFinder: which segments of a rules file the customer of each event was in when it happened, found by folding profiles in memory
// (core/profile.h): what a model is taught of segments (Model::learn) by whoever has a log and no store of profiles.
//
// A function of the events given, in their order, and the rules: give them in the order in which they happened, or nearly. Identities
// are followed: what an alias did counts for the customer it became. Memory is bounded: beyond `most_bytes` of profiles that of the
// customer longest unseen is dropped, who then begins anew.
// Not synchronized. Cost: some microseconds an event, with what the conditions of the segments cost.
#pragma once

#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/profile.h"
#include "core/rules.h"

namespace attune {

class SegmentFinder {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{512} << 20;

  // Rules and catalog outlive it.
  SegmentFinder(const Rules& rules, const Catalog& catalog, std::size_t most_bytes = kMostBytes);

  // Names of the segments that the event's customer is in just before it, sorted; then the event counts. Good until the next call.
  // REQUIRES: the event has id and time.
  std::span<const std::string_view> take(const Event& event);

  [[nodiscard]] std::size_t customers() const { return known_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Known {
    Profile profile;
    std::size_t bytes = 0;
    std::list<Known*>::iterator use; // in by_use_
  };

  Known& find(const CustomerId& customer);
  Known& root_of(const CustomerId& customer);
  void identify(const Event& event);
  void weigh(Known& known);
  void evict();

  const Rules& rules_;
  const Catalog& catalog_;
  std::size_t most_bytes_;
  std::unordered_map<std::string, Known> known_;
  std::list<Known*> by_use_; // newest first
  std::size_t bytes_ = 0;
  std::vector<std::string_view> names_;
};

} // namespace attune
