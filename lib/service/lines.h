// Lines in and out of a program, at the speed of the machine.
//
// A line ends at "\n" or at the end of its file; one "\r" before the "\n" is dropped, any other stays. A line longer than the limit is
// handed over marked `over`, with its first bytes only: the rest is read past, never kept. A byte order mark at the beginning of a file
// is no part of its first line.
//
// "Quiet": nothing more to read just now. LineReader says so once, before it waits, so that a writer can flush what it holds: a pipe is as fast
// as its slowest event, not as its buffers.
//
// Thread rule: one thread per reader, one per writer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace attune {

struct TextLine {
  std::string_view text; // good until the next call of next()
  std::uint64_t number = 0; // from 1, in its file
  std::string_view source; // "stdin" or the file's name
  std::uint64_t size = 0; // bytes of the whole line, without its end
  bool over = false; // longer than the limit; `text` is its beginning

  // "stdin:7", as messages and dead letters name it.
  [[nodiscard]] std::string place() const;
};

class LineReader {
 public:
  static constexpr std::size_t kDefaultLimit = 1 << 20;

  // Reads `files` one after the other; none, or the name "-", is standard input. Opened when their turn comes.
  explicit LineReader(std::vector<std::string> files = {}, std::size_t limit = kDefaultLimit);
  // One open descriptor, closed at the end when `owned`.
  LineReader(int fd, std::string name, bool owned, std::size_t limit = kDefaultLimit);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Called when the input goes quiet, and at its end; an Error of it becomes that of next().
  void on_quiet(std::function<Status()> callback) { on_quiet_ = std::move(callback); }

  // The next line; none at the end, and after a stop (service/signals.h), when the whole lines already read have been handed over.
  // Waits. ERRORS: io "FILE: No such file or directory".
  Result<std::optional<TextLine>> next();

  // For progress: bytes taken so far, and of all inputs together when each is a regular file.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] std::optional<std::uint64_t> bytes_total() const;

 private:
  enum class Got { bytes, end, stopped };

  // Makes the next input current; false: there is none.
  Result<bool> open_next();
  void close_current();
  // Reads once into the buffer, after a quiet moment where the input has nothing ready.
  Result<Got> fill();
  Result<bool> wait_readable();
  Status go_quiet();
  void make_room();
  void skip_mark();
  TextLine take_line(std::size_t stop, std::size_t after);
  TextLine take_long_line();
  void remember_long_line();

  std::vector<std::string> files_;
  std::size_t next_file_ = 0;
  std::size_t limit_;
  int fd_ = -1;
  bool owned_ = false;
  bool stopped_ = false;
  bool fresh_ = true; // something happened since the last quiet moment
  std::string name_;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool at_start_ = true; // of its file, where a byte order mark may stand
  std::vector<char> buffer_;
  std::size_t begin_ = 0; // first byte not handed over
  std::size_t scanned_ = 0; // from begin_ to here there is no newline
  std::size_t end_ = 0;
  std::string long_line_; // the beginning of a line over the limit
  std::uint64_t long_size_ = 0; // its bytes so far; 0: none is being read
  bool long_ends_in_cr_ = false;
  std::function<Status()> on_quiet_;
};

// The whole of a small file. ERRORS: io "FILE: No such file or directory".
Result<std::string> read_whole(const std::string& path);

// A reader of standard output that went away (EPIPE) ends the process silently by SIGPIPE, as for any program of a pipe. Errors are
// remembered: after one, every call returns it.
class LineWriter {
 public:
  // `name` is that of messages: "stdout".
  LineWriter(int fd, std::string name);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `text` and a newline. Written at once on a terminal, else when the buffer is full or at flush().
  Status line(std::string_view text);
  // `text` as it is.
  Status write(std::string_view text);
  // ERRORS: io "stdout: No space left on device".
  Status flush();

 private:
  Status write_out();

  int fd_;
  std::string name_;
  bool terminal_;
  std::string buffer_;
  std::optional<Error> failed_;
};

} // namespace attune
