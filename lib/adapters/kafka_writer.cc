#include <condition_variable>
#include <deque>
#include <numeric>
#include <thread>
#include <unordered_map>

#include "adapters/kafka_client.h"

namespace attune {

namespace {

using namespace kafka;

constexpr Milliseconds kNewTopicLimit{3000}; // how long a topic may take from its creation until every broker knows it
constexpr Milliseconds kFlushSlice{5}; // how late a flush notices its own records while others go on appending
constexpr Milliseconds kCloseLimit{2000};

// What comes back with a delivery. Tickets are used again: an allocation a record, made by one thread and freed by another, costs as
// much as handing it to librdkafka. A record without a callback needs none: then the ticket is the number itself, marked by a lowest
// bit that no address has.
struct Ticket {
  LogWriter::Delivered delivered;
  std::uint64_t flight;
};

void* bare_ticket(std::uint64_t flight)
{
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(flight << 1 | 1));
}

bool is_bare(const void* ticket)
{
  return (reinterpret_cast<std::uintptr_t>(ticket) & 1) != 0;
}

std::uint64_t flight_of(const void* ticket)
{
  return is_bare(ticket) ? reinterpret_cast<std::uintptr_t>(ticket) >> 1 : static_cast<const Ticket*>(ticket)->flight;
}

// Null bytes and no bytes are different things to Kafka, so "empty" needs an address.
void* address_of(const std::optional<std::string_view>& bytes)
{
  if (!bytes) return nullptr;
  return const_cast<char*>(bytes->data() != nullptr ? bytes->data() : "");
}

std::size_t size_of(const std::optional<std::string_view>& bytes)
{
  return bytes ? bytes->size() : 0;
}

class KafkaWriter final : public LogWriter {
 public:
  explicit KafkaWriter(std::shared_ptr<Client> client);
  ~KafkaWriter() override;

  Status append(const OutgoingRecord& record, Delivered delivered) override;
  Status flush(Milliseconds limit) override;
  std::uint64_t undelivered() const override;
  bool delivery_failed() const override { return failing_.load(std::memory_order_relaxed); }

 private:
  // The records appended between two flushes. A flush waits for its own flight and those before it, whatever is appended meanwhile.
  struct Flight {
    std::uint64_t number;
    std::uint64_t appended = 0;
    std::uint64_t done = 0;
  };

  struct BytesHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view bytes) const noexcept { return std::hash<std::string_view>{}(bytes); }
  };

  struct Boarded {
    rd_kafka_topic_t* topic;
    void* ticket;
    std::uint64_t flight;
  };

  Result<Boarded> board(std::string_view topic, Delivered& delivered);
  Result<TopicPtr> meet(const std::string& name);
  rd_kafka_resp_err_t produce(rd_kafka_topic_t* topic, const OutgoingRecord& record, void* ticket);
  rd_kafka_resp_err_t produce_with_extras(rd_kafka_topic_t* topic, const OutgoingRecord& record, void* ticket);
  Status wait_for_room();
  void land(std::uint64_t flight, std::uint64_t count);
  bool land_together(const rd_kafka_message_t& first, std::size_t count);
  void let_go();
  std::uint64_t under_way() const;
  void give_back(void* ticket);
  bool landed(std::uint64_t flight);
  Status failure_or(Status otherwise);

  void serve();
  void deliver(rd_kafka_event_t* event);
  Result<Placed> placed(const rd_kafka_message_t& message);

  std::shared_ptr<Client> client_;
  QueuePtr reports_;
  mutable std::mutex mutex_;
  std::condition_variable progress_;
  std::unordered_map<std::string, TopicPtr, BytesHash, std::equal_to<>> topics_;
  std::deque<Flight> flights_{{.number = 0}}; // the last one is boarding
  std::uint64_t landed_ = 0; // records, delivered or failed
  std::uint64_t failed_ = 0; // of them
  std::deque<Ticket> tickets_; // at most as many as the queue holds records
  std::vector<Ticket*> free_;
  std::size_t tickets_out_ = 0;
  std::vector<Ticket*> used_; // of the report being served, by its thread
  std::optional<Error> first_failure_; // since the last flush
  std::atomic<bool> failing_{false}; // there is one
  std::atomic<bool> closing_{false};
  std::thread server_;
};

KafkaWriter::KafkaWriter(std::shared_ptr<Client> client)
    : client_(std::move(client)), reports_(rd_kafka_queue_get_main(client_->handle()))
{
  server_ = std::thread([this] { serve(); });
}

KafkaWriter::~KafkaWriter()
{
  // Purged records are reported like any others, so that nobody waits for a callback that never comes.
  rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(client_->handle(), as_timeout(kCloseLimit));
  closing_.store(true);
  rd_kafka_queue_yield(reports_.get());
  server_.join();
}

Status KafkaWriter::append(const OutgoingRecord& record, Delivered delivered)
{
  const auto boarded = board(record.topic, delivered);
  if (!boarded) return boarded.error();
  const auto [topic, ticket, flight] = *boarded;
  Status refused;
  for (;;) {
    const auto err = produce(topic, record, ticket);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL)
      refused = wait_for_room();
    else
      refused = client_->error(err, std::string(record.topic));
    if (!refused) break;
  }
  std::lock_guard lock(mutex_);
  give_back(ticket);
  land(flight, 1);
  return refused;
}

rd_kafka_resp_err_t KafkaWriter::produce(rd_kafka_topic_t* topic, const OutgoingRecord& record, void* ticket)
{
  if (record.timestamp || !record.headers.empty()) return produce_with_extras(topic, record, ticket);
  const auto produced = rd_kafka_produce(topic, record.partition, RD_KAFKA_MSG_F_COPY, address_of(record.value),
                                         size_of(record.value), address_of(record.key), size_of(record.key), ticket);
  return produced == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
}

rd_kafka_resp_err_t KafkaWriter::produce_with_extras(rd_kafka_topic_t* topic, const OutgoingRecord& record, void* ticket)
{
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& header : record.headers)
      rd_kafka_header_add(headers, header.name.data() != nullptr ? header.name.data() : "",
                          static_cast<ssize_t>(header.name.size()), address_of(header.value),
                          static_cast<ssize_t>(size_of(header.value)));
  }
  const std::int64_t timestamp = record.timestamp ? record.timestamp->ms : 0; // 0: now
  const auto err =
      rd_kafka_producev(client_->handle(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(record.partition),
                        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_VALUE(address_of(record.value), size_of(record.value)),
                        RD_KAFKA_V_KEY(address_of(record.key), size_of(record.key)), RD_KAFKA_V_TIMESTAMP(timestamp),
                        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(ticket), RD_KAFKA_V_END);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR && headers != nullptr) rd_kafka_headers_destroy(headers); // taken over only by success
  return err;
}

// Waits for a good part of the queue to go, since whoever is woken for each batch of a few records does little but wake up.
Status KafkaWriter::wait_for_room()
{
  constexpr std::uint64_t kPart = 8;
  std::unique_lock lock(mutex_);
  const auto enough = landed_ + std::max<std::uint64_t>(1, under_way() / kPart);
  for (auto before = landed_; landed_ < enough; before = landed_)
    if (!progress_.wait_for(lock, client_->limit(), [&] { return landed_ != before; }))
      return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "the queue is full and nothing is delivered");
  return {};
}

// One lock a record: its topic, its flight and its ticket.
Result<KafkaWriter::Boarded> KafkaWriter::board(std::string_view topic, Delivered& delivered)
{
  std::unique_lock lock(mutex_);
  auto known = topics_.find(topic);
  if (known == topics_.end()) {
    lock.unlock();
    auto met = meet(std::string(topic));
    if (!met) return met.error();
    lock.lock();
    known = topics_.try_emplace(std::string(topic), std::move(*met)).first;
  }
  auto& flight = flights_.back();
  ++flight.appended;
  if (!delivered) return Boarded{known->second.get(), bare_ticket(flight.number), flight.number};
  if (free_.empty()) free_.push_back(&tickets_.emplace_back());
  Ticket* ticket = free_.back();
  free_.pop_back();
  ++tickets_out_;
  ticket->delivered = std::move(delivered);
  ticket->flight = flight.number;
  return Boarded{known->second.get(), ticket, flight.number};
}

// REQUIRES: mutex_ is held.
void KafkaWriter::give_back(void* ticket)
{
  if (is_bare(ticket)) return;
  --tickets_out_;
  static_cast<Ticket*>(ticket)->delivered = nullptr;
  free_.push_back(static_cast<Ticket*>(ticket));
}

// REQUIRES: mutex_ is held.
void KafkaWriter::land(std::uint64_t flight, std::uint64_t count)
{
  landed_ += count;
  flights_[flight - flights_.front().number].done += count;
  let_go();
}

// Those that have landed whole, but for the one that is boarding. REQUIRES: mutex_ is held.
void KafkaWriter::let_go()
{
  while (flights_.size() > 1 && flights_.front().done == flights_.front().appended) flights_.pop_front();
}

// REQUIRES: mutex_ is held.
std::uint64_t KafkaWriter::under_way() const
{
  return std::accumulate(flights_.begin(), flights_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Flight& flight) { return sum + flight.appended - flight.done; });
}

std::uint64_t KafkaWriter::undelivered() const
{
  std::lock_guard lock(mutex_);
  return under_way() + failed_;
}

bool KafkaWriter::landed(std::uint64_t flight)
{
  std::lock_guard lock(mutex_);
  return flights_.front().number > flight;
}

Status KafkaWriter::flush(Milliseconds limit)
{
  const auto deadline = SteadyClock::now() + limit;
  std::uint64_t flight = 0;
  {
    std::lock_guard lock(mutex_);
    flight = flights_.back().number;
    flights_.push_back({.number = flight + 1});
    let_go();
  }
  while (!landed(flight)) {
    const auto left = left_until(deadline);
    if (left == Milliseconds(0)) return failure_or(client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "flush"));
    // Sends what lingers. Waits until nothing is in flight at all, which may be never while others append.
    rd_kafka_flush(client_->handle(), as_timeout(std::min(left, kFlushSlice)));
  }
  return failure_or({});
}

// The first failure since the last flush, or what is given.
Status KafkaWriter::failure_or(Status otherwise)
{
  std::lock_guard lock(mutex_);
  failing_.store(false, std::memory_order_relaxed);
  if (auto failure = std::exchange(first_failure_, {})) return *failure;
  return otherwise;
}

// librdkafka would hold the records of a topic that is not there for half a minute before it says so.
Result<TopicPtr> KafkaWriter::meet(const std::string& name)
{
  TopicPtr topic(rd_kafka_topic_new(client_->handle(), name.c_str(), nullptr));
  if (!topic) return client_->error(rd_kafka_last_error(), name);
  const auto known_by = SteadyClock::now() + std::min(kNewTopicLimit, client_->limit());
  auto ready = client_->retry([&](Milliseconds left) -> Status {
    const rd_kafka_metadata_t* metadata = nullptr;
    auto err = rd_kafka_metadata(client_->handle(), 0, topic.get(), &metadata, as_timeout(left));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      err = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
      rd_kafka_metadata_destroy(metadata);
    }
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    auto error = client_->error(err, name);
    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      error = client_->error(Code::usage, name + ": no such topic");
      if (SteadyClock::now() < known_by) error.code = Code::busy;
    }
    return error;
  });
  if (!ready) return ready.error();
  return topic;
}

// The thread of the reports.
void KafkaWriter::serve()
{
  constexpr int kPollMs = 1000;
  while (!closing_.load()) {
    const EventPtr event(rd_kafka_queue_poll(reports_.get(), kPollMs));
    if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) deliver(event.get());
  }
}

// A whole event at once, without a look at each of its records, where that says the same: delivered records of one flight, while nobody
// waits for a callback. Flights board one after the other, so an event that begins in the last one with records is all of it.
bool KafkaWriter::land_together(const rd_kafka_message_t& first, std::size_t count)
{
  if (!is_bare(first._private)) return false;
  const auto flight = flight_of(first._private);
  std::lock_guard lock(mutex_);
  if (tickets_out_ > 0) return false;
  for (auto later = flights_.rbegin(); later->number != flight; ++later)
    if (later->appended > 0) return false;
  land(flight, count);
  return true;
}

void KafkaWriter::deliver(rd_kafka_event_t* event)
{
  const auto count = rd_kafka_event_message_count(event);
  const auto* message = rd_kafka_event_message_next(event);
  if (message == nullptr) return;
  if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR && land_together(*message, count)) {
    progress_.notify_all();
    return;
  }
  // Messages of one event were mostly appended in one flight: a lock for a run of them.
  std::uint64_t flight = 0;
  std::uint64_t run = 0;
  const auto land_run = [&] {
    std::lock_guard lock(mutex_);
    for (auto* ticket : used_) give_back(ticket);
    used_.clear();
    if (run > 0) land(flight, run);
    run = 0;
  };
  for (; message != nullptr; message = rd_kafka_event_message_next(event)) {
    const auto number = flight_of(message->_private);
    if (number != flight) land_run();
    flight = number;
    ++run;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && is_bare(message->_private)) continue;
    const auto result = placed(*message);
    if (is_bare(message->_private)) continue;
    auto* ticket = static_cast<Ticket*>(message->_private);
    ticket->delivered(result);
    used_.push_back(ticket);
  }
  land_run();
  progress_.notify_all();
}

Result<Placed> KafkaWriter::placed(const rd_kafka_message_t& message)
{
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return Placed{message.partition, std::max<std::int64_t>(message.offset, -1)};
  const std::string topic = message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : "a record";
  auto error = code_of(message.err) == Code::stopped
                   ? client_->error(Code::stopped, topic + ": closed before a record was delivered")
                   : client_->error(message.err, topic);
  std::lock_guard lock(mutex_);
  ++failed_;
  if (!first_failure_) first_failure_ = error;
  failing_.store(true, std::memory_order_relaxed);
  return error;
}

} // namespace

Result<std::unique_ptr<LogWriter>> open_kafka_log_writer(const KafkaOptions& options)
{
  Settings settings;
  settings.set("enable.idempotence", "true").set("acks", "all");
  // Not delivered is a statement about for ever, which a timeout could not make; the caller decides how long to wait.
  settings.set("message.timeout.ms", "0");
  settings.set("linger.ms", std::to_string(options.linger.count()));
  settings.set("compression.type", "lz4");
  settings.set("partitioner", "murmur2_random");
  settings.set("queue.buffering.max.messages", "200000").set("queue.buffering.max.kbytes", "65536");
  rd_kafka_conf_set_events(settings.get(), RD_KAFKA_EVENT_DR);
  auto client = Client::open(RD_KAFKA_PRODUCER, std::move(settings), options);
  if (!client) return client.error();
  return std::unique_ptr<LogWriter>(std::make_unique<KafkaWriter>(std::move(*client)));
}

} // namespace attune
