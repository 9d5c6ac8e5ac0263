// RequestThread: the thread a request lives on, as far as the pipeline needs it: work is handed to it from elsewhere, or to itself for later.
// Thread rule: any thread may call; what is given runs there, one after the other. A call that was given may never
// come when the program stops.
#pragma once

#include <chrono>
#include <functional>

namespace attune {

class RequestThread {
 public:
  virtual ~RequestThread() = default;
  virtual void post(std::function<void()> call) = 0;
  virtual void after(std::chrono::microseconds wait, std::function<void()> call) = 0;
};

} // namespace attune
