#include "adapters/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace attune {

namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

} // namespace

Status write_all(int fd, std::string_view bytes, const std::string& name)
{
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return Error{Code::io, name + ": " + std::strerror(errno)};
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::unique_ptr<LineFile>> LineFile::open(const std::string& path)
{
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return Error{Code::io, path + ": " + std::strerror(errno)};
  return std::unique_ptr<LineFile>(new LineFile(fd, path));
}

LineFile::~LineFile()
{
  if (failed_) return;
  if (const auto written = write_out(); !written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  ::close(fd_);
}

Status LineFile::write_out()
{
  if (!failed_)
    if (const auto written = write_all(fd_, buffer_, path_); !written) failed_ = written.error();
  buffer_.clear();
  return failed_ ? Status(*failed_) : Status();
}

Status LineFile::line(std::string_view text)
{
  const std::lock_guard lock(mutex_);
  buffer_ += text;
  buffer_ += '\n';
  dirty_ = true;
  return buffer_.size() < kBufferBytes ? Status{} : write_out();
}

Status LineFile::flush()
{
  const std::lock_guard lock(mutex_);
  if (!dirty_) return {};
  if (auto written = write_out(); !written) return written;
  // A pipe or a terminal has nothing to make durable.
  if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) return Error{Code::io, path_ + ": " + std::strerror(errno)};
  dirty_ = false;
  return {};
}

} // namespace attune
