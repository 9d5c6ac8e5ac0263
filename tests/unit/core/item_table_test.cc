#include "core/item_table.h"

#include <boost/test/unit_test.hpp>

using namespace attune;

BOOST_AUTO_TEST_SUITE(item_table)

BOOST_AUTO_TEST_CASE(texts_get_numbers_in_the_order_they_are_met_and_keep_them)
{
  Vocabulary texts;
  BOOST_TEST(texts.find("lamp") == Vocabulary::kNone);
  for (std::uint32_t i = 0; i < 5'000; ++i) BOOST_TEST_REQUIRE(texts.intern("item " + std::to_string(i)) == i);
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    BOOST_TEST_REQUIRE(texts.intern("item " + std::to_string(i)) == i);
    BOOST_TEST_REQUIRE(texts.text(i) == "item " + std::to_string(i));
  }
  BOOST_TEST(texts.size() == 5'000U);
}

BOOST_AUTO_TEST_CASE(a_vocabulary_that_moves_still_knows_its_texts)
{
  Vocabulary texts;
  for (std::uint32_t i = 0; i < 100; ++i) texts.intern(std::to_string(i)); // short: in the strings themselves
  Vocabulary moved = std::move(texts);
  texts = Vocabulary();
  for (std::uint32_t i = 0; i < 100; ++i) BOOST_TEST(moved.find(std::to_string(i)) == i);
}

BOOST_AUTO_TEST_SUITE_END()
