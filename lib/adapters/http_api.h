// HttpApi: DESIGN section 6's HTTP, over an HttpServer (adapters/http_server.h): what is asked for, who may, and the pipeline that does it. What a
// request is answered with is described in share/schemas/openapi.json, which a test holds this to and /openapi.json serves.
//
// Thread rule: make it, then hand its handlers to a server; they run on the server's threads. It outlives the server. The parts outlive it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/demo_stage.h"
#include "adapters/http_access.h"
#include "adapters/http_server.h"
#include "adapters/site_files.h"
#include "core/profile.h"
#include "pipeline/answer_service.h"
#include "pipeline/collector.h"
#include "pipeline/dead_letter.h"
#include "pipeline/stages.h"

namespace attune {

struct HttpApiParts {
  Collector* collector = nullptr; // null: this process does not collect
  AnswerService* answers = nullptr; // null: it does not answer; then the next four may be null too
  Knowledge* knowledge = nullptr;
  KnownProfiles* known = nullptr;
  Watchers* watchers = nullptr;
  ProfileReaders* readers = nullptr; // null: there is no store
  HttpAccess* access = nullptr; // never null
  const Clock* clock = nullptr; // never null
  StageTimes* times = nullptr; // never null
  std::function<std::string()> metrics; // the text of /metrics
  std::function<std::string()> not_ready; // empty: it can serve; else why not
  const DeadLetterReasons* reasons = nullptr; // of /v1/live; null: it tells of none
  std::vector<std::pair<std::string, std::string>> site_headers; // of each file of the site
  const DemoStage* demo = nullptr; // null: this is no demo
  std::size_t most_streams = 10'000;
};

class HttpApi {
 public:
  explicit HttpApi(HttpApiParts parts);
  ~HttpApi();

  [[nodiscard]] HttpHandler public_handler();
  [[nodiscard]] HttpHandler admin_handler();

  // The files of a site that the public listener serves beside its calls; null: none. Any thread.
  void set_site(std::shared_ptr<const SiteFiles> site) { site_.store(std::move(site)); }

  [[nodiscard]] std::size_t streams() const { return streams_.load(); }

 private:
  struct Call; // one request, with what was read off it
  using CallPtr = std::shared_ptr<Call>;
  class Streaming;

  void handle(const std::shared_ptr<HttpExchange>& exchange, bool admin);
  void route(const CallPtr& call);
  // Refuses customers who come too often. Whether it has.
  [[nodiscard]] bool too_often(const CallPtr& call, std::vector<std::string_view> customers);
  std::optional<Ask> admitted(const CallPtr& call);
  void note(const Answered& answered);
  void preflight(const CallPtr& call);
  void post_events(const CallPtr& call);
  void get_recommendations(const CallPtr& call);
  void get_stream(const CallPtr& call);
  void get_profile(const CallPtr& call, const CustomerId& customer);
  void delete_profile(const CallPtr& call, const CustomerId& customer);
  void post_refresh(const CallPtr& call);
  void get_live(const CallPtr& call);
  void get_carried(const CallPtr& call);
  [[nodiscard]] bool get_site(const CallPtr& call);
  [[nodiscard]] bool get_demo(const CallPtr& call);

  HttpApiParts parts_;
  std::atomic<std::shared_ptr<const SiteFiles>> site_;
  std::atomic<std::size_t> streams_{0}, woken_{0}; // open; of them, woken by a change and not answered yet
};

// The document served at /openapi.json.
[[nodiscard]] std::string_view openapi_document();

} // namespace attune
