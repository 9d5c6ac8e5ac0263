// ServiceSettings: what a daemon is told, declared once for all of them (DESIGN section 6). Thread rule: the main thread, before others start.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/http_access.h"
#include "adapters/http_server.h"
#include "adapters/store_options.h"
#include "core/ranking.h"
#include "places_options.h"
#include "service/log.h"
#include "service/tool.h"

namespace attune {

// The parts of the service that a process may play: `--roles collect,profile,recommend`.
struct Roles {
  bool collect = false; // HTTP → log
  bool profile = false; // log → profiles
  bool recommend = false; // log and profiles → answers over HTTP

  // ERRORS: usage: a word that is no role.
  static Result<Roles> parse(const std::vector<std::string>& words);
};

enum class Learn { on, off };

struct ServiceSettings {
  explicit ServiceSettings(Roles all) : roles(all) {}

  Roles roles;
  std::vector<std::string> role_words; // --roles, of attuned
  LogPlace log;
  StorePlace store;
  std::string group = "profiles";
  bool check_config = false;
  LogFormat log_format = LogFormat::text;

  // HTTP.
  std::string listen = "127.0.0.1:8080", admin_listen = "127.0.0.1:8081";
  std::size_t threads = 1;
  HttpLimits limits;
  std::vector<std::string> trusted_proxies, origins, write_keys;
  std::string signing_key, admin_token, anonymous_pattern = "anon-*";
  double per_customer = 0, per_address = 0;
  std::size_t streams = 10'000;
  std::optional<std::string> www, demo;
  std::vector<std::string> www_header_texts;

  // Collecting.
  std::optional<std::string> currency, spool;
  ByteSize spool_size{1u << 30};

  // Profiles.
  std::size_t workers = 1;
  ByteSize cache{48u << 20};
  std::optional<std::string> dead_letters, late;
  Milliseconds align = std::chrono::hours(1), rewind = std::chrono::seconds(60);
  bool skip_gaps = false;

  // Answers.
  std::optional<std::string> model, catalog, rules;
  Learn learn = Learn::on;
  Source source = Source::blend;
  Milliseconds snapshot_every = std::chrono::minutes(10);
  ChangeMode changes = ChangeMode::tracking;
  ByteSize known{64u << 20};
  std::vector<std::string> fallback; // --static SLOT=ITEM,…

  // The options of these roles. With `choose`, --roles too.
  void declare(Tool& tool, bool choose);
  // What can be seen to be wrong without opening anything. ERRORS: usage.
  Status check();

  [[nodiscard]] AccessOptions access() const;
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> www_headers() const; // ERRORS: usage
  // "127.0.0.1:8080", "[::1]:8080", "*:8080", ":8080". ERRORS: usage.
  [[nodiscard]] Result<HttpListener> listener(const std::string& flag, const std::string& text) const;
  [[nodiscard]] Result<std::map<std::string, std::vector<ItemId>, std::less<>>> fallback_lists() const;
};

} // namespace attune
