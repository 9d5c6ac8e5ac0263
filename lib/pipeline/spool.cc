// One queue, two hands. All that is appended stands in `waiting_`, in order, until somebody has told what became of it. The carrier alone
// appends to the log, whether from the queue or from the spool, so that the log sees one order and nobody else ever waits for it.
// The keeper alone appends to the spool and has an eye on the clock.
//
//   straight   the carrier hands over what comes
//   spooling   the keeper writes what waits and comes; the carrier brings what is synced
//   returning  little is left in the spool: what comes waits in memory until that is brought, then straight. (Without it a spool under
//              load would never be empty: something is always on its way through the disk.)
#include "pipeline/spool.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kRun = 256; // records taken from the queue at a time
constexpr std::size_t kBlock = 1000; // records brought between two positions; so many are few
constexpr std::uint64_t kLineBytes = 200; // of a record in the spool, beside its own
constexpr std::uint64_t kMeasures = 16; // how often the spool is measured while it fills
constexpr Milliseconds kJoinLimit{10'000};
constexpr Milliseconds kLookAgain{10}; // at what is synced and not to be seen yet

constexpr std::string_view kTopicHeader = "attune-topic";
constexpr std::string_view kPartitionHeader = "attune-partition";

std::uint64_t bytes_of(const OutgoingRecord& record)
{
  std::uint64_t bytes = record.topic.size() + record.key.value_or("").size() + record.value.value_or("").size();
  for (const auto& header : record.headers) bytes += header.name.size() + header.value.value_or("").size();
  return bytes;
}

// A record that owns its bytes, and what is known of it. Never moved, for the views.
struct Waiting {
  Waiting(const OutgoingRecord& of, LogWriter::Delivered say) : record(of), delivered(std::move(say))
  {
    bytes.reserve(bytes_of(of));
    record.topic = kept(of.topic);
    if (of.key) record.key = kept(*of.key);
    if (of.value) record.value = kept(*of.value);
    headers.reserve(of.headers.size());
    for (const auto& header : of.headers)
      headers.push_back({kept(header.name), header.value ? std::optional(kept(*header.value)) : std::nullopt});
    record.headers = headers;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  [[nodiscard]] std::uint64_t size() const { return bytes.size() + kLineBytes; }

  OutgoingRecord record;
  std::string bytes;
  std::vector<Header> headers;
  LogWriter::Delivered delivered;
  bool handed = false; // the log's writer has it
  bool told = false;

 private:
  std::string_view kept(std::string_view text)
  {
    const auto begin = bytes.size();
    bytes += text; // reserved: views stay
    return {bytes.data() + begin, text.size()};
  }
};
using WaitingPtr = std::shared_ptr<Waiting>;

// Of one try to bring a block: what the log has not answered yet.
struct Flight {
  std::size_t out = 0;
  std::optional<std::size_t> failed; // the first that must be brought again
  Error why;
};

// Whether the log's writer is at its end, rather than away or at odds with one record.
bool for_good(const Error& error)
{
  return !worth_retry(error) && error.code != Code::usage && error.code != Code::bad_data;
}

// How a record stands in the spool: its key, value and time as they are, two headers before its own.
class Spooled {
 public:
  Spooled(const OutgoingRecord& record, const TopicPartition& at) : record_(record), partition_(std::to_string(record.partition))
  {
    headers_.reserve(record.headers.size() + 2);
    headers_.push_back({kTopicHeader, record.topic});
    headers_.push_back({kPartitionHeader, std::string_view(partition_)});
    headers_.insert(headers_.end(), record.headers.begin(), record.headers.end());
    record_.topic = at.topic;
    record_.partition = at.partition;
    record_.headers = headers_;
  }
  Spooled(const Spooled&) = delete;
  Spooled& operator=(const Spooled&) = delete;

  [[nodiscard]] const OutgoingRecord& record() const { return record_; }

  // The way back. Views into `record`.
  static Result<OutgoingRecord> original(const Record& record)
  {
    OutgoingRecord out;
    const auto& headers = record.headers;
    if (headers.size() < 2 || headers[0].name != kTopicHeader || !headers[0].value || headers[1].name != kPartitionHeader ||
        !headers[1].value || !number(*headers[1].value, out.partition))
      return Error{Code::io, "offset " + std::to_string(record.offset) + ": not a record of a spool"};
    out.topic = *headers[0].value;
    out.key = record.key;
    out.value = record.value;
    out.headers = std::span(headers).subspan(2);
    out.timestamp = record.timestamp;
    return out;
  }

 private:
  static bool number(std::string_view text, std::int32_t& out)
  {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    return read.ec == std::errc() && read.ptr == text.data() + text.size();
  }

  OutgoingRecord record_;
  std::string partition_;
  std::vector<Header> headers_;
};

class TwoHandedSpool final : public Spool, private GroupListener {
 public:
  TwoHandedSpool(SpoolParts parts, SpoolOptions options) : parts_(std::move(parts)), options_(std::move(options))
  {
    // What is taken while the log answers must fit when it does not any more.
    options_.most_waiting_bytes = std::min(options_.most_waiting_bytes, options_.most_bytes / 2);
  }
  ~TwoHandedSpool() override;

  Status begin();

  Status append(const OutgoingRecord& record, Delivered delivered) override;
  Status flush(Milliseconds limit) override;
  [[nodiscard]] std::uint64_t undelivered() const override;
  [[nodiscard]] bool delivery_failed() const override;
  [[nodiscard]] bool spooling() const override;
  [[nodiscard]] std::uint64_t waiting() const override;

 private:
  enum class Way { straight, spooling, returning };

  void assigned(const std::vector<TopicPartition>&) override { assigned_ = true; }
  void revoked(const std::vector<TopicPartition>&, bool) override { assigned_ = false; }

  // What becomes of a record. Whoever comes second is not heard.
  void log_says(const WaitingPtr& waiting, const Result<Placed>& result);
  void spool_says(const WaitingPtr& waiting, const Result<Placed>& result);
  void tell(const WaitingPtr& waiting, const Result<Placed>& result);
  void landed(const std::shared_ptr<Flight>& flight, std::size_t index, const Result<Placed>& result);

  // REQUIRES of all below with a lock: it is held, and is held again when they return.
  using Lock = std::unique_lock<std::mutex>;
  void go_to_disk(const std::string& why);
  void go_straight();
  [[nodiscard]] bool has_room(std::uint64_t size) const;
  [[nodiscard]] Error full() const;

  void carry();
  void hand_over(Lock& lock);
  void bring(Lock& lock);
  [[nodiscard]] bool bring_block(Lock& lock, const std::vector<Record>& records);
  void brought(Lock& lock, const std::vector<Record>& records);
  void could_not_bring(Lock& lock, const Error& error);

  void keep();
  [[nodiscard]] bool write_some(Lock& lock);
  void measure(Lock& lock);
  void give_up(Lock& lock);
  void speak(Lock& lock);

  SpoolParts parts_;
  SpoolOptions options_;
  bool assigned_ = false; // while it begins

  std::mutex
      telling_; // held while one `delivered` is called, taken before mutex_; so they come in order, and a flush sees them end
  mutable std::mutex mutex_; // all below
  std::condition_variable carrier_wakes_, keeper_wakes_, settled_;
  bool stop_ = false;
  Way way_ = Way::straight;
  std::optional<Error> ended_; // the spool can not be written
  std::optional<Error> refused_; // bringing fails for good
  std::optional<Error> first_failure_; // since the last flush
  std::vector<std::string> news_;
  std::string last_trouble_; // said already

  // Records are numbered as they come. Those before first_ are told.
  std::deque<WaitingPtr> waiting_;
  std::uint64_t first_ = 0, next_ = 0;
  std::uint64_t to_hand_ = 0; // going straight: the next for the log
  std::uint64_t to_write_ = 0; // else: the next for the spool
  std::uint64_t untold_ = 0, untold_bytes_ = 0;
  std::uint64_t failed_ = 0; // ever
  std::uint64_t sleepers_ = 0; // on settled_
  Steady::time_point progress_; // when the log last delivered, or had nothing to deliver
  bool answers_ = false; // the log has delivered something since it was away

  std::int64_t position_ = 0, end_ = 0; // of the spool: the next to bring; the end of what is synced
  std::uint64_t brought_ = 0; // since it was away
  std::uint64_t writing_ = 0; // records given to the spool's writer, not synced
  std::uint64_t bytes_ = 0; // on disk, as measured and since then estimated
  std::uint64_t unmeasured_ = 0;
  bool measure_ = false; // it is time to

  std::thread carrier_, keeper_;
};

Status TwoHandedSpool::begin()
{
  if (auto joined = parts_.reader->join({parts_.at.topic}, *this); !joined) return joined;
  const auto deadline = Steady::now() + kJoinLimit;
  while (!assigned_) {
    if (auto waited = parts_.reader->wait(Milliseconds(100)); !waited) return waited;
    if (!assigned_ && Steady::now() > deadline) return Error{Code::busy, parts_.name + ": somebody else reads it"};
  }
  auto ends = parts_.reader->ends(parts_.at);
  if (!ends) return ends.error();
  auto stored = parts_.reader->stored(parts_.at);
  if (!stored) return stored.error();
  // What is gone was brought, even where its position could not be stored. A position behind the end is of another spool.
  position_ = *stored && (*stored)->offset <= ends->end ? std::max((*stored)->offset, ends->begin) : ends->begin;
  end_ = ends->end;
  if (auto sought = parts_.reader->seek(parts_.at, position_); !sought) return sought;
  const auto bytes = parts_.bytes();
  if (!bytes) return bytes.error();
  bytes_ = *bytes;
  if (position_ < end_) {
    way_ = Way::spooling;
    news_.push_back(parts_.name + ": holds " + std::to_string(end_ - position_) + " records from before; they go to the log first");
  }
  carrier_ = std::thread([this] { carry(); });
  keeper_ = std::thread([this] { keep(); });
  return {};
}

TwoHandedSpool::~TwoHandedSpool()
{
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    carrier_wakes_.notify_all();
    keeper_wakes_.notify_all();
  }
  if (carrier_.joinable()) carrier_.join();
  if (keeper_.joinable()) keeper_.join();
  // The spool first: what its writer has is durable in a moment, and then need not be told of as lost.
  parts_.spool.reset();
  parts_.log.reset();
  const auto left = waiting_;
  for (const auto& waiting : left) tell(waiting, Error{Code::stopped, parts_.name + ": closed before a record was delivered"});
  [[maybe_unused]] const auto ignored = parts_.reader->leave(); // its lock goes with the process
}

// --- Callers ------------------------------------------------------------------------------------------------------------

Status TwoHandedSpool::append(const OutgoingRecord& record, Delivered delivered)
{
  const auto bytes = bytes_of(record);
  if (bytes > options_.most_record_bytes)
    return Error{Code::bad_data, std::string(record.topic) + ": a record of " + std::to_string(bytes) + " bytes; " + parts_.name +
                                     " takes " + std::to_string(options_.most_record_bytes)};
  const auto waiting = std::make_shared<Waiting>(record, std::move(delivered));
  Lock lock(mutex_);
  for (;;) {
    if (ended_) return *ended_;
    if (refused_) return *refused_;
    if (way_ != Way::straight && bytes_ + untold_bytes_ + waiting->size() > options_.most_bytes) return full();
    if (has_room(waiting->size())) break;
    if (way_ != Way::spooling) {
      go_to_disk(std::to_string(untold_) + " records wait for the log");
      continue;
    }
    ++sleepers_;
    settled_.wait(lock);
    --sleepers_;
  }
  if (untold_ == 0) progress_ = Steady::now();
  ++untold_;
  untold_bytes_ += waiting->size();
  waiting_.push_back(waiting);
  ++next_;
  if (way_ == Way::straight) carrier_wakes_.notify_one();
  if (way_ == Way::spooling) keeper_wakes_.notify_one();
  return {};
}

bool TwoHandedSpool::has_room(std::uint64_t size) const
{
  return untold_ == 0 || (untold_ < options_.most_waiting_records && untold_bytes_ + size <= options_.most_waiting_bytes);
}

Error TwoHandedSpool::full() const
{
  return {Code::busy, parts_.name + ": full: " + std::to_string(bytes_ + untold_bytes_) + " bytes wait for the log, of at most " +
                          std::to_string(options_.most_bytes)};
}

Status TwoHandedSpool::flush(Milliseconds limit)
{
  std::optional<Error> failure;
  {
    Lock lock(mutex_);
    const auto upto = next_;
    ++sleepers_;
    const bool done = settled_.wait_for(lock, limit, [&] { return first_ >= upto; });
    --sleepers_;
    if (!done)
      return Error{Code::unreachable, parts_.name + ": flush: " + std::to_string(upto - first_) +
                                          " records are neither in the log nor here after " + std::to_string(limit.count()) +
                                          " ms"};
    failure = std::exchange(first_failure_, std::nullopt);
  }
  const std::lock_guard the_last_is_told(telling_);
  return failure ? Status(*failure) : Status();
}

std::uint64_t TwoHandedSpool::undelivered() const
{
  const std::lock_guard lock(mutex_);
  return untold_ + failed_;
}

bool TwoHandedSpool::delivery_failed() const
{
  const std::lock_guard lock(mutex_);
  return first_failure_.has_value();
}

bool TwoHandedSpool::spooling() const
{
  const std::lock_guard lock(mutex_);
  return way_ != Way::straight;
}

std::uint64_t TwoHandedSpool::waiting() const
{
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(end_ - position_);
}

// --- News of records ----------------------------------------------------------------------------------------------------

void TwoHandedSpool::tell(const WaitingPtr& waiting, const Result<Placed>& result)
{
  const std::lock_guard one_at_a_time(telling_);
  {
    const std::lock_guard lock(mutex_);
    if (waiting->told) return;
    waiting->told = true;
    --untold_;
    untold_bytes_ -= waiting->size();
    if (!result.ok()) {
      ++failed_;
      if (!first_failure_) first_failure_ = result.error();
    }
    for (; !waiting_.empty() && waiting_.front()->told; ++first_) waiting_.pop_front();
    if (sleepers_ > 0) settled_.notify_all();
    if (way_ != Way::straight) carrier_wakes_.notify_one();
  }
  if (waiting->delivered) waiting->delivered(result);
}

void TwoHandedSpool::log_says(const WaitingPtr& waiting, const Result<Placed>& result)
{
  {
    const std::lock_guard lock(mutex_);
    if (result.ok()) {
      progress_ = Steady::now();
      answers_ = true;
    } else if (worth_retry(result.error())) {
      waiting->handed = false;
      if (way_ == Way::straight && !waiting->told) go_to_disk(result.error().message);
      return;
    }
  }
  tell(waiting, result);
}

void TwoHandedSpool::spool_says(const WaitingPtr& waiting, const Result<Placed>& result)
{
  {
    const std::lock_guard lock(mutex_);
    --writing_;
    if (result.ok()) {
      bytes_ += waiting->size();
      end_ = std::max(end_, result.value().offset + 1);
    } else if (!ended_) {
      ended_ = result.error();
    }
    if (writing_ == 0) {
      keeper_wakes_.notify_one();
      carrier_wakes_.notify_one();
    }
  }
  tell(waiting, result.ok() ? Result<Placed>(Placed{-1, -1}) : result);
}

void TwoHandedSpool::landed(const std::shared_ptr<Flight>& flight, std::size_t index, const Result<Placed>& result)
{
  const std::lock_guard lock(mutex_);
  --flight->out;
  if (result.ok()) {
    progress_ = Steady::now();
  } else if (!flight->failed || index < *flight->failed) {
    flight->failed = index;
    flight->why = result.error();
  }
  if (flight->out == 0) carrier_wakes_.notify_one();
}

// --- Ways ---------------------------------------------------------------------------------------------------------------

void TwoHandedSpool::go_to_disk(const std::string& why)
{
  if (way_ == Way::spooling || ended_) return;
  if (way_ == Way::straight) {
    to_write_ = first_;
    brought_ = 0;
    news_.push_back(why + ": records go to " + parts_.name);
  }
  way_ = Way::spooling;
  answers_ = false;
  keeper_wakes_.notify_one();
  carrier_wakes_.notify_one();
}

void TwoHandedSpool::go_straight()
{
  way_ = Way::straight;
  to_hand_ = std::max(to_write_, first_);
  progress_ = Steady::now();
  last_trouble_.clear();
  news_.push_back("the log is back: " + std::to_string(brought_) + " records of " + parts_.name + " were brought to it");
  brought_ = 0;
  keeper_wakes_.notify_one();
}

// --- The carrier --------------------------------------------------------------------------------------------------------

void TwoHandedSpool::carry()
{
  Lock lock(mutex_);
  while (!stop_) way_ == Way::straight ? hand_over(lock) : bring(lock);
}

void TwoHandedSpool::hand_over(Lock& lock)
{
  std::vector<WaitingPtr> run;
  for (to_hand_ = std::max(to_hand_, first_); to_hand_ < next_ && run.size() < kRun; ++to_hand_) {
    const auto& waiting = waiting_[to_hand_ - first_];
    if (waiting->told || waiting->handed) continue;
    waiting->handed = true;
    run.push_back(waiting);
  }
  if (run.empty()) {
    carrier_wakes_.wait(lock);
    return;
  }
  lock.unlock();
  for (std::size_t i = 0; i < run.size(); ++i) {
    const auto& waiting = run[i];
    const auto taken = parts_.log->append(waiting->record, [this, waiting](const auto& result) { log_says(waiting, result); });
    if (taken) continue;
    if (!worth_retry(taken.error())) {
      tell(waiting, taken.error());
      continue;
    }
    // Those behind it must not overtake it.
    lock.lock();
    for (; i < run.size(); ++i) run[i]->handed = false;
    go_to_disk(taken.error().message);
    return;
  }
  lock.lock();
}

void TwoHandedSpool::bring(Lock& lock)
{
  if (position_ == end_) {
    if (writing_ == 0 && !ended_ && (answers_ || untold_ == 0))
      go_straight();
    else
      carrier_wakes_.wait(lock);
    return;
  }
  lock.unlock();
  auto block = parts_.reader->read(parts_.at, kBlock);
  lock.lock();
  if (!block)
    could_not_bring(lock, block.error());
  else if (!*block)
    carrier_wakes_.wait_for(lock, kLookAgain);
  else if (bring_block(lock, (*block)->records))
    brought(lock, (*block)->records);
}

// False: it is time to stop.
bool TwoHandedSpool::bring_block(Lock& lock, const std::vector<Record>& records)
{
  for (std::size_t next = 0; next < records.size() && !stop_;) {
    const auto flight = std::make_shared<Flight>();
    Status taken;
    for (; next < records.size(); ++next) {
      ++flight->out;
      lock.unlock();
      const auto original = Spooled::original(records[next]);
      taken = original ? parts_.log->append(*original, [this, flight, next](const auto& result) { landed(flight, next, result); })
                       : Status(Error{original.error().code, parts_.name + ": " + original.error().message});
      lock.lock();
      if (!taken) {
        --flight->out;
        break;
      }
    }
    carrier_wakes_.wait(lock, [&] { return stop_ || flight->out == 0; });
    if (flight->out == 0 && flight->failed) {
      next = *flight->failed;
      taken = flight->why;
    }
    if (!taken && !stop_) could_not_bring(lock, taken.error());
  }
  return !stop_;
}

void TwoHandedSpool::brought(Lock& lock, const std::vector<Record>& records)
{
  position_ = records.back().offset + 1;
  brought_ += records.size();
  progress_ = Steady::now();
  answers_ = true;
  refused_.reset();
  const auto position = position_;
  if (way_ == Way::spooling && !ended_ && static_cast<std::uint64_t>(end_ - position_) + writing_ <= kBlock) way_ = Way::returning;
  lock.unlock();
  // Neither is needed to go on: what is not noted is brought again by the next Spool, what is not removed now is removed the next time.
  const auto stored = parts_.reader->store({{parts_.at, {position, {}}}});
  const auto trimmed = parts_.trim(position);
  lock.lock();
  for (const auto* status : {&stored, &trimmed})
    if (!*status && std::exchange(last_trouble_, status->error().message) != status->error().message)
      news_.push_back(last_trouble_);
  measure_ = true;
  keeper_wakes_.notify_one();
}

void TwoHandedSpool::could_not_bring(Lock& lock, const Error& error)
{
  if (for_good(error)) refused_ = error;
  go_to_disk(error.message);
  answers_ = false;
  if (std::exchange(last_trouble_, error.message) != error.message) {
    news_.push_back(error.message + ": records wait in " + parts_.name);
    keeper_wakes_.notify_one();
  }
  carrier_wakes_.wait_for(lock, options_.try_every, [&] { return stop_; });
}

// --- The keeper ---------------------------------------------------------------------------------------------------------

void TwoHandedSpool::keep()
{
  Lock lock(mutex_);
  const auto look_every = std::max(options_.patience / 4, Milliseconds(1));
  while (!stop_) {
    speak(lock);
    if (measure_ && writing_ == 0) measure(lock);
    if (ended_) {
      give_up(lock);
    } else if (way_ == Way::spooling) {
      if (write_some(lock)) continue;
    } else if (untold_ > 0 && Steady::now() - progress_ >= options_.patience) {
      go_to_disk("the log has delivered nothing for " + std::to_string(options_.patience.count()) + " ms");
      continue;
    }
    if (news_.empty() && !stop_) keeper_wakes_.wait_for(lock, look_every);
  }
  speak(lock);
}

// Whether there was anything to write. What was taken once is written, whatever its size turns out to be there: append() is the bound.
bool TwoHandedSpool::write_some(Lock& lock)
{
  if (measure_) return writing_ == 0; // first, once all is synced
  std::vector<WaitingPtr> run;
  for (to_write_ = std::max(to_write_, first_); to_write_ < next_ && run.size() < kRun; ++to_write_) {
    const auto& waiting = waiting_[to_write_ - first_];
    if (waiting->told) continue;
    run.push_back(waiting);
    ++writing_;
    unmeasured_ += waiting->size();
  }
  measure_ |= unmeasured_ > options_.most_bytes / kMeasures;
  if (run.empty()) return false;
  lock.unlock();
  for (const auto& waiting : run) {
    const Spooled spooled(waiting->record, parts_.at);
    const auto taken = parts_.spool->append(spooled.record(), [this, waiting](const auto& result) { spool_says(waiting, result); });
    if (!taken) spool_says(waiting, taken.error());
  }
  lock.lock();
  return true;
}

void TwoHandedSpool::measure(Lock& lock)
{
  measure_ = false;
  unmeasured_ = 0;
  lock.unlock();
  const auto bytes = parts_.bytes();
  lock.lock();
  if (bytes)
    bytes_ = *bytes;
  else if (std::exchange(last_trouble_, bytes.error().message) != bytes.error().message)
    news_.push_back(last_trouble_);
}

// The spool's writer is at its end: so is what still waits for it.
void TwoHandedSpool::give_up(Lock& lock)
{
  const auto left = waiting_;
  const auto error = *ended_;
  if (std::exchange(last_trouble_, error.message) != error.message) news_.push_back(error.message + ": nothing more is taken");
  lock.unlock();
  for (const auto& waiting : left) tell(waiting, error);
  lock.lock();
}

void TwoHandedSpool::speak(Lock& lock)
{
  const auto news = std::exchange(news_, {});
  if (news.empty() || !options_.say) return;
  lock.unlock();
  for (const auto& line : news) options_.say(line);
  lock.lock();
}

} // namespace

Result<std::unique_ptr<Spool>> Spool::start(SpoolParts parts, SpoolOptions options)
{
  auto spool = std::make_unique<TwoHandedSpool>(std::move(parts), std::move(options));
  if (auto begun = spool->begin(); !begun) return begun.error();
  return std::unique_ptr<Spool>(std::move(spool));
}

} // namespace attune
