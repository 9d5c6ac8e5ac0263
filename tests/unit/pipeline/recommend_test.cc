#include "pipeline/recommend.h"

#include <boost/test/unit_test.hpp>

#include "adapters/memory_store.h"
#include "support/clicks.h"
#include "support/profile_builders.h"

using namespace attune;
using namespace attune::testing;

namespace {

struct AnsweringFixture {
  Model model = model_of({"lamp desk", "rug bed", "tv"});
  Catalog catalog;
  std::unique_ptr<ProfileStore> store = open_memory_store("", {});
  std::uint8_t dice = 0;
  Answering answering{
      {&model, &catalog, store.get(), Rules(), [this](std::array<std::uint8_t, 16>& bytes) { bytes.fill(++dice); }}};
  Timestamp now{kFirstMinute + 1000 * 60'000};

  void keep(const Profile& profile)
  {
    std::string bytes;
    encode_profile(profile, bytes);
    const ProfileWrite write{&profile.customer, {}, bytes, digest_of(bytes)};
    std::vector<WriteOutcome> outcomes;
    BOOST_TEST_REQUIRE(store->compare_and_set({&write, 1}, outcomes).ok());
  }

  static Profile viewer(std::string_view customer, std::string_view item)
  {
    Profile profile;
    profile.customer = CustomerId(customer);
    const auto event = an_event(EventType::view, "e1", kFirstMinute, std::string(item));
    const Event* pointer = &event;
    Outcome outcome{};
    apply(profile, {&pointer, 1}, {&outcome, 1});
    return profile;
  }

  static RecommendRequest of(std::string_view customer)
  {
    RecommendRequest request;
    request.customer = CustomerId(customer);
    return request;
  }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(recommend_, AnsweringFixture)

BOOST_AUTO_TEST_CASE(the_stored_profile_asks)
{
  keep(viewer("c1", "lamp"));
  const auto answer = answering.answer(of("c1"), now);
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST(answer->items.front().item.text == "desk");
  BOOST_TEST((answer->tier == Tier::fresh));
}

BOOST_AUTO_TEST_CASE(an_alias_is_answered_as_who_it_became)
{
  keep(viewer("c1", "lamp"));
  Profile alias;
  alias.customer = CustomerId("anon-1");
  alias.moved_to = AliasClaim{CustomerId("c1"), {now, EventId("claim")}};
  keep(alias);
  const auto answer = answering.answer(of("anon-1"), now);
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST(answer->items.front().item.text == "desk");
}

BOOST_AUTO_TEST_CASE(pointers_that_form_a_cycle_lead_to_nobody)
{
  for (const auto& [from, to] : {std::pair("a", "b"), std::pair("b", "a")}) {
    Profile pointer;
    pointer.customer = CustomerId(from);
    pointer.moved_to = AliasClaim{CustomerId(to), {now, EventId("claim")}};
    keep(pointer);
  }
  const auto answer = answering.answer(of("a"), now);
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST((answer->tier == Tier::popular));
}

BOOST_AUTO_TEST_CASE(who_is_not_in_the_store_sees_what_is_popular)
{
  const auto answer = answering.answer(of("nobody"), now);
  BOOST_REQUIRE(answer.ok());
  BOOST_TEST((answer->tier == Tier::popular));
  BOOST_TEST(!answer->items.empty());
}

BOOST_AUTO_TEST_CASE(an_id_is_random_unless_a_moment_is_given)
{
  const auto first = answering.answer(of("c1"), now)->recommendation.text;
  BOOST_TEST(first.size() == 32U);
  BOOST_TEST(first != answering.answer(of("c1"), now)->recommendation.text);

  auto request = of("c1");
  request.at = now;
  const auto fixed = answering.answer(request, now)->recommendation.text;
  BOOST_TEST(fixed == answering.answer(request, Timestamp{0})->recommendation.text);
  request.item = ItemId("lamp");
  BOOST_TEST(fixed != answering.answer(request, now)->recommendation.text);
}

BOOST_AUTO_TEST_CASE(an_offer_whose_budget_the_model_says_is_used_up_is_not_shown)
{
  const auto rules = *Rules::parse("[[offer]]\nname = \"strap\"\nitem = \"strap\"\nbudget = { impressions = 1 }\n", "rules.toml");
  const auto first = [&] {
    return answer_with(model, nullptr, of("c1"), catalog, now, rules, [](std::array<std::uint8_t, 16>&) {}).items.front().item.text;
  };
  BOOST_TEST(first() == "strap");
  model.offers["strap"].impressions = 1;
  BOOST_TEST(first() != "strap");
}

BOOST_AUTO_TEST_SUITE_END()
