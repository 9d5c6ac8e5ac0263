#include "pipeline/replay.h"

#include <algorithm>
#include <chrono>

#include "core/event_json.h"
#include "core/event_proto.h"
#include "pipeline/event_record.h"
#include "pipeline/merge_reader.h"
#include "pipeline/patience.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr Milliseconds kFlushLimit = std::chrono::seconds(60);
constexpr Milliseconds kQuiet{100};
constexpr std::size_t kTakeRecords = 1024;

class Replayer {
 public:
  Replayer(LogReader& from, LogWriter& to, const ReplayOptions& options)
      : from_(from), to_(to), options_(options), merge_(from, {}), patience_(options.give_up)
  {
  }

  Result<ReplayReport> run()
  {
    std::uint64_t total = 0;
    bool endless = false;
    for (const auto& range : options_.ranges) {
      if (range.lost > 0) return gap_before(range);
      if (auto added = merge_.add(range.at, range.from, range.to); !added) return added.error();
      endless = endless || !range.to;
      if (range.to) total += static_cast<std::uint64_t>(std::max<std::int64_t>(0, *range.to - range.from));
    }
    while (!options_.stop() && (endless || !merge_.finished()) && !stopped_) {
      auto taken = merge_.take(kTakeRecords, Steady::now(), [this](const RecordBlockPtr& block, std::size_t index) {
        if (failed_ && !stopped_) pass(*block, block->records[index]);
      });
      if (!taken) {
        if (auto forgiven = patience_.forgive(taken.error()); !forgiven) return forgiven.error();
        options_.pause(kQuiet);
        continue;
      }
      if (!failed_) return failed_.error();
      report_.read += *taken;
      if (options_.progress) options_.progress(report_.read, endless ? std::nullopt : std::optional(total));
      if (*taken > 0) {
        patience_.renew();
        continue;
      }
      if (auto flushed = to_.flush(kFlushLimit); !flushed) return flushed.error();
      if (const auto waited = from_.wait(kQuiet); waited)
        patience_.renew();
      else if (auto forgiven = patience_.forgive(waited.error()); !forgiven)
        return forgiven.error();
    }
    if (auto flushed = to_.flush(kFlushLimit); !flushed) return flushed.error();
    return report_;
  }

 private:
  [[nodiscard]] bool reads_events() const
  {
    return !options_.types.empty() || !options_.customers.empty() || !options_.items.empty() || options_.speed > 0 || shifts();
  }
  [[nodiscard]] bool filters() const { return !options_.types.empty() || !options_.customers.empty() || !options_.items.empty(); }
  [[nodiscard]] bool shifts() const { return options_.shift.count() != 0 || options_.shift_to; }

  [[nodiscard]] bool wanted() const
  {
    const auto in = [](const std::set<std::string>& set, std::string_view value) {
      return set.empty() || set.contains(std::string(value));
    };
    if (!in(options_.types, type_name(event_)) || !in(options_.customers, event_.customer.text)) return false;
    if (in(options_.items, event_.item.text)) return true;
    return std::any_of(event_.items.begin(), event_.items.end(),
                       [&](const Line& line) { return in(options_.items, line.item.text); });
  }

  void pass(const RecordBlock& block, const Record& record)
  {
    if (!started_) started_ = Steady::now();
    OutgoingRecord out;
    out.key = record.key;
    out.value = record.value;
    out.headers = record.headers;
    if (options_.keep_partition) out.partition = block.from.partition;
    const auto topic = options_.topic_for(block.from.topic);
    out.topic = topic;

    if (reads_events()) {
      if (!decoder_.decode(block.from, record, event_)) {
        ++report_.unreadable;
        if (filters()) return;
      } else if (!wanted()) {
        ++report_.filtered;
        return;
      } else {
        keep_pace(*event_.time);
        if (shifts()) out.value = shifted(record);
      }
    }
    keep_rate();
    if (stopped_) return;
    if (auto appended = to_.append(out); !appended) {
      failed_ = appended;
      return;
    }
    ++report_.written;
  }

  std::string_view shifted(const Record& record)
  {
    if (options_.shift_to && !shift_) shift_ = *options_.shift_to - *event_.time;
    event_.time = *event_.time + shift_.value_or(options_.shift);
    rewritten_.clear();
    const bool proto = std::any_of(record.headers.begin(), record.headers.end(), [](const Header& header) {
      return header.name == kContentTypeHeader && header.value == kProtobufContentType;
    });
    if (proto)
      append_event_proto(event_, rewritten_);
    else
      append_event_json(event_, rewritten_);
    return rewritten_;
  }

  // Waits until `due` has passed since the first record.
  void wait_for(std::chrono::duration<double> due)
  {
    for (;;) {
      const auto left = due - std::chrono::duration<double>(Steady::now() - *started_);
      if (left.count() <= 0.001 || stopped_) return;
      if (!options_.pause(std::chrono::ceil<Milliseconds>(std::min<std::chrono::duration<double>>(left, std::chrono::seconds(1)))))
        stopped_ = true;
    }
  }

  void keep_pace(Timestamp time)
  {
    if (options_.speed <= 0) return;
    if (!first_time_) first_time_ = time;
    wait_for(std::chrono::duration<double>(time - *first_time_) / options_.speed);
  }

  void keep_rate()
  {
    if (options_.rate <= 0) return;
    wait_for(std::chrono::duration<double>(static_cast<double>(report_.written) / options_.rate));
  }

  LogReader& from_;
  LogWriter& to_;
  const ReplayOptions& options_;
  MergeReader merge_;
  Patience patience_; // with the log that is read
  EventDecoder decoder_;
  Event event_;
  std::string rewritten_;
  std::optional<Milliseconds> shift_;
  std::optional<Timestamp> first_time_;
  std::optional<Steady::time_point> started_; // of the first record
  Status failed_;
  bool stopped_ = false;
  ReplayReport report_;
};

} // namespace

Result<ReplayReport> replay(LogReader& from, LogWriter& to, const ReplayOptions& options)
{
  return Replayer(from, to, options).run();
}

} // namespace attune
