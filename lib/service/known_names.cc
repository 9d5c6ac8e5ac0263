#include "service/known_names.h"

#include <algorithm>
#include <string_view>

namespace attune {

namespace {

constexpr std::string_view kPrograms =
    "attune attune-consume attune-evaluate attune-init attune-produce attune-profile attune-profile-update attune-recommend "
    "attune-replay attune-train attune-tune";

constexpr std::string_view kKeys =
    "X ack align asked at baskets cache catalog check compare config count currency customer dead-letters draws emit "
    "envelope every fail-below follow format from give-up goal group idle item items keep-partition late learning-rate list "
    "log log-password log-password-file map max-age max-clicks memory merge min-gap model namespace neighbours on-gap "
    "output partitions prequential profile-ttl quiet rate rebuild recent replace replication retention rewind rules seed "
    "shift shift-to show slot sort source speed split store store-password store-password-file teach-first teach-share test "
    "test-share to to-namespace topic topics trials type types until until-end validation-share verbose why why-not wire "
    "workers";

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
