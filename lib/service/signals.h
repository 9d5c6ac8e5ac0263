// Stopping. The first SIGINT or SIGTERM asks the program to stop: stop reading, finish, commit, exit 0. The second ends it at once, by that
// signal's default.
//
// Thread rule: every function may be called from any thread.
#pragma once

#include <functional>

namespace attune {

// Tool::run calls it before the body.
void watch_stop_signals();

[[nodiscard]] bool stop_requested();

// Becomes readable at a stop and stays so: for poll(2) beside other descriptors. Never read it.
[[nodiscard]] int stop_fd();

// What the first signal does, from inside the program.
void request_stop();

// Runs a function once when the stop comes (at once, when it has come), on a thread of its own, until this object goes away; its
// destructor waits for a call in progress. For what can not poll: `OnStop wake([&] { queue.close(); });`
class OnStop {
 public:
  explicit OnStop(std::function<void()> callback);
  ~OnStop();
  OnStop(const OnStop&) = delete;
  OnStop& operator=(const OnStop&) = delete;

 private:
  int id_;
};

// Gives SIGPIPE and SIGXFSZ, which Tool::run ignores, their defaults back, for use before exec(3): an ignored signal stays ignored in the next
// program.
void restore_signal_defaults();

} // namespace attune
