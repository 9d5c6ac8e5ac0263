#include "adapters/kafka_fetcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace attune::kafka {

namespace {

// What is fetched ahead, per partition. A queue holds at most this and one fetch more, at about 0.7 kB a record.
constexpr int kQueuedRecords = 10'000;
constexpr int kQueuedKilobytes = 4096;
// librdkafka has one fetch at a time under way to a broker. While that one waits at partitions without news, those whose queues have
// room again wait too: this long at most.
constexpr int kFetchWaitMs = 50;
constexpr std::size_t kMostOfRead = 8192;
constexpr Milliseconds kProdLimit{100};
constexpr Milliseconds kProbeLimit{1000};
constexpr std::uint64_t kOne = 1; // what raises an eventfd; librdkafka keeps the address

// The records of one read(), and the messages their views point into. Holds the client: librdkafka's messages must go before its handle.
class KafkaBlock final : public RecordBlock {
 public:
  KafkaBlock(std::shared_ptr<Client> client, std::size_t most) : client_(std::move(client))
  {
    messages_.reserve(most);
    records.reserve(most);
  }
  ~KafkaBlock() override
  {
    for (auto* message : messages_) rd_kafka_message_destroy(message);
  }

  void add(rd_kafka_message_t* message)
  {
    messages_.push_back(message);
    auto& record = records.emplace_back();
    record.offset = message->offset;
    rd_kafka_timestamp_type_t kind{};
    record.timestamp = Timestamp{rd_kafka_message_timestamp(message, &kind)};
    if (message->key != nullptr) record.key.emplace(static_cast<const char*>(message->key), message->key_len);
    if (message->payload != nullptr) record.value.emplace(static_cast<const char*>(message->payload), message->len);
    add_headers(message, record);
  }

 private:
  static void add_headers(const rd_kafka_message_t* message, Record& record)
  {
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      auto& header = record.headers.emplace_back();
      header.name = name;
      if (value != nullptr) header.value.emplace(static_cast<const char*>(value), size);
    }
  }

  std::shared_ptr<Client> client_;
  std::vector<rd_kafka_message_t*> messages_;
};

} // namespace

Settings fetcher_settings(const std::string& group, FetchMode* mode)
{
  Settings settings;
  // librdkafka's consumer wants a group even where nothing is joined or committed.
  settings.set("group.id", group.empty() ? "attune-reader" : group);
  settings.set("partition.assignment.strategy", "cooperative-sticky");
  settings.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
  settings.set("auto.offset.reset", "error").set("enable.partition.eof", "true");
  settings.set("session.timeout.ms", "10000").set("heartbeat.interval.ms", "1000");
  settings.set("topic.metadata.refresh.interval.ms", "10000");
  settings.set("queued.min.messages", std::to_string(kQueuedRecords));
  settings.set("queued.max.messages.kbytes", std::to_string(kQueuedKilobytes));
  settings.set("fetch.wait.max.ms", std::to_string(kFetchWaitMs));
  mode->member = !group.empty();
  mode->prods_itself = settings.set_if_known("fetch.queue.backoff.ms", "10");
  return settings;
}

// --- EventFd ------------------------------------------------------------------------------------------------------------

EventFd::EventFd() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
  ATTUNE_ASSERT(fd_ >= 0);
}

EventFd::~EventFd()
{
  close(fd_);
}

void EventFd::raise() const
{
  // The only failure is a counter at its limit, which is as raised as can be.
  [[maybe_unused]] const auto written = write(fd_, &kOne, sizeof kOne);
}

void EventFd::watch(rd_kafka_queue_t* queue) const
{
  rd_kafka_queue_io_event_enable(queue, fd_, &kOne, sizeof kOne);
}

void EventFd::unwatch(rd_kafka_queue_t* queue)
{
  rd_kafka_queue_io_event_enable(queue, -1, nullptr, 0);
}

void EventFd::wait(Milliseconds limit) const
{
  pollfd one{fd_, POLLIN, 0};
  if (poll(&one, 1, as_timeout(limit)) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
}

// --- Fetcher ------------------------------------------------------------------------------------------------------------

Fetcher::Fetcher(std::shared_ptr<Client> client, FetchMode mode) : client_(std::move(client)), mode_(mode)
{
  rd_kafka_poll_set_consumer(client_->handle());
  main_.reset(rd_kafka_queue_get_consumer(client_->handle()));
  signal_.watch(main_.get());
}

Fetcher::~Fetcher()
{
  for (auto& [at, part] : parts_) EventFd::unwatch(part.queue.get());
  EventFd::unwatch(main_.get());
}

Result<std::vector<TopicPartition>> Fetcher::partitions(std::span<const std::string> topics)
{
  const auto all = client_->topics(client_->limit());
  if (!all) return all.error();
  std::vector<TopicPartition> found;
  for (const auto& topic : *all)
    if (std::find(topics.begin(), topics.end(), topic.topic) != topics.end())
      for (std::int32_t p = 0; p < topic.partitions; ++p) found.push_back({topic.topic, p});
  return found;
}

Result<std::vector<std::string>> Fetcher::topics()
{
  const auto all = client_->topics(client_->limit());
  if (!all) return all.error();
  std::vector<std::string> names;
  for (const auto& topic : *all) names.push_back(topic.topic);
  return names;
}

Result<PartitionEnds> Fetcher::ends(const TopicPartition& at)
{
  return client_->retry([&](Milliseconds left) -> Result<PartitionEnds> {
    PartitionEnds ends;
    const auto err = rd_kafka_query_watermark_offsets(client_->handle(), at.topic.c_str(), at.partition, &ends.begin, &ends.end,
                                                      as_timeout(left));
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->error(err, to_string(at));
    return ends;
  });
}

Result<std::int64_t> Fetcher::offset_at(const TopicPartition& at, Timestamp time)
{
  auto found = client_->retry([&](Milliseconds left) -> Result<std::int64_t> {
    const auto list = list_of({at});
    auto& one = list->elems[0];
    one.offset = std::max<std::int64_t>(time.ms, 0); // negative ones mean "earliest" and "latest" on the wire
    auto err = rd_kafka_offsets_for_times(client_->handle(), list.get(), as_timeout(left));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) err = one.err;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->error(err, to_string(at));
    return one.offset;
  });
  if (!found || *found >= 0) return found;
  const auto last = ends(at);
  if (!last) return last.error();
  return last->end;
}

Fetcher::Part* Fetcher::part_at(const TopicPartition& at)
{
  const auto found = parts_.find(at);
  return found == parts_.end() ? nullptr : &found->second;
}

Status Fetcher::seek(const TopicPartition& at, std::int64_t offset)
{
  auto* part = part_at(at);
  if (part == nullptr) {
    QueuePtr queue(rd_kafka_queue_get_partition(client_->handle(), at.topic.c_str(), at.partition));
    if (!queue) return client_->error(Code::usage, to_string(at) + ": no such partition");
    part = &parts_[at];
    part->queue = std::move(queue);
    // Before librdkafka starts to fetch, or it would send the records into its main queue.
    rd_kafka_queue_forward(part->queue.get(), nullptr);
    signal_.watch(part->queue.get());
  }
  part->next = std::max<std::int64_t>(offset, 0);
  part->to_start = true;
  part->at_end = part->was_full = false;
  part->unread = true;
  part->failed.reset();
  return held_ ? Status() : apply({});
}

void Fetcher::stop(const TopicPartition& at)
{
  const auto found = parts_.find(at);
  if (found == parts_.end()) return;
  EventFd::unwatch(found->second.queue.get());
  parts_.erase(found);
  if (held_) return;
  // A partition that is not ours any more can not be stopped, and need not be.
  [[maybe_unused]] const auto applied = apply({});
}

Status Fetcher::release(Answer answer)
{
  held_ = false;
  return apply(answer);
}

// Brings what librdkafka fetches in line with what was asked for. A partition that begins anew is taken out and put in again: librdkafka's
// seek works only on one that is being fetched already, and that can not be known.
Status Fetcher::apply(std::optional<Answer> answer)
{
  std::vector<TopicPartition> out;
  for (const auto& at : started_)
    if (const auto* part = part_at(at); part == nullptr || part->to_start) out.push_back(at);
  if (!out.empty() || answer == Answer::unassign) {
    const ErrorPtr error(rd_kafka_incremental_unassign(client_->handle(), list_of(out).get()));
    if (error) return client_->error(error.get(), "unassign");
    for (const auto& at : out) started_.erase(at);
  }

  std::vector<TopicPartition> in;
  for (const auto& [at, part] : parts_)
    if (part.to_start) in.push_back(at);
  if (!in.empty() || answer == Answer::assign) {
    const auto list = list_of(in);
    for (std::size_t i = 0; i < in.size(); ++i) list->elems[i].offset = parts_.at(in[i]).next;
    const ErrorPtr error(rd_kafka_incremental_assign(client_->handle(), list.get()));
    if (error) return client_->error(error.get(), "assign");
    for (const auto& at : in) {
      started_.insert(at);
      parts_.at(at).to_start = false;
    }
  }
  return {};
}

Result<RecordBlockPtr> Fetcher::read(const TopicPartition& at, std::size_t max)
{
  auto* part = part_at(at);
  if (part == nullptr) return client_->error(Code::usage, to_string(at) + ": read before it was sought");
  if (part->failed) return *part->failed;
  if (!mode_.prods_itself) prod(at, *part);

  max = std::min(max, kMostOfRead);
  taken_.resize(max);
  const auto count = rd_kafka_consume_batch_queue(part->queue.get(), 0, taken_.data(), max);
  if (count <= 0) {
    part->unread = false;
    return RecordBlockPtr();
  }
  part->unread = true;
  auto block = std::make_shared<KafkaBlock>(client_, static_cast<std::size_t>(count));
  block->from = at;
  for (auto* message : std::span(taken_.data(), static_cast<std::size_t>(count))) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= part->next) {
      part->next = message->offset + 1;
      part->at_end = false;
      block->add(message);
      continue;
    }
    // The end of the partition, trouble, or a record that came already (2.0.2 fetches some twice after a rebalance).
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      part->next = std::max(part->next, message->offset);
      part->at_end = true;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !part->failed) {
      auto error = failure(at, *part, *message);
      if (!worth_retry(error)) part->failed = std::move(error);
    }
    rd_kafka_message_destroy(message);
  }
  if (!block->records.empty()) return RecordBlockPtr(std::move(block));
  if (part->failed) return *part->failed;
  return RecordBlockPtr();
}

Error Fetcher::failure(const TopicPartition& at, const Part& part, const rd_kafka_message_t& message)
{
  if (code_of(message.err) == Code::gap) return gap(at, part.next);
  return client_->error(message.err, to_string(at));
}

Error Fetcher::gap(const TopicPartition& at, std::int64_t next)
{
  const auto now = ends(at);
  if (!now) return now.error();
  const auto position = " (position " + std::to_string(next) + ", ";
  if (next < now->begin)
    return client_->error(Code::gap, to_string(at) + ": " + std::to_string(now->begin - next) +
                                         " records are gone before they were read" + position + "earliest " +
                                         std::to_string(now->begin) + ")");
  return client_->error(Code::gap, to_string(at) + ": the log lost " + std::to_string(next - now->end) + " records that were read" +
                                       position + "end " + std::to_string(now->end) + ")");
}

// Before 2.2, librdkafka looks only once a second whether queues have room again, if no fetch is under way: when all of them were full.
// Any request to the broker makes it look now.
void Fetcher::prod(const TopicPartition& at, Part& part)
{
  const auto length = rd_kafka_queue_length(part.queue.get());
  if (length >= kQueuedRecords) part.was_full = true;
  if (!part.was_full || length > kQueuedRecords / 2) return;
  for (auto& [other, one] : parts_)
    if (!one.was_full) return;
  for (auto& [other, one] : parts_) one.was_full = false;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  rd_kafka_query_watermark_offsets(client_->handle(), at.topic.c_str(), at.partition, &begin, &end, as_timeout(kProdLimit));
}

bool Fetcher::caught_up(const TopicPartition& at)
{
  const auto* part = part_at(at);
  return part != nullptr && part->at_end && rd_kafka_queue_length(part->queue.get()) == 0;
}

bool Fetcher::take_unread()
{
  bool any = false;
  for (auto& [at, part] : parts_) any = std::exchange(part.unread, false) || any;
  return any;
}

Status Fetcher::wait(Milliseconds limit)
{
  if (auto served = serve(); !served) return served;
  // Events tell of queues that stop being empty; one that was read in part, or was sought, is not told of again.
  if (take_unread()) return {};
  if (client_->suspect()) return look_for_brokers(limit);
  signal_.wait(limit);
  return serve();
}

// After a connection failed nothing would tell that all are gone: waiting would look like idling.
Status Fetcher::look_for_brokers(Milliseconds limit)
{
  if (auto found = client_->probe(std::min(limit, kProbeLimit)); !found) return found;
  return serve();
}

Status Fetcher::serve()
{
  while (auto* message = rd_kafka_consumer_poll(client_->handle(), 0)) {
    const auto err = message->err;
    auto error = client_->error(err, "fetch", rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
    // A topic may yet appear; brokers that went away are looked for by wait(); a member that was too slow is told by its callback.
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED || worth_retry(error))
      continue;
    // Who only reads may lack the right to a group, and needs none.
    if (err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED && !mode_.member) continue;
    return error;
  }
  return {};
}

} // namespace attune::kafka
