// AnswerService: always an answer, always labelled (DESIGN section 1). A request comes with a deadline and goes down a ladder until a rung
// bears:
//
//   fresh     the profile as it stands, read or known; with a token, once it holds those events, or at once with those on top that this
//             process acknowledged itself (pipeline/underway_events.h)
//   cached    the profile as it was last known, when the store does not answer; `age_ms` says how old it is
//   session   the client's own last items (`recent=`), nothing else
//   popular   what is popular, in the customer's segments when they are known
//   static    a list from the configuration
//
// The deadline is kept: reads are made by others (pipeline/profile_readers.h), who give a store that is away a rest, and the wait for a
// token's events ends with it. Whatever falls short of what was asked says so in `degraded`:
// "waiting" (the detail names the event), "store_unavailable", "store_timeout", "overloaded", "empty_model".
//
// Thread rule: answer() on the request's thread, any number of them; `done` is called on that thread, perhaps before answer() returns.
// Cost: of a known profile some 2 us beside core/recommender.h's.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/token.h"
#include "pipeline/knowledge.h"
#include "pipeline/known_profiles.h"
#include "pipeline/profile_readers.h"
#include "pipeline/recommend.h"
#include "pipeline/request_thread.h"
#include "pipeline/underway_events.h"
#include "pipeline/watchers.h"

namespace attune {

inline constexpr Milliseconds kDefaultBudget{50};
inline constexpr Milliseconds kMostBudget{2000};

struct Ask {
  RecommendRequest request;
  Token after;
  Milliseconds budget = kDefaultBudget;
  std::chrono::steady_clock::time_point begun; // the deadline is begun + budget
  // Whether the profile of whoever request.customer became may be shown: not to one who has not proven to be that customer. It is as if
  // nobody were known then.
  bool root_allowed = true;
  // Events of request.customer that are on their way to the profile: the answer knows them already.
  std::vector<Event> events;
};

struct Answered {
  Recommendation recommendation;
  bool priority = false; // the customer is in a segment whose answers come before others' (core/rules.h)
  CustomerId root; // whose profile it is of: another than the asked one when that is an alias; empty: nobody's
  std::chrono::microseconds profile{0}; // until the profile was there
  std::chrono::microseconds wait{0}; // for the token's events
  std::chrono::microseconds rank{0};
};

struct AnswerParts {
  Knowledge* knowledge = nullptr; // never null, as none of these but `readers` and `underway`
  KnownProfiles* known = nullptr;
  Watchers* watchers = nullptr;
  ProfileReaders* readers = nullptr; // null: there is no store, nobody is known
  const UnderwayEvents* underway = nullptr; // null: this process acknowledges no events
  // Whether KnownProfiles and Watchers hear of every change. Where they do not, every answer reads, and a token is waited for by reading
  // again and again.
  std::function<bool()> changes_are_told; // empty: always
  const Clock* clock = nullptr;
  Randomness randomness;
  Source source = Source::blend;
  std::map<std::string, std::vector<ItemId>, std::less<>> fallback; // by slot; "" for the others
};

struct AnswerCounts {
  std::array<std::atomic<std::uint64_t>, 5> tiers{}; // by Tier
  std::atomic<std::uint64_t> degraded{0}, waited{0}, wait_failed{0}, read_failed{0}, read_late{0};
};

class AnswerService {
 public:
  explicit AnswerService(AnswerParts parts) : parts_(std::move(parts)) {}
  AnswerService(const AnswerService&) = delete;
  AnswerService& operator=(const AnswerService&) = delete;

  using Done = std::function<void(Answered)>;
  void answer(const std::shared_ptr<RequestThread>& thread, Ask ask, Done done);

  // As AnswerParts has it. Any thread.
  [[nodiscard]] bool changes_are_told() const { return !parts_.changes_are_told || parts_.changes_are_told(); }
  [[nodiscard]] const AnswerCounts& counts() const { return counts_; }

 private:
  class Asking;
  [[nodiscard]] Recommendation rank(const Ask& ask, const Profile* profile, Timestamp now, bool& priority);

  AnswerParts parts_;
  AnswerCounts counts_;
};

} // namespace attune
