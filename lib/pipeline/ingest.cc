#include "pipeline/ingest.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "pipeline/event_record.h"
#include "pipeline/profile_writer.h"

namespace attune {

namespace {

// A block some of whose records are with the shards.
struct BlockState {
  RecordBlockPtr block;
  std::size_t submitted = 0; // by the feeder alone, as is the next
  std::size_t reported = 0; // up to here take_positions has told
  std::atomic<std::uint32_t> outstanding{0}; // submitted and not acknowledged
};

struct Task {
  BlockState* state;
  std::uint32_t index;

  [[nodiscard]] const Record& record() const { return state->block->records[index]; }
};

// The customer is the key; without one (a foreign producer) the partition keeps its records together.
std::size_t shard_of(const Record& record, const TopicPartition& from, std::size_t shards)
{
  const auto hash = record.key ? std::hash<std::string_view>{}(*record.key) : static_cast<std::size_t>(from.partition);
  return hash % shards;
}

} // namespace

struct Ingest::Impl {
  // One thread, its queue, its store handle and its profiles.
  class Shard {
   public:
    Shard(Impl& owner, std::unique_ptr<ProfileStore> store)
        : owner_(owner), store_(std::move(store)), writer_(*store_, writer_options(owner)), thread_([this] { run(); })
    {
    }
    ~Shard()
    {
      {
        const std::lock_guard lock(mutex_);
        stop_ = true;
      }
      woken_.notify_all();
      thread_.join();
    }
    void give(std::vector<Task>& tasks)
    {
      {
        const std::lock_guard lock(mutex_);
        queue_.insert(queue_.end(), tasks.begin(), tasks.end());
      }
      woken_.notify_one();
      tasks.clear();
    }
    // REQUIRES: nothing in flight.
    Status begin_anew()
    {
      writer_.forget_what_is_known();
      auto incarnation = store_->incarnation();
      if (!incarnation) return incarnation.error();
      return {};
    }

   private:
    static ProfileWriterOptions writer_options(Impl& owner)
    {
      ProfileWriterOptions options;
      options.cache_bytes = owner.options.cache_bytes / owner.options.workers;
      options.give_up = owner.options.give_up;
      options.keep_trying = [&owner] { return !owner.discarding; };
      options.on_changed = owner.sinks.on_changed;
      return options;
    }

    void run()
    {
      for (;;) {
        {
          std::unique_lock lock(mutex_);
          woken_.wait(lock, [this] { return stop_ || !queue_.empty(); });
          if (stop_) return;
          const auto n = std::min(queue_.size(), owner_.options.batch_records);
          batch_.assign(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
          queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
        }
        Status done;
        if (!owner_.discarding) done = work();
        const bool acknowledged = !owner_.discarding && done;
        if (!done && done.error().code != Code::stopped) owner_.fail(done.error());
        if (acknowledged && owner_.sinks.on_applied) owner_.sinks.on_applied(batch_.front().record().timestamp);
        if (acknowledged)
          for (const auto& task : batch_) task.state->outstanding.fetch_sub(1, std::memory_order_release);
        owner_.finished(batch_.size());
      }
    }

    // One batch: parse, apply, sinks. When it returns ok, all of it is acknowledged by the store or handed to a sink.
    Status work()
    {
      if (events_.size() < batch_.size()) events_.resize(batch_.size());
      of_task_.clear();
      pointers_.clear();
      for (std::uint32_t i = 0; i < batch_.size(); ++i) {
        const auto understood = decoder_.decode(batch_[i].state->block->from, batch_[i].record(), events_[pointers_.size()]);
        if (!understood) {
          if (auto put = bury(batch_[i], understood.error()); !put) return put;
          continue;
        }
        pointers_.push_back(&events_[pointers_.size()]);
        of_task_.push_back(i);
      }
      const auto before = writer_.counts();
      const auto applied = writer_.apply(pointers_, verdicts_);
      count(before);
      if (!applied) return applied;
      for (std::size_t i = 0; i < verdicts_.size(); ++i)
        if (auto told = tell(batch_[of_task_[i]], *pointers_[i], verdicts_[i]); !told) return told;
      return {};
    }

    Status bury(const Task& task, const Reject& reject)
    {
      const auto& record = task.record();
      owner_.counts.dead_letters.fetch_add(1, std::memory_order_relaxed);
      return owner_.sinks.dead_letters->put({to_string(task.state->block->from) + "@" + std::to_string(record.offset), reject.field,
                                             reject.reason, record.value.value_or(std::string_view{}), record.timestamp,
                                             letter_format(record)});
    }

    Status tell(const Task& task, const Event& event, const Verdict& verdict)
    {
      auto& counts = owner_.counts;
      if (!verdict.conflict.empty()) {
        const auto colon = verdict.conflict.find(": ");
        return bury(task, {verdict.conflict.substr(0, colon), verdict.conflict.substr(colon + 2)});
      }
      switch (verdict.outcome) {
        case Outcome::accepted:
          counts.accepted.fetch_add(1, std::memory_order_relaxed);
          break;
        case Outcome::repeated:
          counts.repeated.fetch_add(1, std::memory_order_relaxed);
          break;
        case Outcome::refused:
          counts.refused.fetch_add(1, std::memory_order_relaxed);
          break;
        case Outcome::late:
          counts.late.fetch_add(1, std::memory_order_relaxed);
          return owner_.sinks.late->put(event);
      }
      return {};
    }

    void count(const ProfileWriterCounts& before)
    {
      const auto& now = writer_.counts();
      owner_.counts.batches.fetch_add(1, std::memory_order_relaxed);
      owner_.counts.records.fetch_add(batch_.size(), std::memory_order_relaxed);
      owner_.counts.reads.fetch_add(now.reads - before.reads, std::memory_order_relaxed);
      owner_.counts.writes.fetch_add(now.writes - before.writes, std::memory_order_relaxed);
      owner_.counts.lost.fetch_add(now.lost - before.lost, std::memory_order_relaxed);
    }

    Impl& owner_;
    std::unique_ptr<ProfileStore> store_;
    ProfileWriter writer_;
    EventDecoder decoder_;
    std::vector<Task> batch_;
    std::vector<Event> events_; // kept between batches, for their strings' memory
    std::vector<const Event*> pointers_;
    std::vector<std::uint32_t> of_task_;
    std::vector<Verdict> verdicts_;

    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<Task> queue_;
    bool stop_ = false;
    std::thread thread_; // last: it uses all of the above
  };

  IngestOptions options;
  IngestSinks sinks;
  std::function<void()> wake;
  IngestCounts counts;
  std::map<TopicPartition, std::deque<std::unique_ptr<BlockState>>> blocks;
  std::map<TopicPartition, std::int64_t> moved; // since the last take_positions
  std::optional<Error> sinks_failed; // a flush of them; what they were given may be lost
  BlockState* current = nullptr; // of the last record submitted: the next is mostly of the same block
  std::vector<std::vector<Task>> pending; // per shard, submitted and not dispatched
  std::size_t submitted = 0; // by the feeder since the start
  std::atomic<std::size_t> done{0};
  std::atomic<bool> discarding{false}; // a shard failed, or we are being reset or destroyed

  mutable std::mutex mutex;
  std::condition_variable quiet;
  std::optional<Error> failed;

  std::vector<std::unique_ptr<Shard>> shards; // last: their threads use all of the above

  void fail(const Error& error)
  {
    {
      const std::lock_guard lock(mutex);
      if (!failed) failed = error;
    }
    discarding = true;
  }

  void finished(std::size_t tasks)
  {
    {
      const std::lock_guard lock(mutex); // so that wait_idle can not miss it
      done.fetch_add(tasks);
    }
    quiet.notify_all();
    wake();
  }

  [[nodiscard]] std::size_t in_flight() const { return submitted - done.load(); }

  // Notes how far the acknowledged prefixes reach, and lets go of the blocks behind them.
  void advance()
  {
    for (auto& [at, queue] : blocks) {
      while (!queue.empty()) {
        BlockState& front = *queue.front();
        if (front.outstanding.load(std::memory_order_acquire) != 0) break;
        if (front.reported != front.submitted) moved[at] = front.block->records[front.submitted - 1].offset + 1;
        front.reported = front.submitted;
        // Half submitted: the rest comes under the same state.
        if (front.submitted < front.block->records.size()) break;
        if (current == &front) current = nullptr;
        queue.pop_front();
      }
    }
  }
};

Ingest::Ingest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ingest::~Ingest()
{
  impl_->discarding = true;
  impl_->shards.clear();
}

Result<std::unique_ptr<Ingest>> Ingest::start(ProfileStore& store, const IngestOptions& options, const IngestSinks& sinks,
                                              std::function<void()> wake)
{
  ATTUNE_ASSERT(options.workers > 0 && sinks.dead_letters && sinks.late);
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->sinks = sinks;
  impl->wake = std::move(wake);
  impl->pending.resize(options.workers);
  for (std::size_t i = 0; i < options.workers; ++i) {
    auto handle = store.another();
    if (!handle) return handle.error();
    impl->shards.push_back(std::make_unique<Impl::Shard>(*impl, std::move(*handle)));
  }
  return std::unique_ptr<Ingest>(new Ingest(std::move(impl)));
}

bool Ingest::has_room() const
{
  return impl_->in_flight() < impl_->options.in_flight_records;
}

void Ingest::submit(const RecordBlockPtr& block, std::size_t index)
{
  if (!impl_->current || impl_->current->block != block) {
    auto& blocks = impl_->blocks[block->from];
    if (blocks.empty() || blocks.back()->block != block) {
      blocks.push_back(std::make_unique<BlockState>());
      blocks.back()->block = block;
    }
    impl_->current = blocks.back().get();
  }
  BlockState& state = *impl_->current;
  state.submitted = index + 1;
  state.outstanding.fetch_add(1, std::memory_order_relaxed);
  ++impl_->submitted;
  impl_->pending[shard_of(block->records[index], block->from, impl_->shards.size())].push_back(
      {&state, static_cast<std::uint32_t>(index)});
}

void Ingest::dispatch()
{
  impl_->advance();
  for (std::size_t i = 0; i < impl_->shards.size(); ++i)
    if (!impl_->pending[i].empty()) impl_->shards[i]->give(impl_->pending[i]);
}

bool Ingest::idle() const
{
  return impl_->in_flight() == 0;
}

void Ingest::wait_room(Milliseconds limit)
{
  std::unique_lock lock(impl_->mutex);
  impl_->quiet.wait_for(lock, limit, [this] { return has_room() || impl_->failed; });
}

bool Ingest::wait_idle(Milliseconds limit)
{
  std::unique_lock lock(impl_->mutex);
  impl_->quiet.wait_for(lock, limit, [this] { return idle() || impl_->failed; });
  return idle();
}

Result<std::map<TopicPartition, std::int64_t>> Ingest::take_positions()
{
  constexpr Milliseconds kSinkLimit = std::chrono::seconds(60);
  auto& impl = *impl_;
  impl.advance();
  if (impl.moved.empty()) return std::map<TopicPartition, std::int64_t>();
  if (impl.sinks_failed) return *impl.sinks_failed;
  auto flushed = impl.sinks.dead_letters->flush(kSinkLimit);
  if (flushed) flushed = impl.sinks.late->flush(kSinkLimit);
  if (!flushed) {
    impl.sinks_failed = flushed.error();
    return flushed.error();
  }
  return std::exchange(impl.moved, {});
}

std::optional<Error> Ingest::failure() const
{
  const std::lock_guard lock(impl_->mutex);
  return impl_->failed;
}

Status Ingest::reset()
{
  impl_->discarding = true;
  dispatch();
  {
    std::unique_lock lock(impl_->mutex);
    impl_->quiet.wait(lock, [this] { return idle(); });
    impl_->failed.reset();
  }
  impl_->current = nullptr;
  impl_->moved.clear();
  impl_->sinks_failed.reset();
  impl_->blocks.clear();
  for (auto& shard : impl_->shards)
    if (auto begun = shard->begin_anew(); !begun) return begun;
  impl_->discarding = false;
  return {};
}

const IngestCounts& Ingest::counts() const
{
  return impl_->counts;
}

} // namespace attune
