// Waits until one of some files changes, somebody calls wake(), or time is up. Over inotify and eventfd; where the machine has no
// inotify instance left, it looks again every 5 ms instead.
// Thread rule: one thread, but wake() from any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "adapters/durable_file.h"
#include "base/clock.h"

namespace attune {

class FileWatch {
 public:
  static Result<std::unique_ptr<FileWatch>> open();

  // A file whose content changes; `changed` is set when it has, and has to stay until it is removed. ERRORS: io.
  Status add_file(const std::string& path, bool& changed);
  // A directory where names come and go, or files are closed after writing.
  Status add_directory(const std::string& path);
  void remove(const std::string& path);

  // Changes since the last wait count: nothing is missed in between.
  // Returns early for no reason at times. ERRORS: io.
  Status wait(Milliseconds limit);
  void wake();
  // Takes note of what has changed up to now, without waiting. False: nobody tells (no inotify), so anything may have.
  bool look();
  // Counts what happened to watched directories, as far as wait() saw it.
  [[nodiscard]] std::uint64_t directory_changes() const { return directory_changes_; }

 private:
  void take_events();
  Status add(const std::string& path, std::uint32_t events);

  FileDescriptor inotify_;
  FileDescriptor wake_;
  std::map<std::string, int> watches_;
  std::map<int, bool*> changed_; // of files
  std::uint64_t directory_changes_ = 0;
};

} // namespace attune
