// What a Redis change feed promises, both ways, against a real server.
#include "adapters/redis_changes.h"

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "adapters/places.h"
#include "adapters/redis_store.h"
#include "core/profile_proto.h"
#include "support/faulty_proxy.h"
#include "support/redis_server.h"

namespace attune::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct NeedsRedis {
  NeedsRedis() { require_server("redis-server"); }
};
BOOST_TEST_GLOBAL_FIXTURE(NeedsRedis);

struct Tracking {
  static constexpr ChangeMode mode = ChangeMode::tracking;
};
struct Keyspace {
  static constexpr ChangeMode mode = ChangeMode::keyspace;
};
using BothModes = std::tuple<Tracking, Keyspace>;

// What each connection of a feed says and the other does not; both modes.
const std::string kHears = "SUBSCRIBE";
const std::string kAsks = "GET\r\n";

// Longer than any machine is slow.
constexpr std::chrono::seconds kPatience{60};

template <class T>
T need(Result<T> result)
{
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
void need(const Status& status)
{
  if (!status.ok()) throw std::runtime_error(status.error().message);
}

RedisServer notifying_server()
{
  return RedisServer({"--notify-keyspace-events", "Kg$xe"});
}

StoreOptions shop()
{
  StoreOptions options;
  options.name_space = "shop";
  options.patience = kPatience;
  options.timeout = std::chrono::seconds(20);
  return options;
}

// Feeds find out soon that a peer is silent, so that tests are quick.
StoreOptions soon(Milliseconds timeout = Milliseconds(300))
{
  StoreOptions options = shop();
  options.timeout = timeout;
  return options;
}

template <class Condition>
bool eventually(const Condition& condition, Milliseconds limit = kPatience)
{
  const auto end = SteadyClock::now() + limit;
  while (!condition()) {
    if (SteadyClock::now() > end) return false;
    std::this_thread::sleep_for(Milliseconds(1));
  }
  return true;
}

// A feed and what it told.
class Ear {
 public:
  Ear(const std::string& url, ChangeMode mode, const StoreOptions& options = shop())
      : feed_(need(open_change_feed(url, options, mode)))
  {
  }

  Status try_start()
  {
    return feed_->start({.changed =
                             [this](const CustomerId& customer) {
                               const std::lock_guard lock(mutex_);
                               told_[customer.text] += 1;
                               news_.notify_all();
                             },
                         .all_changed =
                             [this] {
                               const std::lock_guard lock(mutex_);
                               ++all_;
                               told_too_early_ = told_too_early_ || feed_->told();
                               news_.notify_all();
                             },
                         .lost =
                             [this](const Error& reason) {
                               const std::lock_guard lock(mutex_);
                               reasons_.push_back(reason.message);
                               news_.notify_all();
                             }});
  }
  void start() { need(try_start()); }

  bool hears(const std::string& customer, int times = 1)
  {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, kPatience, [&] { return told_[customer] >= times; });
  }
  bool hears_of_all(int times)
  {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, kPatience, [&] { return all_ >= times; });
  }
  std::set<std::string> customers()
  {
    const std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& [name, times] : told_) {
      if (times > 0) names.insert(name);
    }
    return names;
  }
  int times(const std::string& customer)
  {
    const std::lock_guard lock(mutex_);
    return told_[customer];
  }
  int all()
  {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  bool hears_why(const std::string& part)
  {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, kPatience, [&] {
      return std::any_of(reasons_.begin(), reasons_.end(),
                         [&](const std::string& reason) { return reason.find(part) != reason.npos; });
    });
  }
  std::vector<std::string> reasons()
  {
    const std::lock_guard lock(mutex_);
    return reasons_;
  }
  // Whether told() was true when all_changed() was called after a connection was made.
  bool told_too_early()
  {
    const std::lock_guard lock(mutex_);
    return told_too_early_;
  }
  bool told() const { return feed_->told(); }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, int> told_;
  int all_ = 0;
  bool told_too_early_ = false;
  std::vector<std::string> reasons_;
  std::unique_ptr<ChangeFeed> feed_; // the first to go
};

StoredProfile get(ProfileStore& store, const std::string& customer)
{
  std::vector<StoredProfile> out;
  need(store.get(std::vector{CustomerId(customer)}, out));
  return out.at(0);
}

// Whatever is there; "" deletes.
void put(ProfileStore& store, const std::string& customer, std::string_view bytes)
{
  const CustomerId id(customer);
  std::vector<WriteOutcome> out;
  const Digest digest = bytes.empty() ? Digest{} : digest_of(bytes);
  need(store.compare_and_set(std::vector<ProfileWrite>{{&id, get(store, customer).digest, bytes, digest}}, out));
  if (out.at(0) != WriteOutcome::written) throw std::runtime_error("lost a write of " + customer);
}

} // namespace

BOOST_AUTO_TEST_SUITE(redis_changes)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_write_by_another_handle_is_told_once, Mode, BothModes)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  Ear ear(server.url(), Mode::mode);
  BOOST_TEST(!ear.told());
  ear.start();
  BOOST_TEST(ear.told());
  BOOST_TEST(ear.all() == 1);
  BOOST_TEST(!ear.told_too_early());
  put(*store, "ann", "one");
  BOOST_TEST(ear.hears("ann"));
  put(*store, "bob", "one");
  BOOST_TEST(ear.hears("bob"));
  BOOST_TEST(ear.times("ann") == 1);
  BOOST_TEST(ear.all() == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(changes_count_as_told_as_long_as_both_connections_answer, Mode, BothModes)
{
  RedisServer server = notifying_server();
  Ear ear(server.url(), Mode::mode, soon(std::chrono::seconds(2)));
  ear.start();
  server.ask({"CONFIG", "RESETSTAT"});
  const auto asked = [&](const std::string& times) {
    return server.ask({"INFO", "commandstats"}).find("cmdstat_ping:calls=" + times + ",") != std::string::npos;
  };
  BOOST_TEST(eventually([&] { return asked("5"); }));
  BOOST_TEST(ear.told());
  BOOST_TEST(ear.all() == 1);
  BOOST_TEST(ear.reasons().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_customer_is_told_byte_for_byte, Mode, BothModes)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  Ear ear(server.url(), Mode::mode);
  ear.start();
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  const std::set<std::string> odd{"{a}",        "}{", "% \x01\n", "a:b",      "*?[x]\\",
                                  "a}:profile", "ü",  "%7B",      every_byte, std::string(128, '}')};
  for (const std::string& customer : odd) put(*store, customer, "one");
  for (const std::string& customer : odd) BOOST_TEST(ear.hears(customer), customer);
  BOOST_TEST((ear.customers() == odd));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removal_is_told, Mode, BothModes)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  put(*store, "ann", "one");
  Ear ear(server.url(), Mode::mode);
  ear.start();
  put(*store, "ann", "");
  BOOST_TEST(ear.hears("ann"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_profile_that_expires_is_told, Mode, BothModes)
{
  RedisServer server = notifying_server();
  StoreOptions options = shop();
  options.profile_ttl = Milliseconds(300);
  const auto store = need(open_store(server.url(), options));
  Ear ear(server.url(), Mode::mode);
  ear.start();
  put(*store, "ann", "one");
  BOOST_TEST(ear.hears("ann", 2));
  BOOST_TEST(get(*store, "ann").bytes.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_no_profile_in_use_is_not_told, Mode, BothModes)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  Ear ear(server.url(), Mode::mode);
  ear.start();
  for (const char* key : {"shop:{ann}:lock", "shop:{ann}:profile@unpublished", "shop:{ann}", "shop:ann", "shopping:{ann}:profile",
                          "other:{ann}:profile", "shop:{ann}bob}:profile", "shop:{ann%}:profile", "shop:incarnations"}) {
    server.ask({"SET", key, "x"});
  }
  put(*store, "zoe", "one");
  BOOST_TEST(ear.hears("zoe"));
  BOOST_TEST((ear.customers() == std::set<std::string>{"zoe"}));
  BOOST_TEST(ear.all() == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_published_generation_is_told_as_a_change_of_all_and_then_followed, Mode, BothModes)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  put(*store, "ann", "old");
  Ear ear(server.url(), Mode::mode);
  ear.start();
  const auto fresh = need(store->fresh_generation());
  put(*fresh, "bob", "new");
  put(*store, "ann", "older");
  BOOST_TEST(ear.hears("ann"));
  BOOST_TEST(ear.times("bob") == 0);
  need(fresh->publish_generation());
  put(*fresh, "cat", "new");
  BOOST_TEST(ear.hears_of_all(2));
  BOOST_TEST(ear.hears("cat"));
  BOOST_TEST(ear.told());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_store_that_is_emptied_is_told_as_a_change_of_all, Mode, BothModes)
{
  RedisServer server = notifying_server();
  put(*need(open_store(server.url(), shop())), "ann", "one");
  Ear ear(server.url(), Mode::mode);
  ear.start();
  server.ask({"FLUSHALL"});
  BOOST_TEST(ear.hears_of_all(2));
  const int before = ear.all();
  const auto store = need(open_store(server.url(), shop())); // names the store anew
  BOOST_TEST(ear.hears_of_all(before + 1));
  put(*store, "bob", "one");
  BOOST_TEST(ear.hears("bob"));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_emptied_and_keeps_its_name_is_told_as_a_change_of_all_by_tracking)
{
  RedisServer server;
  put(*need(open_store(server.url(), shop())), "ann", "one");
  Ear ear(server.url(), ChangeMode::tracking);
  ear.start();
  const std::string script =
      "local name = redis.call('GET', KEYS[1]) redis.call('FLUSHALL') return redis.call('SET', KEYS[1], name)";
  BOOST_TEST(server.ask({"EVAL", script, "1", "shop:incarnation"}) == "OK");
  BOOST_TEST(ear.hears_of_all(2));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(databases_and_passwords_are_those_of_the_store, Mode, BothModes)
{
  RedisServer server({"--notify-keyspace-events", "KA", "--requirepass", "open-sesame"});
  StoreOptions options = shop();
  BOOST_TEST((Ear(server.url(), Mode::mode, options).try_start().error().code == Code::config));
  options.password = "open-sesame";
  const auto store = need(open_store(server.url() + "?db=3", options));
  Ear ear(server.url() + "?db=3", Mode::mode, options);
  ear.start();
  put(*store, "ann", "one");
  BOOST_TEST(ear.hears("ann"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(whichever_connection_is_lost_all_is_told_as_changed_before_changes_count_as_told_again, Mode,
                              BothModes)
{
  RedisServer server = notifying_server();
  FaultyProxy proxy(server.socket());
  const auto store = need(open_store(server.url(), shop()));
  Ear ear(proxy.url(), Mode::mode);
  ear.start();
  int all = 1;
  for (const std::string& connection : {kHears, kAsks, kHears, kAsks}) {
    proxy.cut(connection);
    BOOST_TEST(ear.hears_of_all(++all));
    BOOST_TEST(eventually([&] { return ear.told(); }));
    BOOST_TEST(!ear.told_too_early());
    const std::string customer = "c" + std::to_string(all);
    put(*store, customer, "one");
    BOOST_TEST(ear.hears(customer));
  }
  BOOST_TEST(ear.all() == all);
  BOOST_TEST(proxy.faults() == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(while_a_connection_can_not_be_made_anew_nothing_counts_as_told, Mode, BothModes)
{
  RedisServer server = notifying_server();
  Ear ear(server.url(), Mode::mode);
  ear.start();
  server.kill();
  BOOST_TEST(eventually([&] { return !ear.told(); }));
  BOOST_TEST(ear.hears_why("connect: ")); // and it is tried again and again
  BOOST_TEST(ear.all() == 1);
  server.start();
  BOOST_TEST(ear.hears_of_all(2));
  BOOST_TEST(eventually([&] { return ear.told(); }));
  BOOST_TEST(!ear.told_too_early());
  put(*need(open_store(server.url(), shop())), "ann", "one");
  BOOST_TEST(ear.hears("ann"));
}

// The server has forgotten one connection, and the client of it was never told: a subscription that died silently.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_connection_that_is_half_dead_is_found_out_and_made_anew, Mode, BothModes)
{
  RedisServer server = notifying_server();
  FaultyProxy proxy(server.socket());
  Ear ear(proxy.url(), Mode::mode, soon());
  ear.start();
  int all = 1;
  for (const std::string& connection : {kHears, kAsks}) {
    proxy.half_close(connection);
    BOOST_TEST(ear.hears_of_all(++all));
    BOOST_TEST(!ear.told_too_early());
    BOOST_TEST(eventually([&] { return ear.told(); }));
    BOOST_TEST(ear.hears_why((connection == kHears                 ? "PING"
                              : Mode::mode == ChangeMode::tracking ? "GET"
                                                                   : "CONFIG") +
                             std::string(": no answer for 300 ms")));
  }
  put(*need(open_store(server.url(), shop())), "ann", "one");
  BOOST_TEST(ear.hears("ann"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_reason_is_told_once_as_long_as_it_stands, Mode, BothModes)
{
  RedisServer server = notifying_server();
  FaultyProxy proxy(server.socket());
  Ear ear(proxy.url(), Mode::mode);
  ear.start();
  proxy.answer(kAsks, "-LOADING Redis is loading the dataset in memory", 8);
  BOOST_TEST(ear.hears_of_all(2));
  BOOST_TEST(proxy.faults() == 8);
  const std::vector<std::string> reasons = ear.reasons();
  BOOST_TEST(reasons.size() == 1U);
  BOOST_TEST(reasons.at(0).find("LOADING") != std::string::npos);
  BOOST_TEST(reasons.at(0).starts_with(proxy.url()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stopped_server_is_found_out_within_two_seconds_and_heals_when_it_goes_on, Mode, BothModes)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  Ear ear(server.url(), Mode::mode, soon(StoreOptions().timeout));
  ear.start();
  for (const Milliseconds longer :
       {Milliseconds(0), Milliseconds(1200)}) { // as soon as it is overdue, and into the next connections
    server.pause();
    const bool found = eventually([&] { return !ear.told(); }, std::chrono::seconds(2));
    std::this_thread::sleep_for(longer);
    server.resume();
    BOOST_TEST(found);
    BOOST_TEST(eventually([&] { return ear.told(); }));
    const std::string customer = "c" + std::to_string(longer.count());
    put(*store, customer, "one");
    BOOST_TEST(ear.hears(customer));
  }
  BOOST_TEST(ear.hears_of_all(2));
  BOOST_TEST(!ear.told_too_early());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_answer_that_may_pass_is_waited_out_at_the_start, Mode, BothModes)
{
  RedisServer server = notifying_server();
  FaultyProxy proxy(server.socket());
  proxy.answer(kAsks, "-LOADING Redis is loading the dataset in memory", 3);
  Ear ear(proxy.url(), Mode::mode);
  ear.start();
  BOOST_TEST(proxy.faults() == 3);
  BOOST_TEST(ear.told());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_server_that_is_not_there_is_an_error_of_the_start, Mode, BothModes)
{
  RedisServer server = notifying_server();
  server.kill();
  StoreOptions options = shop();
  options.patience = Milliseconds(0);
  Ear ear(server.url(), Mode::mode, options);
  const Status status = ear.try_start();
  BOOST_REQUIRE(!status.ok());
  BOOST_TEST((status.error().code == Code::unreachable));
  BOOST_TEST(!ear.told());
  BOOST_TEST(ear.all() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_user_who_may_not_subscribe_is_an_error_of_the_start, Mode, BothModes)
{
  RedisServer server = notifying_server();
  server.ask({"ACL", "SETUSER", "app", "on", ">pw", "~*", "resetchannels", "+@all"});
  const std::string rest = server.url().substr(std::string("redis+unix://").size());
  const Status status = Ear("redis+unix://app:pw@" + rest, Mode::mode).try_start();
  BOOST_REQUIRE(!status.ok());
  BOOST_TEST((status.error().code == Code::config));
  BOOST_TEST(status.error().message.find("NOPERM") != std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_feed_ends_at_once_while_it_waits_for_a_silent_server, Mode, BothModes)
{
  RedisServer server = notifying_server();
  for (const Milliseconds later : {Milliseconds(0), Milliseconds(700)}) { // before and after a question
    auto ear = std::make_unique<Ear>(server.url(), Mode::mode); // a silence may last 20 s
    ear->start();
    server.pause();
    std::this_thread::sleep_for(later);
    const auto begin = SteadyClock::now();
    ear.reset();
    const auto took = SteadyClock::now() - begin;
    server.resume();
    BOOST_TEST((took < std::chrono::seconds(5)));
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_notify_what_is_needed_is_refused_by_name_and_left_as_it_is)
{
  for (const auto& [setting, missing] :
       std::map<std::string, std::string>{{"", "Kg$xe"}, {"Kg$e", "x"}, {"EA", "K"}, {"KEx", "g$e"}}) {
    RedisServer server({"--notify-keyspace-events", setting});
    const std::string before = server.ask({"CONFIG", "GET", "notify-keyspace-events"});
    const Status status = Ear(server.url(), ChangeMode::keyspace).try_start();
    BOOST_REQUIRE(!status.ok());
    BOOST_TEST((status.error().code == Code::config));
    BOOST_TEST(status.error().message.find("notify-keyspace-events") != std::string::npos);
    BOOST_TEST(status.error().message.find("lacks \"" + missing + "\"") != std::string::npos, status.error().message);
    BOOST_TEST(server.ask({"CONFIG", "GET", "notify-keyspace-events"}) == before);
  }
}

BOOST_AUTO_TEST_CASE(a_server_that_ceases_to_notify_counts_as_silent_until_it_notifies_again)
{
  RedisServer server = notifying_server();
  const auto store = need(open_store(server.url(), shop()));
  Ear ear(server.url(), ChangeMode::keyspace);
  ear.start();
  server.ask({"CONFIG", "SET", "notify-keyspace-events", "Kg"});
  BOOST_TEST(ear.hears_why("lacks \"$xe\""));
  BOOST_TEST(!ear.told());
  const int all = ear.all();
  server.ask({"CONFIG", "SET", "notify-keyspace-events", "KA"});
  BOOST_TEST(ear.hears_of_all(all + 1));
  BOOST_TEST(eventually([&] { return ear.told(); }));
  put(*store, "ann", "one");
  BOOST_TEST(ear.hears("ann"));
}

BOOST_AUTO_TEST_CASE(stores_that_notify_nobody_have_no_feed)
{
  for (const ChangeMode mode : {ChangeMode::tracking, ChangeMode::keyspace}) {
    BOOST_TEST((need(open_change_feed("memory:", {}, mode)) == nullptr));
    BOOST_TEST((need(open_change_feed("rocksdb:///nowhere", {}, mode)) == nullptr));
    for (const char* url : {"file:///x", "redis://", "nothing"}) {
      const auto feed = open_change_feed(url, {}, mode);
      BOOST_REQUIRE(!feed.ok());
      BOOST_TEST((feed.error().code == Code::usage));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(redis_changes_under_faults)

namespace {

// What a process does with a feed: keeps what it read, and takes it for current until it is told otherwise.
class Memory {
 public:
  ChangeListener listener()
  {
    return {.changed =
                [this](const CustomerId& customer) {
                  const std::lock_guard lock(mutex_);
                  Entry& entry = entries_[customer.text];
                  entry.current = false;
                  ++entry.changes;
                  ++changes_;
                  news_.notify_all();
                },
            .all_changed =
                [this] {
                  const std::lock_guard lock(mutex_);
                  for (auto& [name, entry] : entries_) entry.current = false;
                  ++all_;
                  news_.notify_all();
                }};
  }

  void load(ProfileStore& store, const std::string& customer)
  {
    std::unique_lock lock(mutex_);
    Entry& entry = entries_[customer];
    if (entry.current) return;
    const auto before = std::pair(all_, entry.changes);
    lock.unlock();
    std::string bytes = get(store, customer).bytes;
    lock.lock();
    if (std::pair(all_, entry.changes) != before) return;
    entry.bytes = std::move(bytes);
    entry.current = true;
  }

  // (changes told of this customer, changes told of all)
  std::pair<int, int> marks(const std::string& customer)
  {
    const std::lock_guard lock(mutex_);
    return {entries_[customer].changes, all_};
  }
  bool is_told_since(const std::string& customer, const std::pair<int, int>& marks)
  {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, kPatience, [&] { return entries_[customer].changes > marks.first || all_ > marks.second; });
  }
  std::map<std::string, std::string> current()
  {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> out;
    for (const auto& [name, entry] : entries_) {
      if (entry.current) out.emplace(name, entry.bytes);
    }
    return out;
  }
  int changes()
  {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  int all()
  {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  struct Entry {
    std::string bytes;
    bool current = false;
    int changes = 0;
  };
  std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, Entry> entries_;
  int changes_ = 0;
  int all_ = 0;
};

// Breaks one connection or the other until it goes.
class Breaker {
 public:
  Breaker(FaultyProxy& proxy, RedisServer& server, unsigned seed)
      : thread_([this, &proxy, &server, seed] {
          std::minstd_rand random(seed);
          while (!ended_) {
            std::this_thread::sleep_for(Milliseconds(random() % 60));
            const std::string& connection = random() % 2 == 0 ? kHears : kAsks;
            switch (random() % 8) {
              case 0:
                proxy.half_close(connection);
                break;
              case 1:
                server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
                break;
              case 2:
                proxy.answer("PING", "-LOADING Redis is loading the dataset in memory");
                break;
              default:
                proxy.cut(connection);
            }
          }
        })
  {
  }
  ~Breaker()
  {
    ended_ = true;
    thread_.join();
  }
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

 private:
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

} // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(whatever_breaks_and_when_nothing_old_is_taken_for_current_in_the_end, Mode, BothModes)
{
  constexpr int kRounds = 8;
  constexpr int kWrites = 4000;
  constexpr int kCustomers = 20;
  const unsigned seed = std::random_device{}();
  BOOST_TEST_MESSAGE("seed " << seed);
  std::minstd_rand random(seed);
  RedisServer server = notifying_server();
  FaultyProxy proxy(server.socket());
  const auto writer = need(open_store(server.url(), shop()));
  Memory memory;
  const auto feed = need(open_change_feed(proxy.url(), soon(Milliseconds(60)), Mode::mode));
  need(feed->start(memory.listener()));

  std::atomic<bool> ended{false};
  std::thread reader([&] {
    std::minstd_rand own(seed + 1);
    const auto store = need(open_store(server.url(), shop()));
    while (!ended) memory.load(*store, "c" + std::to_string(own() % kCustomers));
  });
  std::size_t current = 0;
  std::map<std::string, std::string> written;
  const auto write = [&](const std::string& bytes) {
    const std::string customer = "c" + std::to_string(random() % kCustomers);
    put(*writer, customer, written[customer] = bytes);
  };
  for (int round = 0; round < kRounds; ++round) {
    {
      const Breaker breaker(proxy, server, random());
      for (int i = 0; i < kWrites; ++i) write(std::to_string(round) + "/" + std::to_string(i));
    }
    // Writes go on while the connections are made anew; some are the last of their customers.
    int more = 0;
    BOOST_TEST(eventually([&] {
      write(std::to_string(round) + "+" + std::to_string(more++));
      return feed->told();
    }));
    // The last words of the connections that stand: all that was told comes before this.
    const auto before = memory.marks("last");
    put(*writer, "last", std::to_string(round));
    BOOST_TEST(memory.is_told_since("last", before));
    for (const auto& [customer, bytes] : memory.current()) {
      BOOST_TEST(bytes == written[customer], "round " << round << ": " << customer << " is " << bytes);
      ++current;
    }
  }
  ended = true;
  reader.join();
  BOOST_TEST(current > 0U);
  BOOST_TEST(memory.changes() > 0);
  BOOST_TEST(memory.all() > kRounds);
  BOOST_TEST_MESSAGE(current << " were current, " << memory.changes() << " changes told, " << memory.all() << " times of all, "
                             << proxy.faults() << " faults");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::test
