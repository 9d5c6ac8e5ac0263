// ChangeFeed: a port: tells this process which profiles others wrote into a store.
// Thread rule: start() once; the calls are made on a thread of the adapter and must be quick. They end when the feed is destroyed.
#pragma once

#include <functional>

#include "base/ids.h"
#include "base/result.h"

namespace attune {

struct ChangeListener {
  std::function<void(const CustomerId&)> changed; // also its removal
  // Some changes may have been missed (the connection was lost, or just made): anything may have changed.
  std::function<void()> all_changed;
  // Why changes are not told any more, and every other reason that comes up until they are; for people. May be empty.
  std::function<void(const Error&)> lost = {};
};

class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  // ERRORS: of the first connection.
  virtual Status start(ChangeListener listener) = 0;
  // Whether every change is told just now; while it is not, nothing that is known may be taken for current.
  [[nodiscard]] virtual bool told() const = 0;
};

} // namespace attune
