#include "adapters/model_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>

#include "adapters/durable_file.h"
#include "adapters/file_log.h"
#include "core/huge_pages.h"

namespace attune {

namespace {

std::string directory_of(const std::string& path)
{
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

constexpr auto kWait = std::chrono::seconds(30);

// Whether `fd` is still the file of that name: who held it before may have made it the model.
bool is_named(int fd, const std::string& path)
{
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

// The file beside the model, so that the rename stays within one file system; held by this process alone, and empty.
Result<FileDescriptor> hold(const std::string& beside)
{
  for (;;) {
    auto file = open_file(beside, O_WRONLY | O_CREAT);
    if (!file) return file.error();
    if (auto locked = lock_within(file->get(), beside, kWait); !locked) return locked.error();
    if (!is_named(file->get(), beside)) continue;
    if (::ftruncate(file->get(), 0) != 0) return file_error(beside, "truncate", errno);
    return file;
  }
}

Result<Model::Saved> write(int fd, const std::string& beside, const std::string& path, const Model& model)
{
  std::int64_t at = 0;
  auto saved = model.encode([&](std::string_view piece) {
    auto written = write_at(fd, beside, piece, at);
    at += static_cast<std::int64_t>(piece.size());
    return written;
  });
  if (!saved) return saved.error();
  if (auto synced = sync_file(fd, beside, fdatasync_file()); !synced) return synced.error();
  if (::rename(beside.c_str(), path.c_str()) != 0) return file_error(path, "rename", errno);
  return saved;
}

} // namespace

Result<Model> read_model_file(const std::string& path)
{
  const auto file = open_file(path, O_RDONLY);
  if (!file) return file.error();
  const auto size = file_size(file->get(), path);
  if (!size) return size.error();
  // It may be a gigabyte, so that not even zeros are written where it goes. Not mapped: another program may cut the file short meanwhile.
  const auto room = static_cast<std::size_t>(*size);
  const auto bytes = std::make_unique_for_overwrite<char[]>(room);
  ask_for_huge_pages(bytes.get(), room);
  const auto read = read_at(file->get(), path, bytes.get(), room, 0);
  if (!read) return read.error();
  auto model = Model::decode({bytes.get(), *read});
  if (!model) return Error{model.error().code, path + ": " + model.error().message};
  return model;
}

Result<Model::Saved> write_model_file(const std::string& path, const Model& model)
{
  const auto beside = path + ".new";
  const auto file = hold(beside);
  if (!file) return file.error();
  auto saved = write(file->get(), beside, path, model);
  if (!saved) {
    ::unlink(beside.c_str());
    return saved.error();
  }
  if (auto synced = sync_directory(directory_of(path), fdatasync_file()); !synced) return synced.error();
  return saved;
}

} // namespace attune
