#include "service/signals.h"

#include <poll.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <future>
#include <memory>

#include "unit/service/surroundings.h"

using namespace attune;
using attune::testing::in_child;

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(the_first_signal_asks_for_a_stop)
{
  for (const int number : {SIGINT, SIGTERM}) {
    const auto ended = in_child([number] {
      watch_stop_signals();
      if (stop_requested()) return 1;
      std::raise(number);
      pollfd ready{stop_fd(), POLLIN, 0};
      return stop_requested() && poll(&ready, 1, 0) == 1 ? 0 : 2;
    });
    BOOST_TEST(ended.status == 0);
  }
}

BOOST_AUTO_TEST_CASE(the_second_signal_ends_the_process_by_that_signal)
{
  const auto ended = in_child([] {
    watch_stop_signals();
    std::raise(SIGINT);
    std::raise(SIGTERM);
    return 0;
  });
  BOOST_TEST(ended.signal == SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_stop_from_inside_leaves_both_signals_to_come)
{
  const auto ended = in_child([] {
    watch_stop_signals();
    request_stop();
    std::raise(SIGINT);
    return 0;
  });
  BOOST_TEST(ended.status == 0);
}

BOOST_AUTO_TEST_CASE(an_ignored_interrupt_stays_ignored)
{
  const auto ended = in_child([] {
    std::signal(SIGINT, SIG_IGN);
    watch_stop_signals();
    std::raise(SIGINT);
    return stop_requested() ? 1 : 0;
  });
  BOOST_TEST(ended.status == 0);
}

BOOST_AUTO_TEST_CASE(a_callback_runs_at_the_stop_and_a_removed_one_does_not)
{
  const auto ended = in_child([] {
    watch_stop_signals();
    std::atomic<int> removed_ran{0};
    std::promise<void> first;
    std::promise<void> second;
    const OnStop stays([&] { first.set_value(); });
    {
      const OnStop removed([&] { ++removed_ran; });
    }
    std::raise(SIGTERM);
    first.get_future().wait();
    const OnStop late([&] { second.set_value(); });
    second.get_future().wait();
    return removed_ran.load();
  });
  BOOST_TEST(ended.status == 0);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_registration_waits_for_its_callback)
{
  const auto ended = in_child([] {
    std::promise<void> started;
    std::atomic<bool> finished{false};
    auto registration = std::make_unique<OnStop>([&] {
      started.set_value();
      for (int i = 0; i < 1000; ++i) sched_yield();
      finished = true;
    });
    request_stop();
    started.get_future().wait();
    registration.reset();
    return finished ? 0 : 1;
  });
  BOOST_TEST(ended.status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
