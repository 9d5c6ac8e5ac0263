#include "core/shared_bytes.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace attune {

BOOST_AUTO_TEST_SUITE(shared_bytes)

BOOST_AUTO_TEST_CASE(a_part_outlives_the_whole_it_was_cut_from)
{
  std::optional<SharedBytes> whole(std::string_view("one two three"));
  const SharedBytes part(*whole, whole->view().substr(4, 3));
  const SharedBytes of_part(part, part.view().substr(1));
  whole.reset();
  BOOST_TEST(part.view() == "two");
  BOOST_TEST(of_part.view() == "wo");
}

BOOST_AUTO_TEST_CASE(equal_bytes_are_equal_wherever_they_lie)
{
  const SharedBytes whole(std::string_view("two"));
  const SharedBytes other(std::string_view("one two"));
  BOOST_TEST((SharedBytes(other, other.view().substr(4)) == whole));
  BOOST_TEST(!(other == whole));
  BOOST_TEST((SharedBytes(whole, whole.view().substr(3)) == SharedBytes()));
}

BOOST_AUTO_TEST_CASE(assignment_takes_over_and_may_be_to_itself)
{
  SharedBytes a(std::string_view("first"));
  SharedBytes b(std::string_view("second"));
  a = b;
  BOOST_TEST(a.view() == "second");
  const auto& same = a;
  a = same;
  BOOST_TEST(a.view() == "second");
  b = std::move(a);
  BOOST_TEST(b.view() == "second");
  BOOST_TEST(a.view().empty()); // NOLINT: moved from is empty
}

BOOST_AUTO_TEST_CASE(threads_may_own_copies_and_the_last_one_frees)
{
  std::optional<SharedBytes> whole(std::string_view("shared by all"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([mine = *whole] {
      for (int n = 0; n < 1000; ++n) {
        const SharedBytes part(mine, mine.view().substr(0, 6));
        if (part.view() != "shared") std::abort();
      }
    });
  whole.reset();
  for (auto& thread : threads) thread.join();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
