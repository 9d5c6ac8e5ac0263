#include "service/daemon.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>

#include "base/assert.h"
#include "service/log.h"
#include "service/signals.h"

namespace attune {

namespace {

constexpr Milliseconds kRound{1000}; // between looks at failure and status

int reload_fd()
{
  static const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ATTUNE_ASSERT(fd >= 0);
  return fd;
}

extern "C" void handle_reload(int)
{
  const int saved = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(reload_fd(), &one, sizeof one);
  errno = saved;
}

// How often the supervisor wants to hear from us; 0: never.
Milliseconds watchdog_interval()
{
  std::uint64_t us = 0;
  if (sd_watchdog_enabled(0, &us) <= 0) return Milliseconds(0);
  return Milliseconds(us / 1000 / 2);
}

void reload(const DaemonParts& parts)
{
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(reload_fd(), &count, sizeof count);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
  const auto done = parts.reload ? parts.reload() : Status();
  if (done)
    log(LogLevel::info, "reloaded");
  else
    log(LogLevel::error, done.error().message + " (what stood before stands)");
  sd_notify(0, "READY=1");
}

} // namespace

Daemon::Daemon()
{
  static_cast<void>(reload_fd());
  struct sigaction action {};
  action.sa_handler = handle_reload;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, nullptr);
}

Status Daemon::run(const DaemonParts& parts)
{
  const auto watchdog = watchdog_interval();
  const auto round = watchdog.count() > 0 ? std::min(kRound, watchdog) : kRound;
  sd_notify(0, "READY=1");
  log(LogLevel::info, "ready");
  Status failure;
  while (!stop_requested()) {
    pollfd ready[] = {{stop_fd(), POLLIN, 0}, {reload_fd(), POLLIN, 0}};
    const int happened = poll(ready, 2, static_cast<int>(round.count()));
    if (happened > 0 && (ready[1].revents & POLLIN) != 0 && !stop_requested()) reload(parts);
    if (parts.failure) failure = parts.failure();
    if (!failure) break;
    if (watchdog.count() > 0 && (!parts.alive || parts.alive())) sd_notify(0, "WATCHDOG=1");
    if (parts.status) sd_notifyf(0, "STATUS=%s", parts.status().c_str());
  }
  sd_notify(0, "STOPPING=1");
  log(LogLevel::info, "stopping");
  return failure;
}

} // namespace attune
