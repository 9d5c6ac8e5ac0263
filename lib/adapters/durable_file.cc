#include "adapters/durable_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <thread>

namespace attune {

FileDescriptor::~FileDescriptor()
{
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Error file_error(const std::string& path, std::string_view act, int error)
{
  return {Code::io, path + ": " + std::string(act) + ": " + std::generic_category().message(error)};
}

Result<std::optional<FileDescriptor>> open_if_there(const std::string& path, int flags)
{
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  if (fd >= 0) {
    return std::optional(FileDescriptor(fd));
  }
  if (errno == ENOENT) {
    return std::optional<FileDescriptor>();
  }
  return file_error(path, "open", errno);
}

Result<FileDescriptor> open_file(const std::string& path, int flags)
{
  auto file = open_if_there(path, flags);
  if (!file.ok()) {
    return file.error();
  }
  if (!*file) {
    return file_error(path, "open", ENOENT);
  }
  return std::move(**file);
}

Result<std::int64_t> file_size(int fd, const std::string& path)
{
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    return file_error(path, "fstat", errno);
  }
  return static_cast<std::int64_t>(info.st_size);
}

Status write_at(int fd, const std::string& path, std::string_view bytes, std::int64_t at)
{
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return file_error(path, "write", written == 0 ? ENOSPC : errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += written;
  }
  return {};
}

Result<std::size_t> read_at(int fd, const std::string& path, char* out, std::size_t size, std::int64_t at)
{
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(fd, out + done, size - done, at + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return file_error(path, "read", errno);
    }
    if (count == 0) {
      break;
    }
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<std::optional<std::string>> read_file(const std::string& path)
{
  auto file = open_if_there(path, O_RDONLY);
  if (!file.ok()) {
    return file.error();
  }
  if (!*file) {
    return std::optional<std::string>();
  }
  const int fd = (**file).get();
  const auto size = file_size(fd, path);
  if (!size.ok()) {
    return size.error();
  }
  std::string out(static_cast<std::size_t>(*size), '\0');
  const auto read = read_at(fd, path, out.data(), out.size(), 0);
  if (!read.ok()) {
    return read.error();
  }
  out.resize(*read);
  return std::optional(std::move(out));
}

Status sync_file(int fd, const std::string& path, const FileSync& sync)
{
  if (const int error = sync(fd); error != 0) {
    return file_error(path, "fdatasync", error);
  }
  return {};
}

Status sync_directory(const std::string& path, const FileSync& sync)
{
  const auto directory = open_file(path, O_RDONLY | O_DIRECTORY);
  return directory.ok() ? sync_file(directory->get(), path, sync) : Status(directory.error());
}

namespace {

Status write_new_file(const std::string& path, std::string_view content, const FileSync& sync)
{
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.ok()) {
    return file.error();
  }
  if (auto status = write_at(file->get(), path, content, 0); !status.ok()) {
    return status;
  }
  return sync_file(file->get(), path, sync);
}

} // namespace

Status replace_files(const std::string& directory, const std::vector<FileContent>& files, const FileSync& sync)
{
  for (const auto& [name, content] : files) {
    if (auto status = write_new_file(directory + "/." + name + ".new", content, sync); !status.ok()) {
      return status;
    }
  }
  for (const auto& file : files) {
    const std::string path = directory + "/" + file.name;
    if (::rename((directory + "/." + file.name + ".new").c_str(), path.c_str()) != 0) {
      return file_error(path, "rename", errno);
    }
  }
  return sync_directory(directory, sync);
}

namespace {

bool is_directory(const std::string& path)
{
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// The directory that `path` is in; empty where it names none.
std::string parent_of(const std::string& path)
{
  const std::size_t last = path.find_last_not_of('/');
  const std::size_t slash = last == std::string::npos ? std::string::npos : path.rfind('/', last);
  return slash == std::string::npos ? std::string() : path.substr(0, std::max<std::size_t>(slash, 1));
}

} // namespace

Status make_directory(const std::string& path, const FileSync& sync)
{
  const std::string parent = parent_of(path);
  int made = ::mkdir(path.c_str(), 0777);
  // A parent that is there is not what is missing: some file systems have no place for what they do not know.
  if (made != 0 && errno == ENOENT && !parent.empty() && !is_directory(parent)) {
    if (auto status = make_directory(parent, sync); !status.ok()) {
      return status;
    }
    made = ::mkdir(path.c_str(), 0777);
  }
  if (made == 0) {
    return sync_directory(parent.empty() ? "." : parent, sync);
  }
  if (errno != EEXIST) {
    return file_error(path, "mkdir", errno);
  }
  return is_directory(path) ? Status() : Status(file_error(path, "mkdir", ENOTDIR));
}

Result<std::vector<std::string>> names_in(const std::string& directory)
{
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
  if (!stream) {
    if (errno == ENOENT) {
      return names;
    }
    return file_error(directory, "opendir", errno);
  }
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> try_lock(int fd, const std::string& path)
{
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return false;
    }
    if (errno != EINTR) {
      return file_error(path, "flock", errno);
    }
  }
  return true;
}

// flock has no time limit of its own, and waiting in it for ever would hang behind a stopped process; so it is asked again and
// again, often at first, because whoever holds it is usually one fdatasync away from done.
Status lock_within(int fd, const std::string& path, Milliseconds limit)
{
  const auto start = std::chrono::steady_clock::now();
  auto pause = std::chrono::microseconds(50);
  for (;;) {
    const auto locked = try_lock(fd, path);
    if (!locked.ok()) {
      return locked.error();
    }
    if (*locked) {
      return {};
    }
    if (std::chrono::steady_clock::now() - start > limit) {
      return Error{Code::busy, path + ": held by another process for " + std::to_string(limit.count()) + " ms"};
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 5 / 4, std::chrono::microseconds(1000));
  }
}

void unlock(int fd)
{
  ::flock(fd, LOCK_UN);
}

} // namespace attune
