#include "pipeline/profile_readers.h"

#include <algorithm>

#include "core/profile_proto.h"
#include "pipeline/recommend.h"

namespace attune {

namespace {

constexpr std::chrono::milliseconds kStuck{200}; // a round trip that takes longer keeps everyone waiting

} // namespace

Result<std::unique_ptr<ProfileReaders>> ProfileReaders::start(ProfileStore& store, KnownProfiles& known, const Clock& clock,
                                                              std::size_t threads, std::size_t most_waiting)
{
  std::unique_ptr<ProfileReaders> readers(new ProfileReaders(known, clock, most_waiting));
  for (std::size_t i = 0; i < threads; ++i) {
    auto another = store.another();
    if (!another) return another.error();
    readers->workers_.emplace_back().store = std::move(*another);
  }
  for (auto& each : readers->workers_) readers->threads_.emplace_back([&readers = *readers, &each] { readers.work(each); });
  return readers;
}

ProfileReaders::~ProfileReaders()
{
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& [customer, asked] : waiting_)
    for (auto& done : asked.done) done(Error{Code::stopped, "stopped"});
}

void ProfileReaders::read(const CustomerId& customer, Done done)
{
  {
    const std::lock_guard lock(mutex_);
    if (waiting_calls_ < most_waiting_ && !stopping_) {
      const auto [asked, fresh] = waiting_.try_emplace(customer);
      if (fresh) asked->second.load = known_.begin_load(customer);
      asked->second.done.push_back(std::move(done));
      ++waiting_calls_;
      asked_.notify_one();
      return;
    }
  }
  done(Error{Code::busy, "too many wait for a profile"});
}

bool ProfileReaders::answers()
{
  const auto now = std::chrono::steady_clock::now();
  const auto stuck = (now - kStuck).time_since_epoch().count();
  const bool all_stuck = std::all_of(workers_.begin(), workers_.end(), [stuck](const Worker& worker) {
    const auto since = worker.busy_since.load();
    return since != 0 && since < stuck;
  });
  return !all_stuck && breaker_.allows(now);
}

void ProfileReaders::work(Worker& worker)
{
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      asked_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      batch.swap(waiting_);
      waiting_calls_ = 0;
    }
    serve(worker, batch);
  }
}

// To the root that a pointer leads to.
Result<ProfilePtr> ProfileReaders::follow(ProfileStore& store, const CustomerId& alias, KnownProfiles::Load load,
                                          const CustomerId& to)
{
  const auto begun = clock_.now();
  CustomerId at;
  KnownProfiles::Load own;
  auto root = read_profile(store, to, [&](const CustomerId& each) {
    at = each;
    own = known_.begin_load(each);
  });
  if (!root) return root.error();
  const auto found = *root ? std::make_shared<const Profile>(std::move(**root)) : ProfilePtr();
  known_.loaded(at, own, found, begun);
  known_.leads_to(alias, load, at, begun);
  return found;
}

void ProfileReaders::serve(Worker& worker, Batch& batch)
{
  auto& store = *worker.store;
  // Of the store alone: whoever is told of a result may ask at once whether it answers.
  const auto busy = [&worker](bool yes) {
    worker.busy_since = yes ? std::chrono::steady_clock::now().time_since_epoch().count() : 0;
  };
  const auto begun = clock_.now();
  std::vector<CustomerId> customers;
  for (const auto& [customer, asked] : batch) customers.push_back(customer);
  std::vector<StoredProfile> stored;
  busy(true);
  auto got = store.get(customers, stored);
  if (!got && got.error().code == Code::replaced) {
    // Another incarnation: nothing that was known is.
    known_.all_changed();
    auto incarnation = store.incarnation();
    got = incarnation ? store.get(customers, stored) : Status(incarnation.error());
  }
  busy(false);
  if (got)
    breaker_.succeeded();
  else
    breaker_.failed(std::chrono::steady_clock::now());
  std::size_t at = 0;
  for (auto& [customer, asked] : batch) {
    Result<ProfilePtr> result = ProfilePtr();
    if (!got) {
      result = got.error();
    } else if (const auto& bytes = stored[at].bytes; !bytes.empty()) {
      auto profile = decode_profile(customer, bytes);
      if (!profile) {
        result = profile.error();
      } else if (profile->moved_to) {
        busy(true);
        result = follow(store, customer, asked.load, profile->moved_to->alias);
        busy(false);
      } else {
        const auto decoded = std::make_shared<const Profile>(std::move(*profile));
        known_.loaded(customer, asked.load, decoded, begun);
        result = ProfilePtr(decoded);
      }
    } else {
      known_.loaded(customer, asked.load, nullptr, begun);
    }
    for (auto& done : asked.done) done(result);
    ++at;
  }
}

} // namespace attune
