#include "service/known_names.h"

#include <algorithm>
#include <string_view>

namespace attune {

namespace {

constexpr std::string_view kPrograms =
    "attune attune-consume attune-init attune-produce attune-profile attune-profile-update attune-recommend attune-replay "
    "attune-train";

constexpr std::string_view kKeys =
    "X ack align at cache catalog check config count currency customer dead-letters emit envelope follow format from give-up "
    "group half-life idle item items keep-partition last late log log-password log-password-file map memory merge model "
    "namespace neighbours on-gap output partitions profile-ttl quiet rate rebuild recent replace replication retention "
    "rewind sessions shift shift-to show slot sort speed store store-password store-password-file to to-namespace topic "
    "topics type until until-end verbose why wire workers";

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
