#include "core/candidates.h"

#include <boost/test/unit_test.hpp>

using namespace attune;

BOOST_AUTO_TEST_SUITE(candidates)

BOOST_AUTO_TEST_CASE(an_item_has_one_row_however_often_it_is_met)
{
  Candidates candidates;
  candidates.begin(10);
  candidates[3][Column::vmis] += 1;
  candidates[7][Column::next] += 2;
  candidates[3][Column::vmis] += 1;
  BOOST_TEST(candidates.rows().size() == 2U);
  BOOST_TEST(candidates.rows()[candidates.place_of(3)][Column::vmis] == 2.0F);
  BOOST_TEST(candidates.holds(7));
  BOOST_TEST(!candidates.holds(4));
}

BOOST_AUTO_TEST_CASE(a_new_answer_begins_with_nothing_whatever_was_there)
{
  Candidates candidates;
  for (std::size_t items = 1; items < 200; items += 13) {
    candidates.begin(items);
    BOOST_TEST(candidates.rows().empty());
    for (ItemNumber item = 0; item < items; ++item) {
      BOOST_TEST(!candidates.holds(item));
      BOOST_TEST(candidates[item][Column::vmis] == 0.0F);
      candidates[item][Column::vmis] = 1;
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
