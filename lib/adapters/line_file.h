// LineFile: a file of lines that several programs may append to at once: whole lines, in one write each, made durable by flush().
// Thread rule: any thread. ERRORS: io, naming the file. What is held is written when it goes away, if it can be.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace attune {

class LineFile {
 public:
  static Result<std::unique_ptr<LineFile>> open(const std::string& path);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  Status line(std::string_view text); // without its newline
  Status flush(); // durable, where the file can be
  // After a write that failed, what was held is gone, and every call returns that error.

 private:
  LineFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Status write_out();

  int fd_;
  std::string path_;
  std::mutex mutex_;
  std::string buffer_;
  std::optional<Error> failed_;
  bool dirty_ = false;
};

// One write(2) after another until all is written. ERRORS: io: "NAME: reason".
Status write_all(int fd, std::string_view bytes, const std::string& name);

} // namespace attune
