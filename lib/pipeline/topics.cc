#include "pipeline/topics.h"

#include <algorithm>
#include <array>

#include "core/event.h"

namespace attune {

namespace {

constexpr std::int32_t kPartitions = 6;
constexpr Milliseconds kRetention = std::chrono::hours(24 * 7);

struct TopicKind {
  std::string_view name;
  bool of_events;
  bool compacted;
  bool kept_longest;
};
// Those whose retention depends on that of the others come last.
constexpr std::array kTopics{TopicKind{kClicksTopic, true, false, false},   TopicKind{kCartTopic, true, false, false},
                             TopicKind{kPurchaseTopic, true, false, false}, TopicKind{kDeadLetterTopic, false, false, false},
                             TopicKind{kCatalogTopic, false, true, false},  TopicKind{kLateTopic, false, false, true},
                             TopicKind{kIdentityTopic, true, false, true}};

TopicSettings wanted_topic(const TopicKind& kind, const TopicWishes& wishes, const std::vector<TopicSettings>& existing)
{
  const auto name = in_namespace(wishes.name_space, kind.name);
  const auto found = std::find_if(existing.begin(), existing.end(), [&](const auto& one) { return one.topic == name; });
  TopicSettings wanted{name, kind.of_events ? kPartitions : 1, 0, kRetention, {}, false};
  if (kind.compacted) wanted.retention.reset();
  if (found != existing.end()) wanted = *found;
  wanted.compacted = kind.compacted;
  if (kind.of_events && wishes.partitions) wanted.partitions = *wishes.partitions;
  if (wishes.replication) wanted.replication = *wishes.replication;
  if (!kind.compacted && wishes.retention) wanted.retention = *wishes.retention;
  return wanted;
}

void keep_as_long_as_any(TopicSettings& topic, const std::vector<TopicSettings>& others)
{
  topic.retention_bytes.reset();
  for (const auto& other : others) {
    if (other.compacted || !topic.retention) continue;
    if (!other.retention || *other.retention > *topic.retention) topic.retention = other.retention;
  }
}

std::string in_words(const std::optional<Milliseconds>& time)
{
  return time ? std::to_string(time->count()) + " ms" : "for ever";
}

std::string in_words(const std::optional<std::int64_t>& bytes)
{
  return bytes ? std::to_string(*bytes) + " bytes" : "no limit";
}

template <class Value>
void compare(const char* name, const Value& now, const Value& wanted, std::vector<std::string>& differences)
{
  if (now != wanted) differences.push_back(std::string(name) + ": " + in_words(now) + ", wanted " + in_words(wanted));
}

void compare(const char* name, std::int32_t now, std::int32_t wanted, std::vector<std::string>& differences)
{
  if (now != wanted) differences.push_back(std::string(name) + ": " + std::to_string(now) + ", wanted " + std::to_string(wanted));
}

Status create(LogAdmin& log, TopicReport& report, const TopicSettings& wanted)
{
  auto created = log.create(wanted);
  if (!created) return created;
  report.now = wanted;
  report.state = TopicReport::State::created;
  return {};
}

Status alter(LogAdmin& log, TopicReport& report, const TopicSettings& wanted)
{
  TopicSettings target = wanted;
  target.partitions = std::max(report.now.partitions, wanted.partitions);
  target.replication = report.now.replication;
  if (topic_differences(report.now, target).empty()) return {};
  if (auto altered = log.alter(target); !altered) return altered;
  report.now = target;
  const auto left = topic_differences(target, wanted);
  report.state = left.empty() ? TopicReport::State::altered : TopicReport::State::differs;
  if (!left.empty()) report.differences = left;
  return {};
}

Result<TopicReport> init_topic(LogAdmin& log, const TopicSettings* now, const TopicSettings& wanted, Init init)
{
  TopicReport report;
  if (now == nullptr) {
    report.state = TopicReport::State::missing;
    report.now = wanted;
    if (init == Init::check) return report;
    if (auto created = create(log, report, wanted); !created) return created.error();
    return report;
  }
  report.now = *now;
  report.differences = topic_differences(*now, wanted);
  if (report.differences.empty()) return report;
  report.state = TopicReport::State::differs;
  if (init == Init::check) return report;
  if (auto altered = alter(log, report, wanted); !altered) return altered.error();
  return report;
}

} // namespace

std::vector<TopicSettings> wanted_topics(const TopicWishes& wishes, const std::vector<TopicSettings>& existing)
{
  std::vector<TopicSettings> wanted;
  for (const auto& kind : kTopics) {
    auto topic = wanted_topic(kind, wishes, existing);
    if (kind.kept_longest) keep_as_long_as_any(topic, wanted);
    wanted.push_back(std::move(topic));
  }
  return wanted;
}

std::vector<std::string> topic_differences(const TopicSettings& now, const TopicSettings& wanted)
{
  std::vector<std::string> differences;
  compare("partitions", now.partitions, wanted.partitions, differences);
  if (wanted.replication != 0) compare("replication", now.replication, wanted.replication, differences);
  compare("retention", now.retention, wanted.retention, differences);
  compare("retention", now.retention_bytes, wanted.retention_bytes, differences);
  if (now.compacted != wanted.compacted)
    differences.emplace_back(wanted.compacted ? "not compacted, wanted compacted" : "compacted, wanted not");
  return differences;
}

Result<std::vector<TopicReport>> init_topics(LogAdmin& log, const TopicWishes& wishes, Init init)
{
  const auto existing = log.describe();
  if (!existing) return existing.error();
  std::vector<TopicReport> reports;
  for (const auto& wanted : wanted_topics(wishes, *existing)) {
    const auto now = std::find_if(existing->begin(), existing->end(), [&](const auto& one) { return one.topic == wanted.topic; });
    auto report = init_topic(log, now == existing->end() ? nullptr : &*now, wanted, init);
    if (!report) return report.error();
    reports.push_back(std::move(*report));
  }
  return reports;
}

} // namespace attune
