#include "service/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/assert.h"

namespace attune {

namespace {

std::atomic<bool> requested{false};
std::atomic<int> signals_seen{0};

// Made before any handler can run (watch_stop_signals), so that the handler only loads it. Never closed: a handler may use it to the end.
int make_event()
{
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ATTUNE_ASSERT(fd >= 0);
  return fd;
}

// Async-signal-safe.
void raise_stop(int fd)
{
  requested.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd, &one, sizeof one);
}

extern "C" void handle_stop(int signal_number)
{
  const int saved = errno;
  if (signals_seen.fetch_add(1) > 0) {
    std::signal(signal_number, SIG_DFL);
    std::raise(signal_number);
  }
  raise_stop(stop_fd());
  errno = saved;
}

// The callbacks of OnStop and the thread that runs them. It lives as long as the process: callbacks may be registered until the very end.
class StopCallbacks {
 public:
  static StopCallbacks& instance()
  {
    static auto* callbacks = new StopCallbacks;
    return *callbacks;
  }

  int add(std::function<void()> callback)
  {
    const std::lock_guard lock(mutex_);
    callbacks_.emplace(++last_id_, std::move(callback));
    if (drained_) start();
    return last_id_;
  }

  void remove(int id)
  {
    std::unique_lock lock(mutex_);
    callbacks_.erase(id);
    idle_.wait(lock, [&] { return running_ != id || runner_ == std::this_thread::get_id(); });
  }

 private:
  // One thread from the first callback to the stop; after that, one for each newcomer that finds no thread at work.
  void start()
  {
    drained_ = false;
    std::thread([this] { run(); }).detach();
  }

  void run()
  {
    pollfd ready{stop_fd(), POLLIN, 0};
    while (poll(&ready, 1, -1) < 0 && errno == EINTR) {
    }
    std::unique_lock lock(mutex_);
    runner_ = std::this_thread::get_id();
    while (!callbacks_.empty()) {
      auto callback = callbacks_.extract(callbacks_.begin());
      running_ = callback.key();
      lock.unlock();
      callback.mapped()();
      lock.lock();
      running_ = 0;
      idle_.notify_all();
    }
    drained_ = true;
  }

  std::mutex mutex_;
  std::condition_variable idle_;
  std::map<int, std::function<void()>> callbacks_;
  int last_id_ = 0;
  int running_ = 0;
  std::thread::id runner_;
  bool drained_ = true;
};

} // namespace

int stop_fd()
{
  static const int fd = make_event();
  return fd;
}

void watch_stop_signals()
{
  static_cast<void>(stop_fd());
  struct sigaction action {};
  action.sa_handler = handle_stop;
  sigemptyset(&action.sa_mask);
  for (const int signal_number : {SIGINT, SIGTERM}) {
    // A shell starts background jobs of a script with SIGINT ignored; that wish stands.
    struct sigaction old {};
    sigaction(signal_number, nullptr, &old);
    if (old.sa_handler != SIG_IGN) sigaction(signal_number, &action, nullptr);
  }
}

bool stop_requested()
{
  return requested.load(std::memory_order_relaxed);
}

void request_stop()
{
  raise_stop(stop_fd());
}

OnStop::OnStop(std::function<void()> callback) : id_(StopCallbacks::instance().add(std::move(callback))) {}

OnStop::~OnStop()
{
  StopCallbacks::instance().remove(id_);
}

void restore_signal_defaults()
{
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
}

} // namespace attune
