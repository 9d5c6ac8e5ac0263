// attune-init: creates and checks the topics of a log (the table of DESIGN section 3).
#include <algorithm>

#include "adapters/places.h"
#include "core/event.h"
#include "places_options.h"
#include "service/tool.h"

namespace attune {
namespace {

struct Settings {
  LogPlace log;
  int partitions = 6;
  int replication = 0;
  Milliseconds retention = std::chrono::hours(24 * 7);
  Milliseconds identity_retention = std::chrono::hours(24 * 7);
  bool check = false;
};

std::vector<TopicSettings> wanted_topics(const Settings& settings)
{
  const auto longest = std::max(settings.retention, settings.identity_retention);
  std::vector<TopicSettings> wanted;
  for (const auto topic : {kClicksTopic, kCartTopic, kPurchaseTopic, kIdentityTopic, kDeadLetterTopic, kLateTopic, kCatalogTopic}) {
    TopicSettings one;
    one.topic = settings.log.name_of(topic);
    one.partitions = settings.partitions;
    one.replication = settings.replication;
    // Who is whom is needed for as long as any event is there to be read again; a late event for as long as a rebuild may want it.
    one.retention = topic == kIdentityTopic || topic == kLateTopic ? longest : settings.retention;
    one.compacted = topic == kCatalogTopic;
    if (one.compacted) one.retention.reset();
    wanted.push_back(std::move(one));
  }
  return wanted;
}

std::string time_text(const std::optional<Milliseconds>& time)
{
  return time ? to_text(*time) : "for ever";
}

// What differs from what is wanted, one line each. More partitions or a longer retention than asked for are no difference.
std::vector<std::string> differences(const TopicSettings& wanted, const TopicSettings& found)
{
  std::vector<std::string> lines;
  const auto differs = [&](const std::string& what, const std::string& is, const std::string& should) {
    lines.push_back(wanted.topic + ": " + what + ": " + is + ", not " + should);
  };
  if (found.partitions < wanted.partitions) differs("partitions", std::to_string(found.partitions), std::to_string(wanted.partitions));
  if (wanted.replication != 0 && found.replication < wanted.replication)
    differs("replication", std::to_string(found.replication), std::to_string(wanted.replication));
  if (found.compacted != wanted.compacted) differs("cleanup", found.compacted ? "compacted" : "deleted", wanted.compacted ? "compacted" : "deleted");
  if (!wanted.compacted && found.retention && wanted.retention && *found.retention < *wanted.retention)
    differs("retention", time_text(found.retention), time_text(wanted.retention));
  return lines;
}

// Whatever the options say: customer_identity must be kept at least as long as any other topic of events.
std::vector<std::string> too_short_an_identity(const Settings& settings, const std::vector<TopicSettings>& found)
{
  const auto find = [&](std::string_view topic) {
    return std::find_if(found.begin(), found.end(), [&](const TopicSettings& each) { return each.topic == settings.log.name_of(topic); });
  };
  const auto identity = find(kIdentityTopic);
  std::vector<std::string> lines;
  if (identity == found.end() || !identity->retention) return lines;
  for (const auto topic : {kClicksTopic, kCartTopic, kPurchaseTopic}) {
    const auto other = find(topic);
    if (other != found.end() && (!other->retention || *other->retention > *identity->retention))
      lines.push_back(identity->topic + ": retention: " + time_text(identity->retention) + ", shorter than that of " + other->topic + " (" +
                      time_text(other->retention) + ")");
  }
  return lines;
}

Result<ExitStatus> init(Tool& tool, const Settings& settings)
{
  if (settings.log.url.empty()) return Error{Code::usage, "--log: missing"};
  if (auto checked = settings.log.check(); !checked) return checked.error();
  auto admin = open_log_admin(settings.log.url, settings.log.options());
  if (!admin) return admin.error();
  auto there = (*admin)->describe();
  if (!there) return there.error();

  bool differs = false;
  for (const auto& wanted : wanted_topics(settings)) {
    const auto found = std::find_if(there->begin(), there->end(), [&](const TopicSettings& each) { return each.topic == wanted.topic; });
    std::string state = "as asked for";
    if (found == there->end()) {
      if (settings.check) {
        tool.warn(wanted.topic + ": missing");
        differs = true;
        state = "missing";
      } else {
        if (auto created = (*admin)->create(wanted); !created) return created.error();
        state = "created";
      }
    } else {
      const auto lines = differences(wanted, *found);
      for (const auto& line : lines) tool.warn(line);
      differs = differs || !lines.empty();
      if (!lines.empty()) state = "differs";
    }
    if (auto told = tool.out().line("{\"topic\":\"" + wanted.topic + "\",\"partitions\":" +
                                    std::to_string(found == there->end() ? wanted.partitions : found->partitions) + ",\"state\":\"" + state + "\"}");
        !told)
      return told.error();
  }
  const auto lines = too_short_an_identity(settings, *there);
  for (const auto& line : lines) tool.warn(line);
  return differs || !lines.empty() ? ExitStatus::no : ExitStatus::done;
}

}  // namespace
}  // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-init", "create and check the topics of a log",
            "Examples:\n"
            "  attune-init --log kafka://db1:9092 --partitions 12 --replication 3\n"
            "  attune-init --log file:///var/lib/attune/log --check\n");
  Settings settings;
  settings.log.declare(tool);
  tool.option("--partitions", settings.partitions, "N", "of each topic that is created").range(1, 10000);
  tool.option("--replication", settings.replication, "N", "copies of each partition; 0: the broker's default").range(0, 100);
  tool.option("--retention", settings.retention, "TIME", "how long records are kept");
  tool.option("--identity-retention", settings.identity_retention, "TIME", "of customer_identity and late events; never less than --retention");
  tool.flag("--check", settings.check, "create nothing; exit 1 when a topic is missing or differs");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return init(tool, settings); });
}
