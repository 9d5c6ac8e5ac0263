#include "adapters/file_log_partition.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <thread>

#include "adapters/envelope.h"
#include "adapters/file_log_segment.h"

namespace attune {
namespace {

constexpr std::string_view kSegmentEnd = ".ndjson";
constexpr std::string_view kNewestEnd = ".newest";
constexpr std::size_t kBaseDigits = 20;
constexpr std::size_t kMarkBytes = 256;

std::string base_name(std::int64_t base)
{
  const std::string digits = std::to_string(base);
  return std::string(kBaseDigits - digits.size(), '0') + digits;
}

std::optional<std::int64_t> base_of(std::string_view name)
{
  std::int64_t base = 0;
  if (name.size() != kBaseDigits + kSegmentEnd.size() || !name.ends_with(kSegmentEnd) ||
      std::from_chars(name.data(), name.data() + kBaseDigits, base).ptr != name.data() + kBaseDigits || base < 0) {
    return std::nullopt;
  }
  return base;
}

// FNV-1a: tells a half-written mark from a whole one; no protection against malice is meant.
std::uint64_t checksum(std::string_view text)
{
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  }
  return hash;
}

std::string mark_text(const Mark& mark)
{
  char text[kMarkBytes];
  const int length = std::snprintf(
      text, sizeof text, "segment %020lld bytes %020lld next %020lld opened %+021lld newest %+021lld clock %+021lld boot %-36.36s",
      static_cast<long long>(mark.segment), static_cast<long long>(mark.bytes), static_cast<long long>(mark.next),
      static_cast<long long>(mark.opened.ms), static_cast<long long>(mark.newest.ms), static_cast<long long>(mark.clock.ms),
      mark.boot.c_str());
  std::string out(text, static_cast<std::size_t>(length));
  std::snprintf(text, sizeof text, " sum %016llx", static_cast<unsigned long long>(checksum(out)));
  out += text;
  out += '\n';
  return out;
}

std::optional<Mark> parse_mark(std::string_view text)
{
  constexpr std::size_t kSumBytes = 22; // " sum " + 16 digits + newline
  if (text.size() < kSumBytes || text.back() != '\n') {
    return std::nullopt;
  }
  const auto body = text.substr(0, text.size() - kSumBytes);
  std::uint64_t sum = 0;
  const auto digits = text.substr(text.size() - 17, 16);
  const auto summed = std::from_chars(digits.data(), digits.data() + digits.size(), sum, 16);
  if (!text.substr(body.size()).starts_with(" sum ") || summed.ec != std::errc{} || summed.ptr != digits.data() + digits.size() ||
      sum != checksum(body)) {
    return std::nullopt;
  }
  Mark mark;
  auto rest = body;
  const auto take = [&rest](std::string_view name, std::int64_t& number) {
    if (!rest.starts_with(name)) {
      return false;
    }
    rest.remove_prefix(name.size());
    rest.remove_prefix(rest.starts_with('+') ? 1 : 0); // from_chars takes no other sign than a minus
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    return error == std::errc{};
  };
  if (!take("segment ", mark.segment) || !take(" bytes ", mark.bytes) || !take(" next ", mark.next) ||
      !take(" opened ", mark.opened.ms) || !take(" newest ", mark.newest.ms) || !take(" clock ", mark.clock.ms)) {
    return std::nullopt;
  }
  constexpr std::string_view kBoot = " boot ";
  if (rest.starts_with(kBoot)) {
    const auto boot = rest.substr(kBoot.size());
    mark.boot = boot.substr(0, boot.find(' '));
  }
  return mark;
}

} // namespace

const std::string& this_boot()
{
  static const std::string boot = [] {
    const auto text = read_file("/proc/sys/kernel/random/boot_id");
    return text.ok() && *text ? (*text)->substr(0, (*text)->find('\n')) : std::string("unknown");
  }();
  return boot;
}

PartitionFiles::PartitionFiles(const std::string& log_dir, const TopicPartition& at)
    : at_(at), path_(log_dir + "/" + at.topic + "/" + std::to_string(at.partition))
{
  EnvelopeWriter::append_head(at, head_);
}

// Everything but the segments: so that locks and watches find their files, and no reader needs to make any.
Status PartitionFiles::make(const std::string& path, const TopicPartition&, const FileSync& sync)
{
  if (auto status = make_directory(path, sync); !status.ok()) {
    return status;
  }
  Mark mark;
  mark.boot = this_boot();
  return replace_files(path, {{"mark", mark_text(mark)}, {"lock", ""}, {"clean", ""}}, sync);
}

std::string PartitionFiles::segment_path(std::int64_t base) const
{
  return path_ + "/" + base_name(base) + std::string(kSegmentEnd);
}

std::string PartitionFiles::newest_path(std::int64_t base) const
{
  return path_ + "/" + base_name(base) + std::string(kNewestEnd);
}

Result<std::vector<std::int64_t>> PartitionFiles::segments() const
{
  const auto names = names_in(path_);
  if (!names.ok()) {
    return names.error();
  }
  std::vector<std::int64_t> bases;
  for (const auto& name : *names) {
    if (const auto base = base_of(name)) {
      bases.push_back(*base);
    }
  }
  return bases;
}

Result<std::vector<std::int64_t>> PartitionFiles::segments(const Mark& mark) const
{
  auto bases = segments();
  if (bases.ok()) {
    std::erase_if(*bases, [&](std::int64_t base) { return base > mark.segment; });
  }
  return bases;
}

Result<Timestamp> PartitionFiles::newest_of(std::int64_t base) const
{
  const auto text = read_file(newest_path(base));
  Timestamp newest;
  if (text.ok() && *text && std::from_chars((*text)->data(), (*text)->data() + (*text)->size(), newest.ms).ec == std::errc()) {
    return newest;
  }
  auto segment = SegmentFile::open(segment_path(base), head_);
  if (!segment.ok()) {
    return segment.error();
  }
  if (!*segment) {
    return kLongAgo;
  }
  const auto size = (*segment)->size();
  return size.ok() ? (*segment)->newest(*size) : Result<Timestamp>(size.error());
}

Status PartitionFiles::write_newest(std::int64_t base, Timestamp newest, const FileSync& sync) const
{
  return replace_files(path_, {{base_name(base) + std::string(kNewestEnd), std::to_string(newest.ms) + "\n"}}, sync);
}

Result<std::optional<Mark>> PartitionFiles::read_mark(int fd) const
{
  // A mark that is being written this moment is whole a moment later; one that stays broken was left so by a crash of the machine.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    char text[kMarkBytes];
    const auto read = read_at(fd, mark_path(), text, sizeof text, 0);
    if (!read.ok()) {
      return read.error();
    }
    if (auto mark = parse_mark({text, *read})) {
      return mark;
    }
    std::this_thread::yield();
  }
  return std::optional<Mark>();
}

Status PartitionFiles::write_mark(int fd, const Mark& mark) const
{
  return write_at(fd, mark_path(), mark_text(mark), 0);
}

Status PartitionFiles::remove_segments_above(std::int64_t base, const FileSync& sync) const
{
  const auto bases = segments();
  if (!bases.ok()) {
    return bases.error();
  }
  bool removed = false;
  for (auto above = std::upper_bound(bases->begin(), bases->end(), base); above != bases->end(); ++above) {
    if (::unlink(segment_path(*above).c_str()) != 0) {
      return file_error(segment_path(*above), "unlink", errno);
    }
    removed = true;
  }
  return removed ? sync_directory(path_, sync) : Status();
}

// The mark is exact: what stands behind it was never acknowledged. It is cut off even where it is whole, since its fdatasync may be
// what failed, and the kernel tells that only once.
Result<Mark> PartitionFiles::settle_in_this_boot(Mark mark, const FileSync& sync) const
{
  if (auto status = remove_segments_above(mark.segment, sync); !status.ok()) {
    return status.error();
  }
  const std::string path = segment_path(mark.segment);
  const auto file = open_if_there(path, O_RDWR);
  if (!file.ok()) {
    return file.error();
  }
  const auto size = *file ? file_size((**file).get(), path) : Result<std::int64_t>(0);
  if (!size.ok()) {
    return size.error();
  }
  if (*size < mark.bytes) {
    return Error{Code::io, path + ": " + std::to_string(mark.bytes - *size) + " bytes of acknowledged records are missing"};
  }
  if (*size > mark.bytes && ::ftruncate((**file).get(), mark.bytes) != 0) {
    return file_error(path, "ftruncate", errno);
  }
  return mark;
}

Result<bool> PartitionFiles::count_lines(Mark& mark) const
{
  auto segment = SegmentFile::open(segment_path(mark.segment), head_);
  if (!segment.ok()) {
    return segment.error();
  }
  if (!*segment) {
    return mark.bytes == 0;
  }
  const auto size = (*segment)->size();
  if (!size.ok()) {
    return size.error();
  }
  EnvelopeReader reader;
  EnvelopeArena arena;
  Envelope envelope;
  const auto status = (*segment)->each_line(mark.bytes, *size, [&](std::string_view line, std::int64_t at) {
    arena.clear();
    if (!reader.parse(line, envelope, arena).ok() || envelope.topic != at_.topic || envelope.partition != at_.partition ||
        envelope.offset != mark.next || !envelope.timestamp) {
      return false;
    }
    mark.opened = at == 0 ? *envelope.timestamp : mark.opened;
    mark.newest = std::max(mark.newest, *envelope.timestamp);
    mark.next += 1;
    mark.bytes = at + static_cast<std::int64_t>(line.size()) + 1;
    return true;
  });
  if (!status.ok()) {
    return status.error();
  }
  return mark.bytes == *size;
}

// The page cache is gone, so what can be read is on the disk, and records behind the mark may have been acknowledged: whole lines
// stay.
Result<Mark> PartitionFiles::settle_after_boot(std::optional<Mark> found, int mark_fd, const FileSync& sync) const
{
  const auto bases = segments();
  if (!bases.ok()) {
    return bases.error();
  }
  Mark mark;
  if (found) {
    mark = *found;
  } else if (!bases->empty()) {
    mark.segment = mark.next = bases->back();
  }
  for (;;) {
    const auto whole = count_lines(mark);
    if (!whole.ok()) {
      return whole.error();
    }
    const auto following = std::upper_bound(bases->begin(), bases->end(), mark.segment);
    if (following == bases->end()) {
      break;
    }
    if (!*whole || *following != mark.next) {
      return Error{Code::io,
                   segment_path(mark.segment) + ": byte " + std::to_string(mark.bytes) + ": damaged, and more records follow"};
    }
    if (auto status = write_newest(mark.segment, mark.newest, sync); !status.ok()) {
      return status.error();
    }
    mark = Mark{mark.next, 0, mark.next, kLongAgo, kLongAgo, mark.clock, {}};
  }
  mark.boot = this_boot();
  auto settled = settle_in_this_boot(mark, sync);
  if (!settled.ok()) {
    return settled;
  }
  if (const auto file = open_if_there(segment_path(mark.segment), O_RDWR); file.ok() && *file) {
    if (auto status = sync_file((**file).get(), segment_path(mark.segment), sync); !status.ok()) {
      return status.error();
    }
  }
  if (auto status = sync_directory(path_, sync); !status.ok()) {
    return status.error();
  }
  if (auto status = write_mark(mark_fd, mark); !status.ok()) {
    return status.error();
  }
  return mark;
}

Result<Mark> PartitionFiles::settle(int mark_fd, const FileSync& sync) const
{
  auto found = read_mark(mark_fd);
  if (!found.ok()) {
    return found.error();
  }
  if (*found && (*found)->boot == this_boot()) {
    return settle_in_this_boot(std::move(**found), sync);
  }
  return settle_after_boot(std::move(*found), mark_fd, sync);
}

Result<Mark> PartitionFiles::open_mark(FileDescriptor& mark_file, const FileSync& sync) const
{
  const int fd = mark_file.get();
  auto found = read_mark(fd);
  if (!found.ok()) {
    return found.error();
  }
  if (*found && (*found)->boot == this_boot()) {
    return std::move(**found);
  }
  const auto lock = open_file(lock_path(), O_RDWR);
  const auto writable = open_file(mark_path(), O_RDWR);
  if (!lock.ok() || !writable.ok()) {
    return *found ? Result<Mark>(std::move(**found)) : Result<Mark>(Error{Code::io, mark_path() + ": broken"});
  }
  if (auto status = lock_within(lock->get(), lock_path(), std::chrono::seconds(30)); !status.ok()) {
    return status.error();
  }
  return settle(writable->get(), sync);
}

} // namespace attune
