// ProfileReaders: reads profiles for those who must not wait themselves: some threads, each with a store handle of its own, take
// what was asked for meanwhile in one round trip. Several who ask for one customer share a read. What is read becomes known
// (pipeline/known_profiles.h).
//
// A store that fails again and again, or keeps everyone waiting, is given a rest (pipeline/breaker.h): what counts are round trips, not those
// who wait for them.
//
// Thread rule: read() from any thread; `done` is called on a reader's thread, or at once when too many wait (busy).
// ERRORS: those of the store; bad_data: the profile can not be read.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pipeline/breaker.h"
#include "pipeline/known_profiles.h"
#include "pipeline/ports.h"

namespace attune {

class ProfileReaders {
 public:
  using Done = std::function<void(const Result<ProfilePtr>&)>;

  // `known` and `clock` outlive it. ERRORS: of ProfileStore::another.
  static Result<std::unique_ptr<ProfileReaders>> start(ProfileStore& store, KnownProfiles& known, const Clock& clock,
                                                       std::size_t threads, std::size_t most_waiting);
  ~ProfileReaders(); // those who wait are told: stopped

  void read(const CustomerId& customer, Done done);
  // Whether there is any sense in asking now.
  [[nodiscard]] bool answers();
  // For whoever asks the store on its own account and can say that it answers again.
  [[nodiscard]] Breaker& breaker() { return breaker_; }

 private:
  struct Asked {
    KnownProfiles::Load load;
    std::vector<Done> done;
  };
  using Batch = std::map<CustomerId, Asked>;

  ProfileReaders(KnownProfiles& known, const Clock& clock, std::size_t most_waiting)
      : known_(known), clock_(clock), most_waiting_(most_waiting)
  {
  }
  struct Worker {
    std::unique_ptr<ProfileStore> store;
    std::atomic<Breaker::Instant::rep> busy_since{0}; // 0: its store is not asked for anything
  };
  void work(Worker& worker);
  void serve(Worker& worker, Batch& batch);
  Result<ProfilePtr> follow(ProfileStore& store, const CustomerId& alias, KnownProfiles::Load load, const CustomerId& to);

  KnownProfiles& known_;
  const Clock& clock_;
  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable asked_;
  Batch waiting_;
  std::size_t waiting_calls_ = 0;
  bool stopping_ = false;
  Breaker breaker_;
  std::deque<Worker> workers_;
  std::vector<std::thread> threads_;
};

} // namespace attune
