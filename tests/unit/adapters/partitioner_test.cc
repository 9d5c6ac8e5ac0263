#include "adapters/partitioner.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(partitioner)

// The hashes of UtilsTest.testMurmur2 of Apache Kafka; the partition is Utils.toPositive(hash) % partitions.
BOOST_AUTO_TEST_CASE(a_key_has_the_partition_the_java_client_gives_it)
{
  const std::vector<std::pair<std::string, std::int32_t>> hashes{{"21", -973932308},
                                                                 {"foobar", -790332482},
                                                                 {"a-little-bit-long-string", -985981536},
                                                                 {"a-little-bit-longer-string", -1486304829},
                                                                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                                                                 {"abc", 479470107}};
  for (const auto& [key, hash] : hashes)
    for (const std::int32_t partitions : {1, 2, 3, 6, 7, 100, 1000, 0x7fffffff})
      BOOST_TEST(attune::partition_of_key(key, partitions) == (hash & 0x7fffffff) % partitions, key << " of " << partitions);
}

BOOST_AUTO_TEST_CASE(an_empty_key_is_a_key_wherever_it_points)
{
  constexpr std::int32_t kHashOfNothing = 275646681; // Utils.murmur2(new byte[0])
  BOOST_TEST(attune::partition_of_key("", 1000) == kHashOfNothing % 1000);
  BOOST_TEST(attune::partition_of_key({}, 1000) == kHashOfNothing % 1000);
}

BOOST_AUTO_TEST_CASE(every_key_has_a_partition_that_exists_and_keeps_it)
{
  BOOST_TEST(rc::check("in range, the same twice", [](const std::string& key) {
    const auto partitions = *rc::gen::inRange<std::int32_t>(1, 10'000);
    const auto partition = attune::partition_of_key(key, partitions);
    RC_ASSERT(partition >= 0 && partition < partitions);
    RC_ASSERT(partition == attune::partition_of_key(std::string(key), partitions));
  }));
}

BOOST_AUTO_TEST_SUITE_END()
