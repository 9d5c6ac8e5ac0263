#include "pipeline/learner.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/catalog.h"
#include "pipeline/patience.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kBlockRecords = 1024;
constexpr Milliseconds kWait{1000};
constexpr Milliseconds kAway{200}; // between tries of a log that is away
constexpr Milliseconds kGather{5}; // of a log it has caught up with: nobody waits for what it learns, and many at a time cost less
constexpr Milliseconds kLookEvery{5000}; // for new partitions
constexpr std::chrono::microseconds kTurn{100}; // how long answers are kept waiting

// `positions` are sorted, one a partition.
void note(const LogPosition& reached, std::vector<LogPosition>& positions)
{
  const auto place = std::lower_bound(positions.begin(), positions.end(), reached.at,
                                      [](const LogPosition& each, const TopicPartition& at) { return each.at < at; });
  if (place != positions.end() && place->at == reached.at)
    *place = reached;
  else
    positions.insert(place, reached);
}

} // namespace

Learner::Learner(LogReader& log, Knowledge& knowledge, LearnerOptions options)
    : log_(log), knowledge_(knowledge), options_(std::move(options))
{
}

Status Learner::look_for_partitions()
{
  auto topics = options_.learn ? options_.topics : std::vector<std::string>();
  if (!options_.catalog_topic.empty()) topics.push_back(options_.catalog_topic);
  auto partitions = log_.partitions(topics);
  if (!partitions) return partitions.error();
  for (const auto& at : *partitions) {
    if (next_.contains(at)) continue;
    auto ends = log_.ends(at);
    if (!ends) return ends.error();
    if (!looked_) at_start_.emplace(at, ends->end);
    std::int64_t from = ends->begin;
    {
      const auto reading = knowledge_.read();
      const auto& positions = reading.model().positions;
      const auto known = std::find_if(positions.begin(), positions.end(), [&](const LogPosition& each) { return each.at == at; });
      // The catalog is read whole: a snapshot does not hold it.
      if (known != positions.end() && at.topic != options_.catalog_topic) {
        if (known->offset < ends->begin)
          options_.say(to_string(at) + ": " + std::to_string(ends->begin - known->offset) +
                       " records are gone and will not be learned");
        if (known->offset > ends->end)
          options_.say(to_string(at) + ": ends before the model's position; it is another log, and is learned from its beginning");
        else
          from = std::max(known->offset, ends->begin);
      }
    }
    if (auto sought = log_.seek(at, from); !sought) return sought;
    next_.emplace(at, from);
  }
  looked_ = true;
  return {};
}

void Learner::renew(Renewal renewal)
{
  {
    const std::lock_guard lock(mutex_);
    // What an earlier one brought and nobody has taken up yet goes with `renewal`, after the lock.
    if (renewal.rules) std::swap(renewal_.rules, renewal.rules);
    if (renewal.catalog) std::swap(renewal_.catalog, renewal.catalog);
  }
  log_.wake();
}

Status Learner::take_renewal()
{
  Renewal renewal;
  {
    const std::lock_guard lock(mutex_);
    std::swap(renewal, renewal_);
  }
  if (renewal.rules) {
    knowledge_.replace(std::move(*renewal.rules));
    if (options_.renewed) options_.renewed();
  }
  if (renewal.catalog) {
    fresh_ = std::move(renewal.catalog);
    to_seek_ = true;
  }
  return to_seek_ ? read_catalog_again() : Status();
}

Status Learner::read_catalog_again()
{
  lines_until_.clear();
  for (auto& [at, next] : next_) {
    if (at.topic != options_.catalog_topic) continue;
    const auto ends = log_.ends(at);
    if (!ends) return ends.error();
    if (auto sought = log_.seek(at, ends->begin); !sought) return sought;
    next = ends->begin;
    lines_until_.emplace(at, ends->end);
  }
  to_seek_ = false;
  return {};
}

// Whether nothing is left before these offsets; what is reached is struck off. The last records before an end may be none (compaction,
// transactions), so a partition without anything more has reached it as well.
bool Learner::reached(Offsets& goals)
{
  std::erase_if(goals, [this](const auto& goal) { return next_.at(goal.first) >= goal.second || log_.caught_up(goal.first); });
  return goals.empty();
}

void Learner::take_catalog(const RecordBlock& block)
{
  std::vector<CatalogItem> items;
  for (const auto& record : block.records) {
    if (!record.value) {
      CatalogItem gone;
      gone.item = ItemId(record.key.value_or(std::string_view()));
      gone.deleted = true;
      items.push_back(std::move(gone));
    } else if (auto item = parse_catalog_item(*record.value)) {
      items.push_back(std::move(*item));
    } else {
      ++counts_.unread;
    }
  }
  counts_.catalog += items.size();
  if (fresh_) {
    for (auto& item : items) fresh_->put(std::move(item));
    return;
  }
  for (auto item = items.begin(); item != items.end();) {
    knowledge_.change([&](Model&, Catalog& catalog, const Rules&) {
      for (const auto begun = Steady::now(); item != items.end() && Steady::now() - begun < kTurn; ++item)
        catalog.put(std::move(*item));
    });
  }
}

void Learner::take_events(const RecordBlock& block)
{
  events_.resize(std::max(events_.size(), block.records.size()));
  std::size_t count = 0;
  for (const auto& record : block.records) {
    Event& event = events_[count];
    if (!decoder_.decode(block.from, record, event))
      ++counts_.unread;
    else if (options_.skip && options_.skip(event.customer))
      ++counts_.skipped;
    else
      ++count;
  }
  const LogPosition reached{block.from, block.records.back().offset + 1};
  std::size_t at = 0;
  do {
    knowledge_.change([&](Model& model, Catalog& catalog, const Rules& rules) {
      for (const auto begun = Steady::now(); at < count && Steady::now() - begun < kTurn; ++at) {
        const auto& event = events_[at];
        const auto segments = options_.segments ? options_.segments(rules, catalog, event) : std::vector<std::string_view>();
        model.learn(event, {segments, &catalog});
        rules.note_uses(event, model.offers);
      }
      if (at == count) note(reached, model.positions);
    });
  } while (at < count);
  counts_.events += count;
  counts_.newest_ms = std::max(counts_.newest_ms.load(), block.records.back().timestamp.ms);
}

void Learner::take(const RecordBlock& block)
{
  next_[block.from] = block.records.back().offset + 1;
  if (block.from.topic == options_.catalog_topic)
    take_catalog(block);
  else
    take_events(block);
}

// Whether anything was there.
Result<bool> Learner::round()
{
  bool moved = false;
  bool all = true;
  for (auto& [at, next] : next_) {
    auto block = log_.read(at, kBlockRecords);
    if (!block && block.error().code == Code::gap) {
      options_.say(block.error().message + "; the model goes on behind them");
      auto ends = log_.ends(at);
      if (!ends) return ends.error();
      if (auto sought = log_.seek(at, ends->begin); !sought) return sought.error();
      next = ends->begin;
      moved = true;
      all = false;
      continue;
    }
    if (!block) return block.error();
    if (*block) {
      take(**block);
      moved = true;
    }
    all = all && log_.caught_up(at);
  }
  counts_.behind = !all;
  if (!counts_.caught_up && reached(at_start_)) counts_.caught_up = true;
  if (fresh_ && reached(lines_until_)) {
    knowledge_.replace(std::move(*fresh_));
    fresh_.reset();
    if (options_.renewed) options_.renewed();
  }
  return moved;
}

void Learner::write_snapshot()
{
  if (!options_.snapshot || counts_.events == learned_at_snapshot_) return;
  const auto reading = knowledge_.read();
  if (auto written = options_.snapshot(reading.model()); !written) {
    options_.say(written.error().message);
    return;
  }
  learned_at_snapshot_ = counts_.events;
  ++counts_.snapshots;
}

Status Learner::run()
{
  Patience patience{std::nullopt};
  auto look_at = Steady::now();
  auto snapshot_at = Steady::now() + options_.snapshot_every;
  bool away = false;
  while (!options_.stop()) {
    Status status;
    bool moved = false;
    if (Steady::now() >= look_at) {
      status = look_for_partitions();
      if (status) look_at = Steady::now() + kLookEvery;
    }
    if (status) status = take_renewal();
    if (status) {
      auto done = round();
      if (done)
        moved = *done;
      else
        status = done.error();
    }
    if (!status) {
      if (auto forgiven = patience.forgive(status.error()); !forgiven) return forgiven;
      if (!std::exchange(away, true)) options_.say(status.error().message + " (what was learned stands; trying again)");
    } else {
      patience.renew();
      away = false;
    }
    if (options_.snapshot_every.count() > 0 && Steady::now() >= snapshot_at) {
      write_snapshot();
      snapshot_at = Steady::now() + options_.snapshot_every;
    }
    if (moved) {
      if (!counts_.behind && !options_.stop()) std::this_thread::sleep_for(kGather);
      continue;
    }
    const auto waited = log_.wait(away ? kAway : kWait);
    if (!waited && !worth_retry(waited.error())) return waited;
  }
  write_snapshot();
  return {};
}

} // namespace attune
