#include "service/lines.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "service/signals.h"

namespace attune {

namespace {

// One read of this size is past the knee for files and pipes alike (a pipe holds 64 KiB), and small enough to stay in the L2 cache.
constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::size_t kWriteSize = 64 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Error io_error(const std::string& name)
{
  return {Code::io, name + ": " + std::strerror(errno)};
}

} // namespace

std::string TextLine::place() const
{
  return std::string(source) + ':' + std::to_string(number);
}

LineReader::LineReader(std::vector<std::string> files, std::size_t limit) : files_(std::move(files)), limit_(limit)
{
  if (files_.empty()) files_.emplace_back("-");
}

LineReader::LineReader(int fd, std::string name, bool owned, std::size_t limit)
    : limit_(limit), fd_(fd), owned_(owned), name_(std::move(name))
{
}

LineReader::~LineReader()
{
  close_current();
}

void LineReader::close_current()
{
  if (fd_ >= 0 && owned_) ::close(fd_);
  fd_ = -1;
}

Result<bool> LineReader::open_next()
{
  if (next_file_ == files_.size()) return false;
  const std::string& file = files_[next_file_++];
  owned_ = file != "-";
  name_ = owned_ ? file : "stdin";
  fd_ = owned_ ? ::open(file.c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
  if (fd_ < 0) return io_error(name_);
  number_ = 0;
  begin_ = scanned_ = end_ = 0;
  at_start_ = true;
  return true;
}

Status LineReader::go_quiet()
{
  if (!std::exchange(fresh_, false) || !on_quiet_) return {};
  return on_quiet_();
}

// True when a read will not block, false at a stop. A regular file is always ready.
Result<bool> LineReader::wait_readable()
{
  pollfd ready[2] = {{fd_, POLLIN, 0}, {stop_fd(), POLLIN, 0}};
  if (poll(ready, 2, 0) == 0) {
    if (auto quiet = go_quiet(); !quiet) return quiet.error();
    while (poll(ready, 2, -1) < 0)
      if (errno != EINTR) return io_error(name_);
  }
  return ready[1].revents == 0;
}

void LineReader::make_room()
{
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kReadSize) buffer_.resize(std::max(end_ + kReadSize, 2 * buffer_.size()));
}

Result<LineReader::Got> LineReader::fill()
{
  make_room();
  while (true) {
    const auto readable = wait_readable();
    if (!readable) return readable.error();
    if (!*readable) return Got::stopped;
    const ssize_t got = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (got > 0) {
      end_ += static_cast<std::size_t>(got);
      bytes_read_ += static_cast<std::uint64_t>(got);
      fresh_ = true;
      return Got::bytes;
    }
    if (got == 0) return Got::end;
    if (errno != EINTR && errno != EAGAIN) return io_error(name_);
  }
}

void LineReader::skip_mark()
{
  const std::string_view held(buffer_.data() + begin_, end_ - begin_);
  if (held.size() < kByteOrderMark.size()) return;
  at_start_ = false;
  if (!held.starts_with(kByteOrderMark)) return;
  begin_ += kByteOrderMark.size();
  scanned_ = std::max(scanned_, begin_);
}

// The line from begin_ to `stop`; the next begins at `after`. Only before a newline is a "\r" part of the line's end.
TextLine LineReader::take_line(std::size_t stop, std::size_t after)
{
  std::string_view text(buffer_.data() + begin_, stop - begin_);
  if (stop != after && text.ends_with('\r')) text.remove_suffix(1);
  at_start_ = false;
  begin_ = scanned_ = after;
  const bool over = text.size() > limit_;
  return {text.substr(0, limit_), ++number_, name_, text.size(), over};
}

// Sets the line being read aside, as far as it is wanted, when it is longer than any line that is handed over whole.
void LineReader::remember_long_line()
{
  const std::size_t held = end_ - begin_;
  if (held <= limit_ + 1 && long_size_ == 0) return;
  at_start_ = false;
  const char* bytes = buffer_.data() + begin_;
  if (long_size_ == 0) long_line_.clear();
  if (long_line_.size() < limit_) long_line_.append(bytes, std::min(held, limit_ - long_line_.size()));
  if (held > 0) long_ends_in_cr_ = bytes[held - 1] == '\r';
  long_size_ += held;
  begin_ = scanned_ = end_ = 0;
}

TextLine LineReader::take_long_line()
{
  return {long_line_, ++number_, name_, std::exchange(long_size_, 0), true};
}

Result<std::optional<TextLine>> LineReader::next()
{
  while (!stopped_) {
    if (fd_ < 0) {
      const auto opened = open_next();
      if (!opened) return opened.error();
      if (!*opened) break;
    }
    if (at_start_) skip_mark();
    const char* start = buffer_.data() + scanned_;
    if (const void* newline = end_ > scanned_ ? std::memchr(start, '\n', end_ - scanned_) : nullptr) {
      const auto stop = static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_.data());
      if (long_size_ == 0) return std::optional(take_line(stop, stop + 1));
      const std::size_t rest = stop - begin_;
      const bool cr = rest > 0 ? buffer_[stop - 1] == '\r' : long_ends_in_cr_;
      long_size_ += rest - (cr ? 1 : 0);
      begin_ = scanned_ = stop + 1;
      return std::optional(take_long_line());
    }
    scanned_ = end_;
    remember_long_line();
    const auto got = fill();
    if (!got) return got.error();
    if (*got == Got::bytes) continue;
    if (*got == Got::stopped) {
      stopped_ = true;
      break;
    }
    close_current();
    if (long_size_ > 0) return std::optional(take_long_line());
    if (begin_ < end_) return std::optional(take_line(end_, end_));
  }
  if (auto quiet = go_quiet(); !quiet) return quiet.error();
  return std::optional<TextLine>();
}

std::optional<std::uint64_t> LineReader::bytes_total() const
{
  std::uint64_t total = 0;
  const auto add = [&total](const struct stat& facts) {
    total += static_cast<std::uint64_t>(facts.st_size);
    return S_ISREG(facts.st_mode);
  };
  struct stat facts {};
  if (files_.empty()) return fd_ >= 0 && fstat(fd_, &facts) == 0 && add(facts) ? std::optional(total) : std::nullopt;
  for (const auto& file : files_) {
    const int status = file == "-" ? fstat(STDIN_FILENO, &facts) : stat(file.c_str(), &facts);
    if (status != 0 || !add(facts)) return std::nullopt;
  }
  return total;
}

Result<std::string> read_whole(const std::string& path)
{
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error(path);
  std::string text;
  Result<std::string> result = text;
  for (ssize_t got = 1; got != 0;) {
    const std::size_t held = text.size();
    text.resize(held + kWriteSize);
    got = ::read(fd, text.data() + held, kWriteSize);
    if (got < 0 && errno != EINTR) {
      result = io_error(path);
      break;
    }
    text.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  ::close(fd);
  if (result) result = std::move(text);
  return result;
}

LineWriter::LineWriter(int fd, std::string name) : fd_(fd), name_(std::move(name)), terminal_(isatty(fd) == 1) {}

LineWriter::~LineWriter()
{
  static_cast<void>(flush());
}

Status LineWriter::line(std::string_view text)
{
  buffer_.append(text);
  buffer_ += '\n';
  return terminal_ || buffer_.size() >= kWriteSize ? flush() : failed_ ? Status(*failed_) : Status();
}

Status LineWriter::write(std::string_view text)
{
  buffer_.append(text);
  return buffer_.size() >= kWriteSize ? flush() : failed_ ? Status(*failed_) : Status();
}

Status LineWriter::flush()
{
  if (!failed_)
    if (auto written = write_out(); !written) failed_ = written.error();
  buffer_.clear();
  return failed_ ? Status(*failed_) : Status();
}

Status LineWriter::write_out()
{
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      // Somebody who shares this descriptor made it non-blocking.
      pollfd ready{fd_, POLLOUT, 0};
      static_cast<void>(poll(&ready, 1, -1));
    } else if (errno == EPIPE && fd_ == STDOUT_FILENO) {
      std::signal(SIGPIPE, SIG_DFL);
      std::raise(SIGPIPE);
    } else if (errno != EINTR) {
      return io_error(name_);
    }
  }
  return {};
}

} // namespace attune
