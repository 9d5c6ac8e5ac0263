#include "core/model.h"

#include <rapidcheck.h>
#include <xxhash.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <random>

#include "core/model_state.h"
#include "core/ranking.h"
#include "core/recommender.h"
#include "support/clicks.h"
#include "support/model_contents.h"

using namespace attune;
using namespace attune::testing;

namespace {

constexpr std::int64_t kIdleMs = 30 * 60'000;

// What an event says follows from its id and time, since two of one id that differ are one by chance alone.
Event made(std::string_view customer, std::string_view session, std::string_view id, std::int64_t ms)
{
  const std::string seed = std::string(customer) + '\0' + std::string(session) + '\0' + std::string(id) + '\0' + std::to_string(ms);
  const auto dice = XXH3_64bits(seed.data(), seed.size());
  Event event;
  event.customer = CustomerId(customer);
  event.session = SessionId(session);
  event.id = EventId(id);
  event.time = Timestamp{ms};
  const auto item = [&](std::uint64_t of) { return ItemId("i" + std::to_string(of % 12)); };
  event.item = item(dice);
  event.category = "k" + std::to_string(dice % 12 % 3);
  static constexpr std::array kTypes{EventType::view, EventType::view, EventType::click, EventType::cart_add, EventType::search};
  event.type = kTypes[dice / 12 % 5];
  if (dice / 60 % 8 == 0) {
    event.type = EventType::purchase;
    event.item = {};
    event.items = {{item(dice / 480), 1, {}}, {item(dice / 5760), 2, {}}};
    event.category = {};
  }
  if (event.type == EventType::search) event.item = {};
  if (dice / 100'000 % 3 == 0) event.slot = Slot(dice / 300'000 % 2 == 0 ? "home" : "product");
  return event;
}

// Few customers; few minutes now and then, so that times are equal. `again`: an id of a site's session comes at several times.
std::vector<Event> some_events(bool again = true)
{
  const auto span = *rc::gen::element<std::int64_t>(10, 60'000, 4 * 3600'000, 90LL * 24 * 3600'000);
  const auto count = *rc::gen::inRange(0, 120);
  std::mt19937_64 random(*rc::gen::arbitrary<std::uint32_t>());
  std::vector<Event> events;
  for (int i = 0; i < count; ++i) {
    const auto customer = "c" + std::to_string(random() % 4);
    const auto site = random() % 6;
    const auto time = 1'600'000'000'000 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span + 1));
    const bool shared = again && site < 3 && random() % 2 == 0;
    const auto id = shared ? "shared" + std::to_string(random() % 20) : "e" + std::to_string(i);
    events.push_back(made(customer, site < 3 ? "s" + std::to_string(site) : "", id, time));
  }
  return events;
}

std::vector<Event> shuffled(std::vector<Event> events)
{
  std::shuffle(events.begin(), events.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
  return events;
}

std::vector<Event> some_twice(std::vector<Event> events)
{
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  const auto count = events.size();
  for (std::size_t i = 0; i < count; ++i)
    if (random() % 3 == 0) events.push_back(events[i]);
  return events;
}

// A shop of `items` items and as many clicks as asked for, the same on every machine. Sessions of about five clicks.
std::vector<Event> shop_log(std::size_t clicks, std::size_t items, unsigned seed = 1, std::int64_t step = 7'000)
{
  std::mt19937_64 random(seed);
  std::vector<Event> events;
  std::vector<std::pair<std::string, std::uint64_t>> visits; // who, and the item seen last
  for (std::size_t i = 0; i < clicks; ++i) {
    if (visits.size() < 8) visits.emplace_back("v" + std::to_string(random() % (clicks / 8 + 1)), random() % items);
    const auto at = random() % visits.size();
    auto& [who, item] = visits[at];
    item = random() % 3 == 0 ? random() % items : (item * 7 + 3) % items;
    Event event;
    event.customer = CustomerId(who);
    event.id = EventId("e" + std::to_string(seed) + "-" + std::to_string(i));
    event.time = Timestamp{1'600'000'000'000 + static_cast<std::int64_t>(i) * step};
    event.item = ItemId("item-" + std::to_string(item));
    event.category = "kind-" + std::to_string(item % 5);
    event.type = random() % 12 == 0 ? EventType::cart_add : EventType::view;
    if (i % 3 == 0) event.slot = Slot(i % 2 == 0 ? "home" : "product");
    events.push_back(std::move(event));
    if (random() % 5 == 0) visits.erase(visits.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return events;
}

Event viewed(std::string_view customer, std::string_view id, std::int64_t ms, std::string_view item)
{
  Event event;
  event.customer = CustomerId(customer);
  event.id = EventId(id);
  event.time = Timestamp{ms};
  event.item = ItemId(item);
  return event;
}

Event identity(EventType type, std::string_view customer, std::int64_t ms, bool granted = false)
{
  Event event;
  event.type = type;
  event.customer = CustomerId(customer);
  event.id = EventId("id-" + std::to_string(ms));
  event.time = Timestamp{ms};
  if (type == EventType::consent) event.granted = granted;
  return event;
}

// As many customers as have to say how late it is.
void crowd(Model& model, std::int64_t ms)
{
  for (std::size_t i = 0; i < SupportedTime::kWitnesses; ++i)
    model.learn(viewed("crowd" + std::to_string(i), "crowd" + std::to_string(i), ms, "new"));
}

ModelOptions untaught()
{
  ModelOptions options;
  options.rate = 0;
  return options;
}

std::string with_checksum(std::string bytes)
{
  const auto sum = XXH3_64bits(bytes.data(), bytes.size() - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &sum, 8);
  return bytes;
}

Model small_model()
{
  auto model = model_of({"lamp desk lamp", "desk chair", "sofa"});
  const std::vector<std::string_view> vip{"vip"};
  auto again = click("s1", "chair", 90);
  again.type = EventType::purchase;
  again.category = "seats";
  model.learn(again, {vip});
  again.session = SessionId("s1b");
  again.id = EventId("again");
  again.time = Timestamp{again.time->ms + 86'400'000};
  model.learn(again, {vip});
  model.learn(identity(EventType::forget, "gone", 5));
  model.positions = {{{"cart_events", 0}, 7}, {{"customer_clicks", 1}, 300}};
  return model;
}

std::vector<Ranked> answer_of(const Model& model, std::vector<ItemNumber> session)
{
  Question question;
  question.session = std::move(session);
  question.slot = model.state().slots.size() > 1 ? 1 : 0;
  Workspace work;
  std::vector<Ranked> answer;
  rank(model, question, Source::blend, 20, work, answer);
  return answer;
}

// By the customer and the day, so that whoever asks gets the same.
std::vector<std::string_view> segments_of(const Event& event)
{
  std::vector<std::string_view> segments;
  if (event.customer.text.back() % 2 == 0) segments.emplace_back("even");
  if (event.time->ms / 86'400'000 % 3 == 0) segments.emplace_back("third-day");
  return segments;
}

// Clicks by names: what is popular in each segment and category.
std::map<std::string, double> counted_in_groups(const Model& model)
{
  std::map<std::string, double> counted;
  const auto count = [&](const GroupPopularity& groups, const Vocabulary& names) {
    for (std::uint32_t group = 0; group < groups.groups(); ++group)
      for (const auto item : groups.content(group).items.items)
        for (const auto window : {GroupWindow::fast, GroupWindow::slow})
          counted[std::string(names.text(group)) + "/" + std::string(model.item(item)) +
                  (window == GroupWindow::fast ? "/f" : "/s")] = groups.value(window, group, item);
  };
  count(model.state().in_segment, model.state().memberships.segments());
  // Of categories a merged model knows what items were last said to be.
  return counted;
}

// Counts are those of the sessions that are there.
bool is_sound(const Model& model)
{
  return contents_of(model) == counted(sessions_of(model));
}

} // namespace

BOOST_AUTO_TEST_SUITE(model)

// --- A function of the set of events ----------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(order_and_repetition_change_no_posting_and_no_raw_count)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    const auto expected = counted(sessions_of(events));
    RC_ASSERT(contents_of(learned(events)) == expected);
    RC_ASSERT(contents_of(learned(shuffled(some_twice(events)))) == expected);
    RC_ASSERT(contents_of(trained(some_twice(events))) == expected);
  }));
}

BOOST_AUTO_TEST_CASE(lessons_in_any_order_are_one_model_byte_for_byte)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    RC_ASSERT(bytes_of(trained(events)) == bytes_of(trained(shuffled(events))));
  }));
}

BOOST_AUTO_TEST_CASE(what_was_learned_is_counted_once_and_the_rest_named)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events();
    const auto again = shuffled(some_twice(events));
    std::uint64_t lessons = 0;
    for (const auto& event : again) for_each_lesson(event, [&](const Lesson&) { ++lessons; });
    const auto holdings = learned(again).holdings();
    RC_ASSERT(holdings.learned + holdings.repeated + holdings.ignored + holdings.refused == lessons);
    RC_ASSERT(holdings.clicks <= holdings.learned);
  }));
}

BOOST_AUTO_TEST_CASE(shards_by_customer_merged_are_the_whole)
{
  BOOST_TEST(rc::check([] {
    const auto options = *rc::gen::arbitrary<bool>() ? untaught() : ModelOptions{};
    auto events = some_events(options.rate > 0);
    // Categories are numbered as they are met, and a merged model meets them with the item's first click; and it never meets an item
    // of which a shard dropped every click as a repeat.
    for (auto& event : events) event.category = {};
    std::vector<Event> parts[2];
    for (const auto& event : events) parts[event.customer.text.back() % 2].push_back(event);
    auto left = trained(parts[0], options);
    const auto right = trained(parts[1], options);
    const auto taught = left.holdings().taught + right.holdings().taught;
    left.merge(right);
    RC_ASSERT(contents_of(left) == counted(sessions_of(events)));
    RC_ASSERT(left.holdings().taught == taught);
    if (options.rate == 0) RC_ASSERT(bytes_of(left) == bytes_of(trained(events, options)));
  }));
}

BOOST_AUTO_TEST_CASE(merging_keeps_the_categories_of_items)
{
  auto lamp = click("s1", "lamp", 1);
  lamp.category = "lights";
  auto model = learned({click("s2", "rug", 5), click("s2", "lamp", 6)});
  model.merge(learned({lamp}));
  const auto& items = model.state().items;
  BOOST_TEST(items.categories.text(items.facts[model.number_of("lamp")].category) == "lights");
  BOOST_TEST(items.facts[model.number_of("rug")].category == kNoCategory);
}

BOOST_AUTO_TEST_CASE(which_shard_is_merged_into_which_does_not_matter)
{
  BOOST_TEST(rc::check([] {
    std::vector<Event> parts[2];
    for (const auto& event : some_events(false)) parts[event.customer.text.back() % 2].push_back(event);
    ModelOptions options;
    auto left = trained(parts[0], options);
    auto right = trained(parts[1], options);
    const auto kept = bytes_of(left);
    left.merge(right);
    right.merge(*Model::decode(kept));
    RC_ASSERT(contents_of(left) == contents_of(right));
    RC_ASSERT(left.holdings().learned == right.holdings().learned);
    const auto& ours = left.state().blend.sets();
    const auto& theirs = right.state().blend.sets();
    for (std::size_t f = 0; f < kFeatures; ++f) RC_ASSERT(std::abs(ours[0].weight[f] - theirs[0].weight[f]) < 1e-5F);
  }));
}

// --- Segments, categories, what is bought again -----------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(shards_by_customer_merged_count_in_each_segment_what_the_whole_does)
{
  BOOST_TEST(rc::check([] {
    const auto events = some_events(false);
    Lessons whole;
    Lessons parts[2];
    for (const auto& event : events) {
      const auto segments = segments_of(event);
      for (auto* lessons : {&whole, &parts[event.customer.text.back() % 2]}) lessons->add(event, {segments});
    }
    Model model(untaught());
    whole.sort();
    model.learn(whole);
    Model shards[2] = {Model(untaught()), Model(untaught())};
    for (int i = 0; i < 2; ++i) {
      parts[i].sort();
      shards[i].learn(parts[i]);
    }
    shards[0].merge(shards[1]);
    RC_ASSERT(counted_in_groups(shards[0]) == counted_in_groups(model));
  }));
}

BOOST_AUTO_TEST_CASE(a_file_gives_back_the_segments_of_each_click)
{
  BOOST_TEST(rc::check([] {
    Model model;
    for (const auto& event : some_events()) {
      const auto segments = segments_of(event);
      model.learn(event, {segments});
    }
    const auto back = Model::decode(bytes_of(model));
    RC_ASSERT(back.ok());
    RC_ASSERT(counted_in_groups(*back) == counted_in_groups(model));
    auto ours = Model();
    auto theirs = Model();
    ours.merge(model);
    theirs.merge(*back);
    RC_ASSERT(counted_in_groups(ours) == counted_in_groups(theirs));
  }));
}

BOOST_AUTO_TEST_CASE(a_late_click_counts_in_its_segment_and_category_and_a_repeated_one_does_not)
{
  Model model;
  const std::vector<std::string_view> vip{"vip"};
  auto early = viewed("c", "1", 1'000, "lamp");
  early.category = "lights";
  model.learn(viewed("c", "2", 2'000, "desk"), {vip});
  model.learn(early, {vip});
  model.learn(early, {vip});
  BOOST_TEST(model.holdings().late == 1U);
  BOOST_TEST(model.state().in_segment.content(0).items.size() == 2U);
  BOOST_TEST(model.state().in_segment.value(GroupWindow::slow, 0, model.number_of("lamp")) > 0.999);
  BOOST_TEST(model.state().in_category.value(GroupWindow::slow, 0, model.number_of("lamp")) > 0.999);
}

BOOST_AUTO_TEST_CASE(the_catalogs_category_of_an_item_stands_before_what_the_event_says)
{
  Catalog catalog;
  catalog.put(*parse_catalog_item(R"({"item":"lamp","categories":["lights","home"]})"));
  auto event = viewed("c", "1", 1'000, "lamp");
  event.category = "sale";
  Model model;
  model.learn(event, {{}, &catalog});
  const auto& items = model.state().items;
  BOOST_TEST(items.categories.text(items.facts[0].category) == "lights");
}

BOOST_AUTO_TEST_CASE(an_interval_is_counted_when_a_customer_buys_an_item_again_in_another_visit)
{
  constexpr std::int64_t kDay = 24LL * 3600'000;
  const auto bought = [](std::string_view customer, std::int64_t ms, std::string_view item) {
    auto event = viewed(customer, std::string(customer) + std::to_string(ms), ms, item);
    event.type = EventType::purchase;
    return event;
  };
  Model model;
  for (const auto* who : {"ana", "bob"}) {
    model.learn(bought(who, 0, "coffee"));
    model.learn(bought(who, 10'000, "coffee")); // the same visit
    model.learn(bought(who, 10 * kDay, "coffee"));
    model.learn(viewed(who, std::string(who) + "v", 12 * kDay, "coffee"));
  }
  model.learn(bought("eve", 3 * kDay, "coffee"));
  const auto content = model.state().repurchases.content();
  BOOST_REQUIRE(content.items.size() == 1U);
  BOOST_TEST(std::abs(content.items[0].count - 1.99F) < 0.001F);
  BOOST_TEST(std::abs(std::exp2(content.items[0].sum / content.items[0].count) / static_cast<float>(10 * kDay) - 1) < 0.001F);
  const auto question = model.question(session_key(CustomerId("ana"), {}), 15 * kDay);
  BOOST_REQUIRE(question.bought.size() == 1U);
  BOOST_TEST(question.bought[0].times == 2U);
  BOOST_TEST(question.bought[0].last == 10 * kDay);
  model.learn(identity(EventType::forget, "ana", 20 * kDay));
  BOOST_TEST(model.question(session_key(CustomerId("ana"), {}), 21 * kDay).bought.empty());
}

// --- The file ---------------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_file_gives_back_the_model_that_then_learns_on_to_the_same_bytes)
{
  BOOST_TEST(rc::check([] {
    auto events = shuffled(some_events());
    if (*rc::gen::arbitrary<bool>() && !events.empty())
      events.insert(events.begin() + static_cast<std::ptrdiff_t>(events.size() / 3),
                    identity(EventType::forget, "c1", events.front().time->ms));
    const auto half = events.begin() + static_cast<std::ptrdiff_t>(events.size() / 2);
    auto model = learned({events.begin(), half});
    const auto bytes = bytes_of(model);
    auto back = Model::decode(bytes);
    RC_ASSERT(back.ok());
    RC_ASSERT(back->name() == model.name());
    RC_ASSERT(contents_of(*back) == contents_of(model));
    RC_ASSERT(bytes_of(*back) == bytes);
    for (auto event = half; event != events.end(); ++event) {
      model.learn(*event);
      back->learn(*event);
    }
    RC_ASSERT(bytes_of(*back) == bytes_of(model));
  }));
}

BOOST_AUTO_TEST_CASE(a_model_of_a_shop_learns_on_from_its_file_to_the_same_bytes_while_it_forgets)
{
  ModelOptions options;
  options.max_clicks = 1'000;
  options.teach_first = 300;
  const auto events = shop_log(4'000, 150);
  Model model(options);
  for (std::size_t i = 0; i < 2'000; ++i) model.learn(events[i]);
  auto back = Model::decode(bytes_of(model));
  BOOST_REQUIRE(back.ok());
  for (std::size_t i = 2'000; i < events.size(); ++i) {
    model.learn(events[i]);
    back->learn(events[i]);
  }
  BOOST_TEST(model.holdings().taught > 300U);
  BOOST_TEST((bytes_of(*back) == bytes_of(model)));
}

// The same on every machine and in every build. Whoever changes what a model learns, its features or its file, on purpose, writes the new
// name here; when nobody did, the arithmetic of a compiler or a processor has crept in.
BOOST_AUTO_TEST_CASE(the_model_of_a_fixed_log_has_a_fixed_name)
{
  ModelOptions options;
  options.max_clicks = 2'000;
  options.teach_first = 500;
  auto model = trained(shop_log(3'000, 200, 42), options);
  bytes_of(model);
  BOOST_TEST(model.name() == "60274d773c3c759c");
}

BOOST_AUTO_TEST_CASE(a_name_is_of_the_file_and_of_what_was_learned_since)
{
  auto model = small_model();
  BOOST_TEST(model.name() == "new");
  bytes_of(model);
  const auto name = model.name();
  BOOST_TEST(name.size() == 16U);
  model.learn(click("s9", "rug", 99));
  BOOST_TEST(model.name() == name + "+1");
  bytes_of(model);
  BOOST_TEST(model.name().size() == 16U);
  BOOST_TEST(model.name() != name);
}

BOOST_AUTO_TEST_CASE(positions_are_in_the_file)
{
  auto model = small_model();
  const auto back = Model::decode(bytes_of(model));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->positions == model.positions));
}

BOOST_AUTO_TEST_CASE(merging_keeps_the_smaller_position_of_a_partition)
{
  Model a;
  a.positions = {{{"t", 0}, 5}, {{"t", 1}, 9}};
  Model b;
  b.positions = {{{"s", 0}, 1}, {{"t", 0}, 3}};
  a.merge(b);
  const std::vector<LogPosition> expected{{{"s", 0}, 1}, {{"t", 0}, 3}, {{"t", 1}, 9}};
  BOOST_TEST((a.positions == expected));
}

BOOST_AUTO_TEST_CASE(a_file_with_one_byte_changed_is_refused)
{
  const auto bytes = bytes_of(small_model());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    const auto read = Model::decode(damaged);
    BOOST_TEST_REQUIRE(!read.ok(), "byte " << i);
    BOOST_TEST_REQUIRE((read.error().code == Code::bad_data));
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_short_or_made_longer_is_refused)
{
  const auto bytes = bytes_of(small_model());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    BOOST_TEST_REQUIRE(!Model::decode(bytes.substr(0, size)).ok(), size);
    if (size > 24) BOOST_TEST_REQUIRE(!Model::decode(with_checksum(bytes.substr(0, size))).ok(), size);
  }
  BOOST_TEST(!Model::decode(bytes + "x").ok());
}

// Whatever it says then, it is asked and learns on.
BOOST_AUTO_TEST_CASE(a_damaged_file_under_a_right_checksum_is_refused_or_means_what_it_says)
{
  const auto bytes = bytes_of(small_model());
  std::size_t refused = 0;
  for (std::size_t i = 16; i + 8 < bytes.size(); ++i) {
    for (const int value : {0, 1, 2, 0x7F, 0x80, 0xFF}) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(value);
      damaged = with_checksum(damaged);
      auto read = Model::decode(damaged);
      if (!read) {
        ++refused;
        BOOST_TEST_REQUIRE(read.error().message.starts_with("damaged: "));
        continue;
      }
      BOOST_TEST_REQUIRE((bytes_of(*read) == damaged), "byte " << i);
      answer_of(*read, {0, read->number_of("lamp"), read->number_of("desk")});
      read->learn(click("s1", "sofa", 1));
      read->learn(click("s1", "chair", 100));
      read->learn(click("s7", "desk", 200));
      read->learn(identity(EventType::forget, "c-s1", INT64_MAX / 2));
      read->learn(click("s8", "lamp", 201));
    }
  }
  BOOST_TEST(refused > 500U);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_file_is_said)
{
  BOOST_TEST(Model::decode("").error().message == "not an attune model");
  BOOST_TEST(Model::decode("{\"id\":1}").error().message == "not an attune model");
  BOOST_TEST(Model::decode("attune model").error().message == "cut short");
  auto other = bytes_of(small_model());
  const auto reads = std::to_string(static_cast<int>(other[12]));
  other[12] = 99;
  BOOST_TEST(Model::decode(other).error().message == "format version 99, this program reads " + reads);
  auto damaged = bytes_of(small_model());
  damaged[30] = static_cast<char>(damaged[30] ^ 1);
  BOOST_TEST(Model::decode(damaged).error().message == "damaged or cut short: the checksum differs");
}

BOOST_AUTO_TEST_CASE(an_empty_model_is_a_model)
{
  const auto back = Model::decode(bytes_of(Model()));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST(back->holdings().clicks == 0U);
  BOOST_TEST(!back->holdings().newest.has_value());
}

BOOST_AUTO_TEST_CASE(options_travel_in_the_file_and_have_bounds)
{
  ModelOptions options;
  options.idle = Milliseconds(5000);
  options.max_clicks = 4'000;
  options.teach_share = 3;
  options.rate = 0.5;
  const auto back = Model::decode(bytes_of(Model(options)));
  BOOST_REQUIRE(back.ok());
  BOOST_TEST((back->options() == options));
  options.max_clicks = 999;
  BOOST_TEST(!options.valid());
  options = {};
  options.rate = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(!options.valid());
}

// --- Memory is bounded ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(beyond_the_clicks_it_may_keep_it_counts_as_if_it_had_learned_only_what_is_left)
{
  auto options = untaught();
  options.max_clicks = 1'000;
  Model model(options);
  std::size_t i = 0;
  for (const auto& event : shop_log(6'000, 200)) {
    model.learn(event);
    BOOST_TEST_REQUIRE(model.holdings().clicks <= 1'000U);
    if (++i % 1'500 == 0) BOOST_TEST(is_sound(model));
  }
  BOOST_TEST(model.holdings().clicks > 980U);
}

BOOST_AUTO_TEST_CASE(what_is_older_than_it_may_be_is_let_go_of)
{
  auto options = untaught();
  options.max_age = std::chrono::hours(5);
  Model model(options);
  std::size_t i = 0;
  for (const auto& event : shop_log(6'000, 200, 3, 20'000)) {
    model.learn(event);
    if (++i % 1'500 != 0) continue;
    BOOST_TEST(is_sound(model));
    // A session lasts as long as its last click: none is over an hour here.
    BOOST_TEST(model.holdings().oldest->ms >= event.time->ms - 7 * 3'600'000);
  }
  BOOST_TEST(model.holdings().clicks > 500U);
}

BOOST_AUTO_TEST_CASE(a_click_older_than_any_that_is_kept_teaches_nothing)
{
  ModelOptions options;
  options.max_age = std::chrono::hours(24);
  Model model(options);
  crowd(model, 100 * 3'600'000);
  const auto clicks = model.holdings().clicks;
  model.learn(viewed("d", "2", 100 * 3'600'000 - 24 * 3'600'000 - 1, "old"));
  BOOST_TEST(model.holdings().clicks == clicks);
  BOOST_TEST(model.holdings().ignored == 1U);
  model.learn(viewed("d", "3", 100 * 3'600'000 - 24 * 3'600'000, "just-in"));
  BOOST_TEST(model.holdings().clicks == clicks + 1);
}

// 15 clocks of the year 2038 are 15 wrong clocks; the 16th is news.
BOOST_AUTO_TEST_CASE(clicks_from_the_far_future_let_no_session_go_before_many_customers_have_them)
{
  ModelOptions options;
  options.max_age = std::chrono::hours(24);
  Model model(options);
  crowd(model, 100 * 3'600'000);
  const auto clicks = model.holdings().clicks;
  for (int i = 0; i < 15; ++i) model.learn(viewed("lost" + std::to_string(i), "f" + std::to_string(i), 2'145'916'800'000, "lamp"));
  model.learn(viewed("lost0", "again", 2'145'916'800'001, "desk"));
  BOOST_TEST(model.holdings().clicks == clicks + 16);
  model.learn(viewed("d", "today", 100 * 3'600'000, "lamp"));
  BOOST_TEST(model.holdings().ignored == 0U);
  model.learn(viewed("one more", "f", 2'145'916'800'000, "lamp"));
  // Theirs, and the one that was made after theirs: sessions go in the order in which they were last used.
  BOOST_TEST(model.holdings().clicks == 18U);
}

BOOST_AUTO_TEST_CASE(sessions_of_clocks_that_run_ahead_keep_no_older_ones)
{
  constexpr std::int64_t kHour = 3'600'000;
  ModelOptions options;
  options.max_age = std::chrono::hours(24 * 30);
  for (const int ahead : {1, 2, 15, 16, 40}) {
    Model model(options);
    for (int i = 0; i < ahead; ++i)
      model.learn(viewed("lost" + std::to_string(i % 15), "f" + std::to_string(i), 2'145'916'800'000 + i * kHour, "lamp"));
    BOOST_TEST(model.holdings().sessions == static_cast<unsigned>(ahead));
    crowd(model, 100 * kHour);
    BOOST_TEST(model.holdings().sessions == SupportedTime::kWitnesses + static_cast<unsigned>(std::min(ahead, 15)));
    for (std::size_t i = 0; i < SupportedTime::kWitnesses; ++i)
      model.learn(viewed("later" + std::to_string(i), "l" + std::to_string(i), (100 + 24 * 31) * kHour, "new"));
    BOOST_TEST(model.holdings().oldest->ms == (100 + 24 * 31) * kHour, ahead << " sessions ahead");
    BOOST_TEST(is_sound(model));
  }
}

// Of a shop with few customers the sessions that came first may be the newest.
BOOST_AUTO_TEST_CASE(a_session_ahead_of_others_stays_while_none_is_too_old)
{
  constexpr std::int64_t kHour = 3'600'000;
  Model model;
  model.learn(viewed("early bird", "1", 24 * 20 * kHour, "lamp"));
  crowd(model, 100 * kHour);
  for (int i = 0; i < 100; ++i)
    model.learn(viewed("c" + std::to_string(i % 30), "c" + std::to_string(i), (100 + i) * kHour, "desk"));
  BOOST_TEST(model.number_of("lamp") != kUnknownItem);
  BOOST_TEST(model.state().items.facts[model.number_of("lamp")].clicks == 1U);
}

BOOST_AUTO_TEST_CASE(a_late_click_into_a_session_of_many_clicks_moves_what_it_stands_beside_and_nothing_else)
{
  BOOST_TEST(rc::check([] {
    std::mt19937 random(*rc::gen::arbitrary<unsigned>());
    const auto kinds = *rc::gen::element(3U, 40U, 400U);
    std::vector<Event> events;
    for (int i = 0; i < 300; ++i) {
      auto event = click("long", "i" + std::to_string(random() % kinds), i);
      if (random() % 2 == 0) event.type = EventType::cart_add;
      events.push_back(event);
    }
    const auto expected = counted(sessions_of(events));
    RC_ASSERT(contents_of(learned(shuffled(events))) == expected);
  }));
}

BOOST_AUTO_TEST_CASE(items_are_let_go_of_so_that_there_are_never_many_more_than_clicks_that_are_kept)
{
  auto options = untaught();
  options.max_clicks = 1'000;
  Model model(options);
  for (int i = 0; i < 30'000; ++i) {
    model.learn(viewed("c" + std::to_string(i / 3), "e" + std::to_string(i), i * 1'000, "once" + std::to_string(i)));
    BOOST_TEST_REQUIRE(model.state().items.facts.size() <= (1'000 + kLeftItems) * 8 / 7 + 2);
    if (i % 5'000 == 4'999) BOOST_TEST(is_sound(model));
  }
  BOOST_TEST(model.number_of("once29999") != kUnknownItem);
  BOOST_TEST(model.number_of("once0") == kUnknownItem);
  BOOST_TEST(model.number_of("once15000") == kUnknownItem);
  auto back = Model::decode(bytes_of(model));
  BOOST_REQUIRE(back.ok());
  for (int i = 30'000; i < 34'000; ++i)
    for (auto* each : {&model, &*back})
      each->learn(viewed("c" + std::to_string(i / 3), "e" + std::to_string(i), i * 1'000, "once" + std::to_string(i % 31'000)));
  BOOST_TEST((bytes_of(*back) == bytes_of(model)));
  BOOST_TEST(is_sound(model));
}

BOOST_AUTO_TEST_CASE(an_item_that_is_popular_stays_although_no_click_on_it_is_kept)
{
  auto options = untaught();
  options.max_clicks = 1'000;
  Model model(options);
  for (int i = 0; i < 500; ++i) model.learn(viewed("a" + std::to_string(i), "a" + std::to_string(i), i, "hot"));
  for (int i = 0; i < 9'000; ++i)
    model.learn(viewed("c" + std::to_string(i), "e" + std::to_string(i), 1'000 + i, "x" + std::to_string(i)));
  const auto hot = model.number_of("hot");
  BOOST_REQUIRE(hot != kUnknownItem);
  BOOST_TEST(model.state().items.facts[hot].clicks == 0U);
  BOOST_TEST(model.number_of("x10") == kUnknownItem);
}

BOOST_AUTO_TEST_CASE(a_file_whose_counts_are_not_those_of_its_sessions_is_refused)
{
  const auto refused = [](const std::function<void(Model::State&)>& change) {
    auto model = model_of({"lamp desk lamp", "desk chair", "sofa"});
    auto cart = click("s9", "rug", 50);
    cart.type = EventType::cart_add;
    model.learn(cart);
    change(const_cast<Model::State&>(model.state()));
    return !Model::decode(bytes_of(model)).ok();
  };
  BOOST_TEST(!refused([](Model::State&) {}));
  BOOST_TEST(refused([](Model::State& state) { ++state.items.facts[0].clicks; }));
  BOOST_TEST(refused([](Model::State& state) { --state.items.facts[1].sessions; }));
  BOOST_TEST(refused([](Model::State& state) { ++state.items.facts[0].returns; }));
  BOOST_TEST(refused([](Model::State& state) { state.complements.restore_total(7); }));
  BOOST_TEST(refused([](Model::State& state) { state.items.left = {0, 0}; }));
  BOOST_TEST(refused([](Model::State& state) {
    auto row = state.pairs.of(0);
    ++row.transitions;
    state.pairs.clear(0);
    state.pairs.restore(0, row);
  }));
}

BOOST_AUTO_TEST_CASE(at_a_steady_state_memory_does_not_grow)
{
  ModelOptions options;
  options.max_clicks = 2'000;
  options.teach_first = 0;
  options.teach_share = 100;
  options.neighbours = 100;
  Model model(options);
  const auto events = shop_log(60'000, 300, 5);
  std::uint64_t settled = 0;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    model.learn(events[i]);
    if (i % 500 != 0) continue;
    auto& of = i < 20'000 ? settled : most;
    of = std::max(of, model.holdings().bytes);
  }
  BOOST_TEST(most <= settled + settled / 20, most << " bytes after " << settled);
  BOOST_TEST(is_sound(model));
}

// --- Forget and consent -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(what_is_forgotten_or_refused_is_in_no_posting_and_no_count_in_any_order_of_arrival)
{
  BOOST_TEST(rc::check([] {
    auto events = some_events(false);
    RC_PRE(!events.empty());
    Refusals refusals;
    const auto said = [&](const Event& event) {
      refusals.take(event);
      events.push_back(event);
    };
    for (int i = *rc::gen::inRange(0, 4); i-- > 0;)
      said(identity(EventType::forget, "c" + std::to_string(i), events[events.size() / 2].time->ms));
    if (*rc::gen::arbitrary<bool>()) said(identity(EventType::consent, "c2", events.front().time->ms));
    const auto expected = counted(sessions_of(events, {}, refusals));
    RC_ASSERT(contents_of(learned(shuffled(events))) == expected);
    RC_ASSERT(contents_of(trained(shuffled(events))) == expected);
    auto back = Model::decode(bytes_of(learned(events)));
    RC_ASSERT(back.ok());
    for (const auto& event : shuffled(events)) back->learn(event);
    RC_ASSERT(contents_of(*back) == expected);
  }));
}

BOOST_AUTO_TEST_CASE(a_forgotten_customer_is_found_in_every_session_however_they_were_met)
{
  Model model;
  for (const int minute : {100, 50, 300, 200, 20, 210, 10})
    model.learn([&] {
      auto event = click("s" + std::to_string(minute / 10), "lamp", minute);
      event.customer = CustomerId("c");
      return event;
    }());
  model.learn(click("other", "lamp", 1));
  model.learn(identity(EventType::forget, "c", kFirstMinute + 1'000 * 60'000));
  BOOST_TEST(model.holdings().clicks == 1U);
  BOOST_TEST(is_sound(model));
}

BOOST_AUTO_TEST_CASE(who_grants_again_is_learned_from_then_on)
{
  Model model;
  model.learn(viewed("c", "1", 100, "lamp"));
  model.learn(identity(EventType::consent, "c", 200, false));
  BOOST_TEST(model.holdings().clicks == 0U);
  model.learn(viewed("c", "2", 300, "lamp"));
  BOOST_TEST(model.holdings().refused == 1U);
  model.learn(identity(EventType::consent, "c", 400, true));
  model.learn(viewed("c", "3", 500, "lamp"));
  model.learn(viewed("c", "4", 150, "lamp"));
  BOOST_TEST(model.holdings().clicks == 1U);
  BOOST_TEST(model.holdings().refused == 2U);
}

// --- Sessions ---------------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(clicks_without_a_session_id_are_cut_where_the_gap_is_over_the_idle_limit)
{
  const std::vector<Event> events{viewed("c", "1", 0, "a"), viewed("c", "2", kIdleMs, "b"), viewed("c", "3", 2 * kIdleMs + 1, "c"),
                                  viewed("d", "4", 2 * kIdleMs + 1, "c")};
  BOOST_TEST(learned(events).holdings().sessions == 3U);
}

BOOST_AUTO_TEST_CASE(a_late_click_joins_the_sessions_it_stands_between)
{
  Model model;
  model.learn(viewed("c", "1", 0, "a"));
  model.learn(viewed("c", "2", 2 * kIdleMs, "b"));
  BOOST_TEST(model.holdings().sessions == 2U);
  model.learn(viewed("c", "3", kIdleMs, "x"));
  BOOST_TEST(model.holdings().sessions == 1U);
  BOOST_TEST(model.holdings().late == 1U);
  BOOST_TEST(is_sound(model));
}

BOOST_AUTO_TEST_CASE(one_session_id_is_one_session_of_its_customer_whatever_the_gap)
{
  auto early = viewed("c", "1", 0, "a");
  auto late = viewed("c", "2", 100 * kIdleMs, "b");
  auto other = viewed("d", "3", 0, "a");
  for (auto* event : {&early, &late, &other}) event->session = SessionId("s");
  BOOST_TEST(learned({early, late, other}).holdings().sessions == 2U);
}

BOOST_AUTO_TEST_CASE(of_one_id_in_a_session_the_earliest_stays)
{
  auto early = viewed("c", "1", 10, "a");
  auto late = viewed("c", "1", 20, "b");
  for (auto* event : {&early, &late}) event->session = SessionId("s");
  for (const auto& events : {std::vector{early, late}, std::vector{late, early}}) {
    const auto model = learned(events);
    BOOST_TEST(model.holdings().clicks == 1U);
    BOOST_TEST((contents_of(model) == contents_of(learned({early}))));
  }
}

BOOST_AUTO_TEST_CASE(equal_times_and_times_that_go_backwards_are_put_in_order)
{
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) {
    auto event = made("c0", "s", "e" + std::to_string(i), 1'000'000 - i / 4);
    events.push_back(event);
  }
  BOOST_TEST((contents_of(learned(events)) == counted(sessions_of(events))));
  events.push_back(viewed("c0", "before-1970", -86'400'000, "a"));
  events.push_back(viewed("c0", "before-1970-too", -86'400'500, "b"));
  events.push_back(viewed("c1", "before-1970-three", -86'400'501, "a"));
  BOOST_TEST((contents_of(learned(events)) == counted(sessions_of(events))));
}

BOOST_AUTO_TEST_CASE(a_purchase_is_a_click_on_each_line_and_other_types_are_read_over)
{
  Event order = viewed("c", "1", 0, "");
  order.type = EventType::purchase;
  order.items = {{ItemId("a"), 1, {}}, {ItemId("b"), 2, {}}, {ItemId("a"), 1, {}}};
  Event cart = viewed("c", "2", 1, "c");
  cart.type = EventType::cart_add;
  BOOST_TEST(learned({order, cart}).holdings().clicks == 4U);

  auto event = viewed("c", "3", 2, "d");
  for (const auto type : {EventType::search, EventType::cart_remove, EventType::refund, EventType::impression, EventType::custom}) {
    event.type = type;
    BOOST_TEST(learned({event}).holdings().learned == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_session_of_ten_thousand_clicks_teaches_its_first_thousand)
{
  Model model;
  for (int i = 0; i < 10'000; ++i) model.learn(click("robot", "i" + std::to_string(i % 4'000), i));
  BOOST_TEST(model.holdings().clicks == kMaxSessionClicks);
  BOOST_TEST(model.holdings().ignored == 10'000U - kMaxSessionClicks);
  BOOST_TEST(is_sound(model));
  const auto question = model.question(session_key(CustomerId("c-robot"), SessionId("robot")), kFirstMinute + 10'000 * 60'000);
  BOOST_TEST(question.session.size() == kMaxSessionClicks);
  BOOST_TEST(!answer_of(model, question.session).empty());
}

BOOST_AUTO_TEST_CASE(a_robots_clicks_that_come_backwards_are_the_same_session)
{
  Model model(untaught());
  for (int i = 3'000; i-- > 0;) model.learn(click("robot", "i" + std::to_string(i % 700), i));
  Model forwards(untaught());
  for (int i = 0; i < 3'000; ++i) forwards.learn(click("robot", "i" + std::to_string(i % 700), i));
  BOOST_TEST((contents_of(model) == contents_of(forwards)));
}

BOOST_AUTO_TEST_CASE(an_item_of_two_hundred_thousand_sessions_costs_no_more_than_its_newest)
{
  auto options = untaught();
  Model model(options);
  for (int i = 0; i < 200'000; ++i) {
    const auto who = "c" + std::to_string(i);
    model.learn(viewed(who, "a" + std::to_string(i), i * 10, "hot"));
    if (i % 100 == 0) model.learn(viewed(who, "b" + std::to_string(i), i * 10 + 5, "rare" + std::to_string(i % 7'000)));
  }
  const auto hot = model.number_of("hot");
  const auto list = model.state().postings.of(hot);
  BOOST_TEST(model.state().items.facts[hot].sessions == 200'000U);
  BOOST_TEST(list.size() >= options.neighbours);
  BOOST_TEST(list.size() <= 2 * options.neighbours);
  const auto newest = model.state().table.clicks(list.back().session).front();
  BOOST_TEST(newest.time == 199'999 * 10);
  const auto answer = answer_of(model, {hot});
  BOOST_TEST(answer.size() == 20U);
}

// --- What it is asked -------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(unknown_items_and_empty_sessions_are_answered_with_what_is_popular)
{
  const auto model = model_of({"lamp desk", "lamp rug", "lamp"});
  BOOST_TEST(model.number_of("never") == kUnknownItem);
  for (const auto& session : {std::vector<ItemNumber>{}, {kUnknownItem}, {kUnknownItem, kUnknownItem}}) {
    const auto answer = answer_of(model, session);
    BOOST_REQUIRE(answer.size() == 3U);
    BOOST_TEST(model.item(answer.front().item) == "lamp");
  }
  BOOST_TEST(!answer_of(model, {model.number_of("lamp"), kUnknownItem}).empty());
  BOOST_TEST(answer_of(Model(), {}).empty());
}

BOOST_AUTO_TEST_CASE(a_question_is_the_session_that_goes_on_and_what_came_before_it)
{
  Model model;
  model.learn(viewed("c", "1", 0, "old"));
  model.learn(viewed("c", "2", 10 * kIdleMs, "lamp"));
  model.learn(viewed("c", "3", 10 * kIdleMs + 5, "desk"));
  const auto key = session_key(CustomerId("c"), {});
  const auto question = model.question(key, 11 * kIdleMs);
  const std::vector<ItemNumber> session{model.number_of("lamp"), model.number_of("desk")};
  BOOST_TEST((question.session == session));
  BOOST_TEST((question.earlier == std::vector<ItemNumber>{model.number_of("old")}));
  BOOST_TEST(question.self == model.state().table.find(key));
  BOOST_TEST(model.question(key, 11 * kIdleMs + 6).session.empty());
  BOOST_TEST(model.question(session_key(CustomerId("nobody"), {}), 0).session.empty());
}

BOOST_AUTO_TEST_CASE(holdings_count_what_was_learned)
{
  const auto holdings = model_of({"lamp desk lamp", "desk chair"}).holdings();
  BOOST_TEST(holdings.clicks == 5U);
  BOOST_TEST(holdings.sessions == 2U);
  BOOST_TEST(holdings.items == 3U);
  BOOST_TEST(holdings.oldest->ms == kFirstMinute);
  BOOST_TEST(holdings.newest->ms == kFirstMinute + 4 * 60'000);
}

BOOST_AUTO_TEST_CASE(a_late_click_takes_no_decayed_sum_from_the_pairs_of_its_session)
{
  Model model;
  model.learn(viewed("c", "1", 0, "lamp"));
  model.learn(viewed("c", "2", 10, "desk"));
  model.learn(viewed("c", "3", 5, "rug"));
  const auto* counts = model.state().pairs.of(model.number_of("lamp")).find(model.number_of("desk"));
  BOOST_REQUIRE(counts != nullptr);
  BOOST_TEST(counts->next == 0U);
  BOOST_TEST(counts->slow > 0.9F);
}

BOOST_AUTO_TEST_CASE(an_id_that_comes_again_with_earlier_times_is_popular_once)
{
  Model model;
  model.learn(viewed("c", "1", 1'000, "lamp"));
  for (std::int64_t earlier = 1; earlier < 100; ++earlier) model.learn(viewed("c", "1", 1'000 - earlier, "lamp"));
  BOOST_TEST(model.state().items.facts[0].clicks == 1U);
  BOOST_TEST(model.state().clock == 1U);
  BOOST_TEST(model.state().popularity.value(Window::slow, 0) == 1.0);
}

BOOST_AUTO_TEST_CASE(a_click_that_is_not_learned_leaves_no_item_behind)
{
  ModelOptions options;
  options.max_age = std::chrono::hours(1);
  Model model(options);
  crowd(model, 100 * 3600'000);
  model.learn(viewed("c", "2", 0, "ancient"));
  BOOST_TEST(model.holdings().ignored == 1U);
  BOOST_TEST(model.number_of("ancient") == kUnknownItem);
}

BOOST_AUTO_TEST_SUITE_END()
