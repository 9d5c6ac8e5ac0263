// An embedded log, a memory store and sinks that remember: what a test of the pipeline stands on.
#pragma once

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <map>
#include <mutex>
#include <set>

#include "adapters/file_log.h"
#include "adapters/memory_store.h"
#include "core/event_json.h"
#include "core/profile_proto.h"
#include "pipeline/group_feed.h"
#include "pipeline/ingest.h"
#include "support/events.h"
#include "support/scratch.h"

namespace attune::testing {

class RememberedDeadLetters final : public DeadLetterSink {
 public:
  Status put(const DeadLetter& letter) override
  {
    const std::lock_guard lock(mutex_);
    texts.push_back(letter.text());
    append_dead_letter_json(letter, lines.emplace_back());
    return {};
  }
  Status flush(Milliseconds) override { return {}; }
  std::vector<std::string> texts, lines;

 private:
  std::mutex mutex_;
};

class RememberedLate final : public LateSink {
 public:
  Status put(const Event& event) override
  {
    const std::lock_guard lock(mutex_);
    ids.insert(event.id.text);
    return {};
  }
  Status flush(Milliseconds) override { return {}; }
  std::set<std::string> ids;

 private:
  std::mutex mutex_;
};

using Profiles = std::map<std::string, std::string>; // customer → bytes

inline Profiles profiles_of(ProfileStore& store)
{
  Profiles all;
  BOOST_TEST_REQUIRE(store
                         .scan([&](const CustomerId& customer, const StoredProfile& stored) {
                           all[customer.text] = stored.bytes;
                           return true;
                         })
                         .ok());
  return all;
}

// The profiles that one merge of each customer's events makes: what every order of arrival must come to.
inline Profiles expected_of(const std::vector<Event>& events)
{
  std::map<std::string, std::vector<const Event*>> of_customer;
  for (const auto& each : events) of_customer[each.customer.text].push_back(&each);
  Profiles all;
  for (const auto& [customer, theirs] : of_customer) {
    Profile profile;
    profile.customer = CustomerId(customer);
    std::vector<Outcome> outcomes(theirs.size());
    apply(profile, theirs, outcomes);
    encode_profile(profile, all[customer]);
  }
  return all;
}

struct PipelineFixture {
  Scratch scratch;
  FileLogOptions log_options;
  std::unique_ptr<ProfileStore> store = open_memory_store("", {});
  RememberedDeadLetters dead_letters;
  RememberedLate late;
  SystemClock clock;
  std::vector<std::string> said;
  static inline const std::vector<std::string> kTopics{std::string(kClicksTopic), std::string(kCartTopic),
                                                       std::string(kPurchaseTopic), std::string(kIdentityTopic)};

  PipelineFixture()
  {
    log_options.dir = scratch.path() + "/log";
    log_options.partitions = 3;
  }

  void produce(const std::vector<Event>& events)
  {
    auto writer = open_file_log_writer(log_options);
    BOOST_TEST_REQUIRE(writer.ok());
    std::string json;
    for (const auto& each : events) {
      json.clear();
      append_event_json(each, json);
      OutgoingRecord record;
      record.topic = topic_of(each.type);
      record.key = each.customer.text;
      record.value = json;
      BOOST_TEST_REQUIRE((*writer)->append(record).ok());
    }
    BOOST_TEST_REQUIRE((*writer)->flush(std::chrono::seconds(30)).ok());
  }

  void produce_raw(std::string_view topic, std::string_view key, std::string_view value)
  {
    auto writer = open_file_log_writer(log_options);
    BOOST_TEST_REQUIRE(writer.ok());
    OutgoingRecord record;
    record.topic = topic;
    record.key = key;
    record.value = value;
    BOOST_TEST_REQUIRE((*writer)->append(record).ok());
    BOOST_TEST_REQUIRE((*writer)->flush(std::chrono::seconds(30)).ok());
  }

  FeedOptions feed_options()
  {
    FeedOptions options;
    options.topics = kTopics;
    options.until_end = true;
    options.give_up = std::chrono::seconds(5);
    options.stop = [] { return false; };
    options.say = [this](const std::string& line) { said.push_back(line); };
    return options;
  }

  Status feed(FeedOptions options, ProfileStore& into, std::size_t workers = 2)
  {
    auto group = open_file_log_group(log_options, "g");
    BOOST_TEST_REQUIRE(group.ok());
    IngestOptions ingest_options;
    ingest_options.workers = workers;
    ingest_options.give_up = std::chrono::seconds(5);
    auto ingest = Ingest::start(into, ingest_options, {&dead_letters, &late, {}}, [&group] { (*group)->wake(); });
    BOOST_TEST_REQUIRE(ingest.ok());
    GroupFeed feeder(**group, into, **ingest, clock, std::move(options));
    return feeder.run();
  }
  Status feed() { return feed(feed_options(), *store); }
};

// Shop events of a few customers over the three topics, in order of time.
inline std::vector<Event> shop_events(int count, int customers)
{
  std::vector<Event> events;
  for (int i = 0; i < count; ++i) {
    const auto time = kNoon + Milliseconds(1000 * i);
    const std::string customer = "c" + std::to_string((i * i + 7 * i) % customers);
    Event each = view(customer, "e" + std::to_string(i), time, "item-" + std::to_string(i % 17));
    if (i % 5 == 1) {
      each.type = EventType::cart_add;
      each.quantity = 1;
    } else if (i % 11 == 3) {
      each.type = EventType::purchase;
      each.order = OrderId("o" + std::to_string(i));
      each.items = {{each.item, 1, Money{1'990'000}}};
      each.item = ItemId();
      each.currency = *parse_currency("EUR");
    }
    events.push_back(std::move(each));
  }
  return events;
}

} // namespace attune::testing
