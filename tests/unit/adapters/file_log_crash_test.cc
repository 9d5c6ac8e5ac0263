// What the embedded log keeps and what it cuts when a process is killed, a disk fails or a machine reboots.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "adapters/file_log.h"
#include "adapters/file_log_partition.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kPatience = std::chrono::seconds(60);
const TopicPartition kAt{"t", 0};

struct TemporaryLog {
  std::string parent;
  FileLogOptions options;
  TemporaryLog()
  {
    std::string name = (fs::temp_directory_path() / "attune-crash-XXXXXX").string();
    parent = ::mkdtemp(name.data());
    options.dir = parent + "/log";
    options.partitions = 1;
  }
  ~TemporaryLog() { fs::remove_all(parent); }

  [[nodiscard]] std::string segment(int base = 0) const { return PartitionFiles(options.dir, kAt).segment_path(base); }
};

template <class T>
T opened(Result<T> result)
{
  if (!result.ok()) {
    BOOST_FAIL(result.error().message);
  }
  return std::move(result).value();
}

void done(const Status& status)
{
  if (!status.ok()) {
    BOOST_FAIL(status.error().message);
  }
}

Status put(LogWriter& writer, std::string_view value, LogWriter::Delivered delivered = {})
{
  OutgoingRecord record;
  record.topic = kAt.topic;
  record.partition = kAt.partition;
  record.key = "k";
  record.value = value;
  return writer.append(record, std::move(delivered));
}

void put_all(const FileLogOptions& options, int from, int to)
{
  auto writer = opened(open_file_log_writer(options));
  for (int i = from; i < to; ++i) {
    done(put(*writer, std::to_string(i)));
  }
  done(writer->flush(kPatience));
}

// All values; offsets are checked to be consecutive from 0.
std::vector<std::string> read_all(const FileLogOptions& options)
{
  auto reader = opened(open_file_log_reader(options));
  done(reader->seek(kAt, 0));
  std::vector<std::string> values;
  while (auto block = opened(reader->read(kAt, 1000))) {
    for (const Record& record : block->records) {
      BOOST_REQUIRE_EQUAL(record.offset, static_cast<std::int64_t>(values.size()));
      values.emplace_back(record.value.value_or(""));
    }
  }
  BOOST_TEST(reader->caught_up(kAt));
  return values;
}

std::vector<std::string> numbers(int from, int to)
{
  std::vector<std::string> out;
  for (int i = from; i < to; ++i) {
    out.push_back(std::to_string(i));
  }
  return out;
}

std::string line_of(std::int64_t offset, const std::string& value)
{
  return "{\"topic\":\"t\",\"partition\":0,\"offset\":" + std::to_string(offset) +
         ",\"timestamp\":1700000000000,\"key\":\"k\",\"headers\":{},\"value\":" + value + "}\n";
}

void append_bytes(const std::string& path, const std::string& bytes)
{
  std::ofstream(path, std::ios::app | std::ios::binary) << bytes;
}

// As after a reboot: the mark is of another boot, and as old as `records`.
void age_mark(const FileLogOptions& options, const std::string& saved_mark)
{
  const PartitionFiles files(options.dir, kAt);
  std::ofstream(files.mark_path(), std::ios::binary | std::ios::trunc) << saved_mark;
  const FileDescriptor fd(::open(files.mark_path().c_str(), O_RDWR));
  auto mark = opened(files.read_mark(fd.get()));
  BOOST_REQUIRE(mark.has_value());
  mark->boot = "00000000-0000-0000-0000-000000000000";
  done(files.write_mark(fd.get(), *mark));
}

std::string content_of(const std::string& path)
{
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Runs `work` in a child process that never returns.
template <class Work>
pid_t in_child(Work work)
{
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

void wait_for(pid_t child)
{
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_log_crash)

BOOST_AUTO_TEST_CASE(a_torn_line_is_never_read_and_the_next_append_cuts_it_off)
{
  TemporaryLog log;
  put_all(log.options, 0, 10);
  append_bytes(log.segment(), line_of(10, '"' + std::string(5000, 't')));
  BOOST_TEST((read_all(log.options) == numbers(0, 10)));
  put_all(log.options, 10, 11);
  BOOST_TEST((read_all(log.options) == numbers(0, 11)));
  BOOST_TEST(content_of(log.segment()).find("ttt") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(whole_lines_nobody_acknowledged_are_never_read_and_the_next_append_cuts_them_off)
{
  TemporaryLog log;
  put_all(log.options, 0, 10);
  append_bytes(log.segment(), line_of(10, "\"unacknowledged\"") + line_of(11, "\"unacknowledged\""));
  BOOST_TEST((read_all(log.options) == numbers(0, 10)));
  put_all(log.options, 10, 11);
  BOOST_TEST((read_all(log.options) == numbers(0, 11)));
  BOOST_TEST(content_of(log.segment()).find("unacknowledged") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_segment_that_was_begun_and_not_acknowledged_goes_away)
{
  TemporaryLog log;
  log.options.segment_bytes = 1000;
  put_all(log.options, 0, 15); // the active segment has room
  const PartitionFiles files(log.options.dir, kAt);
  append_bytes(files.segment_path(15), line_of(15, "\"unacknowledged\""));
  BOOST_TEST((read_all(log.options) == numbers(0, 15)));
  put_all(log.options, 15, 60);
  BOOST_TEST((read_all(log.options) == numbers(0, 60)));
}

BOOST_AUTO_TEST_CASE(after_a_reboot_acknowledged_records_behind_an_old_mark_are_kept_and_a_torn_line_is_cut)
{
  TemporaryLog log;
  const PartitionFiles files(log.options.dir, kAt);
  put_all(log.options, 0, 5);
  const std::string old_mark = content_of(files.mark_path());
  put_all(log.options, 5, 12);
  append_bytes(log.segment(), "{\"topic\":\"t\",\"parti");
  age_mark(log.options, old_mark);
  BOOST_TEST((read_all(log.options) == numbers(0, 12)));
  put_all(log.options, 12, 15);
  BOOST_TEST((read_all(log.options) == numbers(0, 15)));
}

BOOST_AUTO_TEST_CASE(after_a_reboot_segments_behind_an_old_mark_are_kept)
{
  TemporaryLog log;
  log.options.segment_bytes = 1000;
  const PartitionFiles files(log.options.dir, kAt);
  put_all(log.options, 0, 5);
  const std::string old_mark = content_of(files.mark_path());
  put_all(log.options, 5, 100);
  age_mark(log.options, old_mark);
  BOOST_TEST((read_all(log.options) == numbers(0, 100)));
  put_all(log.options, 100, 110);
  BOOST_TEST((read_all(log.options) == numbers(0, 110)));
}

BOOST_AUTO_TEST_CASE(a_mark_that_a_reboot_broke_is_found_again)
{
  TemporaryLog log;
  log.options.segment_bytes = 1000;
  put_all(log.options, 0, 50);
  const PartitionFiles files(log.options.dir, kAt);
  for (const std::string& broken : {std::string(), std::string(200, '\0'), content_of(files.mark_path()).substr(0, 100)}) {
    std::ofstream(files.mark_path(), std::ios::binary | std::ios::trunc) << broken;
    BOOST_TEST((read_all(log.options) == numbers(0, 50)));
  }
  std::ofstream(files.mark_path(), std::ios::binary | std::ios::trunc) << "";
  put_all(log.options, 50, 60);
  BOOST_TEST((read_all(log.options) == numbers(0, 60)));
}

BOOST_AUTO_TEST_CASE(acknowledged_records_that_are_missing_are_an_error_and_nothing_is_written_over_them)
{
  TemporaryLog log;
  put_all(log.options, 0, 10);
  fs::resize_file(log.segment(), fs::file_size(log.segment()) - 5);
  auto writer = opened(open_file_log_writer(log.options));
  done(put(*writer, "more"));
  const Status flushed = writer->flush(kPatience);
  BOOST_REQUIRE(!flushed.ok());
  BOOST_TEST((flushed.error().code == Code::io));
  BOOST_TEST(flushed.error().message.find("5 bytes of acknowledged records are missing") != std::string::npos,
             flushed.error().message);
  auto reader = opened(open_file_log_reader(log.options));
  done(reader->seek(kAt, 0));
  const auto block = reader->read(kAt, 100);
  BOOST_REQUIRE(!block.ok());
  BOOST_TEST((block.error().code == Code::io));
}

BOOST_AUTO_TEST_CASE(a_line_that_was_tampered_with_is_an_error_after_the_records_before_it)
{
  TemporaryLog log;
  put_all(log.options, 0, 10);
  std::string bytes = content_of(log.segment());
  const std::size_t at = bytes.find("\"offset\":6");
  bytes[at] = 'x';
  std::ofstream(log.segment(), std::ios::binary | std::ios::trunc) << bytes;
  auto reader = opened(open_file_log_reader(log.options));
  done(reader->seek(kAt, 0));
  const auto block = opened(reader->read(kAt, 100));
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST(block->records.size() == 6u);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto bad = reader->read(kAt, 100);
    BOOST_REQUIRE(!bad.ok());
    BOOST_TEST((bad.error().code == Code::io));
    BOOST_TEST(bad.error().message.find("byte " + std::to_string(bytes.rfind('\n', at) + 1)) != std::string::npos,
               bad.error().message);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_fdatasync_acknowledges_nothing_and_ends_the_writer)
{
  TemporaryLog log;
  put_all(log.options, 0, 10);
  std::atomic<bool> fail{false};
  FileLogOptions failing = log.options;
  failing.sync = [&](int fd) { return fail ? EIO : (::fdatasync(fd), 0); };
  auto writer = opened(open_file_log_writer(failing));
  done(put(*writer, "10"));
  done(writer->flush(kPatience));
  fail = true;
  std::atomic<int> delivered{0};
  std::atomic<int> refused{0};
  for (int i = 0; i < 5; ++i) {
    const Status status = put(*writer, "lost", [&](const Result<Placed>& placed) { ++(placed.ok() ? delivered : refused); });
    refused += status.ok() ? 0 : 1;
  }
  const Status flushed = writer->flush(kPatience);
  BOOST_REQUIRE(!flushed.ok());
  BOOST_TEST((flushed.error().code == Code::io));
  BOOST_TEST(delivered == 0);
  BOOST_TEST(refused == 5);
  fail = false;
  const Status later = put(*writer, "later");
  BOOST_REQUIRE(!later.ok());
  BOOST_TEST((later.error().code == Code::io));
  writer.reset();
  BOOST_TEST((read_all(log.options) == numbers(0, 11)));
  put_all(log.options, 11, 20);
  BOOST_TEST((read_all(log.options) == numbers(0, 20)));
}

BOOST_AUTO_TEST_CASE(a_failed_sync_of_the_directory_acknowledges_nothing_of_the_new_segment)
{
  TemporaryLog log;
  log.options.segment_bytes = 1000;
  put_all(log.options, 0, 1);
  FileLogOptions failing = log.options;
  const std::string directory = PartitionFiles(log.options.dir, kAt).path();
  failing.sync = [&](int fd) {
    const fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd));
    const auto segments = std::count_if(fs::directory_iterator(directory), fs::directory_iterator(),
                                        [](const auto& entry) { return entry.path().extension() == ".ndjson"; });
    return path == directory && segments > 1 ? EIO : 0;
  };
  auto writer = opened(open_file_log_writer(failing));
  int count = 1;
  while (put(*writer, std::to_string(count)).ok() && writer->flush(kPatience).ok()) {
    ++count;
  }
  writer.reset();
  const std::string first_segment = content_of(log.segment());
  BOOST_TEST(std::count(first_segment.begin(), first_segment.end(), '\n') == count);
  BOOST_TEST((read_all(log.options) == numbers(0, count)));
}

BOOST_AUTO_TEST_CASE(the_mark_moves_only_after_fdatasync)
{
  TemporaryLog log;
  put_all(log.options, 0, 3);
  FileLogOptions watched = log.options;
  auto reader = opened(open_file_log_reader(log.options));
  std::vector<std::int64_t> ends;
  watched.sync = [&](int fd) {
    ends.push_back(opened(reader->ends(kAt)).end);
    return ::fdatasync(fd) == 0 ? 0 : errno;
  };
  auto writer = opened(open_file_log_writer(watched));
  done(put(*writer, "3"));
  done(writer->flush(kPatience));
  BOOST_REQUIRE(!ends.empty());
  BOOST_TEST(ends.back() == 3);
  BOOST_TEST(opened(reader->ends(kAt)).end == 4);
}

BOOST_AUTO_TEST_CASE(a_reader_beside_a_busy_writer_sees_whole_durable_records_alone)
{
  TemporaryLog log;
  log.options.segment_bytes = 20'000;
  put_all(log.options, 0, 1);
  std::atomic<std::int64_t> synced{0};
  FileLogOptions counting = log.options;
  auto writer = opened(open_file_log_writer(counting));
  std::thread appender([&] {
    for (int i = 1; i < 20'000; ++i) {
      if (!put(*writer, std::to_string(i)).ok()) {
        return;
      }
    }
  });
  auto reader = opened(open_file_log_reader(log.options));
  done(reader->seek(kAt, 0));
  int next = 0;
  while (next < 20'000) {
    const auto block = opened(reader->read(kAt, 500));
    if (!block) {
      done(reader->wait(kPatience));
      continue;
    }
    for (const Record& record : block->records) {
      BOOST_REQUIRE_EQUAL(*record.value, std::to_string(next));
      BOOST_REQUIRE_EQUAL(record.offset, next++);
    }
  }
  appender.join();
}

BOOST_AUTO_TEST_CASE(every_record_whose_delivery_was_told_survives_kill_9_of_its_writer)
{
  TemporaryLog log;
  log.options.segment_bytes = 3000; // so that kills meet new segments too
  std::set<std::string> told;
  for (int round = 0; round < 20; ++round) {
    int pipe_ends[2];
    BOOST_REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = in_child([&] {
      auto writer = open_file_log_writer(log.options);
      std::mutex mutex;
      for (int i = 0;; ++i) {
        char line[32];
        const int length = std::snprintf(line, sizeof line, "%d-%d\n", round, i);
        const std::string text(line, static_cast<std::size_t>(length));
        const Status status =
            put(**writer, text.substr(0, text.size() - 1), [fd = pipe_ends[1], text](const Result<Placed>& placed) {
              if (placed.ok() && ::write(fd, text.data(), text.size()) < 0) {
                ::_exit(1);
              }
            });
        if (!status.ok() || (i % 7 == 0 && !(*writer)->flush(kPatience).ok())) {
          ::_exit(1);
        }
      }
    });
    ::close(pipe_ends[1]);
    // Killed after so many deliveries; where that is in its work differs each time.
    std::string text;
    char buffer[4096];
    while (text.size() < static_cast<std::size_t>(50 + round * 97)) {
      const ssize_t count = ::read(pipe_ends[0], buffer, sizeof buffer);
      BOOST_REQUIRE(count > 0);
      text.append(buffer, static_cast<std::size_t>(count));
    }
    ::kill(child, SIGKILL);
    for (ssize_t count = 0; (count = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
    }
    wait_for(child);
    ::close(pipe_ends[0]);
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      told.insert(text.substr(begin, end - begin));
    }
  }
  const auto values = read_all(log.options);
  const std::set<std::string> kept(values.begin(), values.end());
  BOOST_TEST(kept.size() == values.size(), "a record is there twice");
  BOOST_TEST(told.size() > 200u);
  BOOST_TEST(std::includes(kept.begin(), kept.end(), told.begin(), told.end()), "an acknowledged record is gone");
}

BOOST_AUTO_TEST_CASE(processes_that_append_at_once_lose_nothing)
{
  TemporaryLog log;
  log.options.segment_bytes = 20'000;
  std::vector<pid_t> children;
  for (int c = 0; c < 4; ++c) {
    children.push_back(in_child([&] {
      auto writer = open_file_log_writer(log.options);
      for (int i = 0; i < 500; ++i) {
        if (!put(**writer, std::to_string(c * 1000 + i)).ok() || (i % 10 == 0 && !(*writer)->flush(kPatience).ok())) {
          ::_exit(1);
        }
      }
      ::_exit((*writer)->flush(kPatience).ok() ? 0 : 1);
    }));
  }
  for (const pid_t child : children) {
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
  }
  const auto values = read_all(log.options);
  BOOST_TEST(values.size() == 2000u);
  BOOST_TEST(std::set<std::string>(values.begin(), values.end()).size() == 2000u);
  std::map<int, int> last;
  for (const auto& value : values) {
    const int number = std::stoi(value);
    BOOST_TEST((!last.contains(number / 1000) || last[number / 1000] < number), "records of one process out of order");
    last[number / 1000] = number;
  }
}

namespace {

class Listener final : public GroupListener {
 public:
  void assigned(const std::vector<TopicPartition>& partitions) override { mine.insert(partitions.begin(), partitions.end()); }
  void revoked(const std::vector<TopicPartition>& partitions, bool) override
  {
    for (const auto& at : partitions) {
      mine.erase(at);
    }
  }
  std::set<TopicPartition> mine;
};

bool wait_until(LogGroup& group, const std::function<bool()>& condition)
{
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline || !group.wait(std::chrono::milliseconds(100)).ok()) {
      return false;
    }
  }
  return true;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_partitions_of_a_member_that_was_killed_go_to_who_is_left)
{
  TemporaryLog log;
  done(opened(open_file_log_admin(log.options))->create({"t", 4, 1, std::nullopt, std::nullopt, false}));
  int pipe_ends[2];
  BOOST_REQUIRE(::pipe(pipe_ends) == 0);
  const pid_t child = in_child([&] {
    auto group = open_file_log_group(log.options, "g");
    Listener listener;
    if (!(*group)->join({"t"}, listener).ok() || !wait_until(**group, [&] { return listener.mine.size() == 4; }) ||
        !(*group)->store({{{"t", 2}, {17, "of the dead"}}}).ok() || ::write(pipe_ends[1], "!", 1) != 1) {
      ::_exit(1);
    }
    wait_until(**group, [] { return false; });
  });
  char byte = 0;
  BOOST_REQUIRE(::read(pipe_ends[0], &byte, 1) == 1);
  auto group = opened(open_file_log_group(log.options, "g"));
  Listener listener;
  done(group->join({"t"}, listener));
  BOOST_REQUIRE(wait_until(*group, [&] { return listener.mine.size() == 2; }));
  ::kill(child, SIGKILL);
  wait_for(child);
  BOOST_TEST(wait_until(*group, [&] { return listener.mine.size() == 4; }));
  const auto stored = opened(group->stored({"t", 2}));
  BOOST_TEST((stored == std::optional(StoredPosition{17, "of the dead"})));
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

BOOST_AUTO_TEST_CASE(a_position_is_the_old_or_the_new_one_whenever_its_writer_is_killed)
{
  TemporaryLog log;
  done(opened(open_file_log_admin(log.options))->create({"t", 1, 1, std::nullopt, std::nullopt, false}));
  std::int64_t least = 0;
  for (int round = 0; round < 10; ++round) {
    int pipe_ends[2];
    BOOST_REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = in_child([&] {
      auto group = open_file_log_group(log.options, "g");
      Listener listener;
      if (!(*group)->join({"t"}, listener).ok() || !wait_until(**group, [&] { return !listener.mine.empty(); })) {
        ::_exit(1);
      }
      for (std::int64_t offset = least;; ++offset) {
        const std::string note(static_cast<std::size_t>(offset % 5000), 'n');
        if (!(*group)->store({{kAt, {offset, note}}}).ok() || ::write(pipe_ends[1], &offset, sizeof offset) != sizeof offset) {
          ::_exit(1);
        }
      }
    });
    ::close(pipe_ends[1]);
    std::int64_t stored = 0;
    const std::int64_t enough = least + 20 + round * 7;
    while (stored < enough && ::read(pipe_ends[0], &stored, sizeof stored) == sizeof stored) {
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &stored, sizeof stored) == sizeof stored) {
    }
    wait_for(child);
    ::close(pipe_ends[0]);
    auto group = opened(open_file_log_group(log.options, "g"));
    const auto position = opened(group->stored(kAt));
    BOOST_REQUIRE(position.has_value());
    BOOST_TEST(stored >= enough);
    BOOST_TEST(position->offset >= stored);
    BOOST_TEST(position->offset <= stored + 1);
    BOOST_TEST(position->note.size() == static_cast<std::size_t>(position->offset % 5000));
    least = position->offset;
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
