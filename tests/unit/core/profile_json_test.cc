#include "core/profile_json.h"

#include <boost/test/unit_test.hpp>

#include "support/profile_builders.h"

namespace attune {
namespace {

using namespace testing;

std::string record_of(const Profile& profile)
{
  std::string out;
  append_profile_record(profile, out);
  return out;
}

std::string view_of(const Profile& profile, const ViewOptions& options = {})
{
  std::string out;
  append_profile_view(profile, {}, options, out);
  return out;
}

std::string refusal(std::string_view json)
{
  const auto read = parse_profile_record(json);
  return read ? "" : read.error().text();
}

std::string replaced(std::string text, std::string_view what, std::string_view by)
{
  const std::size_t at = text.find(what);
  BOOST_TEST_REQUIRE((at != std::string::npos), what << " stands in " << text);
  return text.replace(at, what.size(), by);
}

// One of everything, small enough to be written out.
Profile a_small_profile()
{
  Event old = an_event(EventType::view, "old", kNoon - 40 * kDay, "a");
  old.category = "shoes";
  Event add = an_event(EventType::cart_add, "add", kNoon, "b");
  add.price = parse_money("19.90");
  add.currency = *parse_currency("EUR");
  return profile_of(
      {old, add, an_event(EventType::view, "new", kNoon + 1, "b"), a_purchase("buy", kNoon - kDay, {a_line("c", 2, "0.5")}, "o1")});
}

} // namespace

BOOST_AUTO_TEST_SUITE(profile_json)

BOOST_AUTO_TEST_CASE(the_view_says_what_the_manual_shows)
{
  BOOST_TEST(view_of(a_small_profile(), {.at = {}, .items = true, .recent = false}) ==
             R"({"customer":"c1","version":4,"first_time":1696593600000,"last_time":1700049600001,)"
             R"("floors":{"other":{"time":1696593600000,"id":"old"}},"counts":{"cart_add":1,"purchase":1,"view":2},)"
             R"("items":{"a":{"view":1},"b":{"cart_add":1,"view":1},"c":{"purchase":1}},)"
             R"("cart":[{"item":"b","quantity":1,"price":"19.9","currency":"EUR","time":1700049600000}],)"
             R"("last_purchase":{"time":1699963200000,"order":"o1","items":[{"item":"c","quantity":2,"price":"0.5"}]},)"
             R"("spend":{"EUR":"1"},"session":{"id":"c1@1700049600000","start":1700049600000,"items":["b"]},)"
             R"("affinity":{"shoes":0.226431},"windows":{"1h":{"cart_add":1,"view":1},"24h":{"cart_add":1,"view":1},)"
             R"("7d":{"cart_add":1,"purchase":1,"view":1}}})");
}

BOOST_AUTO_TEST_CASE(the_view_of_nothing_has_the_same_fields)
{
  BOOST_TEST(
      view_of(a_profile(), {.at = {}, .items = false, .recent = true}) ==
      R"({"customer":"c1","version":0,"first_time":null,"last_time":null,"floors":{},"counts":{},"cart":[],"last_purchase":null,)"
      R"("spend":{},"session":null,"affinity":{},"windows":{"1h":{},"24h":{},"7d":{}},"recent":[]})");
}

BOOST_AUTO_TEST_CASE(windows_session_and_affinity_are_as_of_the_time_asked_for)
{
  const std::string then = view_of(a_small_profile(), {.at = Timestamp{kNoon - kDay}, .items = false, .recent = false});
  BOOST_TEST(then.find(R"("windows":{"1h":{"purchase":1})") != std::string::npos);
  BOOST_TEST(then.find(R"("items":["c"]})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_record_says_what_the_header_shows)
{
  Profile profile = a_small_profile();
  profile.forgotten = Place{{5}, EventId("f")};
  profile.consent = Consent{true, {Timestamp{6}, EventId("w")}};
  profile.aliases = {{CustomerId("anon-1"), {Timestamp{7}, EventId("i")}}};
  const std::string record = record_of(profile);
  const std::string tail = record.substr(record.find(R"(,"recent":)"));
  BOOST_TEST(tail ==
             R"(,"recent":[{"currency":"EUR","customer":"c1","id":"buy","items":[{"item":"c","price":"0.5","quantity":2}],)"
             R"("order":"o1","time":1699963200000,"type":"purchase"},)"
             R"({"currency":"EUR","customer":"c1","id":"add","item":"b","price":"19.9","time":1700049600000,"type":"cart_add"},)"
             R"({"customer":"c1","id":"new","item":"b","time":1700049600001,"type":"view"}],)"
             R"("summary":{"tiles":[{"granularity":"month","start":1696118400000,"counts":{"view":1},"spend":{},)"
             R"("items":{"a":{"view":1}},"other_items":{},"categories":{"shoes":{"view":1}},"other_categories":{}}],)"
             R"("newest_order":null,"last_purchases":{},"folded":[[1696593600000,"0f3ca07a8cc8bf40"]],"first_time":1696593600000},)"
             R"("aliases":[{"alias":"anon-1","time":7,"id":"i"}],"moved_to":null,"forgotten":{"time":5,"id":"f"},)"
             R"("consent":{"granted":true,"time":6,"id":"w"},"version_base":0})");
}

BOOST_AUTO_TEST_CASE(a_record_read_back_is_the_same_profile)
{
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    StreamKnobs knobs;
    knobs.events = 900;
    knobs.odd = true;
    Profile profile = profile_of(a_stream(seed, knobs));
    profile.customer = CustomerId("odd \"customer\"\n");
    if (seed % 2 == 0) {
      profile.aliases = {{CustomerId("anon-1"), {Timestamp{-5}, EventId("a")}}};
      profile.moved_to = AliasClaim{CustomerId("c2"), {Timestamp{kNoon}, EventId("m")}};
      profile.forgotten = Place{kMinTime, EventId("f")};
      profile.consent = Consent{seed % 4 == 0, {Timestamp{kNoon}, EventId("w")}};
      profile.version_base = ~std::uint64_t{0} - seed;
    }
    const auto read = parse_profile_record(record_of(profile));
    BOOST_TEST_REQUIRE(read.ok(), (read ? std::string() : read.error().text()));
    BOOST_TEST((*read == profile));
    const auto decoded = decode_profile(read->customer, bytes_of(*read));
    BOOST_TEST(record_of(*decoded) == record_of(profile));
  }
}

// 2,000 lines are within an event's 64 KiB as Protobuf, and their JSON is not.
BOOST_AUTO_TEST_CASE(a_record_may_hold_events_longer_than_the_json_of_an_event_may_be)
{
  Event order = a_purchase("p", kNoon, {});
  for (std::size_t i = 0; i < kMaxLines; ++i) order.items.push_back(a_line(named("an item with a name ", i), 1, "1.5"));
  const Profile profile = profile_of({order, an_event(EventType::search, "s", kNoon, "")});
  BOOST_TEST((*parse_profile_record(record_of(profile)) == profile));
}

BOOST_AUTO_TEST_CASE(what_is_no_record_is_refused_by_field)
{
  const std::string good = record_of(a_small_profile());
  BOOST_TEST(refusal(good) == "");
  BOOST_TEST(refusal("") != "");
  BOOST_TEST(refusal("[]") == "not a JSON object");
  BOOST_TEST(refusal("{}") == "customer: missing");
  BOOST_TEST(refusal(view_of(a_small_profile())) == "recent: missing");
  BOOST_TEST(refusal(replaced(good, R"("version_base":0)", R"("version_base":-1)")) == "version_base: not a whole number");
  BOOST_TEST(refusal(replaced(good, R"("version_base":0)", R"("version_base":0,"extra":1)")) == "extra: unknown key");
  BOOST_TEST(refusal(replaced(good, R"("granularity":"month")", R"("granularity":"week")")) ==
             "summary.tiles[0].granularity: not hour, day or month");
  BOOST_TEST(refusal(replaced(good, R"("start":1696118400000)", R"("start":1696118400001)")) == "its lists contradict each other");
  BOOST_TEST(refusal(replaced(good, R"("0f3ca07a8cc8bf40")", R"("4cb4")")) == "summary.folded[0][1]: not 16 hex digits");
  BOOST_TEST(refusal(replaced(good, R"("type":"cart_add")", R"("type":"forget")")) == "recent[1].type: not a type that is kept");
  BOOST_TEST(refusal(replaced(good, R"("type":"cart_add")", R"("type":"nothing")")).starts_with("recent[1].type: "));
  BOOST_TEST(refusal(replaced(good, R"("customer":"c1","id":"add")", R"("customer":"c2","id":"add")")) ==
             "recent[1].customer: not the profile's");
  BOOST_TEST(refusal(replaced(good, R"("price":"0.5","quantity":2)", R"("price":"x","quantity":2)")) ==
             "recent[0].items[0].price: not a decimal");
  BOOST_TEST(refusal(replaced(good, R"("floors":{"other")", R"("floors":{"others")")) == "floors.others: unknown list");
  BOOST_TEST(refusal(replaced(good, R"("id":"old"})", R"("id":""})")).starts_with("floors.other.id: "));
  BOOST_TEST(refusal(replaced(good, R"("consent":null)", R"("consent":{"time":1,"id":"a"})")) ==
             "consent.granted: not true or false");
  BOOST_TEST(refusal(replaced(good, R"("forgotten":null)", R"("forgotten":{"id":"a"})")) == "forgotten.time: missing");
  BOOST_TEST(refusal(replaced(good, R"("counts":{"view":1},"spend":{})", R"("counts":{"view":1},"spend":{"EUR":"1e3"})")) ==
             "summary.tiles[0].spend.EUR: not a decimal");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
