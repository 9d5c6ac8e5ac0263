#include "pipeline/rebuild.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "pipeline/event_record.h"
#include "pipeline/group_feed.h"
#include "pipeline/merge_reader.h"
#include "pipeline/patience.h"
#include "pipeline/profile_writer.h"

namespace attune {

namespace {

constexpr std::size_t kEventMemory = 700; // of an Event held for sorting, measured on shop events
constexpr std::size_t kCustomersAtOnce = 4096;

bool by_place(const Event& a, const Event& b)
{
  return a.time != b.time ? *a.time < *b.time : a.id < b.id;
}

class Rebuilder {
 public:
  Rebuilder(LogReader& log, ProfileStore& fresh, const RebuildOptions& options)
      : log_(log), options_(options), writer_(fresh, writer_options(options)), decoder_()
  {
  }

  Result<RebuildReport> run(std::map<TopicPartition, PartitionEnds> ends)
  {
    ends_ = std::move(ends);
    for (const auto& [at, there] : ends_) records_ += static_cast<std::uint64_t>(there.end - there.begin);
    report_.records = records_;
    if (auto linked = link(); !linked) return linked.error();
    passes_ = std::max<std::uint64_t>(1, (records_ * kEventMemory + options_.memory_bytes - 1) / options_.memory_bytes);
    for (std::uint64_t pass = 0; pass < passes_; ++pass)
      if (auto made = make(pass); !made) return made.error();
    report_.profiles = writer_.counts().writes;
    return report_;
  }

 private:
  static ProfileWriterOptions writer_options(const RebuildOptions& options)
  {
    ProfileWriterOptions writer;
    writer.give_up = options.give_up;
    return writer;
  }

  // Hands over every event of the partitions `wanted` accepts.
  template <class Wanted, class Take>
  Status read(const Wanted& wanted, const Take& take)
  {
    MergeReader merge(log_, {});
    Patience patience(options_.give_up);
    for (const auto& [at, there] : ends_)
      if (wanted(at))
        if (auto added = merge.add(at, there.begin, there.end); !added) return added;
    while (!merge.finished()) {
      if (options_.stop && options_.stop()) return Error{Code::stopped, "stopped"};
      auto taken = merge.take(4096, std::chrono::steady_clock::now(), [&](const RecordBlockPtr& block, std::size_t index) {
        Event event;
        if (decoder_.decode(block->from, block->records[index], event))
          take(std::move(event));
        else
          ++unreadable_;
      });
      if (!taken) {
        if (auto forgiven = patience.forgive(taken.error()); !forgiven) return forgiven;
      } else {
        read_ += *taken;
      }
      if (options_.progress) options_.progress(read_, records_ * std::max<std::uint64_t>(passes_, 1));
      if (taken && *taken > 0) {
        patience.renew();
        continue;
      }
      if (const auto waited = log_.wait(Milliseconds(100)); waited && taken)
        patience.renew();
      else if (!waited)
        if (auto forgiven = patience.forgive(waited.error()); !forgiven) return forgiven;
    }
    merge.clear();
    return {};
  }

  // The identity topic alone: who is whom, before anything else.
  Status link()
  {
    std::vector<Event> claims;
    auto done = read([&](const TopicPartition& at) { return at.topic == options_.identity_topic; },
                     [&](Event&& event) {
                       if (event.type == EventType::identify) claims.push_back(std::move(event));
                     });
    if (!done) return done;
    read_ = 0;
    unreadable_ = 0;
    std::sort(claims.begin(), claims.end(), by_place);
    std::vector<const Event*> pointers;
    for (const auto& claim : claims) pointers.push_back(&claim);
    std::vector<Verdict> verdicts;
    if (auto applied = writer_.apply(pointers, verdicts); !applied) return applied;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      if (!verdicts[i].conflict.empty())
        ++report_.conflicts;
      else if (verdicts[i].outcome == Outcome::accepted)
        moved_to_.emplace(claims[i].alias.text, claims[i].customer.text);
    }
    return {};
  }

  [[nodiscard]] const std::string& root_of(const std::string& customer) const
  {
    const std::string* at = &customer;
    for (auto found = moved_to_.find(*at); found != moved_to_.end(); found = moved_to_.find(*at)) at = &found->second;
    return *at;
  }

  // The profiles of the customers of one pass.
  Status make(std::uint64_t pass)
  {
    std::unordered_map<std::string, std::vector<Event>> of_customer;
    const auto take = [&](Event&& event) {
      if (event.type == EventType::identify) return;
      const auto& root = root_of(event.customer.text);
      if (std::hash<std::string>{}(root) % passes_ == pass) of_customer[root].push_back(std::move(event));
    };
    if (auto done = read([](const TopicPartition&) { return true; }, take); !done) return done;
    if (options_.more_late) {
      auto more = options_.more_late([&](std::string_view line) {
        Event event;
        if (decoder_.decode(line, event) && event.time && !event.id.empty())
          take(std::move(event));
        else
          ++unreadable_;
      });
      if (!more) return more;
    }
    if (pass == 0) report_.unreadable = unreadable_;

    std::vector<std::vector<Event>*> customers;
    for (auto& [customer, events] : of_customer) {
      std::sort(events.begin(), events.end(), by_place);
      customers.push_back(&events);
      if (customers.size() == kCustomersAtOnce)
        if (auto applied = apply(customers); !applied) return applied;
    }
    return apply(customers);
  }

  // Consent applies on arrival, and here events arrive in order of place: each consent begins a new round, and a round is one merge.
  Status apply(std::vector<std::vector<Event>*>& customers)
  {
    std::vector<std::size_t> done(customers.size(), 0);
    std::vector<const Event*> round;
    std::vector<Verdict> verdicts;
    for (;;) {
      round.clear();
      for (std::size_t i = 0; i < customers.size(); ++i) {
        const auto& events = *customers[i];
        const auto begin = done[i];
        while (done[i] < events.size() && (done[i] == begin || events[done[i]].type != EventType::consent))
          round.push_back(&events[done[i]++]);
      }
      if (round.empty()) break;
      if (auto applied = writer_.apply(round, verdicts); !applied) return applied;
      for (const auto& verdict : verdicts) {
        if (verdict.outcome == Outcome::accepted) ++report_.events;
        if (verdict.outcome == Outcome::refused) ++report_.refused;
      }
    }
    customers.clear();
    return {};
  }

  LogReader& log_;
  const RebuildOptions& options_;
  ProfileWriter writer_;
  EventDecoder decoder_;
  std::map<TopicPartition, PartitionEnds> ends_;
  std::unordered_map<std::string, std::string> moved_to_;
  std::uint64_t records_ = 0, read_ = 0, passes_ = 0, unreadable_ = 0;
  RebuildReport report_;
};

} // namespace

Result<RebuildReport> rebuild(LogReader& log, LogAdmin& admin, ProfileStore& store, const RebuildOptions& options)
{
  auto topics = options.event_topics;
  topics.push_back(options.late_topic);
  auto partitions = log.partitions(topics);
  if (!partitions) return partitions.error();
  std::map<TopicPartition, PartitionEnds> ends;
  for (const auto& at : *partitions) {
    auto there = log.ends(at);
    if (!there) return there.error();
    ends[at] = *there;
  }

  auto fresh = store.fresh_generation();
  if (!fresh) return fresh.error();
  Rebuilder rebuilder(log, **fresh, options);
  auto report = rebuilder.run(ends);
  if (!report) return report;
  if (auto published = (*fresh)->publish_generation(); !published) return published.error();

  auto incarnation = (*fresh)->incarnation();
  if (!incarnation) return incarnation.error();
  for (const auto& group : options.groups) {
    std::vector<std::pair<TopicPartition, StoredPosition>> positions;
    for (const auto& [at, there] : ends)
      if (at.topic != options.late_topic) positions.push_back({at, {there.end, to_note({*incarnation, {}})}});
    if (auto stored = admin.store_positions(group, positions); !stored) return stored.error();
  }
  return report;
}

} // namespace attune
