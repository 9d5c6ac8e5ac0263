#include "pipeline/group_feed.h"

#include <algorithm>
#include <sstream>
#include <thread>

#include "pipeline/log_range.h"

namespace attune {

namespace {

constexpr std::size_t kTakeRecords = 4096;
constexpr Milliseconds kTrailStep = std::chrono::seconds(5);
constexpr Milliseconds kLookAtOthers{300};
constexpr Milliseconds kRevokeLimit = std::chrono::seconds(30);
constexpr Milliseconds kLookAtStored{100};
constexpr Milliseconds kFirstPause{50}, kLongestPause{2000}; // before reading again what a sink may have lost

} // namespace

std::string to_note(const PositionNote& note)
{
  std::string text = "1 " + note.incarnation.data + ' ' + note.incarnation.run;
  for (const auto& [time, offset] : note.trail) text += ' ' + std::to_string(time.ms) + ':' + std::to_string(offset);
  return text;
}

PositionNote parse_note(std::string_view text)
{
  std::istringstream in{std::string(text)};
  std::string version;
  PositionNote note;
  in >> version >> note.incarnation.data >> note.incarnation.run;
  if (!in || version != "1") return {};
  std::int64_t time = 0;
  std::int64_t offset = 0;
  char colon = 0;
  while (in >> time >> colon >> offset) note.trail.emplace_back(Timestamp{time}, offset);
  return note;
}

GroupFeed::GroupFeed(LogGroup& log, ProfileStore& store, Ingest& ingest, const Clock& clock, FeedOptions options)
    : log_(log),
      store_(store),
      ingest_(ingest),
      clock_(clock),
      options_(std::move(options)),
      merge_(log, options_.merge),
      patience_(options_.give_up)
{
}

// Repeats a call whose failure may pass by itself, until it is given up or stopped.
Status GroupFeed::retry(const std::function<Status()>& call)
{
  Patience patience(options_.give_up);
  for (Milliseconds pause{50};; pause = std::min(pause * 2, Milliseconds(2000))) {
    const auto done = call();
    if (done) return done;
    if (auto forgiven = patience.forgive(done.error()); !forgiven) return forgiven;
    if (options_.stop()) return Error{Code::stopped, done.error().message};
    std::this_thread::sleep_for(pause);
  }
}

Status GroupFeed::run()
{
  auto ran = loop();
  const auto left = log_.leave();
  if (!ran) return ran;
  return left;
}

Status GroupFeed::loop()
{
  auto known = retry([this]() -> Status {
    auto incarnation = store_.incarnation();
    if (!incarnation) return incarnation.error();
    incarnation_ = *incarnation;
    return {};
  });
  if (!known) return known;

  if (options_.until_end) {
    auto seen = retry([this]() -> Status {
      auto partitions = log_.partitions(options_.topics);
      if (!partitions) return partitions.error();
      for (const auto& at : *partitions) {
        auto ends = log_.ends(at);
        if (!ends) return ends.error();
        ends_[at] = *ends;
      }
      return {};
    });
    if (!seen) return seen;
  }
  if (auto joined = retry([this] { return log_.join(options_.topics, *this); }); !joined) return joined;

  while (!options_.stop()) {
    if (const auto failure = ingest_.failure()) {
      auto begun = failure->code == Code::replaced ? begin_anew() : read_again(*failure);
      if (!begun) return begun;
    }
    bool moved = false;
    if (auto fed = feed(&moved); !fed) return fed;
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_store_) {
      next_store_ = now + options_.store_every;
      if (auto stored = store_positions(Storing::later); !stored) {
        if (auto begun = read_again(stored.error()); !begun) return begun;
      }
    }
    if (options_.until_end && merge_.finished() && ingest_.idle() && !ingest_.failure()) {
      if (auto stored = store_positions(Storing::now); !stored) {
        if (auto begun = read_again(stored.error()); !begun) return begun;
        continue;
      }
      auto at_ends = at_the_ends();
      if (!at_ends) return at_ends.error();
      if (*at_ends) return {};
    }
    if (!moved && ingest_.idle() && options_.quiet)
      if (auto flushed = options_.quiet(); !flushed) return flushed;
    if (!moved) {
      // While the shards are full the log always has something, so it is they who are waited for; the log is only kept alive.
      const bool full = !ingest_.has_room();
      if (full) ingest_.wait_room(Milliseconds(20));
      const Milliseconds limit = full ? Milliseconds(0) : ingest_.idle() ? Milliseconds(100) : Milliseconds(20);
      const auto waited = log_.wait(limit);
      if (waited)
        patience_.renew();
      else if (auto forgiven = patience_.forgive(waited.error()); !forgiven)
        return forgiven;
    }
    if (!trouble_) return trouble_;
  }
  ingest_.wait_idle(kRevokeLimit);
  return store_positions(Storing::now);
}

Status GroupFeed::feed(bool* moved)
{
  if (!ingest_.has_room()) return {};
  auto taken = merge_.take(kTakeRecords, std::chrono::steady_clock::now(),
                           [this](const RecordBlockPtr& block, std::size_t index) { ingest_.submit(block, index); });
  ingest_.dispatch();
  if (!taken) {
    if (taken.error().code == Code::gap) return bridge_gaps(taken.error());
    return patience_.forgive(taken.error());
  }
  *moved = *taken > 0;
  if (*moved) patience_.renew();
  fed_ += *taken;
  if (options_.progress && *moved) {
    std::optional<std::uint64_t> total;
    if (options_.until_end) {
      std::uint64_t left = 0;
      for (const auto& [at, mine] : mine_)
        if (const auto end = ends_.find(at); end != ends_.end())
          left += static_cast<std::uint64_t>(
              std::max<std::int64_t>(0, end->second.end - merge_.next_offset(at).value_or(end->second.end)));
      total = fed_ + left;
    }
    options_.progress(fed_, total);
  }
  return {};
}

Status GroupFeed::bridge_gaps(const Error& gap)
{
  if (!options_.on_gap_continue) return gap;
  options_.say(gap.message);
  for (const auto& [at, mine] : mine_) {
    auto ends = log_.ends(at);
    if (!ends) return ends.error();
    const auto next = merge_.next_offset(at).value_or(ends->begin);
    if (next >= ends->begin && next <= ends->end) continue;
    if (auto skipped = merge_.skip_to(at, ends->begin); !skipped) return skipped;
  }
  return {};
}

// Where to begin with a partition, by what is stored of it.
Result<std::int64_t> GroupFeed::choose_start(const TopicPartition& at, Mine& mine)
{
  std::optional<StoredPosition> stored;
  PartitionEnds ends;
  auto asked = retry([&]() -> Status {
    auto position = log_.stored(at);
    if (!position) return position.error();
    stored = *position;
    auto there = log_.ends(at);
    if (!there) return there.error();
    ends = *there;
    return {};
  });
  if (!asked) return asked.error();

  std::int64_t start = ends.begin;
  if (stored) {
    auto note = parse_note(stored->note);
    if (note.incarnation.data != incarnation_.data) {
      options_.say(to_string(at) + ": the store is not the one its position was stored with: beginning at the earliest record");
      stored.reset();
    } else if (note.incarnation.run != incarnation_.run && note.trail.empty()) {
      // What a rebuild ended with, and nothing since: where to step back to is not known.
      options_.say(to_string(at) + ": the store was restarted: beginning at the earliest record");
      stored.reset();
    } else if (note.incarnation.run != incarnation_.run) {
      const auto before = note.trail.back().first - options_.rewind;
      auto back = note.trail.begin();
      while (std::next(back) != note.trail.end() && std::next(back)->first <= before) ++back;
      start = std::min(stored->offset, back->second);
      options_.say(to_string(at) + ": the store was restarted: stepping back from " + std::to_string(stored->offset) + " to " +
                   std::to_string(start));
      mine.trail = std::move(note.trail);
    } else {
      start = stored->offset;
      mine.trail = std::move(note.trail);
    }
  }
  if (start < ends.begin || start > ends.end) {
    auto gap = start < ends.begin ? gap_before({at, ends.begin, {}, ends.begin - start}) : gap_behind(at, start, ends.end);
    if (!options_.on_gap_continue) return gap;
    options_.say(gap.message);
    start = ends.begin; // what was read already does no harm
  }
  if (mine.trail.empty()) mine.trail.emplace_back(clock_.now(), start);
  return start;
}

Status GroupFeed::begin(const TopicPartition& at)
{
  Mine mine;
  auto start = choose_start(at, mine);
  if (!start) return start.error();
  mine.stored = *start;
  mine_[at] = std::move(mine);
  std::optional<std::int64_t> to;
  if (options_.until_end) {
    const auto end = ends_.find(at);
    to = end == ends_.end() ? *start : std::max(*start, end->second.end);
  }
  return merge_.add(at, *start, to);
}

void GroupFeed::assigned(const std::vector<TopicPartition>& partitions)
{
  for (const auto& at : partitions)
    if (auto begun = begin(at); !begun && trouble_) trouble_ = begun;
}

void GroupFeed::revoked(const std::vector<TopicPartition>& partitions, bool lost)
{
  for (const auto& at : partitions) merge_.remove(at);
  if (lost) {
    under_way_.clear(); // whatever became of them, they are somebody else's
  } else {
    ingest_.dispatch();
    // Only what is acknowledged is stored: what is not finished in time comes again to the next owner. Nothing of ours may be stored after
    // it has begun.
    const auto stored = ingest_.wait_idle(kRevokeLimit) ? store_positions(Storing::now) : settle_store(Storing::now);
    // What a sink lost is read again: by us as far as it stays ours, when the next positions are due, else by the next owner.
    if (!stored && trouble_ && (options_.give_up || !worth_retry(stored.error()))) trouble_ = stored;
  }
  for (const auto& at : partitions) mine_.erase(at);
}

// The store was replaced under us: nothing that was in flight counts, and every position is chosen again.
Status GroupFeed::begin_anew()
{
  if (auto settled = settle_store(Storing::now); !settled) return settled;
  auto reset = retry([this]() -> Status {
    if (auto begun = ingest_.reset(); !begun) return begun;
    auto incarnation = store_.incarnation();
    if (!incarnation) return incarnation.error();
    incarnation_ = *incarnation;
    return {};
  });
  if (!reset) return reset;
  std::vector<TopicPartition> partitions;
  for (const auto& [at, mine] : mine_) partitions.push_back(at);
  for (const auto& at : partitions) {
    merge_.remove(at);
    if (auto begun = begin(at); !begun) return begun;
  }
  others_done_.clear();
  return {};
}

// After `error` somebody may not have what was given to him, and no position was stored since.
Status GroupFeed::read_again(const Error& error)
{
  if (options_.give_up || !worth_retry(error)) return error;
  if (pause_ == Milliseconds(0)) options_.say(error.message + " (what is behind the stored positions is read again)");
  pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
  std::this_thread::sleep_for(pause_);
  return begin_anew();
}

// What is known of positions that were stored.
Status GroupFeed::keep(const std::vector<std::pair<TopicPartition, StoredPosition>>& positions, const Status& stored)
{
  if (!stored) {
    // Somebody else owns them already; they begin at what was stored before, which does no harm.
    if (stored.error().code == Code::stopped) return {};
    return stored;
  }
  for (const auto& [at, position] : positions)
    if (const auto found = mine_.find(at); found != mine_.end()) found->second.stored = position.offset;
  return {};
}

// Learns what became of the positions that are under way.
Status GroupFeed::settle_store(Storing when)
{
  if (under_way_.empty()) return {};
  auto outcome = log_.stored_outcome(Milliseconds(0));
  while (!outcome && when == Storing::now) outcome = log_.stored_outcome(kLookAtStored);
  if (!outcome) return {};
  const auto positions = std::exchange(under_way_, {});
  if (!*outcome && worth_retry(outcome->error())) outcome = retry([&] { return log_.store(positions); });
  return keep(positions, *outcome);
}

Status GroupFeed::store_positions(Storing when)
{
  if (auto settled = settle_store(when); !settled) return settled;
  if (!under_way_.empty()) return {};
  const bool idle = ingest_.idle(); // asked first: what is finished from here on is not flushed
  auto moved = ingest_.take_positions();
  if (!moved) return moved.error();
  if (!moved->empty()) pause_ = Milliseconds(0);
  if (ingest_.failure()) return {};
  if (idle) // holes after the last record are behind us as well
    for (const auto& [at, mine] : mine_)
      if (const auto next = merge_.next_offset(at)) (*moved)[at] = *next;

  const auto now = clock_.now();
  std::vector<std::pair<TopicPartition, StoredPosition>> positions;
  for (const auto& [at, offset] : *moved) {
    const auto found = mine_.find(at);
    if (found == mine_.end() || found->second.stored == offset) continue;
    auto& trail = found->second.trail;
    if (trail.empty() || now - trail.back().first >= kTrailStep) trail.emplace_back(now, offset);
    while (trail.size() > 1 && trail[1].first <= now - options_.rewind) trail.erase(trail.begin());
    positions.push_back({at, {offset, to_note({incarnation_, trail})}});
  }
  if (positions.empty()) return {};
  if (when == Storing::later && log_.begin_store(positions)) {
    under_way_ = std::move(positions);
    return {};
  }
  return keep(positions, retry([&] { return log_.store(positions); }));
}

// Whether every partition, ours and others', has been read and acknowledged to the end it had at the start.
Result<bool> GroupFeed::at_the_ends()
{
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return false;
  next_look_ = now + kLookAtOthers;
  for (const auto& [at, ends] : ends_) {
    if (ends.end <= ends.begin || others_done_.contains(at)) continue;
    if (const auto found = mine_.find(at); found != mine_.end()) {
      if (found->second.stored < ends.end) return false;
      continue;
    }
    auto stored = log_.stored(at);
    if (!stored) return stored.error();
    if (!*stored || (*stored)->offset < ends.end || parse_note((*stored)->note).incarnation != incarnation_) return false;
    const auto reached = is_reached(log_, at, (*stored)->offset, ends.end);
    if (!reached || !*reached) return reached;
    others_done_.insert(at);
  }
  return true;
}

} // namespace attune
