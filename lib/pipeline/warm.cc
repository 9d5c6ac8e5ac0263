#include "pipeline/warm.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "base/assert.h"
#include "pipeline/patience.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr Milliseconds kFirstPause{50}, kLongestPause{2000}; // between two tries

class Warming {
 public:
  explicit Warming(const WarmOptions& options) : options_(options) {}

  Result<WarmReport> run();

 private:
  void work(RemoteService& service);
  Result<std::optional<CustomerId>> next();
  Result<bool> warm_customer(RemoteService& service, const CustomerId& customer);
  Result<bool> ask(RemoteService& service, const CustomerId& customer, const Slot& slot);
  bool pace();
  void end(const Error& error);

  const WarmOptions& options_;
  std::mutex input_; // of options_.next(), which may wait for somebody to type
  std::mutex mutex_; // of the options' other calls and of what follows
  WarmReport report_;
  std::atomic<bool> over_{false}; // somebody met the end, a stop or an error
  Status status_; // the first error
};

void Warming::end(const Error& error)
{
  const std::lock_guard lock(mutex_);
  over_ = true;
  if (status_) status_ = error;
}

Result<std::optional<CustomerId>> Warming::next()
{
  const std::lock_guard input(input_);
  if (over_) return std::optional<CustomerId>();
  auto customer = options_.next();
  if (!customer || !*customer) over_ = true;
  return customer;
}

bool Warming::pace()
{
  const std::lock_guard lock(mutex_);
  if (options_.pace()) return true;
  over_ = true;
  report_.stopped = true;
  return false;
}

// False: a stop was requested.
Result<bool> Warming::ask(RemoteService& service, const CustomerId& customer, const Slot& slot)
{
  Patience patience(options_.give_up);
  auto pause = kFirstPause;
  while (pace()) {
    auto answer = service.ask(customer, slot, options_.n, {});
    if (answer) {
      const std::lock_guard lock(mutex_);
      ++report_.answers;
      report_.degraded += answer->degraded.empty() ? 0 : 1;
      return true;
    }
    if (auto forgiven = patience.forgive(answer.error()); !forgiven) return forgiven.error();
    if (!options_.wait_until(Steady::now() + pause)) continue; // pace() knows
    pause = std::min(2 * pause, kLongestPause);
  }
  return false;
}

Result<bool> Warming::warm_customer(RemoteService& service, const CustomerId& customer)
{
  for (const auto& slot : options_.slots) {
    auto asked = ask(service, customer, slot);
    if (!asked || !*asked) return asked;
  }
  const std::lock_guard lock(mutex_);
  ++report_.customers;
  if (auto noted = options_.done(customer); !noted) return noted.error();
  return true;
}

void Warming::work(RemoteService& service)
{
  for (;;) {
    const auto customer = next();
    if (!customer) return end(customer.error());
    if (!*customer) return;
    const auto warmed = warm_customer(service, **customer);
    if (!warmed) return end(warmed.error());
    if (!*warmed) return;
  }
}

Result<WarmReport> Warming::run()
{
  ATTUNE_ASSERT(!options_.slots.empty() && options_.connections > 0);
  std::vector<std::unique_ptr<RemoteService>> services;
  for (std::size_t i = 0; i < options_.connections; ++i) {
    auto service = options_.connect();
    if (!service) return service.error();
    services.push_back(std::move(*service));
  }
  std::vector<std::thread> threads;
  for (auto& service : services) threads.emplace_back([this, &service] { work(*service); });
  for (auto& thread : threads) thread.join();
  if (!status_) return status_.error();
  return report_;
}

} // namespace

Result<WarmReport> warm(const WarmOptions& options)
{
  return Warming(options).run();
}

} // namespace attune
