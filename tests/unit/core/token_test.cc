#include "core/token.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>

#include "core/customer_signature.h"
#include "support/event_generators.h"
#include "support/events.h"

using namespace attune;

namespace {

Event event_of(std::string type, std::string id, std::int64_t time)
{
  Event event;
  event.type = *parse_type(type);
  event.id = EventId(id);
  event.time = Timestamp{time};
  event.customer = CustomerId("ana");
  event.item = ItemId("case");
  return event;
}

Profile profile_of(const std::vector<Event>& events)
{
  Profile profile;
  profile.customer = CustomerId("ana");
  std::vector<const Event*> pointers;
  for (const auto& each : events) pointers.push_back(&each);
  std::vector<Outcome> outcomes(events.size());
  apply(profile, pointers, outcomes);
  return profile;
}

} // namespace

BOOST_AUTO_TEST_SUITE(token)

BOOST_AUTO_TEST_CASE(the_events_of_a_request_are_listed)
{
  Token token;
  token.add(event_of("view", "e1", 1000));
  token.add(event_of("cart_add", "e2", 1001));
  token.add(event_of("click", "e3", 999));
  BOOST_TEST(token.entries().size() == 3U);
}

BOOST_AUTO_TEST_CASE(of_many_the_last_ones_are_listed_and_the_last_of_each_topic_among_them)
{
  Token token;
  token.add(event_of("purchase", "p", 1));
  for (int i = 0; i < 20; ++i) token.add(event_of("view", "e" + std::to_string(i), 1000 + i));
  BOOST_TEST_REQUIRE(token.entries().size() == kMaxTokenEvents);
  BOOST_TEST(token.entries().front().place.id.text == "p");
  BOOST_TEST(token.entries().back().place.id.text == "e19");
  BOOST_TEST(token.text().size() <= kMaxTokenBytes);
}

BOOST_AUTO_TEST_CASE(an_event_that_was_sent_before_does_not_hide_a_new_one_of_its_request)
{
  const auto before = event_of("view", "e1", 1'700'000'000'001);
  const auto fresh = event_of("view", "e2", 1'700'000'000'000);
  Token token;
  token.add(fresh);
  token.add(before);
  const auto profile = profile_of({before});
  BOOST_TEST_REQUIRE(awaited(token, &profile) != nullptr);
  BOOST_TEST(awaited(token, &profile)->place.id.text == "e2");
}

BOOST_AUTO_TEST_CASE(saying_again_who_one_is_is_not_waited_for)
{
  auto profile = profile_of({});
  profile.aliases.push_back({CustomerId("anon"), {Timestamp{1}, EventId("first")}});
  auto again = event_of("identify", "second", 2);
  again.alias = CustomerId("anon");
  Token token;
  token.add(again);
  BOOST_TEST(awaited(token, &profile) == nullptr);
  again.alias = CustomerId("other");
  Token another;
  another.add(again);
  BOOST_TEST(awaited(another, &profile) != nullptr);
}

RC_BOOST_PROP(what_is_written_is_read_back, ())
{
  Token token;
  const auto count = *rc::gen::inRange(1, 5);
  for (int i = 0; i < count; ++i) {
    auto event = event_of(*rc::gen::element<std::string>("view", "cart_add", "purchase", "identify", "x.spin"), "x", 0);
    event.id = EventId(*rc::gen::nonEmpty<std::string>());
    if (event.id.text.size() > kMaxIdBytes) event.id.text.resize(kMaxIdBytes);
    event.time = Timestamp{*rc::gen::inRange<std::int64_t>(kMinTime.ms, kMaxTime.ms)};
    if (event.type == EventType::identify) event.alias = CustomerId("anon-" + std::to_string(i));
    token.add(event);
  }
  const auto read = Token::parse(token.text());
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == token);
}

RC_BOOST_PROP(no_bytes_break_it_and_what_it_takes_is_written_the_same, (const std::string& bytes))
{
  const auto read = Token::parse(bytes);
  if (read) RC_ASSERT(*Token::parse(read->text()) == *read);
}

BOOST_AUTO_TEST_CASE(what_is_no_token_is_refused)
{
  for (const char* text : {"", "AQ", "AQE", "hello", "====", "AgEAAWE", "AQEAAWE="}) BOOST_TEST(!Token::parse(text).ok());
  BOOST_TEST(Token::parse("AQEAAWE").ok()); // a view, 1970, "a"
  BOOST_TEST(!Token::parse(std::string(kMaxTokenBytes + 1, 'A')).ok());
}

BOOST_AUTO_TEST_CASE(an_event_is_awaited_until_the_profile_holds_it)
{
  const auto view = event_of("view", "e1", 1'700'000'000'000);
  const auto add = event_of("cart_add", "e2", 1'700'000'000'001);
  Token token;
  token.add(view);
  token.add(add);
  BOOST_TEST(awaited(token, nullptr) == &token.entries()[0]);
  const auto half = profile_of({view});
  BOOST_TEST(awaited(token, &half) == &token.entries()[1]);
  const auto whole = profile_of({view, add});
  BOOST_TEST(awaited(token, &whole) == nullptr);
}

BOOST_AUTO_TEST_CASE(an_event_that_is_refused_is_not_awaited)
{
  auto profile = profile_of({});
  auto forget_event = event_of("forget", "f", 1'700'000'000'000);
  static_cast<void>(forget(profile, forget_event));
  Token token;
  token.add(event_of("view", "e1", 1'699'999'999'999));
  BOOST_TEST(awaited(token, &profile) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_signature_is_good_for_its_customer_and_key_alone)
{
  const CustomerSignature signature("key");
  // RFC 4231 has no such case; this value is from `printf ana | openssl dgst -sha256 -hmac key`.
  BOOST_TEST(signature.sign(CustomerId("ana")) == "f8d41d7c3a74c86a2a363a2e04a1ae0a46947cbf3eb11e888d2a9f4195e52069");
  BOOST_TEST(signature.verify(CustomerId("ana"), signature.sign(CustomerId("ana"))));
  BOOST_TEST(!signature.verify(CustomerId("bob"), signature.sign(CustomerId("ana"))));
  BOOST_TEST(!CustomerSignature("other").verify(CustomerId("ana"), signature.sign(CustomerId("ana"))));
  BOOST_TEST(!signature.verify(CustomerId("ana"), ""));
}

BOOST_AUTO_TEST_SUITE_END()
