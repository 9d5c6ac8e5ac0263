#include "remote_options.h"

#include <utility>

#include "core/recommender.h"

namespace attune {

void RemoteSettings::declare(Command& command)
{
  command.option("--url", place.url, "URL", "the service's public listener: http://HOST:PORT or https://HOST").required();
  command.option("--signing-key", place.signing_key, "TEXT", "signs the customers' ids, where the service wants that").secret();
  command.option("-n,--count", place.n, "N", "how many items").range(1, kMaxCount);
}

void RemoteSettings::declare_sending(Command& command)
{
  command.option("--collect-url", place.collect_url, "URL", "where events are sent, when another process takes them");
  command.option("--write-key", place.write_key, "TEXT", "what a sender of events has to show, where the service wants that")
      .secret();
  command.option("--admin-url", place.admin_url, "URL",
                 "the admin listener of the process that takes events: customers are removed there");
  command.option("--admin-token", place.admin_token, "TEXT", "its bearer token").secret();
}

Status RemoteSettings::check() const
{
  for (const auto& [flag, url] : {std::pair("--url: ", &place.url), std::pair("--collect-url: ", &place.collect_url),
                                  std::pair("--admin-url: ", &place.admin_url)}) {
    if (url->empty()) continue;
    if (const auto base = base_url(*url); !base) return Error{base.error().code, flag + base.error().message};
  }
  return {};
}

RemoteServices RemoteSettings::services() const
{
  return [this] { return HttpRemote::open(place); };
}

} // namespace attune
