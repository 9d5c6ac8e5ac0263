// Groups of a log that do one thing in another way: GoingAway goes away in the middle.
#pragma once

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/ports.h"

namespace attune::testing {

// Passes everything on to the group under it.
class Forwarding : public LogGroup {
 public:
  explicit Forwarding(std::unique_ptr<LogGroup> under) : under_(std::move(under)) {}
  Result<std::vector<TopicPartition>> partitions(std::span<const std::string> topics) override
  {
    return under_->partitions(topics);
  }
  Result<std::vector<std::string>> topics() override { return under_->topics(); }
  Result<PartitionEnds> ends(const TopicPartition& at) override { return under_->ends(at); }
  Result<std::int64_t> offset_at(const TopicPartition& at, Timestamp time) override { return under_->offset_at(at, time); }
  Status seek(const TopicPartition& at, std::int64_t offset) override { return under_->seek(at, offset); }
  void stop(const TopicPartition& at) override { under_->stop(at); }
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) override { return under_->read(at, max); }
  bool caught_up(const TopicPartition& at) override { return under_->caught_up(at); }
  Status wait(Milliseconds limit) override { return under_->wait(limit); }
  void wake() override { under_->wake(); }
  Status join(const std::vector<std::string>& topics, GroupListener& listener) override { return under_->join(topics, listener); }
  Result<std::optional<StoredPosition>> stored(const TopicPartition& at) override { return under_->stored(at); }
  Status store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override
  {
    return under_->store(positions);
  }
  Status begin_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override
  {
    return under_->begin_store(positions);
  }
  std::optional<Status> stored_outcome(Milliseconds limit) override { return under_->stored_outcome(limit); }
  Status leave() override { return under_->leave(); }

 protected:
  std::unique_ptr<LogGroup> under_;
};

// Once it has given some records nothing comes any more, and waiting says why.
class GoingAway final : public Forwarding {
 public:
  using Forwarding::Forwarding;
  Result<RecordBlockPtr> read(const TopicPartition& at, std::size_t max) override
  {
    if (given_) return RecordBlockPtr();
    auto block = under_->read(at, std::min<std::size_t>(max, 10));
    given_ = block && *block;
    return block;
  }
  bool caught_up(const TopicPartition& at) override { return !given_ && under_->caught_up(at); }
  Status wait(Milliseconds limit) override
  {
    if (!given_) return under_->wait(limit);
    std::this_thread::sleep_for(std::min(limit, Milliseconds(5)));
    return Error{Code::unreachable, "the log: connect: refused"};
  }

 private:
  bool given_ = false;
};

} // namespace attune::testing
