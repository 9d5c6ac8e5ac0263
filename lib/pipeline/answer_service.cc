#include "pipeline/answer_service.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;
using Microseconds = std::chrono::microseconds;

// What the rungs below the first need of a budget.
constexpr Microseconds kReserve{3000};
// Between two reads where nobody tells of changes; longer and longer.
constexpr Microseconds kLookAgain{1000};

Microseconds since(Steady::time_point begun)
{
  return std::chrono::duration_cast<Microseconds>(Steady::now() - begun);
}

std::string named(const Token::Entry& entry)
{
  return std::string(type_name(entry.type)) + " " + entry.place.id.text;
}

// The profile with events on top that are on their way to it. An alias's own history follows when identify has been carried out.
Profile with_events(const Profile* profile, const Ask& ask)
{
  Profile made;
  if (profile) made = *profile;
  made.customer = profile ? profile->customer : ask.request.customer;
  std::vector<const Event*> plain;
  for (const auto& event : ask.events) {
    if (event.type == EventType::forget)
      static_cast<void>(forget(made, event));
    else if (event.type == EventType::consent)
      static_cast<void>(consent(made, event));
    else if (event.type != EventType::identify)
      plain.push_back(&event);
  }
  std::vector<Outcome> outcomes(plain.size());
  apply(made, plain, outcomes);
  return made;
}

} // namespace

// One request on its way down the ladder. All of it on its own thread; it lives until it has answered.
class AnswerService::Asking : public std::enable_shared_from_this<Asking> {
 public:
  Asking(AnswerService& service, std::shared_ptr<RequestThread> thread, Ask ask, Done done)
      : service_(service), parts_(service.parts_), thread_(std::move(thread)), ask_(std::move(ask)), done_(std::move(done))
  {
    const auto reserve = std::min(kReserve, Microseconds(ask_.budget) / 5);
    deadline_ = ask_.begun + ask_.budget - reserve;
    ask_.request.source = parts_.source;
  }

  void begin()
  {
    if (!parts_.readers || ask_.request.customer.empty()) return answer(nullptr, not_awaited());
    if (auto known = look(); known && known->current) return have(std::move(known->profile));
    read();
    if (!answered_) at_deadline();
  }

 private:
  [[nodiscard]] bool told() const { return service_.changes_are_told(); }

  [[nodiscard]] bool allowed(const Profile* profile) const
  {
    return ask_.root_allowed || !profile || profile->customer == ask_.request.customer;
  }

  std::optional<KnownProfiles::Known> look() { return parts_.known->find(ask_.request.customer, parts_.clock->now(), told()); }

  void read()
  {
    if (!parts_.readers->answers()) return without_store("store_unavailable", "it did not answer lately and is given a rest");
    reading_ = true;
    parts_.readers->read(ask_.request.customer, [self = shared_from_this()](const Result<ProfilePtr>& result) {
      self->thread_->post([self, result] { self->was_read(result); });
    });
  }

  void was_read(const Result<ProfilePtr>& result)
  {
    reading_ = false;
    if (answered_) return;
    if (!result) {
      ++service_.counts_.read_failed;
      const bool busy = result.error().code == Code::busy;
      return without_store(busy ? "overloaded" : "store_unavailable", result.error().message);
    }
    if (again_) {
      again_ = false;
      return read();
    }
    have(*result);
  }

  // The profile is there. With a token: does it hold its events?
  void have(ProfilePtr profile)
  {
    if (profile_us_ == Microseconds(0)) profile_us_ = since(ask_.begun);
    const auto* missing = awaited(ask_.after, profile.get());
    if (!missing || complete(profile.get())) return answer(std::move(profile), {});
    profile_ = std::move(profile);
    has_profile_ = true;
    waiting_for_ = named(*missing);
    if (Steady::now() >= deadline_) return give_up_waiting();
    if (!told()) return look_again();
    watch(root_ticket_, profile_ ? profile_->customer : CustomerId());
    if (ticket_) return; // woken again at the next change
    ++service_.counts_.waited;
    if (!watch(ticket_, ask_.request.customer)) return give_up_waiting();
    at_deadline();
    changed(); // it may have, before we watched
  }

  // Puts what the token waits for on top of the profile, when it was acknowledged here. Whether nothing is missing then.
  bool complete(const Profile* profile)
  {
    if (!parts_.underway || ask_.after.empty()) return false;
    auto underway = parts_.underway->completing(ask_.after, ask_.request.customer, profile);
    if (!underway) return false;
    ask_.events.insert(ask_.events.begin(), std::make_move_iterator(underway->begin()), std::make_move_iterator(underway->end()));
    return true;
  }

  // An alias hears of its root's changes by the root's name alone.
  bool watch(std::optional<std::pair<CustomerId, Watchers::Ticket>>& ticket, const CustomerId& customer)
  {
    if (ticket || customer.empty() || (&ticket == &root_ticket_ && customer == ask_.request.customer)) return true;
    const auto watched = parts_.watchers->watch(customer, [self = weak_from_this(), thread = thread_] {
      thread->post([self] {
        if (auto asking = self.lock()) asking->changed();
      });
    });
    if (watched) ticket.emplace(customer, *watched);
    return watched.has_value();
  }

  void changed()
  {
    if (answered_) return;
    if (auto known = look(); known && known->current) return have(std::move(known->profile));
    if (reading_)
      again_ = true; // what is being read may be older than the change
    else
      read();
  }

  void look_again()
  {
    if (waited_ == 0) ++service_.counts_.waited;
    thread_->after(std::min(kLookAgain * (1 << std::min(waited_++, 3)), Microseconds(8000)), [self = shared_from_this()] {
      if (!self->answered_ && !self->reading_) self->read();
    });
    at_deadline();
  }

  void at_deadline()
  {
    if (std::exchange(timed_, true)) return;
    const auto left = std::max(Microseconds(0), std::chrono::duration_cast<Microseconds>(deadline_ - Steady::now()));
    thread_->after(left, [self = shared_from_this()] { self->time_is_up(); });
  }

  void time_is_up()
  {
    if (answered_) return;
    if (has_profile_) return give_up_waiting();
    ++service_.counts_.read_late;
    without_store("store_timeout", "the profile was not there within the budget");
  }

  void give_up_waiting()
  {
    ++service_.counts_.wait_failed;
    answer(std::move(profile_), waiting(waiting_for_));
  }

  [[nodiscard]] static Degraded waiting(const std::string& event) { return {"waiting", "waiting for " + event}; }

  // Where there is no profile that could hold a token's events, nobody waits for them, and the answer says so.
  [[nodiscard]] std::optional<Degraded> not_awaited() const
  {
    const auto* missing = awaited(ask_.after, nullptr);
    return missing ? std::optional(waiting(named(*missing))) : std::nullopt;
  }

  void without_store(const char* code, std::string detail)
  {
    if (answered_) return;
    if (has_profile_) return told() ? void() : look_again(); // it stands; its token is waited for to the end
    Degraded degraded{code, std::move(detail)};
    if (auto known = look(); known && allowed(known->profile.get())) {
      const auto age = parts_.clock->now() - known->as_of;
      root_ = known->profile ? known->profile->customer : CustomerId();
      complete(known->profile.get());
      finish(service_.rank(ask_, known->profile.get(), parts_.clock->now(), priority_), Tier::cached, age.count(),
             std::move(degraded));
    } else {
      complete(nullptr);
      finish(service_.rank(ask_, nullptr, parts_.clock->now(), priority_), Tier::session, 0, std::move(degraded));
    }
  }

  void answer(ProfilePtr profile, std::optional<Degraded> degraded)
  {
    const auto begun = Steady::now();
    const bool nobody = !parts_.readers || ask_.request.customer.empty() || !allowed(profile.get());
    if (nobody) profile.reset();
    if (profile) root_ = profile->customer;
    auto recommendation = service_.rank(ask_, profile.get(), parts_.clock->now(), priority_);
    rank_us_ = since(begun);
    finish(std::move(recommendation), nobody ? Tier::session : Tier::fresh, 0, std::move(degraded));
  }

  // `tier`: what an answer to what the customer did is called here.
  void finish(Recommendation recommendation, Tier tier, std::int64_t age_ms, std::optional<Degraded> degraded)
  {
    if (std::exchange(answered_, true)) return;
    for (const auto* ticket : {&ticket_, &root_ticket_})
      if (*ticket) parts_.watchers->unwatch((*ticket)->first, (*ticket)->second);
    if (recommendation.tier == Tier::fresh) recommendation.tier = tier;
    if (recommendation.tier == Tier::cached) recommendation.age_ms = age_ms;
    if (degraded) recommendation.degraded = std::move(degraded);
    service_.counts_.tiers[static_cast<std::size_t>(recommendation.tier)]++;
    if (recommendation.degraded) ++service_.counts_.degraded;
    const auto wait = waiting_for_.empty() ? Microseconds(0) : since(ask_.begun) - profile_us_ - rank_us_;
    done_({std::move(recommendation), priority_, std::move(root_), profile_us_, wait, rank_us_});
  }

  AnswerService& service_;
  const AnswerParts& parts_;
  std::shared_ptr<RequestThread> thread_;
  Ask ask_;
  Done done_;
  Steady::time_point deadline_;
  Microseconds profile_us_{0}, rank_us_{0};
  ProfilePtr profile_; // while waiting
  bool has_profile_ = false;
  CustomerId root_;
  std::string waiting_for_;
  std::optional<std::pair<CustomerId, Watchers::Ticket>> ticket_, root_ticket_;
  int waited_ = 0; // times it looked again
  bool reading_ = false, again_ = false, timed_ = false, answered_ = false, priority_ = false;
};

void AnswerService::answer(const std::shared_ptr<RequestThread>& thread, Ask ask, Done done)
{
  std::make_shared<Asking>(*this, thread, std::move(ask), std::move(done))->begin();
}

Recommendation AnswerService::rank(const Ask& ask, const Profile* profile, Timestamp now, bool& priority)
{
  std::optional<Profile> changed;
  if (!ask.events.empty()) {
    changed = with_events(profile, ask);
    profile = &*changed;
  }
  const auto reading = parts_.knowledge->read();
  priority = profile && reading.rules().is_priority(*profile, reading.catalog(), now);
  auto answer = answer_with(reading.model(), profile, ask.request, reading.catalog(), now, reading.rules(), parts_.randomness);
  if (answer.items.empty()) {
    auto list = parts_.fallback.find(answer.slot.text);
    if (list == parts_.fallback.end()) list = parts_.fallback.find(std::string_view());
    if (list != parts_.fallback.end()) {
      answer.tier = Tier::fallback_list;
      for (const auto& item : list->second) {
        if (answer.items.size() == ask.request.n) break;
        auto& shown = answer.items.emplace_back();
        shown.item = item;
        if (const auto* known = reading.catalog().find(item)) ask.request.fields.append(*known, shown.fields);
      }
    }
  }
  return answer;
}

} // namespace attune
