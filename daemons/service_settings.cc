#include "service_settings.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "adapters/ip_range.h"
#include "adapters/site_files.h"
#include "core/field_rules.h"
#include "core/recommender.h"

namespace attune {

namespace {

// What is no address is told by whoever listens there.
bool is_loopback(const std::string& text)
{
  const auto address = parse_ip_address(text);
  return text != "*" && (!address || parse_ip_range("127.0.0.0/8")->holds(*address) || *address == parse_ip_address("::1"));
}

} // namespace

Result<Roles> Roles::parse(const std::vector<std::string>& words)
{
  Roles roles;
  for (const auto& word : words) {
    if (word == "collect")
      roles.collect = true;
    else if (word == "profile")
      roles.profile = true;
    else if (word == "recommend")
      roles.recommend = true;
    else
      return Error{Code::usage, "--roles: not collect, profile or recommend: " + word};
  }
  return roles;
}

void ServiceSettings::declare(Tool& tool, bool choose)
{
  threads = std::max(1u, std::thread::hardware_concurrency());
  if (choose) tool.option("--roles", role_words, "ROLE,…", "what this process does: collect, profile, recommend (default: all)");
  log.declare(tool, "the log: file:///DIR or kafka://HOST:PORT,…");
  if (roles.profile || roles.recommend) store.declare(tool);
  tool.flag("--check-config", check_config, "read and check the settings, the rules and the catalog, start nothing, exit");
  tool.option("--log-format", log_format, "FORMAT", "of messages on standard error",
              {{"text", LogFormat::text}, {"json", LogFormat::json}});

  tool.option("--listen", listen, "ADDRESS:PORT", "where the public requests come; empty: nowhere");
  tool.option("--admin-listen", admin_listen, "ADDRESS:PORT",
              "where /metrics, /readyz and the operator's requests come; empty: nowhere");
  tool.option("--threads", threads, "N", "that serve requests").range(1, 256);
  tool.option("--max-connections", limits.connections, "N", "open at a time").range(1, 1'000'000);
  tool.option("--max-connections-per-address", limits.connections_per_address, "N",
              "of one address that is no trusted proxy, or one /64 of IPv6; 0: no limit")
      .range(0, 1'000'000);
  tool.option("--max-body", limits.body_bytes, "BYTES", "of a request").range(1024, 64 << 20);
  tool.option("--trusted-proxy", trusted_proxies, "ADDRESS", "an address or range whose X-Forwarded-For is believed (repeatable)");
  tool.option("--cors-origin", origins, "ORIGIN", "a site whose pages may ask: https://shop.example, or * (repeatable)");
  tool.option("--signing-key", signing_key, "TEXT", "customers' ids are signed with it: HMAC-SHA-256; without it nothing is signed")
      .secret();
  tool.option("--admin-token", admin_token, "TEXT", "the bearer token of the admin listener").secret();
  tool.option("--anonymous-pattern", anonymous_pattern, "PATTERN", "ids of visitors who have not said who they are");
  tool.option("--rate-per-customer", per_customer, "N", "requests a second of one customer; 0: no limit");
  tool.option("--rate-per-address", per_address, "N", "requests a second from one address; 0: no limit");

  if (roles.collect || roles.recommend) {
    tool.option("--www", www, "DIR", "a site's files, served beside the public requests; read again at SIGHUP");
    tool.option("--www-header", www_header_texts, "HEADER", "of each of these files: 'Content-Security-Policy: …' (repeatable)");
    tool.option("--demo", demo, "DIR", "of a demonstration: its parts, and who stops and starts them");
  }
  if (roles.collect) {
    tool.option("--write-key", write_keys, "TEXT", "what a sender of events has to show (repeatable)").secret();
    tool.option("--currency", currency, "CODE", "for events with a price and no currency");
    tool.option("--spool", spool, "DIR", "where events wait, durable, while the log is away");
    tool.option("--spool-size", spool_size, "SIZE", "how much of them");
  }
  if (roles.collect || roles.profile)
    tool.option("--dead-letters", dead_letters, "PLACE",
                "where events go that can not be understood: topic, stderr, a file or a log's URL");
  if (roles.profile) {
    tool.option("--group", group, "NAME", "whose positions in the log are kept");
    tool.option("--workers", workers, "N", "threads that update profiles").range(1, 64);
    tool.option("--cache", cache, "SIZE", "memory for profiles that were written last");
    tool.option("--late", late, "PLACE", "where late events go, likewise");
    tool.option("--align", align, "TIME", "how far a partition may run ahead of the others in a backlog");
    tool.option("--rewind", rewind, "TIME", "how far to step back when the store was restarted");
    tool.flag("--skip-gaps", skip_gaps, "go on when records are gone before they were read, instead of stopping");
  }
  if (roles.recommend) {
    tool.option("--model", model, "FILE", "what attune-train learned; snapshots are written here (none yet: it begins empty)");
    tool.option("--learn", learn, "on|off", "whether the model learns from the log", {{"on", Learn::on}, {"off", Learn::off}});
    tool.parsed(
        "--source", "NAME", "answer by one source alone, for comparisons: vmis, vstan, popular, …; see attune-evaluate(1)",
        [this](const std::string& text) -> Status {
          const auto named = parse_source(text);
          if (!named) return Error{Code::usage, "not a source: " + text};
          source = *named;
          return {};
        },
        std::string(source_name(source)));
    tool.option("--snapshot-every", snapshot_every, "TIME", "between two snapshots of the model; 0: none");
    tool.option("--catalog", catalog, "FILE", "catalog lines, beside those of the log");
    tool.option("--rules", rules, "FILE", "filters, boosts, pins, offers and segments: attune-rules(5)");
    tool.option("--static", fallback, "SLOT=ITEM,…",
                "what is shown when nothing else can be (repeatable; without SLOT=: everywhere)");
    tool.option("--changes", changes, "WAY", "how a Redis store tells of profiles that others wrote",
                {{"tracking", ChangeMode::tracking}, {"keyspace", ChangeMode::keyspace}});
    tool.option("--known", known, "SIZE", "memory for the profiles of those who ask");
    tool.option("--max-streams", streams, "N", "open event streams").range(0, 1'000'000);
  }
  declare_libraries(tool);
}

Status ServiceSettings::check()
{
  if (!role_words.empty()) {
    auto chosen = Roles::parse(words_of(role_words));
    if (!chosen) return chosen.error();
    roles = *chosen;
  }
  if (log.url.empty()) return Error{Code::usage, "--log: needed"};
  if (auto checked = log.check(); !checked) return checked;
  if ((roles.profile || roles.recommend) && store.url.empty()) return Error{Code::usage, "--store: needed"};
  if (roles.recommend && !roles.profile && store.url == "memory:")
    return Error{Code::usage, "--store: memory: holds nothing that another process wrote"};
  for (const auto& [flag, text] : {std::pair{"--listen", listen}, std::pair{"--admin-listen", admin_listen}}) {
    if (text.empty()) continue;
    if (auto place = listener(flag, text); !place) return place.error();
  }
  if (auto place = listener("--admin-listen", admin_listen); place && admin_token.empty() && !is_loopback(place->address))
    return Error{Code::usage, "--admin-listen: not a loopback address, so that --admin-token is needed: " + admin_listen};
  if (auto place = listener("--admin-listen", admin_listen); demo && (!place || !is_loopback(place->address)))
    return Error{Code::usage, "--demo: the admin listener is not of this machine alone: " + admin_listen};
  if (auto headers = www_headers(); !headers) return headers.error();
  if (currency && !parse_currency(*currency)) return Error{Code::usage, "--currency: not an ISO 4217 code: " + *currency};
  if (per_customer < 0) return Error{Code::usage, "--rate-per-customer: below 0"};
  if (per_address < 0) return Error{Code::usage, "--rate-per-address: below 0"};
  if (auto lists = fallback_lists(); !lists) return lists.error();
  return {};
}

AccessOptions ServiceSettings::access() const
{
  AccessOptions options;
  options.write_keys = write_keys;
  options.signing_key = signing_key;
  options.admin_token = admin_token;
  options.anonymous_pattern = anonymous_pattern;
  options.origins = origins;
  options.per_customer = per_customer;
  options.per_address = per_address;
  return options;
}

Result<std::vector<std::pair<std::string, std::string>>> ServiceSettings::www_headers() const
{
  std::vector<std::pair<std::string, std::string>> headers;
  for (const auto& text : www_header_texts) {
    auto header = parse_site_header(text);
    if (!header) return Error{Code::usage, "--www-header: " + header.error().message};
    headers.push_back(std::move(*header));
  }
  return headers;
}

Result<HttpListener> ServiceSettings::listener(const std::string& flag, const std::string& text) const
{
  HttpListener place;
  place.limits = limits;
  place.trusted_proxies = trusted_proxies;
  const auto colon = text.rfind(':');
  const Error wrong{Code::usage, flag + ": not ADDRESS:PORT: " + text};
  if (colon == std::string::npos) return wrong;
  place.address = text.substr(0, colon);
  if (place.address.size() > 2 && place.address.front() == '[' && place.address.back() == ']')
    place.address = place.address.substr(1, place.address.size() - 2);
  if (place.address.empty()) place.address = "*";
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, place.port);
  if (stop != end || error != std::errc{}) return wrong;
  return place;
}

Result<std::map<std::string, std::vector<ItemId>, std::less<>>> ServiceSettings::fallback_lists() const
{
  std::map<std::string, std::vector<ItemId>, std::less<>> lists;
  for (const auto& text : fallback) {
    const auto equals = text.find('=');
    const auto slot = equals == std::string::npos ? std::string() : text.substr(0, equals);
    std::vector<ItemId> items;
    for (const auto& item : words_of({text.substr(equals == std::string::npos ? 0 : equals + 1)})) {
      if (const auto checked = check_text(item, kMaxCustomerBytes); !checked)
        return Error{Code::usage, "--static: " + std::string(checked.error()) + ": " + text};
      items.emplace_back(item);
    }
    if (!lists.emplace(slot, std::move(items)).second) return Error{Code::usage, "--static: twice for one slot: " + text};
  }
  return lists;
}

} // namespace attune
