#include "pipeline/greeting.h"

#include <boost/test/unit_test.hpp>
#include <thread>

#include "adapters/memory_store.h"
#include "support/pipeline_fixture.h"

namespace attune {
namespace {

using namespace testing;

// Its incarnation fails as its reads do.
class AskedStore final : public ProfileStore {
 public:
  explicit AskedStore(std::shared_ptr<std::atomic<bool>> away) : away_(std::move(away)) {}
  Result<std::unique_ptr<ProfileStore>> another() override { return store_->another(); }
  Result<Incarnation> incarnation() override
  {
    if (*away_) return Error{Code::unreachable, "away"};
    return store_->incarnation();
  }
  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    return store_->get(customers, out);
  }
  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    return store_->compare_and_set(writes, out);
  }
  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override { return store_->scan(visit); }
  Result<std::unique_ptr<ProfileStore>> fresh_generation() override { return store_->fresh_generation(); }
  Status publish_generation() override { return store_->publish_generation(); }

 private:
  std::shared_ptr<std::atomic<bool>> away_;
  std::unique_ptr<ProfileStore> store_ = open_memory_store("", {});
};

struct Fixture : PipelineFixture {
  std::shared_ptr<std::atomic<bool>> away = std::make_shared<std::atomic<bool>>(true);
  Breaker breaker{1, std::chrono::milliseconds(1)};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(greeting, Fixture)

BOOST_AUTO_TEST_CASE(a_store_that_is_away_has_not_answered_until_it_has_and_a_rest_ends_when_it_answers)
{
  auto reader = open_file_log_reader(log_options);
  BOOST_TEST_REQUIRE(reader.ok());
  Greeting greeting(std::move(*reader), kTopics, std::make_unique<AskedStore>(away), &breaker);
  BOOST_TEST(!greeting.log_answered());
  std::thread running([&] { greeting.run(); });
  while (!greeting.log_answered()) std::this_thread::yield();
  BOOST_TEST(!greeting.store_answered());
  *away = false;
  while (!greeting.store_answered()) std::this_thread::yield();
  breaker.failed(std::chrono::steady_clock::now());
  while (breaker.open()) std::this_thread::yield();
  greeting.stop();
  running.join();
}

BOOST_AUTO_TEST_CASE(what_there_is_not_need_not_answer)
{
  const Greeting greeting(nullptr, {}, nullptr, nullptr);
  BOOST_TEST(greeting.log_answered());
  BOOST_TEST(greeting.store_answered());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
