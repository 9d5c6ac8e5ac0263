#include "adapters/file_log_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace attune {
namespace {

constexpr Milliseconds kWithoutInotify{5};

} // namespace

Result<std::unique_ptr<FileWatch>> FileWatch::open()
{
  auto watch = std::make_unique<FileWatch>();
  watch->inotify_ = FileDescriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  watch->wake_ = FileDescriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!watch->wake_) {
    return file_error("eventfd", "open", errno);
  }
  return watch;
}

Status FileWatch::add(const std::string& path, std::uint32_t events)
{
  if (!inotify_) {
    return {};
  }
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), events);
  if (watch >= 0) {
    watches_[path] = watch;
    return {};
  }
  if (errno == ENOSPC || errno == ENOMEM) {
    inotify_ = FileDescriptor();
    return {};
  }
  return file_error(path, "inotify", errno);
}

Status FileWatch::add_file(const std::string& path, bool& changed)
{
  changed = true;
  if (auto added = add(path, IN_MODIFY); !added.ok()) {
    return added;
  }
  if (const auto watch = watches_.find(path); watch != watches_.end()) {
    changed_[watch->second] = &changed;
  }
  return {};
}

Status FileWatch::add_directory(const std::string& path)
{
  return add(path, IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_ONLYDIR);
}

void FileWatch::remove(const std::string& path)
{
  if (const auto found = watches_.find(path); found != watches_.end()) {
    ::inotify_rm_watch(inotify_.get(), found->second);
    changed_.erase(found->second);
    watches_.erase(found);
  }
}

Status FileWatch::wait(Milliseconds limit)
{
  pollfd files[2] = {{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}};
  const Milliseconds patience =
      std::clamp(inotify_ ? limit : std::min(limit, kWithoutInotify), Milliseconds(0), Milliseconds(3'600'000));
  if (::poll(files, inotify_ ? 2 : 1, static_cast<int>(patience.count())) < 0 && errno != EINTR) {
    return file_error("inotify", "poll", errno);
  }
  std::uint64_t wakes = 0;
  [[maybe_unused]] const auto ignored = ::read(wake_.get(), &wakes, sizeof wakes);
  if (inotify_) {
    take_events();
  }
  return {};
}

bool FileWatch::look()
{
  if (inotify_) {
    take_events();
  }
  return static_cast<bool>(inotify_);
}

// Events of a directory name the file in it, those of a file name nothing; an overflow may stand for either.
void FileWatch::take_events()
{
  alignas(inotify_event) char events[4096];
  for (;;) {
    const ssize_t bytes = ::read(inotify_.get(), events, sizeof events);
    if (bytes <= 0) {
      return;
    }
    for (ssize_t at = 0; at < bytes;) {
      inotify_event event{};
      std::memcpy(&event, events + at, sizeof event);
      const bool overflow = (event.mask & IN_Q_OVERFLOW) != 0;
      directory_changes_ += event.len > 0 || overflow ? 1 : 0;
      if (overflow) {
        for (const auto& [watch, changed] : changed_) *changed = true;
      } else if (const auto file = changed_.find(event.wd); file != changed_.end()) {
        *file->second = true;
      }
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
}

void FileWatch::wake()
{
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(wake_.get(), &one, sizeof one); // a full counter is awake already
}

} // namespace attune
