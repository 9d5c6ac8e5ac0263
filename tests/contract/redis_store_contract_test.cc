#include "adapters/redis_store.h"

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "adapters/redis_connection.h"
#include "adapters/store_names.h"
#include "contract/store_suite.h"
#include "support/faulty_proxy.h"
#include "support/redis_server.h"

namespace attune::test {

const bool kProfilesExpire = true;

namespace {

struct NeedsRedis {
  NeedsRedis() { require_server("redis-server"); }
};
BOOST_TEST_GLOBAL_FIXTURE(NeedsRedis);

RedisServer& shared_server()
{
  static RedisServer server;
  return server;
}

std::string key_of(const std::string& customer, const StoreOptions& options)
{
  std::string key;
  append_redis_key(options.name_space, "", CustomerId(customer), key);
  return key;
}

Status try_write(ProfileStore& store, const std::string& customer, std::string_view expected, std::string_view bytes)
{
  const CustomerId id(customer);
  std::vector<WriteOutcome> out;
  return store.compare_and_set(std::vector<ProfileWrite>{{&id, digest_for(expected), bytes, digest_for(bytes)}}, out);
}

Status try_read(ProfileStore& store, const std::string& customer)
{
  std::vector<StoredProfile> out;
  return store.get(std::vector{CustomerId(customer)}, out);
}

bool failed_with(const Status& status, Code code)
{
  return !status.ok() && status.error().code == code;
}

// Whether the message of a failure says so.
bool says(const Status& status, const std::string& text)
{
  return !status.ok() && status.error().message.find(text) != std::string::npos;
}

StoreOptions impatient_options()
{
  StoreOptions options = fresh_options();
  options.patience = Milliseconds(100);
  options.timeout = Milliseconds(100);
  return options;
}

// Long enough that no machine is too slow for what should succeed.
StoreOptions patient_options()
{
  StoreOptions options = fresh_options();
  options.patience = std::chrono::seconds(60);
  options.timeout = std::chrono::seconds(20);
  return options;
}

} // namespace

std::unique_ptr<ProfileStore> open_store_under_test(const StoreOptions& options)
{
  return need(open_redis_store(shared_server().url(), options));
}

BOOST_AUTO_TEST_SUITE(redis_places)

BOOST_AUTO_TEST_CASE(a_url_says_where_and_as_whom)
{
  const RedisPlace place = need(parse_redis_url("redis://us%40er:p%3Aw@db1:7000/3"));
  BOOST_TEST(place.host == "db1");
  BOOST_TEST(place.port == 7000);
  BOOST_TEST(place.user == "us@er");
  BOOST_TEST(place.password == "p:w");
  BOOST_TEST(place.database == 3);
  BOOST_TEST(need(parse_redis_url("redis://db1")).port == 6379);
  BOOST_TEST(need(parse_redis_url("redis://:secret@db1")).password == "secret");
  BOOST_TEST(need(parse_redis_url("redis://[::1]:7")).host == "::1");
  BOOST_TEST(need(parse_redis_url("redis+unix:///run/r.sock?db=2")).socket == "/run/r.sock");
  BOOST_TEST(need(parse_redis_url("redis+unix:///run/r.sock?db=2")).database == 2);
}

BOOST_AUTO_TEST_CASE(a_place_s_name_has_no_password)
{
  BOOST_TEST(need(parse_redis_url("redis://user:secret@db1:7000/3")).name == "redis://db1:7000");
}

BOOST_AUTO_TEST_CASE(what_is_no_place_is_refused_without_repeating_it)
{
  for (const char* url :
       {"redis://", "redis://:secret@", "redis://:secret@db1:x", "redis://:secret@db1:0", "redis://:secret@db1:70000",
        "redis://:secret@db1/x", "redis://:secret@db1/-1", "redis://:secret%@db1", "redis://:secret@[::1", "redis+unix://",
        "redis+unix:///s?secret=1", "rediss://:secret@db1", "redis:secret"}) {
    const auto place = parse_redis_url(url);
    BOOST_REQUIRE_MESSAGE(!place.ok(), url);
    BOOST_TEST((place.error().code == Code::usage));
    BOOST_TEST(place.error().message.find("secret") == std::string::npos, url);
  }
}

BOOST_AUTO_TEST_CASE(error_replies_that_may_pass_are_told_from_those_that_will_not)
{
  const auto code = [](std::string_view reply) { return redis_error("redis://db1", "", reply).code; };
  BOOST_TEST((code("LOADING Redis is loading the dataset in memory") == Code::unreachable));
  BOOST_TEST((code("MASTERDOWN Link with MASTER is down") == Code::unreachable));
  BOOST_TEST((code("CLUSTERDOWN The cluster is down") == Code::unreachable));
  for (const char* reply :
       {"OOM command not allowed", "READONLY You can't write against a read only replica.", "BUSY Redis is busy",
        "TRYAGAIN Multiple keys request", "MISCONF Redis is configured to save", "NOREPLICAS Not enough",
        "ERR max number of clients reached", "ERR Error running script (call to f_1): @user_script:1: OOM command not"}) {
    BOOST_TEST((code(reply) == Code::busy), reply);
  }
  for (const char* reply : {"WRONGTYPE Operation against", "NOAUTH Authentication required.", "WRONGPASS invalid",
                            "NOPERM this user", "ERR unknown command", "OOMPH no word of Redis'"}) {
    BOOST_TEST((code(reply) == Code::config), reply);
  }
}

BOOST_AUTO_TEST_CASE(a_customer_is_a_cluster_s_hash_tag_whatever_its_bytes)
{
  for (const std::string& customer :
       {std::string("plain"), std::string("{a}"), std::string("}{"), std::string("% \x01\n"), std::string("ü")}) {
    for (const std::string& generation : {std::string(), std::string("abc")}) {
      std::string key;
      append_redis_key("shop", generation, CustomerId(customer), key);
      // The tag is what stands between the first { and the first } after it.
      BOOST_TEST(key.starts_with("shop:{"));
      BOOST_TEST(key.substr(key.find('}')) == (generation.empty() ? "}:profile" : "}:profile@abc"));
      BOOST_TEST((customer_of_redis_key("shop", generation, key) == CustomerId(customer)));
      BOOST_TEST(!customer_of_redis_key("shop", generation + "x", key).has_value());
      BOOST_TEST(!customer_of_redis_key("sho", generation, key).has_value());
      BOOST_TEST((generation_of_redis_key("shop", key) == generation));
      BOOST_TEST(!generation_of_redis_key("sho", key).has_value());
    }
  }
  std::string key;
  append_redis_key("shop", "", CustomerId("a{b}% c"), key);
  BOOST_TEST(key == "shop:{a%7Bb%7D%25%20c}:profile");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(redis_store)

BOOST_AUTO_TEST_CASE(a_write_whose_reply_was_lost_counts_as_written_and_is_made_once)
{
  FaultyProxy proxy(shared_server().socket());
  const StoreOptions options = patient_options();
  const auto store = need(open_redis_store(proxy.url(), options));
  proxy.lose_replies_to("EVALSHA");
  BOOST_TEST((write_one(*store, "ann", "", "one") == WriteOutcome::written));
  BOOST_TEST(proxy.faults() == 1);
  proxy.lose_replies_to("EVALSHA");
  BOOST_TEST((write_one(*store, "ann", "one", "two") == WriteOutcome::written));
  BOOST_TEST(proxy.faults() == 2);
  BOOST_TEST(read_one(*store, "ann").bytes == "two");
  // The same bytes by another call are another write.
  BOOST_TEST((write_one(*store, "ann", "one", "two") == WriteOutcome::lost));
}

BOOST_AUTO_TEST_CASE(a_delete_whose_reply_was_lost_counts_as_done)
{
  FaultyProxy proxy(shared_server().socket());
  const auto store = need(open_redis_store(proxy.url(), patient_options()));
  write_one(*store, "ann", "", "one");
  proxy.lose_replies_to("EVALSHA");
  BOOST_TEST((write_one(*store, "ann", "one", "") == WriteOutcome::written));
  BOOST_TEST(read_one(*store, "ann").bytes.empty());
}

BOOST_AUTO_TEST_CASE(a_lost_write_stays_lost_when_its_reply_was_lost)
{
  FaultyProxy proxy(shared_server().socket());
  const auto store = need(open_redis_store(proxy.url(), patient_options()));
  write_one(*store, "ann", "", "one");
  proxy.lose_replies_to("EVALSHA");
  BOOST_TEST((write_one(*store, "ann", "zero", "two") == WriteOutcome::lost));
  BOOST_TEST(read_one(*store, "ann").bytes == "one");
}

BOOST_AUTO_TEST_CASE(each_write_of_a_large_call_is_made_once_when_replies_are_lost_in_its_middle)
{
  FaultyProxy proxy(shared_server().socket());
  const auto store = need(open_redis_store(proxy.url(), patient_options()));
  constexpr std::size_t count = 4000;
  std::vector<CustomerId> customers;
  for (std::size_t i = 0; i < count; ++i) customers.emplace_back("c" + std::to_string(i));
  const std::string bytes(500, 'x');
  std::vector<ProfileWrite> writes;
  for (const CustomerId& customer : customers) writes.push_back({&customer, {}, bytes, digest_for(bytes)});
  proxy.lose_replies_to("{c2500}");
  std::vector<WriteOutcome> out;
  need(store->compare_and_set(writes, out));
  BOOST_TEST(proxy.faults() == 1);
  BOOST_TEST(std::count(out.begin(), out.end(), WriteOutcome::written) == static_cast<std::ptrdiff_t>(count));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_loading_is_tried_again)
{
  FaultyProxy proxy(shared_server().socket());
  const auto store = need(open_redis_store(proxy.url(), patient_options()));
  proxy.answer(":profile", "-LOADING Redis is loading the dataset in memory", 3);
  BOOST_TEST((write_one(*store, "ann", "", "one") == WriteOutcome::written));
  BOOST_TEST(proxy.faults() == 3);
  proxy.answer("INFO", "-LOADING Redis is loading the dataset in memory", 2);
  BOOST_TEST(open_redis_store(proxy.url(), patient_options()).ok());
  BOOST_TEST(proxy.faults() == 5);
}

BOOST_AUTO_TEST_CASE(no_patience_is_one_try)
{
  FaultyProxy proxy(shared_server().socket());
  StoreOptions options = patient_options();
  options.patience = Milliseconds(0);
  const auto store = need(open_redis_store(proxy.url(), options));
  proxy.answer(":profile", "-LOADING Redis is loading the dataset in memory");
  BOOST_TEST(failed_with(try_read(*store, "ann"), Code::unreachable));
  BOOST_TEST(proxy.faults() == 1);
  BOOST_TEST(try_read(*store, "ann").ok());
}

BOOST_AUTO_TEST_CASE(flushed_scripts_are_loaded_again_without_patience)
{
  StoreOptions options = patient_options();
  options.patience = Milliseconds(0);
  const auto store = open_store_under_test(options);
  write_one(*store, "ann", "", "one");
  shared_server().ask({"SCRIPT", "FLUSH"});
  BOOST_TEST((write_one(*store, "ann", "one", "two") == WriteOutcome::written));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_type_is_refused_for_good_and_named)
{
  const StoreOptions options = patient_options();
  const auto store = open_store_under_test(options);
  shared_server().ask({"LPUSH", key_of("ann", options), "x"});
  for (const Status& status : {try_read(*store, "ann"), try_write(*store, "ann", "", "one")}) {
    BOOST_TEST(failed_with(status, Code::config));
    BOOST_TEST(says(status, key_of("ann", options)));
    BOOST_TEST(says(status, "WRONGTYPE"));
  }
  BOOST_TEST((write_one(*store, "bob", "", "one") == WriteOutcome::written));
}

BOOST_AUTO_TEST_CASE(a_value_that_is_none_of_ours_is_refused)
{
  const StoreOptions options = patient_options();
  const auto store = open_store_under_test(options);
  shared_server().ask({"SET", key_of("ann", options), "short"});
  BOOST_TEST(failed_with(try_read(*store, "ann"), Code::config));
}

BOOST_AUTO_TEST_CASE(profiles_carry_their_time_to_live)
{
  StoreOptions options = patient_options();
  const auto store = open_store_under_test(options);
  write_one(*store, "ann", "", "one");
  const long long ttl = std::stoll(shared_server().ask({"PTTL", key_of("ann", options)}));
  BOOST_TEST(ttl > std::chrono::milliseconds(std::chrono::hours(24 * 399)).count());
  BOOST_TEST(ttl <= std::chrono::milliseconds(std::chrono::hours(24 * 400)).count());
  options.profile_ttl.reset();
  write_one(*open_store_under_test(options), "ann", "one", "two");
  BOOST_TEST(shared_server().ask({"PTTL", key_of("ann", options)}) == "-1");
}

BOOST_AUTO_TEST_CASE(a_password_is_needed_given_and_never_repeated)
{
  RedisServer server({"--requirepass", "open-sesame", "--port", "0"});
  const auto without = open_redis_store(server.url(), patient_options());
  BOOST_REQUIRE(!without.ok());
  BOOST_TEST((without.error().code == Code::config));
  BOOST_TEST(without.error().message.find("NOAUTH") != std::string::npos);
  const std::string rest = server.url().substr(std::string("redis+unix://").size());
  const auto wrong = open_redis_store("redis+unix://:wrong-sesame@" + rest, patient_options());
  BOOST_REQUIRE(!wrong.ok());
  BOOST_TEST((wrong.error().code == Code::config));
  BOOST_TEST(wrong.error().message.find("sesame") == std::string::npos);
  const auto store = need(open_redis_store("redis+unix://:open-sesame@" + rest, patient_options()));
  BOOST_TEST((write_one(*store, "ann", "", "one") == WriteOutcome::written));
}

BOOST_AUTO_TEST_CASE(a_user_who_may_not_is_refused_for_good)
{
  RedisServer server;
  server.ask({"ACL", "SETUSER", "app", "on", ">pw", "~other:*", "+@all"});
  const std::string rest = server.url().substr(std::string("redis+unix://").size());
  const auto refused = open_redis_store("redis+unix://app:pw@" + rest, patient_options());
  BOOST_REQUIRE(!refused.ok());
  BOOST_TEST((refused.error().code == Code::config));
  BOOST_TEST(refused.error().message.find("NOPERM") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(databases_of_one_server_are_apart)
{
  const StoreOptions options = patient_options();
  const auto zero = need(open_redis_store(shared_server().url(), options));
  const auto one = need(open_redis_store(shared_server().url() + "?db=1", options));
  write_one(*zero, "ann", "", "of 0");
  BOOST_TEST(read_one(*one, "ann").bytes.empty());
}

BOOST_AUTO_TEST_CASE(a_full_server_is_busy_until_it_has_room)
{
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), impatient_options()));
  write_one(*store, "ann", "", "one");
  server.ask({"CONFIG", "SET", "maxmemory", "1"});
  const Status full = try_write(*store, "ann", "one", "two");
  BOOST_TEST(failed_with(full, Code::busy));
  BOOST_TEST(says(full, "OOM"));
  BOOST_TEST(try_read(*store, "ann").ok());
  server.ask({"CONFIG", "SET", "maxmemory", "0"});
  BOOST_TEST((write_one(*store, "ann", "one", "two") == WriteOutcome::written));
}

BOOST_AUTO_TEST_CASE(a_replica_is_busy_to_writers_and_the_write_is_made_once_it_is_a_primary)
{
  RedisServer primary;
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), impatient_options()));
  write_one(*store, "ann", "", "one");
  const auto patient = [&] {
    StoreOptions options = patient_options();
    options.name_space = "patient";
    return need(open_redis_store(server.url(), options));
  }();
  // Nobody listens there: it stays a replica with its own data.
  server.ask({"CONFIG", "SET", "replica-serve-stale-data", "yes"});
  server.ask({"REPLICAOF", "127.0.0.1", "1"});
  const Status refused = try_write(*store, "ann", "one", "two");
  BOOST_TEST(failed_with(refused, Code::busy));
  BOOST_TEST(says(refused, "READONLY"));
  std::thread later([&] { server.ask({"REPLICAOF", "NO", "ONE"}); });
  BOOST_TEST((write_one(*patient, "ann", "", "one") == WriteOutcome::written));
  later.join();
}

BOOST_AUTO_TEST_CASE(a_script_that_runs_for_ever_makes_the_server_busy)
{
  RedisServer server({"--busy-reply-threshold", "1"});
  StoreOptions options = impatient_options();
  options.timeout = std::chrono::seconds(20);
  const auto store = need(open_redis_store(server.url(), options));
  std::thread script([&] { server.ask({"EVAL", "while true do end", "0"}); });
  while (server.ask({"PING"}).find("BUSY") == std::string::npos) std::this_thread::yield();
  const Status busy = try_read(*store, "ann");
  server.ask({"SCRIPT", "KILL"});
  script.join();
  BOOST_TEST(failed_with(busy, Code::busy));
  BOOST_TEST(try_read(*store, "ann").ok());
}

BOOST_AUTO_TEST_CASE(a_server_that_stops_answering_is_unreachable_and_good_again_when_it_goes_on)
{
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), impatient_options()));
  write_one(*store, "ann", "", "one");
  server.pause();
  const Status late = try_read(*store, "ann");
  const Status later = try_write(*store, "ann", "one", "two");
  const auto opened = open_redis_store(server.url(), impatient_options());
  server.resume();
  BOOST_TEST(failed_with(late, Code::unreachable));
  BOOST_TEST(says(late, "timed out"));
  BOOST_TEST(failed_with(later, Code::unreachable));
  BOOST_TEST(!opened.ok());
  // A write that timed out may have been made all the same.
  const auto patient = need(open_redis_store(server.url(), patient_options()));
  BOOST_TEST(try_read(*patient, "ann").ok());
}

BOOST_AUTO_TEST_CASE(nobody_there_is_unreachable_and_named)
{
  const auto store = open_redis_store("redis+unix:///nonexistent/redis.sock", impatient_options());
  BOOST_REQUIRE(!store.ok());
  BOOST_TEST((store.error().code == Code::unreachable));
  BOOST_TEST(store.error().message.find("redis+unix:///nonexistent/redis.sock: connect: ") == 0u);
  const auto tcp = open_redis_store("redis://user:secret@127.0.0.1:1", impatient_options());
  BOOST_REQUIRE(!tcp.ok());
  BOOST_TEST((tcp.error().code == Code::unreachable));
  BOOST_TEST(tcp.error().message.find("redis://127.0.0.1:1: connect: ") == 0u);
}

BOOST_AUTO_TEST_CASE(a_server_that_goes_away_raises_no_signal)
{
  ::signal(SIGPIPE, SIG_DFL);
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), impatient_options()));
  server.kill();
  for (int i = 0; i < 3; ++i) BOOST_TEST(failed_with(try_write(*store, "ann", "", std::string(1 << 20, 'x')), Code::unreachable));
}

BOOST_AUTO_TEST_CASE(a_call_waits_for_a_server_that_comes_back_with_its_data_and_says_that_it_was_restarted)
{
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  const auto store = need(open_redis_store(server.url(), patient_options()));
  const Incarnation before = need(store->incarnation());
  write_one(*store, "ann", "", "one");
  server.kill();
  Status restarted;
  std::thread reader([&] { restarted = try_read(*store, "ann"); });
  server.start();
  reader.join();
  BOOST_TEST(failed_with(restarted, Code::replaced));
  BOOST_TEST(failed_with(try_write(*store, "ann", "one", "two"), Code::replaced));
  const Incarnation after = need(store->incarnation());
  BOOST_TEST(after.data == before.data);
  BOOST_TEST(after.run != before.run);
  BOOST_TEST(read_one(*store, "ann").bytes == "one");
}

BOOST_AUTO_TEST_CASE(a_server_that_comes_back_empty_is_another_incarnation_of_data)
{
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), patient_options()));
  const Incarnation before = need(store->incarnation());
  write_one(*store, "ann", "", "one");
  server.kill();
  server.start();
  BOOST_TEST(failed_with(try_read(*store, "ann"), Code::replaced));
  BOOST_TEST(failed_with(try_read(*store, "ann"), Code::replaced));
  const Incarnation after = need(store->incarnation());
  BOOST_TEST(after.data != before.data);
  BOOST_TEST(after.run != before.run);
  BOOST_TEST(read_one(*store, "ann").bytes.empty());
}

BOOST_AUTO_TEST_CASE(a_connection_that_broke_for_a_moment_is_no_other_incarnation)
{
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), patient_options()));
  const Incarnation before = need(store->incarnation());
  write_one(*store, "ann", "", "one");
  server.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  BOOST_TEST(read_one(*store, "ann").bytes == "one");
  BOOST_TEST((need(store->incarnation()) == before));
}

BOOST_AUTO_TEST_CASE(a_store_emptied_under_a_living_connection_is_another_incarnation_at_the_next_call)
{
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), patient_options()));
  const Incarnation before = need(store->incarnation());
  write_one(*store, "ann", "", "one");
  for (const bool reading : {true, false}) {
    server.ask({"FLUSHALL"});
    BOOST_TEST(failed_with(reading ? try_read(*store, "ann") : try_write(*store, "ann", "one", "two"), Code::replaced));
    const Incarnation after = need(store->incarnation());
    BOOST_TEST(after.data != before.data);
    BOOST_TEST(!after.data.empty());
    BOOST_TEST(after.run == before.run);
    BOOST_TEST((need(need(store->another())->incarnation()) == after));
    BOOST_TEST(read_one(*store, "ann").bytes.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_reader_names_no_store_and_learns_when_a_writer_did)
{
  RedisServer server;
  StoreOptions options = patient_options();
  options.read_only = true;
  const auto reader = need(open_redis_store(server.url(), options));
  BOOST_TEST(server.ask({"DBSIZE"}) == "0");
  BOOST_TEST(read_one(*reader, "ann").bytes.empty());
  options.read_only = false;
  const auto writer = need(open_redis_store(server.url(), options));
  write_one(*writer, "ann", "", "one");
  BOOST_TEST(failed_with(try_read(*reader, "ann"), Code::replaced));
  BOOST_TEST((need(reader->incarnation()) == need(writer->incarnation())));
  BOOST_TEST(read_one(*reader, "ann").bytes == "one");
}

BOOST_AUTO_TEST_CASE(publishing_leaves_no_key_of_the_old_generation)
{
  RedisServer server;
  const auto store = need(open_redis_store(server.url(), patient_options()));
  for (int i = 0; i < 3000; ++i) write_one(*store, "c" + std::to_string(i), "", "old");
  const auto fresh = need(store->fresh_generation());
  write_one(*fresh, "ann", "", "new");
  need(fresh->publish_generation());
  BOOST_TEST(server.ask({"DBSIZE"}) == "2"); // ann, and the name of the data
}

BOOST_AUTO_TEST_CASE(publishing_leaves_no_key_of_generations_that_nobody_published)
{
  RedisServer server;
  StoreOptions options = patient_options();
  const auto store = need(open_redis_store(server.url(), options));
  write_one(*need(store->fresh_generation()), "bob", "", "abandoned");
  options.name_space = "other";
  const auto neighbour = need(open_redis_store(server.url(), options));
  write_one(*neighbour, "cat", "", "kept");
  const auto fresh = need(store->fresh_generation());
  write_one(*fresh, "ann", "", "new");
  need(fresh->publish_generation());
  BOOST_TEST(server.ask({"DBSIZE"}) == "4"); // ann and cat, and the names of both data
  BOOST_TEST(read_one(*neighbour, "cat").bytes == "kept");
  BOOST_TEST(read_one(*fresh, "ann").bytes == "new");
}

BOOST_AUTO_TEST_CASE(a_publication_whose_reply_was_lost_is_made_once)
{
  FaultyProxy proxy(shared_server().socket());
  const StoreOptions options = patient_options();
  const auto store = need(open_redis_store(proxy.url(), options));
  const auto fresh = need(store->fresh_generation());
  write_one(*fresh, "ann", "", "new");
  proxy.lose_replies_to("EVAL\r\n");
  const Status published = fresh->publish_generation();
  BOOST_TEST(proxy.faults() == 1);
  need(published);
  BOOST_TEST(read_one(*open_store_under_test(options), "ann").bytes == "new");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune::test
