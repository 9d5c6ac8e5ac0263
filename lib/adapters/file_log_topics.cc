#include "adapters/file_log_topics.h"

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

#include "adapters/file_log_partition.h"

namespace attune {
namespace {

constexpr std::string_view kSettingsFile = "settings.json";
constexpr std::int32_t kMaxPartitions = 10'000;

std::string optional_number(const std::optional<std::int64_t>& number)
{
  return number ? std::to_string(*number) : "null";
}

std::string settings_json(const TopicSettings& settings)
{
  const auto retention = settings.retention ? std::optional<std::int64_t>(settings.retention->count()) : std::nullopt;
  return "{\"partitions\":" + std::to_string(settings.partitions) + ",\"retention_ms\":" + optional_number(retention) +
         ",\"retention_bytes\":" + optional_number(settings.retention_bytes) +
         ",\"compacted\":" + (settings.compacted ? "true" : "false") + "}\n";
}

bool read_optional(const simdjson::dom::object& object, const char* name, std::optional<std::int64_t>& out)
{
  simdjson::dom::element element;
  if (object[name].get(element) != simdjson::SUCCESS) {
    return false;
  }
  std::int64_t number = 0;
  if (element.get(number) == simdjson::SUCCESS && number >= 0) {
    out = number;
    return true;
  }
  return element.is_null();
}

bool parse_settings(const std::string& json, TopicSettings& out)
{
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::int64_t partitions = 0;
  std::optional<std::int64_t> retention;
  if (parser.parse(json).get(object) != simdjson::SUCCESS || object["partitions"].get(partitions) != simdjson::SUCCESS ||
      partitions < 1 || partitions > kMaxPartitions || !read_optional(object, "retention_ms", retention) ||
      !read_optional(object, "retention_bytes", out.retention_bytes) ||
      object["compacted"].get(out.compacted) != simdjson::SUCCESS) {
    return false;
  }
  out.partitions = static_cast<std::int32_t>(partitions);
  out.retention = retention ? std::optional(Milliseconds(*retention)) : std::nullopt;
  return true;
}

Status check_settings(const TopicSettings& settings)
{
  if (auto status = check_topic_name(settings.topic); !status.ok()) {
    return status;
  }
  if (settings.partitions < 1 || settings.partitions > kMaxPartitions) {
    return Error{Code::usage, settings.topic + ": " + std::to_string(settings.partitions) + " partitions: must be 1 to " +
                                  std::to_string(kMaxPartitions)};
  }
  return {};
}

Status make_partitions(const std::string& topic_dir, const std::string& topic, std::int32_t from, std::int32_t to,
                       const FileSync& sync)
{
  for (std::int32_t p = from; p < to; ++p) {
    if (auto status = PartitionFiles::make(topic_dir + "/" + std::to_string(p), {topic, p}, sync); !status.ok()) {
      return status;
    }
  }
  return {};
}

} // namespace

Status check_topic_name(std::string_view topic)
{
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (topic.empty() || topic.size() > 249 || topic.front() == '.' || !std::all_of(topic.begin(), topic.end(), legal)) {
    return Error{Code::usage, "topic '" + std::string(topic.substr(0, 64)) + "': not a name of a topic"};
  }
  return {};
}

Result<std::vector<std::string>> list_topics(const std::string& dir)
{
  auto names = names_in(dir);
  if (!names.ok()) {
    return names.error();
  }
  std::erase_if(*names, [&](const std::string& name) {
    return !check_topic_name(name).ok() || ::access((dir + "/" + name + "/" + std::string(kSettingsFile)).c_str(), F_OK) != 0;
  });
  return names;
}

Result<std::optional<TopicSettings>> read_topic_settings(const std::string& dir, const std::string& topic)
{
  if (!check_topic_name(topic).ok()) {
    return std::optional<TopicSettings>();
  }
  const std::string path = dir + "/" + topic + "/" + std::string(kSettingsFile);
  const auto json = read_file(path);
  if (!json.ok()) {
    return json.error();
  }
  if (!*json) {
    return std::optional<TopicSettings>();
  }
  TopicSettings settings;
  settings.topic = topic;
  settings.replication = 1;
  if (!parse_settings(**json, settings)) {
    return Error{Code::config, path + ": not the settings of a topic"};
  }
  return std::optional(std::move(settings));
}

// The topic is made aside and renamed into place: it is there as a whole or not at all, whoever else is making it too.
Status create_topic(const std::string& dir, const TopicSettings& settings, const FileSync& sync)
{
  if (auto status = check_settings(settings); !status.ok()) {
    return status;
  }
  static std::atomic<unsigned> counter{0};
  const std::string aside = dir + "/.new-" + settings.topic + "-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  if (auto status = make_directory(aside, sync); !status.ok()) {
    return status;
  }
  auto status = make_partitions(aside, settings.topic, 0, settings.partitions, sync);
  if (status.ok()) {
    status = replace_files(aside, {{std::string(kSettingsFile), settings_json(settings)}}, sync);
  }
  const std::string path = dir + "/" + settings.topic;
  if (status.ok() && ::rename(aside.c_str(), path.c_str()) == 0) {
    return sync_directory(dir, sync);
  }
  const int error = errno;
  std::error_code ignored;
  std::filesystem::remove_all(aside, ignored);
  if (!status.ok()) {
    return status;
  }
  if (error == EEXIST || error == ENOTEMPTY) {
    return Error{Code::busy, settings.topic + ": the topic exists"};
  }
  return file_error(path, "rename", error);
}

Status alter_topic(const std::string& dir, const TopicSettings& settings, const FileSync& sync)
{
  if (auto status = check_settings(settings); !status.ok()) {
    return status;
  }
  const auto old = read_topic_settings(dir, settings.topic);
  if (!old.ok()) {
    return old.error();
  }
  if (!*old) {
    return Error{Code::usage, settings.topic + ": no such topic"};
  }
  if (settings.partitions < (*old)->partitions) {
    return Error{Code::usage,
                 settings.topic + ": has " + std::to_string((*old)->partitions) + " partitions; they can not become fewer"};
  }
  const std::string path = dir + "/" + settings.topic;
  if (auto status = make_partitions(path, settings.topic, (*old)->partitions, settings.partitions, sync); !status.ok()) {
    return status;
  }
  return replace_files(path, {{std::string(kSettingsFile), settings_json(settings)}}, sync);
}

} // namespace attune
