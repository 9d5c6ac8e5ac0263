#include "adapters/redis_changes.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "adapters/backoff.h"
#include "adapters/durable_file.h"
#include "adapters/redis_connection.h"
#include "adapters/store_names.h"
#include "base/assert.h"

namespace attune {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Instant = SteadyClock::time_point;

constexpr Milliseconds kInterval{500}; // between two questions to both connections
constexpr Milliseconds kLongestWait{3'600'000};

constexpr std::string_view kInvalidations = "__redis__:invalidate";
constexpr std::string_view kNeeded = "Kg$xe"; // of notify-keyspace-events: keyspace; generic, string, expired, evicted

// Which of the needed letters a setting lacks. 'A' stands for all classes of events.
std::string lacking(std::string_view setting)
{
  std::string missing;
  for (const char letter : kNeeded) {
    const bool has = setting.find(letter) != std::string_view::npos;
    const bool by_all = letter != 'K' && setting.find('A') != std::string_view::npos;
    if (!has && !by_all) missing.push_back(letter);
  }
  return missing;
}

class RedisChanges final : public ChangeFeed {
 public:
  RedisChanges(const RedisPlace& place, const StoreOptions& options, ChangeMode mode, FileDescriptor stop)
      : options_(options),
        mode_(mode),
        profiles_(options.name_space + ":{"),
        incarnation_key_(redis_incarnation_key(options.name_space)),
        channel_("__keyspace@" + std::to_string(place.database) + "__:"),
        hears_(place),
        asks_(place),
        stop_(std::move(stop))
  {
  }

  ~RedisChanges() override
  {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto ignored = ::write(stop_.get(), &one, sizeof one);
    if (thread_.joinable()) thread_.join();
  }

  Status start(ChangeListener listener) override
  {
    ATTUNE_ASSERT(!thread_.joinable());
    listener_ = std::move(listener);
    std::promise<Status> first;
    std::future<Status> established = first.get_future();
    thread_ = std::thread([this, promise = std::move(first)]() mutable { run(std::move(promise)); });
    return established.get();
  }

  [[nodiscard]] bool told() const override
  {
    return SteadyClock::now().time_since_epoch().count() < told_until_.load(std::memory_order_acquire);
  }

 private:
  void run(std::promise<Status> first)
  {
    Status status = establish_within(options_.patience);
    first.set_value(status);
    while (status.ok()) {
      const Error reason = follow();
      told_until_.store(0, std::memory_order_release);
      report(reason);
      status = pause_until(SteadyClock::now() + backoff_.next());
      if (status.ok()) status = establish_within(std::nullopt);
    }
  }

  // Tries again and again; with no `patience`: for ever, whatever the error, and it fails only when it is to stop.
  Status establish_within(std::optional<Milliseconds> patience)
  {
    const Instant begin = SteadyClock::now();
    for (;;) {
      Status status = establish();
      if (status.ok() || status.error().code == Code::stopped) return status;
      const Instant again = SteadyClock::now() + backoff_.next();
      if (!patience) report(status.error());
      if (patience && (!worth_retry(status.error()) || again > begin + *patience)) return status;
      if (status = pause_until(again); !status.ok()) return status;
    }
  }

  void report(const Error& reason)
  {
    if (reason.code == Code::stopped || std::exchange(reported_, reason.message) == reason.message) return;
    if (listener_.lost) listener_.lost(reason);
  }

  // ERRORS: stopped.
  Status pause_until(Instant end)
  {
    hears_.close();
    asks_.close();
    return wait({}, end) == Woken::stopped ? Status(stopped()) : Status();
  }

  // Both connections, from the beginning: what one knows is worth nothing without the other.
  Status establish()
  {
    pong_due_.reset();
    data_.reset();
    generation_.reset();
    asked_at_ = SteadyClock::now();
    Status status = hears_.connect(options_.timeout);
    if (status.ok()) status = asks_.connect(options_.timeout);
    if (status.ok()) status = mode_ == ChangeMode::tracking ? track() : subscribe_to_keys();
    // From here on every change is on its way to us. Of what was before, look() says that it may have changed.
    if (status.ok()) status = look();
    if (status.ok()) told_for_a_round();
    return status;
  }

  Status track()
  {
    std::string id;
    Status status = ask(hears_, {"CLIENT", "ID"}, [&](const redisReply& reply) -> Status {
      id = std::to_string(reply.integer);
      return {};
    });
    if (status.ok()) status = subscribe({"SUBSCRIBE", kInvalidations});
    if (!status.ok()) return status;
    return ask(asks_, {"CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST", "PREFIX", profiles_, "PREFIX", incarnation_key_},
               [](const redisReply&) { return Status(); });
  }

  Status subscribe_to_keys() { return subscribe({"PSUBSCRIBE", channel_ + profiles_ + "*", channel_ + incarnation_key_}); }

  // Until something fails; what.
  Error follow()
  {
    Instant next = asked_at_ + kInterval;
    Status status;
    while (status.ok()) {
      if (!pong_due_ && SteadyClock::now() >= next) {
        status = ask_both();
        next = asked_at_ + kInterval;
        continue;
      }
      switch (wait({&hears_, &asks_}, pong_due_.value_or(next))) {
        case Woken::stopped:
          return stopped();
        case Woken::late:
          if (pong_due_) return silent(hears_, "PING");
          break;
        case Woken::readable:
          status = asks_.take_arrived([&](const redisReply&) { return Status(unexpected()); });
          if (status.ok()) status = hears_.take_arrived([&](const redisReply& reply) { return heard(reply); });
          if (status.ok() && look_) status = look();
          break;
      }
    }
    return status.error();
  }

  // The answer of the one that hears comes among what it hears, behind all that was told before.
  Status ask_both()
  {
    asked_at_ = SteadyClock::now();
    pong_due_ = asked_at_ + options_.timeout;
    Status status = hears_.post({"PING"});
    return status.ok() ? look() : status;
  }

  // Both have answered; the next answers are due a time-out after the next questions.
  void told_for_a_round()
  {
    const Instant due = std::max(asked_at_ + kInterval, SteadyClock::now()) + options_.timeout;
    told_until_.store(due.time_since_epoch().count(), std::memory_order_release);
  }

  // Asks which data this is; it may be other data, or another generation of it.
  Status look()
  {
    look_ = false;
    std::string data;
    Status status = mode_ == ChangeMode::keyspace ? see_that_keys_are_notified() : Status();
    if (status.ok()) {
      status = ask(asks_, {"GET", incarnation_key_}, [&](const redisReply& reply) -> Status {
        data = text_of(reply);
        return {};
      });
    }
    if (!status.ok() || data_ == data) return status;
    generation_ = generation_of(data);
    data_ = std::move(data);
    listener_.all_changed();
    return {};
  }

  Status see_that_keys_are_notified()
  {
    static constexpr std::string_view name = "notify-keyspace-events";
    return ask(asks_, {"CONFIG", "GET", name}, [&](const redisReply& reply) -> Status {
      const bool known = reply.type == REDIS_REPLY_ARRAY && reply.elements == 2;
      const std::string setting(known ? text_of(*reply.element[1]) : std::string_view());
      const std::string missing = lacking(setting);
      if (missing.empty()) return {};
      return Error{Code::config, asks_.name() + ": " + std::string(name) + " is \"" + setting + "\", which lacks \"" + missing +
                                     "\": to be told of changes by keyspace notifications, set it to \"" + std::string(kNeeded) +
                                     "\" in the server's configuration"};
    });
  }

  // A message or a reply to the connection that hears.
  Status heard(const redisReply& reply)
  {
    if (is_error(reply)) return redis_error(hears_.name(), "", text_of(reply));
    if (reply.type != REDIS_REPLY_ARRAY || reply.elements < 2) return unexpected();
    const std::string_view kind = text_of(*reply.element[0]);
    if (kind == "message" && reply.elements == 3) {
      invalidated(*reply.element[2]);
    } else if (kind == "pmessage" && reply.elements == 4) {
      notified(text_of(*reply.element[2]), text_of(*reply.element[3]));
    } else if (kind == "subscribe" || kind == "psubscribe") {
      ++confirmed_;
    } else if (kind == "pong") {
      pong_due_.reset();
      backoff_.reset();
      reported_.clear();
      told_for_a_round();
    }
    return {};
  }

  // Nil instead of keys: a database was emptied.
  void invalidated(const redisReply& keys)
  {
    if (keys.type == REDIS_REPLY_NIL) {
      look_ = true;
      listener_.all_changed();
    } else if (keys.type == REDIS_REPLY_ARRAY) {
      for (std::size_t i = 0; i < keys.elements; ++i) changed(text_of(*keys.element[i]));
    }
  }

  // "expire" says that a time to live was set, which comes after each "set".
  void notified(std::string_view channel, std::string_view event)
  {
    if (event != "expire" && channel.starts_with(channel_)) changed(channel.substr(channel_.size()));
  }

  // While it is to be seen which generation is in use, any may be.
  void changed(std::string_view key)
  {
    if (key == incarnation_key_) {
      look_ = true;
      return;
    }
    const auto generation = look_ ? generation_of_redis_key(options_.name_space, key) : generation_;
    if (!generation) return;
    if (const auto customer = customer_of_redis_key(options_.name_space, *generation, key)) listener_.changed(*customer);
  }

  // A confirmation for each channel; what comes behind them is heard already.
  Status subscribe(std::initializer_list<std::string_view> command)
  {
    const std::size_t wanted = command.size() - 1;
    confirmed_ = 0;
    return converse(
        hears_, command, [&] { return confirmed_ >= wanted; }, [&](const redisReply& reply) { return heard(reply); });
  }

  // One command, one reply; an error reply is an error.
  Status ask(RedisConnection& connection, std::initializer_list<std::string_view> command, const RedisConnection::Hear& take)
  {
    bool answered = false;
    return converse(
        connection, command, [&] { return answered; },
        [&](const redisReply& reply) {
          answered = true;
          return is_error(reply) ? Status(redis_error(connection.name(), *command.begin(), text_of(reply))) : take(reply);
        });
  }

  template <class Done>
  Status converse(RedisConnection& connection, std::initializer_list<std::string_view> command, const Done& done,
                  const RedisConnection::Hear& take)
  {
    const Instant end = SteadyClock::now() + options_.timeout;
    Status status = connection.post(command);
    while (status.ok() && !done()) {
      const Woken woken = wait({&connection}, end);
      if (woken == Woken::stopped) return stopped();
      if (woken == Woken::late) return silent(connection, *command.begin());
      status = connection.take_arrived(take);
    }
    return status;
  }

  enum class Woken { stopped, readable, late };
  Woken wait(std::initializer_list<const RedisConnection*> on, Instant until) const
  {
    std::array<pollfd, 3> polled{{{stop_.get(), POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}}};
    std::size_t count = 1;
    for (const RedisConnection* one : on) polled[count++].fd = one->descriptor();
    for (;;) {
      const auto left = std::chrono::ceil<Milliseconds>(until - SteadyClock::now());
      const int ready = ::poll(polled.data(), count, static_cast<int>(std::clamp(left, Milliseconds(0), kLongestWait).count()));
      if (ready < 0 && errno == EINTR) continue;
      if (polled[0].revents != 0) return Woken::stopped;
      return ready > 0 ? Woken::readable : Woken::late;
    }
  }

  Error silent(const RedisConnection& connection, std::string_view question) const
  {
    return {Code::unreachable, connection.name() + ": " + std::string(question) + ": no answer for " +
                                   std::to_string(options_.timeout.count()) + " ms"};
  }
  Error stopped() const { return {Code::stopped, hears_.name() + ": stopped"}; }
  Error unexpected() const { return {Code::unreachable, hears_.name() + ": a reply that nobody asked for"}; }

  StoreOptions options_;
  ChangeMode mode_;
  std::string profiles_; // what their keys begin with
  std::string incarnation_key_;
  std::string channel_; // what channels of keyspace notifications begin with
  ChangeListener listener_;

  // The thread's own.
  RedisConnection hears_;
  RedisConnection asks_;
  Backoff backoff_;
  std::string reported_; // the last reason, since changes were told
  std::optional<std::string> data_; // of the incarnation; nothing: not seen since the connections were made
  std::optional<std::string> generation_; // the one in use; nothing: not seen yet
  bool look_ = false; // something happened to the incarnation
  std::size_t confirmed_ = 0; // channels subscribed to
  Instant asked_at_; // the last question to both
  std::optional<Instant> pong_due_; // the answer of the one that hears

  std::atomic<Instant::rep> told_until_{0};
  FileDescriptor stop_; // readable once the thread is to end
  std::thread thread_;
};

} // namespace

Result<std::unique_ptr<ChangeFeed>> open_redis_changes(std::string_view url, const StoreOptions& options, ChangeMode mode)
{
  Result<RedisPlace> place = parse_redis_url(url);
  if (!place.ok()) return place.error();
  if (!options.password.empty()) (*place).password = options.password;
  FileDescriptor stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!stop) return file_error("eventfd", "open", errno);
  return std::unique_ptr<ChangeFeed>(std::make_unique<RedisChanges>(*place, options, mode, std::move(stop)));
}

} // namespace attune
