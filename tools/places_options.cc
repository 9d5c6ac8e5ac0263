#include "places_options.h"

#include <algorithm>

#include "adapters/kafka_log.h"
#include "core/event.h"
#include "core/field_rules.h"

namespace attune {

void LogPlace::declare(Command& command, std::string help)
{
  command.option("--log", url, "URL", std::move(help));
  command.option("--namespace", name_space, "NAME", "prefix of topics, groups and keys: [a-z0-9-]+");
  declare_settings(command);
}

void LogPlace::declare_settings(Command& command)
{
  command.option("--log-password", password, "TEXT", "the password at the brokers (sasl.password)").secret();
  command.option("-X", settings, "NAME=VALUE", "a setting of librdkafka, passed on as it is (repeatable)").joined();
}

Status LogPlace::check() const
{
  if (!name_space.empty() && !valid_namespace(name_space)) return Error{Code::usage, "--namespace: not [a-z0-9-]+: " + name_space};
  for (const auto& setting : settings)
    if (setting.find('=') == std::string::npos || setting.front() == '=')
      return Error{Code::usage, "-X: not NAME=VALUE: " + setting};
  return {};
}

LogOptions LogPlace::options() const
{
  LogOptions options;
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    options.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  // An embedded log has no use for it, as a configuration shared with programs that read Kafka may have it.
  if (!password.empty() && url.starts_with("kafka://")) options.settings.emplace_back("sasl.password", password);
  return options;
}

std::string LogPlace::name_of(std::string_view topic_or_group) const
{
  return in_namespace(name_space, topic_or_group);
}

std::vector<std::string> LogPlace::event_topics() const
{
  std::vector<std::string> topics;
  for (const auto topic : {kClicksTopic, kCartTopic, kPurchaseTopic, kIdentityTopic}) topics.push_back(name_of(topic));
  return topics;
}

Result<std::vector<LogRange>> LogPlace::ranges(LogReader& log, const std::vector<std::string>& topics, const std::string& from,
                                               const std::optional<std::string>& to) const
{
  std::vector<std::string> names;
  for (const auto& topic : words_of(topics)) names.push_back(name_of(topic));
  if (names.empty()) names = event_topics();
  auto partitions = log.partitions(names);
  if (!partitions) return partitions.error();
  if (partitions->empty()) return Error{Code::config, url + ": no such topic: " + names.front()};
  const auto now = SystemClock().now();
  auto begin = parse_log_bound(from, now, parse_duration);
  if (!begin) return Error{Code::usage, "--from: " + begin.error().message};
  std::optional<LogBound> end;
  if (to) {
    auto bound = parse_log_bound(*to, now, parse_duration);
    if (!bound) return Error{Code::usage, "--to: " + bound.error().message};
    end = *bound;
  }
  return resolve_log_ranges(log, *partitions, *begin, end);
}

std::vector<std::string> words_of(const std::vector<std::string>& texts)
{
  std::vector<std::string> words;
  for (const auto& text : texts) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const auto end = std::min(text.find(',', begin), text.size());
      words.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return words;
}

void StorePlace::declare(Command& command, std::string help)
{
  command.option("--store", url, "URL", std::move(help));
  declare_password(command);
  command.option("--profile-ttl", ttl, "TIME", "a profile is gone this long after its last write");
}

void StorePlace::declare_password(Command& command)
{
  command.option("--store-password", password, "TEXT", "the password at the server, instead of one in the URL").secret();
}

Status parse_time(const std::string& text, std::optional<Timestamp>& out)
{
  const bool digits = text.find_first_not_of("0123456789", text.starts_with('-') ? 1 : 0) == std::string::npos;
  const auto time = digits ? read_milliseconds(text) : read_rfc3339(text);
  if (!time) return Error{Code::usage, std::string(time.error()) + ": " + text};
  out = *time;
  return {};
}

void declare_libraries(Tool& tool)
{
  tool.uses("librdkafka " + kafka_library_version());
}

StoreOptions StorePlace::options(const std::string& name_space, bool read_only) const
{
  StoreOptions options;
  options.name_space = name_space;
  options.password = password;
  options.profile_ttl = ttl;
  options.read_only = read_only;
  return options;
}

Result<std::unique_ptr<ProfileStore>> StorePlace::open(const std::string& name_space, bool read_only) const
{
  return open_store(url, options(name_space, read_only));
}

Result<std::unique_ptr<ChangeFeed>> StorePlace::open_changes(const std::string& name_space, ChangeMode mode) const
{
  return open_change_feed(url, options(name_space, true), mode);
}

} // namespace attune
