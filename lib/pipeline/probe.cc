#include "pipeline/probe.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "core/recommender.h"
#include "pipeline/probe_customer.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kTick{100}; // of the progress
constexpr std::string_view kUnknownItem = "attune-probe-item"; // where the service has none to show

// One synthetic customer. Several of its events may be under way.
struct Customer {
  std::mutex mutex;
  CustomerId id;
  std::uint64_t sent = 0; // begun: perhaps counted by the service
  std::uint64_t acknowledged = 0;
  std::uint64_t beyond = 0; // versions above `sent` that were seen
  std::uint64_t behind = 0; // versions below what was acknowledged that were seen
  std::string token; // of the newest event acknowledged
};

class LatencyProbe {
 public:
  explicit LatencyProbe(const LatencyProbeOptions& options) : options_(options), customers_(options.customers) {}

  Result<ProbeReport> run();

 private:
  Status connect();
  void work(RemoteService& service);
  void measure(RemoteService& service, std::uint64_t event, Steady::time_point due);
  void judge(Customer& customer, std::uint64_t least, const RemoteAnswer& answer, Nanoseconds took);
  Status watch();
  template <class Each>
  void for_all_customers(Each each);
  void verify(RemoteService& service, Customer& customer);
  void remove(RemoteService& service, Customer& customer);
  ProbeReport take_interval(Nanoseconds until);
  void failed(const Error& error);

  [[nodiscard]] Steady::time_point due(std::uint64_t event) const
  {
    return begin_ +
           std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(static_cast<double>(event) / options_.rate));
  }

  const LatencyProbeOptions& options_;
  std::vector<std::unique_ptr<RemoteService>> services_; // one a connection
  std::vector<ItemId> items_;
  std::vector<Customer> customers_;
  std::uint64_t events_ = 0; // of the whole schedule
  Steady::time_point begin_;
  std::atomic<std::uint64_t> next_{0};

  std::mutex mutex_; // of what follows
  std::condition_variable ended_;
  std::size_t working_ = 0;
  ProbeReport interval_; // what came since the last interval
  ProbeReport whole_; // up to there
  std::string trouble_;
};

void LatencyProbe::failed(const Error& error)
{
  const std::lock_guard lock(mutex_);
  ++interval_.failed;
  if (trouble_.empty()) trouble_ = error.message;
}

Status LatencyProbe::connect()
{
  for (std::size_t i = 0; i < options_.connections; ++i) {
    auto service = options_.connect();
    if (!service) return service.error();
    services_.push_back(std::move(*service));
  }
  auto answer = services_.front()->ask({}, options_.slot, kMaxCount, {});
  if (!answer) return answer.error();
  items_ = std::move(answer->items);
  if (items_.empty()) items_.emplace_back(kUnknownItem);
  return {};
}

void LatencyProbe::work(RemoteService& service)
{
  const auto last = begin_ + options_.duration + options_.grace;
  for (;;) {
    const auto event = next_.fetch_add(1);
    if (event >= events_) return;
    const auto when = due(event);
    if (!options_.wait_until(when)) return;
    if (const auto now = Steady::now(); now > last) {
      {
        const std::lock_guard lock(mutex_);
        ++interval_.events;
        interval_.slip.add(now - when);
      }
      failed({Code::busy, "events that were due found no connection in time"});
      continue;
    }
    measure(service, event, when);
  }
}

void LatencyProbe::measure(RemoteService& service, std::uint64_t event, Steady::time_point due)
{
  auto& customer = customers_[event % customers_.size()];
  // Each customer goes through the items from a place of its own.
  const auto& item = items_[(event % customers_.size() + event / customers_.size()) % items_.size()];
  std::uint64_t known = 0;
  std::string after;
  {
    const std::lock_guard lock(customer.mutex);
    ++customer.sent;
    known = customer.acknowledged;
    if (options_.one_call) after = customer.token;
  }
  const auto slip = Steady::now() - due;
  const auto slot = options_.one_call ? std::optional(options_.slot) : std::nullopt;
  auto receipt = service.send(customer.id, "probe-" + options_.run + "-" + std::to_string(event), item, slot, after);
  const auto accepted = Steady::now() - due;
  {
    const std::lock_guard lock(mutex_);
    ++interval_.events;
    interval_.slip.add(slip);
    if (receipt) {
      interval_.stages[static_cast<std::size_t>(ProbeStage::accepted)].add(accepted);
      if (receipt->durable) interval_.stages[static_cast<std::size_t>(ProbeStage::durable)].add(*receipt->durable);
    }
  }
  if (!receipt) return failed(receipt.error());
  {
    const std::lock_guard lock(customer.mutex);
    ++customer.acknowledged;
    customer.token = receipt->token;
  }
  if (receipt->answer) return judge(customer, known + 1, *receipt->answer, accepted);
  auto answer = service.ask(customer.id, options_.slot, options_.n, receipt->token);
  const auto took = Steady::now() - due;
  if (!answer) return failed(answer.error());
  judge(customer, known + 1, *answer, took);
}

// `least`: the version that counts this event and those acknowledged before it was sent.
void LatencyProbe::judge(Customer& customer, std::uint64_t least, const RemoteAnswer& answer, Nanoseconds took)
{
  bool stale = false;
  std::uint64_t more = 0;
  {
    const std::lock_guard lock(customer.mutex);
    const auto version = answer.profile_version;
    if (version > customer.sent + customer.beyond) {
      more = version - customer.sent - customer.beyond;
      customer.beyond += more;
    }
    // What is known to be missing, or to be counted twice, is held against one answer.
    const auto expected = least + customer.beyond - more - std::min(customer.behind, least);
    if (answer.says_current() && version < expected) {
      stale = true;
      customer.behind += expected - version;
    }
  }
  const std::lock_guard lock(mutex_);
  interval_.duplicates += more;
  interval_.degraded += answer.degraded.empty() ? 0 : 1;
  interval_.stale += stale ? 1 : 0;
  if (stale || !answer.says_current()) return;
  ++interval_.answers;
  interval_.stages[static_cast<std::size_t>(ProbeStage::answer)].add(took);
  if (answer.profile) interval_.stages[static_cast<std::size_t>(ProbeStage::profile)].add(*answer.profile);
}

ProbeReport LatencyProbe::take_interval(Nanoseconds until)
{
  const std::lock_guard lock(mutex_);
  interval_.until = until;
  whole_.merge(interval_);
  return std::exchange(interval_, {});
}

// Tells of the intervals until all work is done.
Status LatencyProbe::watch()
{
  Status told;
  auto next = begin_ + options_.interval;
  std::unique_lock lock(mutex_);
  while (working_ > 0) {
    const auto tick = Steady::now() + kTick;
    const bool intervals = options_.interval.count() > 0;
    ended_.wait_until(lock, intervals ? std::min(tick, next) : tick);
    const auto events = whole_.events + interval_.events;
    lock.unlock();
    if (options_.progress) options_.progress(events, static_cast<double>(events) / static_cast<double>(events_));
    if (intervals && Steady::now() >= next) {
      const auto report = take_interval(next - begin_);
      if (told) told = options_.told(report);
      next += options_.interval;
    }
    lock.lock();
  }
  return told;
}

template <class Each>
void LatencyProbe::for_all_customers(Each each)
{
  std::atomic<std::size_t> taken{0};
  std::vector<std::thread> threads;
  for (auto& service : services_)
    threads.emplace_back([&] {
      for (std::size_t i = taken.fetch_add(1); i < customers_.size(); i = taken.fetch_add(1))
        if (customers_[i].sent > 0) each(*service, customers_[i]);
    });
  for (auto& thread : threads) thread.join();
}

void LatencyProbe::verify(RemoteService& service, Customer& customer)
{
  const auto answer = service.ask(customer.id, options_.slot, options_.n, customer.token);
  const std::lock_guard lock(mutex_);
  // Whoever waited in vain for the events tells what there is.
  if (!answer || (!answer->says_current() && answer->degraded != "waiting")) {
    ++whole_.unverified;
    if (!answer && trouble_.empty()) trouble_ = answer.error().message;
    return;
  }
  const auto version = answer->profile_version;
  if (version > customer.sent + customer.beyond) {
    const auto more = version - customer.sent - customer.beyond;
    customer.beyond += more;
    whole_.duplicates += more;
  }
  const auto least = customer.acknowledged + customer.beyond;
  if (version < least) whole_.lost += least - version;
}

void LatencyProbe::remove(RemoteService& service, Customer& customer)
{
  const auto forgotten = service.forget(customer.id);
  const std::lock_guard lock(mutex_);
  if (forgotten) ++whole_.removed;
  if (!forgotten && trouble_.empty()) trouble_ = forgotten.error().message;
}

Result<ProbeReport> LatencyProbe::run()
{
  ATTUNE_ASSERT(options_.rate > 0 && !customers_.empty() && options_.connections > 0);
  if (auto connected = connect(); !connected) return connected.error();
  for (std::size_t i = 0; i < customers_.size(); ++i)
    customers_[i].id = CustomerId(std::string(kProbePrefix) + options_.run + '-' + std::to_string(i));
  events_ = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(options_.rate * std::chrono::duration<double>(options_.duration).count()));
  begin_ = Steady::now();
  working_ = services_.size();
  std::vector<std::thread> threads;
  for (auto& service : services_)
    threads.emplace_back([this, &service] {
      work(*service);
      const std::lock_guard lock(mutex_);
      if (--working_ == 0) ended_.notify_all();
    });
  auto told = watch();
  for (auto& thread : threads) thread.join();
  const auto rest = take_interval(Steady::now() - begin_);
  if (told && options_.interval.count() > 0 && rest.events > 0) told = options_.told(rest);

  for_all_customers([this](RemoteService& service, Customer& customer) { verify(service, customer); });
  if (options_.remove) for_all_customers([this](RemoteService& service, Customer& customer) { remove(service, customer); });
  if (!told) return told.error();
  whole_.final = true;
  whole_.trouble = trouble_;
  whole_.customers = static_cast<std::uint64_t>(
      std::count_if(customers_.begin(), customers_.end(), [](const Customer& customer) { return customer.sent > 0; }));
  return std::move(whole_);
}

} // namespace

void ProbeReport::merge(const ProbeReport& other)
{
  until = std::max(until, other.until);
  events += other.events;
  answers += other.answers;
  degraded += other.degraded;
  stale += other.stale;
  failed += other.failed;
  duplicates += other.duplicates;
  slip.merge(other.slip);
  for (std::size_t i = 0; i < kProbeStages; ++i) stages[i].merge(other.stages[i]);
}

Result<ProbeReport> probe_latency(const LatencyProbeOptions& options)
{
  return LatencyProbe(options).run();
}

} // namespace attune
