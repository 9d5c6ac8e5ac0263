#include "pipeline/refreshes.h"

#include <utility>

namespace attune {

void Refreshes::changed(const CustomerId& customer)
{
  const bool first = priority_ && priority_(customer);
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < most_ && waiting_.insert(customer).second) (first ? first_ : others_).push_back(customer);
  }
  go_on(); // who waits already may do so since the store failed
}

void Refreshes::go_on()
{
  for (;;) {
    CustomerId customer;
    {
      const std::lock_guard lock(mutex_);
      auto& queue = first_.empty() ? others_ : first_;
      if (queue.empty() || under_way_ == kAtOnce) return;
      customer = std::move(queue.front());
      queue.pop_front();
      waiting_.erase(customer);
      ++under_way_;
    }
    // A store that rests is not bothered: what changed is read when it is asked for.
    if (!readers_.answers()) {
      const std::lock_guard lock(mutex_);
      --under_way_;
      continue;
    }
    readers_.read(customer, [this](const Result<ProfilePtr>& result) {
      {
        const std::lock_guard lock(mutex_);
        --under_way_;
      }
      // Where the readers are busy, end, or the store fails, who waits goes on waiting for the next change; or is read when it is asked for.
      if (!result) return;
      ++read_;
      go_on();
    });
  }
}

} // namespace attune
