// ResumeFile: which pieces of a long work are done, one a line, so that a run that was stopped or killed goes on where it was. A piece is told once
// it is done, so the last ones before a crash may be done again. When all is done the file is removed, and the next run begins anew.
//
// Thread rule: contains() from any thread; the rest from one at a time. Memory: the pieces done by earlier runs.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"
#include "service/lines.h"

namespace attune {

class ResumeFile {
 public:
  // Reads what earlier runs did; a torn last line is none, and is cut off. Makes the file when there is none.
  // ERRORS: io; busy: another process holds it.
  static Result<std::unique_ptr<ResumeFile>> open(const std::string& path);
  ~ResumeFile();
  ResumeFile(const ResumeFile&) = delete;
  ResumeFile& operator=(const ResumeFile&) = delete;

  // Whether an earlier run did it.
  [[nodiscard]] bool contains(const std::string& piece) const { return done_.contains(piece); }
  // Written within a second. REQUIRES: no newline in it. ERRORS: io.
  Status add(std::string_view piece);
  // All that was added is written. ERRORS: io.
  Status flush() { return writer_.flush(); }
  // All is done: the file goes. ERRORS: io.
  Status remove();

 private:
  ResumeFile(std::string path, int fd);

  std::string path_;
  int fd_;
  std::unordered_set<std::string> done_;
  LineWriter writer_;
  std::chrono::steady_clock::time_point flushed_;
};

} // namespace attune
