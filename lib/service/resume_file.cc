#include "service/resume_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace attune {

namespace {

constexpr std::chrono::seconds kFlush{1};

Error failure(const std::string& path)
{
  return {Code::io, path + ": " + std::strerror(errno)};
}

} // namespace

ResumeFile::ResumeFile(std::string path, int fd)
    : path_(std::move(path)), fd_(fd), writer_(fd, path_), flushed_(std::chrono::steady_clock::now())
{
}

ResumeFile::~ResumeFile()
{
  static_cast<void>(writer_.flush());
  ::close(fd_);
}

Result<std::unique_ptr<ResumeFile>> ResumeFile::open(const std::string& path)
{
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return failure(path);
  std::unique_ptr<ResumeFile> file(new ResumeFile(path, fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    return errno == EWOULDBLOCK ? Error{Code::busy, path + ": another process works with it"} : failure(path);
  const auto text = read_whole(path);
  if (!text) return text.error();
  std::size_t begin = 0;
  for (auto end = text->find('\n'); end != std::string::npos; end = text->find('\n', begin)) {
    file->done_.insert(text->substr(begin, end - begin));
    begin = end + 1;
  }
  if (begin < text->size() && ::ftruncate(fd, static_cast<off_t>(begin)) != 0) return failure(path);
  return file;
}

Status ResumeFile::add(std::string_view piece)
{
  if (auto written = writer_.line(piece); !written) return written;
  const auto now = std::chrono::steady_clock::now();
  if (now - flushed_ < kFlush) return {};
  flushed_ = now;
  return writer_.flush();
}

Status ResumeFile::remove()
{
  if (auto flushed = writer_.flush(); !flushed) return flushed;
  return ::unlink(path_.c_str()) == 0 ? Status() : Status(failure(path_));
}

} // namespace attune
