#include "adapters/model_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "adapters/durable_file.h"
#include "adapters/file_log.h"

namespace attune {

namespace {

std::string directory_of(const std::string& path)
{
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Beside its target, so that the rename stays within one file system; named after the process, so that two do not meet.
Status write_beside(const std::string& beside, const std::string& path, const std::string& bytes)
{
  auto file = open_file(beside, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return file.error();
  if (auto written = write_at(file->get(), beside, bytes, 0); !written) return written;
  if (auto synced = sync_file(file->get(), beside, fdatasync_file()); !synced) return synced;
  if (::rename(beside.c_str(), path.c_str()) != 0) return file_error(path, "rename", errno);
  return {};
}

} // namespace

Result<Model> read_model_file(const std::string& path)
{
  auto bytes = read_file(path);
  if (!bytes) return bytes.error();
  if (!*bytes) return file_error(path, "open", ENOENT);
  auto model = Model::decode(**bytes);
  if (!model) return Error{model.error().code, path + ": " + model.error().message};
  return model;
}

Result<std::size_t> write_model_file(const std::string& path, Model& model)
{
  std::string bytes;
  model.encode(bytes);
  const auto beside = path + "." + std::to_string(::getpid()) + ".new";
  if (auto written = write_beside(beside, path, bytes); !written) {
    ::unlink(beside.c_str());
    return written.error();
  }
  if (auto synced = sync_directory(directory_of(path), fdatasync_file()); !synced) return synced.error();
  return bytes.size();
}

} // namespace attune
