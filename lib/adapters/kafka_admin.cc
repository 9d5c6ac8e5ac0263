#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "adapters/kafka_client.h"

namespace attune {

namespace {

using namespace kafka;

using OptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using NewPartitionsPtr = std::unique_ptr<rd_kafka_NewPartitions_t, Destroy<rd_kafka_NewPartitions_destroy>>;
using ResourcePtr = std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
using AlterOffsetsPtr = std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, Destroy<rd_kafka_AlterConsumerGroupOffsets_destroy>>;

struct TopicConfig {
  std::map<std::string, std::string> values;
  std::map<std::string, std::string> own; // set on the topic itself, rather than inherited
};

std::map<std::string, std::string> config_of(const TopicSettings& settings)
{
  return {{"retention.ms", settings.retention ? std::to_string(settings.retention->count()) : "-1"},
          {"retention.bytes", settings.retention_bytes ? std::to_string(*settings.retention_bytes) : "-1"},
          {"cleanup.policy", settings.compacted ? "compact" : "delete"}};
}

// -1 and what is not a number: no limit.
std::optional<std::int64_t> limit_of(const TopicConfig& config, const std::string& name)
{
  const auto found = config.values.find(name);
  if (found == config.values.end()) return {};
  std::int64_t number = -1;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  if (number < 0) return {};
  return number;
}

class KafkaAdmin final : public LogAdmin {
 public:
  explicit KafkaAdmin(std::shared_ptr<Client> client) : client_(std::move(client)) {}

  Result<std::vector<TopicSettings>> describe() override;
  Status create(const TopicSettings& settings) override;
  Status alter(const TopicSettings& settings) override;
  Status store_positions(std::string_view group, const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override;

 private:
  // Sends one request and waits for its answer; `send` gets options and a queue.
  template <class Send>
  Result<EventPtr> ask(rd_kafka_admin_op_t operation, const std::string& what, Send send);
  Status first_error(const rd_kafka_topic_result_t* const* results, std::size_t count) const;
  Result<std::map<std::string, TopicConfig>> configs(const std::vector<std::string>& topics);
  Status add_partitions(const TopicSettings& settings);
  Status rewrite_config(const TopicSettings& settings);
  Status wait_until_known(const TopicSettings& settings);

  std::shared_ptr<Client> client_;
};

template <class Send>
Result<EventPtr> KafkaAdmin::ask(rd_kafka_admin_op_t operation, const std::string& what, Send send)
{
  const OptionsPtr options(rd_kafka_AdminOptions_new(client_->handle(), operation));
  const auto timeout = as_timeout(client_->limit());
  std::array<char, 256> reason{};
  if (const auto err = rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout, reason.data(), reason.size()))
    return client_->error(err, what, reason.data());
  const QueuePtr queue(rd_kafka_queue_new(client_->handle()));
  send(options.get(), queue.get());
  constexpr int kGraceMs = 1000; // librdkafka's own timeout says more than ours
  EventPtr event(rd_kafka_queue_poll(queue.get(), timeout + kGraceMs));
  if (!event) return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, what);
  if (const auto err = rd_kafka_event_error(event.get()))
    return client_->error(err, what, rd_kafka_event_error_string(event.get()));
  return event;
}

Status KafkaAdmin::first_error(const rd_kafka_topic_result_t* const* results, std::size_t count) const
{
  for (std::size_t i = 0; i < count; ++i)
    if (const auto err = rd_kafka_topic_result_error(results[i])) {
      const char* reason = rd_kafka_topic_result_error_string(results[i]);
      return client_->error(err, rd_kafka_topic_result_name(results[i]), reason != nullptr ? reason : "");
    }
  return {};
}

Result<std::vector<TopicSettings>> KafkaAdmin::describe()
{
  const auto topics = client_->topics(client_->limit());
  if (!topics) return topics.error();
  std::vector<std::string> names;
  for (const auto& topic : *topics) names.push_back(topic.topic);
  const auto known = configs(names);
  if (!known) return known.error();

  std::vector<TopicSettings> all;
  for (const auto& topic : *topics) {
    const auto found = known->find(topic.topic);
    if (found == known->end()) continue; // deleted in between
    const auto& config = found->second;
    TopicSettings settings{topic.topic, topic.partitions, topic.replication, {}, limit_of(config, "retention.bytes"), false};
    if (const auto retention = limit_of(config, "retention.ms")) settings.retention = Milliseconds(*retention);
    if (const auto policy = config.values.find("cleanup.policy"); policy != config.values.end())
      settings.compacted = policy->second.find("compact") != std::string::npos;
    all.push_back(std::move(settings));
  }
  return all;
}

Result<std::map<std::string, TopicConfig>> KafkaAdmin::configs(const std::vector<std::string>& topics)
{
  std::map<std::string, TopicConfig> configs;
  if (topics.empty()) return configs;
  std::vector<ResourcePtr> owned;
  std::vector<rd_kafka_ConfigResource_t*> resources;
  for (const auto& topic : topics) {
    owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
    resources.push_back(owned.back().get());
  }
  const auto answer = ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "describe topics", [&](const auto* options, auto* queue) {
    rd_kafka_DescribeConfigs(client_->handle(), resources.data(), resources.size(), options, queue);
  });
  if (!answer) return answer.error();
  std::size_t count = 0;
  const auto* described = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(answer->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(described[i]);
    const auto err = rd_kafka_ConfigResource_error(described[i]);
    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->error(err, name);
    auto& config = configs[name];
    std::size_t entry_count = 0;
    const auto* entries = rd_kafka_ConfigResource_configs(described[i], &entry_count);
    for (std::size_t e = 0; e < entry_count; ++e) {
      const char* value = rd_kafka_ConfigEntry_value(entries[e]);
      if (value == nullptr) continue; // secret, or nothing
      config.values[rd_kafka_ConfigEntry_name(entries[e])] = value;
      if (rd_kafka_ConfigEntry_source(entries[e]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG)
        config.own[rd_kafka_ConfigEntry_name(entries[e])] = value;
    }
  }
  return configs;
}

Status KafkaAdmin::create(const TopicSettings& settings)
{
  std::array<char, 256> reason{};
  constexpr int kBrokersDefault = -1;
  const NewTopicPtr topic(
      rd_kafka_NewTopic_new(settings.topic.c_str(), settings.partitions > 0 ? settings.partitions : kBrokersDefault,
                            settings.replication > 0 ? settings.replication : kBrokersDefault, reason.data(), reason.size()));
  if (!topic) return client_->error(Code::usage, settings.topic + ": " + reason.data());
  for (const auto& [name, value] : config_of(settings)) rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  auto* one = topic.get();
  const auto answer = ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, settings.topic, [&](const auto* options, auto* queue) {
    rd_kafka_CreateTopics(client_->handle(), &one, 1, options, queue);
  });
  if (!answer) return answer.error();
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer->get()), &count);
  if (auto failed = first_error(results, count); !failed) return failed;
  return wait_until_known(settings);
}

// A topic is created before every broker knows it; who uses it next should find it.
Status KafkaAdmin::wait_until_known(const TopicSettings& settings)
{
  return client_->retry([&](Milliseconds left) -> Status {
    const auto topics = client_->topics(left);
    if (!topics) return topics.error();
    for (const auto& topic : *topics)
      if (topic.topic == settings.topic && topic.has_leaders && topic.partitions >= settings.partitions) return {};
    return client_->error(Code::unreachable, settings.topic + ": created, but its partitions have no leaders yet");
  });
}

Status KafkaAdmin::alter(const TopicSettings& settings)
{
  if (auto added = add_partitions(settings); !added) return added;
  return rewrite_config(settings);
}

Status KafkaAdmin::add_partitions(const TopicSettings& settings)
{
  const auto topics = client_->topics(client_->limit());
  if (!topics) return topics.error();
  const auto now = std::find_if(topics->begin(), topics->end(), [&](const auto& topic) { return topic.topic == settings.topic; });
  if (now == topics->end()) return client_->error(Code::usage, settings.topic + ": no such topic");
  if (settings.partitions == now->partitions) return {};
  if (settings.partitions < now->partitions)
    return client_->error(Code::usage, settings.topic + ": has " + std::to_string(now->partitions) +
                                           " partitions, which can not become " + std::to_string(settings.partitions));
  std::array<char, 256> reason{};
  const NewPartitionsPtr more(rd_kafka_NewPartitions_new(settings.topic.c_str(), static_cast<std::size_t>(settings.partitions),
                                                         reason.data(), reason.size()));
  if (!more) return client_->error(Code::usage, settings.topic + ": " + reason.data());
  auto* one = more.get();
  const auto answer = ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, settings.topic, [&](const auto* options, auto* queue) {
    rd_kafka_CreatePartitions(client_->handle(), &one, 1, options, queue);
  });
  if (!answer) return answer.error();
  std::size_t count = 0;
  const auto* results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(answer->get()), &count);
  if (auto failed = first_error(results, count); !failed) return failed;
  return wait_until_known(settings);
}

// AlterConfigs replaces all that is set on a topic (the one that does not came with librdkafka 2.2), so the rest is sent along.
Status KafkaAdmin::rewrite_config(const TopicSettings& settings)
{
  auto known = configs({settings.topic});
  if (!known) return known.error();
  auto& own = (*known)[settings.topic].own;
  for (auto& [name, value] : config_of(settings)) own[name] = value;

  const ResourcePtr resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, settings.topic.c_str()));
  for (const auto& [name, value] : own) rd_kafka_ConfigResource_set_config(resource.get(), name.c_str(), value.c_str());
  auto* one = resource.get();
  const auto answer = ask(RD_KAFKA_ADMIN_OP_ALTERCONFIGS, settings.topic, [&](const auto* options, auto* queue) {
    rd_kafka_AlterConfigs(client_->handle(), &one, 1, options, queue);
  });
  if (!answer) return answer.error();
  std::size_t count = 0;
  const auto* altered = rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(answer->get()), &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto err = rd_kafka_ConfigResource_error(altered[i])) {
      const char* reason = rd_kafka_ConfigResource_error_string(altered[i]);
      return client_->error(err, settings.topic, reason != nullptr ? reason : "");
    }
  return {};
}

Status KafkaAdmin::store_positions(std::string_view group, const std::vector<std::pair<TopicPartition, StoredPosition>>& positions)
{
  if (positions.empty()) return {};
  const auto list = list_of_positions(positions);
  const std::string name(group);
  return client_->retry([&](Milliseconds) -> Status {
    const AlterOffsetsPtr alter(rd_kafka_AlterConsumerGroupOffsets_new(name.c_str(), list.get()));
    auto* one = alter.get();
    const auto answer = ask(RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, name, [&](const auto* options, auto* queue) {
      rd_kafka_AlterConsumerGroupOffsets(client_->handle(), &one, 1, options, queue);
    });
    if (!answer) return answer.error();
    std::size_t count = 0;
    const auto* groups =
        rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(answer->get()), &count);
    ATTUNE_ASSERT(count == 1);
    auto err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (const auto* failed = rd_kafka_group_result_error(groups[0])) err = rd_kafka_error_code(failed);
    if (const auto* done = rd_kafka_group_result_partitions(groups[0]))
      for (int i = 0; i < done->cnt && err == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) err = done->elems[i].err;
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    // Positions without a member are taken only while there is none.
    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID) return client_->error(Code::busy, name + ": the group has members");
    return client_->error(err, name);
  });
}

} // namespace

Result<std::unique_ptr<LogAdmin>> open_kafka_log_admin(const KafkaOptions& options)
{
  auto client = Client::open(RD_KAFKA_PRODUCER, Settings(), options);
  if (!client) return client.error();
  return std::unique_ptr<LogAdmin>(std::make_unique<KafkaAdmin>(std::move(*client)));
}

} // namespace attune
