#include "service/known_names.h"

#include <algorithm>
#include <string_view>

namespace attune {

namespace {

constexpr std::string_view kPrograms =
    "attune attune-cache-warm attune-collectd attune-consume attune-evaluate attune-init attune-latency-probe "
    "attune-produce attune-profile attune-profile-update attune-profiled attune-recommend attune-recommendd attune-replay "
    "attune-simulate attune-train attune-tune attuned";

constexpr std::string_view kKeys =
    "X ack admin-listen admin-token admin-token-file admin-url align anonymous-pattern asked at baskets bots cache "
    "catalog changes check check-config collect-url compare concurrency config connections cors-origin count "
    "currency customer customers days dead-letters demo draws dry-run duration emit envelope events every fail-below "
    "fields follow format from give-up goal group idle interval item items keep-partition known late learn "
    "learning-rate list listen live log log-format log-password log-password-file map max-age max-body max-clicks "
    "max-connections max-connections-per-address max-streams memory merge min-gap model namespace neighbours on-gap "
    "one-call output partitions prequential profile-ttl quiet rate rate-per-address rate-per-customer rebuild recent "
    "replace replication resume retention rewind roles rules seed shift shift-to show signing-key signing-key-file "
    "since skip-gaps slo slot snapshot-every sort source speed split spool spool-size start static store "
    "store-password store-password-file teach-first teach-share test test-share threads to to-namespace topic topics "
    "trials trusted-proxy truth type types until until-end url validation-share verbose visits why why-not wire "
    "workers write-key write-key-file www www-header";

std::vector<std::string> words(std::string_view text)
{
  std::vector<std::string> found;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    if (space > 0) found.emplace_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return found;
}

} // namespace

const std::vector<std::string>& known_programs()
{
  static const std::vector<std::string> programs = words(kPrograms);
  return programs;
}

const std::vector<std::string>& known_keys()
{
  static const std::vector<std::string> keys = words(kKeys);
  return keys;
}

} // namespace attune
