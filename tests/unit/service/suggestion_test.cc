#include "service/suggestion.h"

#include <boost/test/unit_test.hpp>

using namespace attune;

BOOST_AUTO_TEST_SUITE(suggestion_of_words)

BOOST_AUTO_TEST_CASE(the_nearest_word_is_suggested)
{
  const std::vector<std::string> words{"--group", "--log", "--store"};
  BOOST_TEST(suggestion("--grop", words) == " (did you mean --group?)");
  BOOST_TEST(suggestion("--sotre", words) == " (did you mean --store?)");
  BOOST_TEST(suggestion("--lgo", words) == " (did you mean --log?)");
}

BOOST_AUTO_TEST_CASE(a_word_like_none_gets_no_suggestion)
{
  BOOST_TEST(suggestion("--partition", {"--group", "--log"}) == "");
  BOOST_TEST(suggestion("x", {"abc"}) == "");
  BOOST_TEST(suggestion("", {}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
