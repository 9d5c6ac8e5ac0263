#include "service/resume_file.h"

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "support/scratch.h"

using namespace attune;
using attune::testing::Scratch;

BOOST_AUTO_TEST_SUITE(resume_file)

BOOST_AUTO_TEST_CASE(the_next_run_knows_what_was_done)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/done";
  {
    const auto first = ResumeFile::open(path).value();
    BOOST_TEST(!first->contains("a"));
    BOOST_TEST(first->add("a").ok());
    BOOST_TEST(first->add("b c").ok());
  }
  const auto next = ResumeFile::open(path).value();
  BOOST_TEST(next->contains("a"));
  BOOST_TEST(next->contains("b c"));
  BOOST_TEST(!next->contains("b"));
}

BOOST_AUTO_TEST_CASE(a_torn_last_line_is_no_piece_and_is_cut_off)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/done";
  std::ofstream(path) << "a\nbob";
  {
    const auto file = ResumeFile::open(path).value();
    BOOST_TEST(file->contains("a"));
    BOOST_TEST(!file->contains("bob"));
    BOOST_TEST(file->add("c").ok());
  }
  const auto next = ResumeFile::open(path).value();
  BOOST_TEST(next->contains("c"));
  BOOST_TEST(!next->contains("bobc"));
}

BOOST_AUTO_TEST_CASE(when_all_is_done_the_file_goes)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/done";
  {
    const auto file = ResumeFile::open(path).value();
    BOOST_TEST(file->add("a").ok());
    BOOST_TEST(file->remove().ok());
  }
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(two_runs_do_not_share_one)
{
  const Scratch scratch;
  const auto path = scratch.path() + "/done";
  const auto one = ResumeFile::open(path).value();
  const auto other = ResumeFile::open(path);
  BOOST_REQUIRE(!other);
  BOOST_TEST((other.error().code == Code::busy));
  BOOST_TEST((ResumeFile::open(scratch.path() + "/no/done").error().code == Code::io));
}

BOOST_AUTO_TEST_SUITE_END()
