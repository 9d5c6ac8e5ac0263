#include "pipeline/consume.h"

#include <algorithm>
#include <thread>

namespace attune {

namespace {

constexpr std::size_t kTakeRecords = 8192;
constexpr Milliseconds kLook = std::chrono::seconds(1); // for new partitions
constexpr Milliseconds kLookAtOthers{100}; // for their last positions
constexpr Milliseconds kPause{100}; // of a log that is away

using std::chrono::steady_clock;

} // namespace

Consumer::Consumer(LogReader& log, RecordOutput& output, ConsumeOptions options)
    : log_(log), output_(output), options_(std::move(options)), merge_(log, options_.merge), patience_(options_.give_up)
{
}

Consumer::Consumer(LogGroup& log, RecordOutput& output, ConsumeOptions options)
    : log_(log),
      group_(&log),
      output_(output),
      options_(std::move(options)),
      merge_(log, options_.merge),
      patience_(options_.give_up)
{
  ATTUNE_ASSERT(options_.partitions.empty());
}

Status Consumer::run()
{
  auto ran = group_ ? begin_group() : begin_alone();
  if (ran) ran = follow();
  // What was put out is out, whatever stopped us; the first failure is the one to tell.
  const auto flushed = output_.flush();
  if (ran) ran = flushed;
  if (group_) {
    const auto left = group_->leave();
    if (ran) ran = left;
  }
  if (ran) ran = trouble_;
  return ran;
}

Result<std::vector<TopicPartition>> Consumer::chosen_partitions()
{
  auto all = log_.partitions(options_.topics);
  if (!all || options_.partitions.empty()) return all;
  std::erase_if(*all, [this](const TopicPartition& at) {
    return std::find(options_.partitions.begin(), options_.partitions.end(), at.partition) == options_.partitions.end();
  });
  return all;
}

// A name mistyped should not wait for ever, and a range of nothing is likely a place mistyped.
Status Consumer::check_topics(const std::vector<TopicPartition>& partitions) const
{
  const auto exists = [&](const std::string& topic) {
    return std::any_of(partitions.begin(), partitions.end(), [&](const TopicPartition& at) { return at.topic == topic; });
  };
  if (options_.all_must_exist)
    for (const auto& topic : options_.topics)
      if (!exists(topic))
        return Error{Code::config, topic + (options_.partitions.empty() ? ": no such topic" : ": no such partition")};
  if (options_.to && partitions.empty()) {
    std::string names;
    for (const auto& topic : options_.topics) names += (names.empty() ? "" : ", ") + topic;
    return Error{Code::config, "none of the topics exists: " + names};
  }
  return {};
}

Status Consumer::begin_alone()
{
  const auto partitions = chosen_partitions();
  if (!partitions) return partitions.error();
  if (auto checked = check_topics(*partitions); !checked) return checked;
  const auto ranges = resolve_log_ranges(log_, *partitions, options_.from.value_or(LogBound{}), options_.to);
  if (!ranges) return ranges.error();
  for (const auto& range : *ranges) {
    if (auto added = add(range); !added) return added;
    if (range.to) ends_[range.at] = range;
  }
  return {};
}

Status Consumer::begin_group()
{
  if (options_.to || options_.all_must_exist) {
    const auto partitions = chosen_partitions();
    if (!partitions) return partitions.error();
    if (auto checked = check_topics(*partitions); !checked) return checked;
    const auto ranges = resolve_log_ranges(log_, *partitions, LogBound{}, options_.to);
    if (!ranges) return ranges.error();
    if (options_.to)
      for (const auto& range : *ranges) ends_[range.at] = range;
  }
  return group_->join(options_.topics, *this);
}

Status Consumer::add(const LogRange& range)
{
  if (range.lost > 0) {
    auto gap = gap_before(range);
    if (!options_.on_gap_continue) return gap;
    options_.say(gap.message);
  }
  // -1: the group has no position yet, so that the first one is stored even where nothing was read.
  stored_[range.at] = -1;
  return merge_.add(range.at, range.from, range.to);
}

// Where this member begins with a partition: the group's position, else `from`.
Status Consumer::begin_member(const TopicPartition& at)
{
  const auto stored = group_->stored(at);
  if (!stored) return stored.error();
  auto from = options_.from.value_or(LogBound{});
  if (*stored) {
    from = {LogBound::Kind::offset, (*stored)->offset, {}};
    const auto ends = group_->ends(at);
    if (!ends) return ends.error();
    if ((*stored)->offset > ends->end) {
      auto gap = gap_behind(at, (*stored)->offset, ends->end);
      if (!options_.on_gap_continue) return gap;
      options_.say(gap.message);
      from = {};
    }
  }
  auto ranges = resolve_log_ranges(log_, {&at, 1}, from, {});
  if (!ranges) return ranges.error();
  auto& range = ranges->front();
  if (options_.to) {
    const auto end = ends_.find(at);
    // A partition that came after the start has nothing before the end seen at the start.
    range.to = end == ends_.end() ? range.from : std::max(range.from, *end->second.to);
  }
  return add(range);
}

void Consumer::assigned(const std::vector<TopicPartition>& partitions)
{
  for (const auto& at : partitions)
    if (auto begun = begin_member(at); !begun && trouble_) trouble_ = begun;
}

void Consumer::revoked(const std::vector<TopicPartition>& partitions, bool lost)
{
  if (!lost)
    if (auto stored = flush_and_store(); !stored && trouble_) trouble_ = stored;
  for (const auto& at : partitions) {
    merge_.remove(at);
    stored_.erase(at);
  }
}

Status Consumer::look_for_new_partitions()
{
  const auto now = steady_clock::now();
  if (group_ || options_.to || now < next_look_) return {};
  next_look_ = now + kLook;
  const auto partitions = chosen_partitions();
  if (!partitions) return partitions.error();
  for (const auto& at : *partitions) {
    if (stored_.contains(at)) continue;
    const auto ends = log_.ends(at);
    if (!ends) return ends.error();
    if (auto added = add({at, ends->begin, {}, 0}); !added) return added;
  }
  return {};
}

Status Consumer::follow()
{
  next_look_ = steady_clock::now() + kLook;
  while (!options_.stop() && trouble_) {
    const auto taken = take();
    if (!taken) {
      auto handled = taken.error().code == Code::gap ? bridge_gaps(taken.error()) : tolerate(taken.error());
      if (!handled) return handled;
      continue;
    }
    if (options_.count && put_ >= *options_.count) return flush_and_store();
    if (steady_clock::now() >= next_store_)
      if (auto stored = flush_and_store(); !stored) return stored;
    if (*taken > 0) continue;

    // Quiet: whoever reads our output should not wait for what comes next.
    if (unflushed_) {
      unflushed_ = false;
      if (auto flushed = output_.flush(); !flushed) return flushed;
    }
    const auto done = finished();
    if (!done) {
      if (auto tolerated = tolerate(done.error()); !tolerated) return tolerated;
      continue;
    }
    if (*done) return flush_and_store();
    auto met = look_for_new_partitions();
    if (met) met = log_.wait(options_.to ? kLookAtOthers : kLook);
    if (met)
      patience_.renew();
    else if (auto tolerated = tolerate(met.error()); !tolerated)
      return tolerated;
  }
  if (!trouble_) return trouble_;
  return flush_and_store();
}

Result<std::size_t> Consumer::take()
{
  std::size_t most = kTakeRecords;
  if (options_.count) most = static_cast<std::size_t>(std::min<std::uint64_t>(most, *options_.count - put_));
  Status put_out;
  auto taken = merge_.take(most, steady_clock::now(), [&](const RecordBlockPtr& block, std::size_t index) {
    if (!put_out) return;
    const auto put = output_.put(block->from, block->records[index]);
    if (!put)
      put_out = put.error();
    else
      put_ += *put;
  });
  if (!put_out) {
    output_failed_ = true;
    return put_out.error();
  }
  if (!taken) return taken;
  read_ += *taken;
  unflushed_ = unflushed_ || *taken > 0;
  if (*taken > 0) tell_progress();
  return taken;
}

Status Consumer::bridge_gaps(const Error& gap)
{
  if (!options_.on_gap_continue) return gap;
  options_.say(gap.message);
  for (const auto& [at, stored] : stored_) {
    const auto ends = log_.ends(at);
    if (!ends) return tolerate(ends.error());
    if (merge_.next_offset(at).value_or(ends->begin) >= ends->begin) continue;
    if (auto skipped = merge_.skip_to(at, ends->begin); !skipped) return skipped;
  }
  return {};
}

// A log that went away may come back; what went out while it is away is nobody's loss.
Status Consumer::tolerate(const Error& error)
{
  if (auto forgiven = patience_.forgive(error); !forgiven) return forgiven;
  std::this_thread::sleep_for(kPause);
  return {};
}

Status Consumer::flush_and_store()
{
  next_store_ = steady_clock::now() + options_.store_every;
  if (!group_ || output_failed_) return {};
  std::vector<std::pair<TopicPartition, StoredPosition>> positions;
  for (const auto& [at, stored] : stored_)
    if (const auto next = merge_.next_offset(at); next && *next != stored) positions.push_back({at, {*next, {}}});
  if (positions.empty()) return {};

  unflushed_ = false;
  if (auto flushed = output_.flush(); !flushed) {
    output_failed_ = true;
    return flushed;
  }
  const auto kept = group_->store(positions);
  if (!kept) {
    // Not ours any more: the next owner begins where we last stored, and repeats what we put out since.
    if (kept.error().code == Code::stopped) return {};
    return tolerate(kept.error());
  }
  for (const auto& [at, position] : positions) stored_[at] = position.offset;
  return {};
}

// Alone: every range is read. In a group: every partition, ours and others', has its position at the end it had at the start.
Result<bool> Consumer::finished()
{
  if (!options_.to || !merge_.finished()) return false;
  if (!group_) return true;
  if (auto stored = flush_and_store(); !stored) return stored.error();
  for (const auto& [at, range] : ends_) {
    if (*range.to <= range.from || others_done_.contains(at)) continue;
    if (const auto mine = stored_.find(at); mine != stored_.end()) {
      if (mine->second < *range.to) return false;
      continue;
    }
    const auto stored = group_->stored(at);
    if (!stored) return stored.error();
    if (!*stored || (*stored)->offset < *range.to) return false;
    const auto reached = is_reached(log_, at, (*stored)->offset, *range.to);
    if (!reached || !*reached) return reached;
    others_done_.insert(at);
  }
  return true;
}

void Consumer::tell_progress() const
{
  if (!options_.progress) return;
  std::optional<std::uint64_t> total;
  if (options_.to && !group_) {
    std::int64_t left = 0;
    for (const auto& [at, range] : ends_) left += *range.to - std::min(*range.to, merge_.next_offset(at).value_or(*range.to));
    total = read_ + static_cast<std::uint64_t>(left);
  }
  options_.progress(read_, total);
}

} // namespace attune
