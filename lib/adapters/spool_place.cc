#include "adapters/spool_place.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "adapters/durable_file.h"
#include "adapters/file_log_cleaning.h"
#include "adapters/file_log_partition.h"
#include "adapters/file_log_topics.h"

namespace attune {

namespace {

constexpr const char* kTopic = "spool";
constexpr const char* kGroup = "log";
constexpr std::uint64_t kSegments = 32; // of a full spool; the last one stays
constexpr std::uint64_t kLeastSegment = 4 << 10, kMostSegment = 4 << 20;
constexpr std::int64_t kOwnHeaders = 1024; // of a record in the spool, at most

// The lock file, locked.
Result<FileDescriptor> hold(const std::string& dir)
{
  const auto path = dir + "/holder";
  auto file = open_file(path, O_RDWR | O_CREAT);
  if (!file) return file.error();
  const auto ours = try_lock(file->get(), path);
  if (!ours) return ours.error();
  if (!*ours) {
    auto holder = read_file(path);
    const auto name = holder && *holder && !(*holder)->empty() ? (*holder)->substr(0, (*holder)->find('\n')) : "another process";
    return Error{Code::busy, dir + ": held by " + name};
  }
  const auto name = std::string(program_invocation_short_name) + " (process " + std::to_string(::getpid()) + ")\n";
  if (::ftruncate(file->get(), 0) != 0) return file_error(path, "ftruncate", errno);
  if (auto written = write_at(file->get(), path, name, 0); !written) return written.error();
  return file;
}

Result<std::uint64_t> bytes_of(const PartitionFiles& files)
{
  const auto bases = files.segments();
  if (!bases) return bases.error();
  std::uint64_t bytes = 0;
  for (const auto base : *bases) {
    std::error_code gone; // removed just now
    const auto size = std::filesystem::file_size(files.segment_path(base), gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

} // namespace

Result<std::unique_ptr<Spool>> open_spool(const std::string& dir, std::unique_ptr<LogWriter> log, SpoolOptions options,
                                          FileSync sync)
{
  if (options.most_bytes < kLeastSpoolBytes)
    return Error{Code::usage, dir + ": a spool of " + std::to_string(options.most_bytes) + " bytes; it needs at least " +
                                  std::to_string(kLeastSpoolBytes)};
  if (auto made = make_directory(dir, sync); !made) return made.error();
  auto held = hold(dir);
  if (!held) return held.error();

  FileLogOptions place;
  place.dir = dir;
  place.segment_bytes = static_cast<std::int64_t>(std::clamp(options.most_bytes / kSegments, kLeastSegment, kMostSegment));
  place.max_record_bytes = static_cast<std::int64_t>(options.most_record_bytes) + kOwnHeaders;
  place.commit_threads = 1;
  place.sync = std::move(sync);
  const TopicSettings settings{kTopic, 1, 1, std::nullopt, std::nullopt, false};
  if (auto made = create_topic(dir, settings, place.sync); !made && made.error().code != Code::busy) return made.error();

  SpoolParts parts;
  parts.log = std::move(log);
  parts.name = dir;
  parts.at = {kTopic, 0};
  auto writer = open_file_log_writer(place);
  if (!writer) return writer.error();
  parts.spool = std::move(*writer);
  auto reader = open_file_log_group(place, kGroup);
  if (!reader) return reader.error();
  parts.reader = std::move(*reader);
  const auto files = std::make_shared<const PartitionFiles>(dir, parts.at);
  parts.bytes = [files] { return bytes_of(*files); };
  // The lock goes with the parts.
  parts.trim = [files, lock = std::make_shared<FileDescriptor>(std::move(*held))](std::int64_t before) {
    return remove_before(*files, before);
  };
  return Spool::start(std::move(parts), std::move(options));
}

} // namespace attune
