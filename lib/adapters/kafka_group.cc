#include <algorithm>
#include <set>

#include "adapters/kafka_fetcher.h"

namespace attune {

namespace {

using namespace kafka;

// Somebody else may have the partitions by now, and nothing was stored.
bool says_not_ours(rd_kafka_resp_err_t err)
{
  return err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || err == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST ||
         err == RD_KAFKA_RESP_ERR__FENCED;
}

class KafkaGroup final : public Reading<LogGroup> {
 public:
  KafkaGroup(std::shared_ptr<Client> client, FetchMode mode) : client_(std::move(client)), fetcher_(client_, mode)
  {
    client_->set_owner(this);
  }
  ~KafkaGroup() override
  {
    listener_ = nullptr; // may be gone already
    [[maybe_unused]] const auto left = leave();
  }

  Status join(const std::vector<std::string>& topics, GroupListener& listener) override;
  Result<std::optional<StoredPosition>> stored(const TopicPartition& at) override;
  Status store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override;
  Status begin_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override;
  std::optional<Status> stored_outcome(Milliseconds limit) override;
  Status leave() override;

  Status seek(const TopicPartition& at, std::int64_t offset) override;
  Status wait(Milliseconds limit) override;

  static void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t* list, void* opaque)
  {
    static_cast<KafkaGroup*>(static_cast<Client*>(opaque)->owner())->rebalance(err, *list);
  }

 private:
  Fetcher& fetcher() override { return fetcher_; }
  void rebalance(rd_kafka_resp_err_t err, const rd_kafka_topic_partition_list_t& list);
  bool can_be_closed();
  Status may_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) const;
  Status begin_commit(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions, Milliseconds limit);
  Status outcome_of(rd_kafka_event_t* event, const TopicPartition& first) const;
  Error not_ours(const TopicPartition& at) const { return client_->error(Code::stopped, to_string(at) + ": is not ours any more"); }

  // A commit that is under way.
  struct Commit {
    QueuePtr reply;
    TopicPartition first; // of its partitions
    SteadyClock::time_point deadline;
  };

  std::shared_ptr<Client> client_;
  Fetcher fetcher_;
  GroupListener* listener_ = nullptr;
  std::optional<Commit> commit_;
  std::set<TopicPartition> ours_;
  bool joined_ = false;
  bool answered_ = false; // a first rebalance was
  bool left_ = false;
  Status trouble_; // of a rebalance; wait() tells of it
};

Status KafkaGroup::join(const std::vector<std::string>& topics, GroupListener& listener)
{
  ATTUNE_ASSERT(!joined_);
  // subscribe() says nothing of brokers that are not there.
  if (auto reached = client_->probe(client_->limit()); !reached) return reached;
  const ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const auto& topic : topics) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  listener_ = &listener;
  if (const auto err = rd_kafka_subscribe(client_->handle(), list.get()); err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return client_->error(err, "join");
  joined_ = true;
  return {};
}

// Called by librdkafka inside wait() and leave(), on our thread.
void KafkaGroup::rebalance(rd_kafka_resp_err_t err, const rd_kafka_topic_partition_list_t& list)
{
  std::vector<TopicPartition> partitions;
  for (int i = 0; i < list.cnt; ++i) partitions.push_back(at_of(list.elems[i]));
  std::sort(partitions.begin(), partitions.end());

  fetcher_.hold();
  auto answer = Fetcher::Answer::assign;
  if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    ours_.insert(partitions.begin(), partitions.end());
    if (listener_ != nullptr && !partitions.empty()) listener_->assigned(partitions);
  } else {
    answer = Fetcher::Answer::unassign;
    const bool lost = err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(client_->handle()) != 0;
    if (listener_ != nullptr && !partitions.empty()) listener_->revoked(partitions, lost);
    for (const auto& at : partitions) {
      ours_.erase(at);
      fetcher_.stop(at);
    }
  }
  if (auto done = fetcher_.release(answer); !done && trouble_) trouble_ = done;
  answered_ = true;
}

Status KafkaGroup::seek(const TopicPartition& at, std::int64_t offset)
{
  if (!ours_.contains(at)) return not_ours(at);
  return fetcher_.seek(at, offset);
}

Status KafkaGroup::wait(Milliseconds limit)
{
  if (left_) return client_->error(Code::stopped, "the group was left");
  auto waited = fetcher_.wait(limit);
  if (!trouble_) return std::exchange(trouble_, Status());
  return waited;
}

Result<std::optional<StoredPosition>> KafkaGroup::stored(const TopicPartition& at)
{
  return client_->retry([&](Milliseconds left) -> Result<std::optional<StoredPosition>> {
    const auto list = list_of({at});
    const auto& one = list->elems[0];
    auto err = rd_kafka_committed(client_->handle(), list.get(), as_timeout(left));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = one.err;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->error(err, to_string(at) + ": stored position");
    if (one.offset < 0) return std::optional<StoredPosition>();
    return std::optional(StoredPosition{one.offset, std::string(static_cast<const char*>(one.metadata), one.metadata_size)});
  });
}

Status KafkaGroup::may_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) const
{
  // The broker lets any member of a generation commit any partition; whose it is only we know.
  for (const auto& [at, position] : positions)
    if (!ours_.contains(at)) return not_ours(at);
  if (rd_kafka_assignment_lost(client_->handle()) != 0) return not_ours(positions.front().first);
  return {};
}

Status KafkaGroup::store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions)
{
  if (positions.empty()) return {};
  if (auto may = may_store(positions); !may) return may;
  return client_->retry([&](Milliseconds left) {
    if (auto begun = begin_commit(positions, left); !begun) return begun;
    return stored_outcome(left).value_or(Status());
  });
}

Status KafkaGroup::begin_store(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions)
{
  ATTUNE_ASSERT(!positions.empty());
  if (auto may = may_store(positions); !may) return may;
  return begin_commit(positions, client_->limit());
}

Status KafkaGroup::begin_commit(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions, Milliseconds limit)
{
  // With a queue of its own, since librdkafka's synchronous commit waits for as long as the coordinator is away.
  commit_ = Commit{QueuePtr(rd_kafka_queue_new(client_->handle())), positions.front().first, SteadyClock::now() + limit};
  const auto list = list_of_positions(positions);
  const auto err = rd_kafka_commit_queue(client_->handle(), list.get(), commit_->reply.get(), nullptr, nullptr);
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  commit_.reset();
  return client_->error(err, "store positions");
}

std::optional<Status> KafkaGroup::stored_outcome(Milliseconds limit)
{
  if (!commit_) return {};
  const auto left = left_until(commit_->deadline);
  const EventPtr event(rd_kafka_queue_poll(commit_->reply.get(), as_timeout(std::min(limit, left))));
  if (!event && limit < left) return {};
  const auto commit = std::exchange(commit_, {});
  if (!event) return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "store positions");
  return outcome_of(event.get(), commit->first);
}

Status KafkaGroup::outcome_of(rd_kafka_event_t* event, const TopicPartition& first) const
{
  auto err = rd_kafka_event_error(event);
  if (const auto* done = rd_kafka_event_topic_partition_list(event))
    for (int i = 0; i < done->cnt && err == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) err = done->elems[i].err;
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (says_not_ours(err)) return not_ours(first);
  return client_->error(err, "store positions");
}

// librdkafka before 2.3 aborts the process when a member is closed or destroyed after it joined and before its first assignment.
bool KafkaGroup::can_be_closed()
{
  constexpr int kMended = 0x02030000;
  if (answered_ || rd_kafka_version() >= kMended) return true;
  constexpr Milliseconds kSlice{100};
  listener_ = nullptr; // is told nothing of partitions that are given back at once
  const auto deadline = SteadyClock::now() + client_->limit();
  while (!answered_ && left_until(deadline) > Milliseconds(0)) {
    if (auto waited = fetcher_.wait(kSlice); !waited && !worth_retry(waited.error())) break;
  }
  return answered_;
}

Status KafkaGroup::leave()
{
  if (!joined_ || left_) return {};
  left_ = true;
  if (!can_be_closed()) {
    Client::abandon(client_);
    return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "leave");
  }
  // Served here rather than by rd_kafka_consumer_close(), which waits without a limit for a coordinator that is away.
  const QueuePtr queue(rd_kafka_queue_new(client_->handle()));
  const ErrorPtr refused(rd_kafka_consumer_close_queue(client_->handle(), queue.get()));
  if (refused) return client_->error(refused.get(), "leave");
  constexpr Milliseconds kSlice{100};
  const auto deadline = SteadyClock::now() + client_->limit();
  while (rd_kafka_consumer_closed(client_->handle()) == 0) {
    const auto left = left_until(deadline);
    if (left == Milliseconds(0)) return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "leave");
    rd_kafka_queue_poll_callback(queue.get(), as_timeout(std::min(left, kSlice)));
  }
  return std::exchange(trouble_, Status());
}

} // namespace

Result<std::unique_ptr<LogGroup>> open_kafka_log_group(const KafkaOptions& options, std::string_view group)
{
  ATTUNE_ASSERT(!group.empty());
  FetchMode mode;
  auto settings = fetcher_settings(std::string(group), &mode);
  rd_kafka_conf_set_rebalance_cb(settings.get(), KafkaGroup::on_rebalance);
  auto client = Client::open(RD_KAFKA_CONSUMER, std::move(settings), options);
  if (!client) return client.error();
  return std::unique_ptr<LogGroup>(std::make_unique<KafkaGroup>(std::move(*client), mode));
}

} // namespace attune
