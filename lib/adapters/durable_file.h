// Durable files: the few calls of POSIX that the embedded log stands on, with errors that name the path and the act
// ("dir/t/0/mark: open: Permission denied"). Thread rule: none of its own. ERRORS: io, except where said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace attune {

using FileSync = std::function<int(int fd)>; // adapters/file_log.h

// Owns one descriptor; always close-on-exec.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept
  {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// `error`: an errno.
[[nodiscard]] Error file_error(const std::string& path, std::string_view act, int error);

// `flags` as of open(2), O_CLOEXEC added; a file made has mode 0666 less the umask.
[[nodiscard]] Result<FileDescriptor> open_file(const std::string& path, int flags);
// Nothing: there is no such file.
[[nodiscard]] Result<std::optional<FileDescriptor>> open_if_there(const std::string& path, int flags);
[[nodiscard]] Result<std::int64_t> file_size(int fd, const std::string& path);

[[nodiscard]] Status write_at(int fd, const std::string& path, std::string_view bytes, std::int64_t at);
// Reads until `size` bytes are there or the file ends; the number read.
[[nodiscard]] Result<std::size_t> read_at(int fd, const std::string& path, char* out, std::size_t size, std::int64_t at);
// Nothing: there is no such file.
[[nodiscard]] Result<std::optional<std::string>> read_file(const std::string& path);

[[nodiscard]] Status sync_file(int fd, const std::string& path, const FileSync& sync);
[[nodiscard]] Status sync_directory(const std::string& path, const FileSync& sync);

// Replaces the files by their new contents, each as a whole: whoever reads one, and whatever crashes, sees the old or the new. All
// are durable when it returns. REQUIRES: all in `directory`; nobody else writes them now.
struct FileContent {
  std::string name;
  std::string content;
};
[[nodiscard]] Status replace_files(const std::string& directory, const std::vector<FileContent>& files, const FileSync& sync);

// Makes a directory and its parents where there are none.
[[nodiscard]] Status make_directory(const std::string& path, const FileSync& sync);
// Sorted; without "." and ".."; empty when there is no such directory.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& directory);

// flock(2), exclusive; it vanishes with the descriptor, and so with the process.
[[nodiscard]] Result<bool> try_lock(int fd, const std::string& path);
// ERRORS: busy: somebody else held it for `limit`.
[[nodiscard]] Status lock_within(int fd, const std::string& path, Milliseconds limit);
void unlock(int fd);

} // namespace attune
