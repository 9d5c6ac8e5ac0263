// Daemon: what a program that stays is, beside being a Tool: it tells its supervisor when it is ready, reloading, stopping and alive (sd_notify(3):
// Type=notify, WatchdogSec=), and reloads at SIGHUP.
//
//   Daemon daemon;                      // before threads start: SIGHUP is caught from here on
//   …open everything…
//   daemon.run({.alive = …, .reload = …, .status = …});   // READY=1, then until the stop
//
// Thread rule: one, on the main thread. Without a supervisor the notifications go nowhere.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace attune {

struct DaemonParts {
  // Whether everything that should advance has since the last call; while it has not, the watchdog is not fed. May be empty.
  std::function<bool()> alive;
  // At SIGHUP. An error is logged, and what stood stands. May be empty.
  std::function<Status()> reload;
  // One line for `systemctl status`. May be empty.
  std::function<std::string()> status;
  // Why the program has to end although nobody asked it to; nothing as long as it goes on. May be empty.
  std::function<Status()> failure;
};

class Daemon {
 public:
  Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Says READY, then waits for the stop (service/signals.h) or a failure, feeding the watchdog. Says STOPPING before it returns.
  // ERRORS: those of parts.failure.
  Status run(const DaemonParts& parts);
};

} // namespace attune
