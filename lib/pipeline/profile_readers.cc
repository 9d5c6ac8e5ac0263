#include "pipeline/profile_readers.h"

#include "core/profile_proto.h"
#include "pipeline/recommend.h"

namespace attune {

Result<std::unique_ptr<ProfileReaders>> ProfileReaders::start(ProfileStore& store, KnownProfiles& known, const Clock& clock,
                                                              std::size_t threads, std::size_t most_waiting)
{
  std::unique_ptr<ProfileReaders> readers(new ProfileReaders(known, clock, most_waiting));
  for (std::size_t i = 0; i < threads; ++i) {
    auto another = store.another();
    if (!another) return another.error();
    readers->stores_.push_back(std::move(*another));
  }
  for (auto& each : readers->stores_) readers->threads_.emplace_back([&readers = *readers, &each] { readers.work(*each); });
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

void ProfileReaders::work(ProfileStore& store)
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
    serve(store, batch);
  }
}

// To the root a pointer leads to.
Result<ProfilePtr> ProfileReaders::follow(ProfileStore& store, Profile profile, std::size_t& bytes)
{
  if (!profile.moved_to) return ProfilePtr(std::make_shared<const Profile>(std::move(profile)));
  auto root = read_profile(store, profile.moved_to->alias);
  if (!root) return root.error();
  bytes *= 2; // nobody knows; an alias is rarely the smaller
  return *root ? ProfilePtr(std::make_shared<const Profile>(std::move(**root))) : ProfilePtr();
}

void ProfileReaders::serve(ProfileStore& store, Batch& batch)
{
  std::vector<CustomerId> customers;
  for (const auto& [customer, asked] : batch) customers.push_back(customer);
  std::vector<StoredProfile> stored;
  auto got = store.get(customers, stored);
  if (!got && got.error().code == Code::replaced) {
    // Another incarnation: nothing that was known is.
    known_.all_changed();
    auto incarnation = store.incarnation();
    got = incarnation ? store.get(customers, stored) : Status(incarnation.error());
  }
  std::size_t at = 0;
  for (auto& [customer, asked] : batch) {
    Result<ProfilePtr> result = ProfilePtr();
    if (!got) {
      result = got.error();
    } else if (const auto& bytes = stored[at].bytes; !bytes.empty()) {
      std::size_t size = bytes.size() * 2; // decoded
      auto profile = decode_profile(customer, bytes);
      result = profile ? follow(store, std::move(*profile), size) : Result<ProfilePtr>(profile.error());
      if (result) known_.loaded(customer, asked.load, *result, size, clock_.now());
    } else {
      known_.loaded(customer, asked.load, nullptr, 0, clock_.now());
    }
    for (auto& done : asked.done) done(result);
    ++at;
  }
}

} // namespace attune
