#include "core/membership.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace attune;

namespace {

using Names = std::vector<std::string_view>;

} // namespace

BOOST_AUTO_TEST_SUITE(membership)

BOOST_AUTO_TEST_CASE(a_set_of_segments_has_one_number_whatever_their_order)
{
  Memberships memberships;
  const auto number = memberships.intern(Names{"vip", "new"});
  BOOST_TEST(memberships.intern(Names{"new", "vip"}) == number);
  BOOST_TEST(memberships.intern(Names{"new"}) != number);
  BOOST_TEST(memberships.intern({}) == 0U);
  BOOST_TEST((memberships.names(memberships.set(number)) == Names{"vip", "new"}));
  BOOST_TEST(memberships.known(Names{"vip", "new", "never"}) == memberships.set(number));
}

BOOST_AUTO_TEST_CASE(a_segment_beyond_the_most_is_not_known)
{
  Memberships memberships;
  for (std::size_t i = 0; i < kMaxSegments + 3; ++i) {
    const auto name = "s" + std::to_string(i);
    const auto number = memberships.intern(Names{name});
    BOOST_TEST((memberships.set(number) == 0) == (i >= kMaxSegments));
  }
  BOOST_TEST(memberships.segments().size() == kMaxSegments);
}

BOOST_AUTO_TEST_CASE(who_is_in_a_set_beyond_the_most_is_taken_to_be_in_none)
{
  Memberships memberships;
  std::vector<std::string> names;
  for (int i = 0; i < 17; ++i) names.push_back("s" + std::to_string(i));
  std::size_t none = 0;
  for (std::uint32_t set = 0; set < 1U << 17; ++set) {
    Names in;
    for (std::size_t i = 0; i < names.size(); ++i)
      if ((set >> i & 1) != 0) in.emplace_back(names[i]);
    none += memberships.intern(in) == 0 ? 1 : 0;
  }
  BOOST_TEST(memberships.sets().size() == kMaxMemberships + 1);
  BOOST_TEST(none == (1U << 17) - kMaxMemberships);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_is_not_restored)
{
  const auto restores = [](std::initializer_list<std::string_view> segments, std::vector<Memberships::SegmentSet> sets) {
    Vocabulary names;
    for (const auto segment : segments) names.intern(segment);
    return Memberships().restore(std::move(names), std::move(sets));
  };
  BOOST_TEST(restores({"a", "b"}, {0, 3, 1}));
  BOOST_TEST(!restores({"a", "b"}, {}));
  BOOST_TEST(!restores({"a", "b"}, {1}));
  BOOST_TEST(!restores({"a", "b"}, {0, 4}));
  BOOST_TEST(!restores({"a", "b"}, {0, 1, 1}));
}

BOOST_AUTO_TEST_SUITE_END()
