// Service: the parts a daemon is made of, chosen by its roles, opened, connected, started, drained. The same pipeline as the tools'.
//
//   collect     HTTP → Collector → (Spool) → log
//   profile     log → GroupFeed → Ingest → store            changes → KnownProfiles, Watchers (in this process)
//   recommend   log → Learner → Knowledge;  HTTP → AnswerService → answers       changes of other processes ← ChangeFeed
//
// Thread rule: open(), start(), drain() and the rest from the main thread.
#pragma once

#include <memory>
#include <string>

#include "service/daemon.h"
#include "service_settings.h"

namespace attune {

class Service {
 public:
  // Opens everything, and starts nothing. `settings` outlives it. ERRORS name what could not be opened.
  static Result<std::unique_ptr<Service>> open(const ServiceSettings& settings, const std::string& program);
  ~Service(); // in the order of drain(), without patience

  void start();
  // In flight requests are answered, what was read is applied and its position stored, a last snapshot is written.
  Status drain();
  // The site's files, rules and catalog are read again, and once all of them are read they hold: the files at once, the others within a round
  // of whoever learns (the catalog once its lines in the log are read again too). ERRORS: config; io. Then what stood stands, all of it.
  Status reload();

  [[nodiscard]] bool alive();
  [[nodiscard]] std::string status() const;
  [[nodiscard]] Status failure() const; // of a part that can not go on

 private:
  struct Parts;
  explicit Service(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The whole of a daemon: its main. `roles`: all it may play; with `choose`, --roles picks among them.
int run_service(int argc, char** argv, const std::string& name, const std::string& summary, const std::string& examples,
                const Roles& roles, bool choose);

} // namespace attune
