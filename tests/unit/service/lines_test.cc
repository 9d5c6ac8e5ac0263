#include "service/lines.h"

#include <fcntl.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "service/signals.h"
#include "unit/service/surroundings.h"

using namespace attune;
using attune::testing::Files;
using attune::testing::in_child;

namespace {

struct Seen {
  std::string text;
  std::uint64_t number;
  std::uint64_t size;
  bool over;
  friend bool operator==(const Seen&, const Seen&) = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen)
{
  return out << seen.number << ':' << seen.text << " (" << seen.size << (seen.over ? ", over)" : ")");
}

std::vector<Seen> read_all(LineReader& reader)
{
  std::vector<Seen> lines;
  while (auto line = reader.next().value()) lines.push_back({std::string(line->text), line->number, line->size, line->over});
  return lines;
}

// What the header promises, said another way.
std::vector<Seen> model(const std::string& text, std::size_t limit)
{
  std::vector<Seen> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t newline = text.find('\n', at);
    std::string line = text.substr(at, newline == std::string::npos ? newline : newline - at);
    at = newline == std::string::npos ? text.size() : newline + 1;
    if (newline != std::string::npos && line.ends_with('\r')) line.pop_back();
    lines.push_back({line.substr(0, limit), lines.size() + 1, line.size(), line.size() > limit});
  }
  return lines;
}

struct Pipe {
  int reading = -1;
  int writing = -1;

  Pipe()
  {
    int ends[2];
    BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reading = ends[0];
    writing = ends[1];
  }
  ~Pipe() { close_writing(); }
  void close_writing()
  {
    if (writing >= 0) close(writing);
    writing = -1;
  }
  void write(const std::string& text) const
  {
    BOOST_REQUIRE(::write(writing, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
};

} // namespace

BOOST_AUTO_TEST_SUITE(lines)

BOOST_AUTO_TEST_CASE(any_bytes_in_any_pieces_are_the_lines_of_the_model)
{
  BOOST_TEST(rc::check("lines", [] {
    const auto bytes = rc::gen::container<std::string>(rc::gen::element('a', 'b', '\r', '\n', '\0'));
    const auto pieces = *rc::gen::container<std::vector<std::string>>(bytes);
    const auto limit = *rc::gen::inRange<std::size_t>(0, 9);
    Pipe pipe;
    LineReader reader(pipe.reading, "pipe", true, limit);
    // A writer that waits for the reader to go quiet, so that each piece is one read.
    std::string whole;
    std::size_t next = 0;
    const auto feed = [&] {
      while (next < pieces.size() && pieces[next].empty()) ++next;
      if (next == pieces.size()) return pipe.close_writing();
      whole += pieces[next];
      pipe.write(pieces[next++]);
    };
    feed();
    reader.on_quiet([&] {
      if (pipe.writing >= 0) feed();
      return Status();
    });
    const auto seen = read_all(reader);
    RC_ASSERT(seen == model(whole, limit));
  }));
}

BOOST_AUTO_TEST_CASE(a_line_longer_than_every_buffer_is_reported_once_with_its_beginning)
{
  const Files scratch;
  const std::string path = scratch.write("in", "a\n" + std::string(5'000'000, 'x') + "\r\nb\n");
  LineReader reader({path}, 1000);
  const auto seen = read_all(reader);
  BOOST_TEST(seen == (std::vector<Seen>{{"a", 1, 1, false}, {std::string(1000, 'x'), 2, 5'000'000, true}, {"b", 3, 1, false}}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_are_read_one_after_the_other_and_numbered_each)
{
  const Files scratch;
  LineReader reader({scratch.write("a", "1\n2"), scratch.write("b", ""), scratch.write("c", "3")});
  BOOST_TEST(reader.bytes_total().value() == 4u);
  BOOST_TEST(reader.next().value()->place() == scratch.path("a") + ":1");
  BOOST_TEST(reader.next().value()->place() == scratch.path("a") + ":2");
  BOOST_TEST(reader.next().value()->place() == scratch.path("c") + ":1");
  BOOST_TEST(!reader.next().value().has_value());
  BOOST_TEST(reader.bytes_read() == 4u);
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_at_the_beginning_of_a_file_is_no_part_of_its_first_line)
{
  const std::string mark = "\xEF\xBB\xBF";
  const Files scratch;
  LineReader reader({scratch.write("a", mark + "1\r\n" + mark + "2"), scratch.write("b", mark + mark),
                     scratch.write("c", "\n" + mark), scratch.write("d", mark)},
                    8);
  const std::vector<Seen> expected{
      {"1", 1, 1, false}, {mark + "2", 2, 4, false}, {mark, 1, 3, false}, {"", 1, 0, false}, {mark, 2, 3, false}};
  BOOST_TEST(read_all(reader) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_mark_before_a_line_longer_than_every_buffer_counts_for_nothing)
{
  const Files scratch;
  LineReader reader({scratch.write("a", "\xEF\xBB\xBF" + std::string(3'000'000, 'x') + "\nnext")}, 4);
  const std::vector<Seen> expected{{"xxxx", 1, 3'000'000, true}, {"next", 2, 4, false}};
  BOOST_TEST(read_all(reader) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_an_error_that_names_it)
{
  LineReader missing({"/none/such"});
  BOOST_TEST(missing.next().error().message == "/none/such: No such file or directory");
  LineReader directory({"/"});
  BOOST_TEST(directory.next().error().message == "/: Is a directory");
}

BOOST_AUTO_TEST_CASE(a_quiet_moment_comes_once_before_each_wait)
{
  Pipe pipe;
  pipe.write("a\nb\nc");
  LineReader reader(pipe.reading, "pipe", true);
  int quiet = 0;
  reader.on_quiet([&] {
    if (++quiet == 1)
      pipe.write("d\n");
    else
      pipe.close_writing();
    return Status();
  });
  BOOST_TEST(reader.next().value()->text == "a");
  BOOST_TEST(reader.next().value()->text == "b");
  BOOST_TEST(quiet == 0);
  BOOST_TEST(reader.next().value()->text == "cd");
  BOOST_TEST(quiet == 1);
  BOOST_TEST(!reader.next().value().has_value());
  BOOST_TEST(quiet == 2);
}

BOOST_AUTO_TEST_CASE(an_error_of_the_quiet_callback_ends_the_reading)
{
  Pipe pipe;
  LineReader reader(pipe.reading, "pipe", true);
  reader.on_quiet([] { return Status(Error{Code::io, "full"}); });
  BOOST_TEST(reader.next().error().message == "full");
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_reading_after_the_lines_already_read)
{
  const auto ended = in_child([] {
    Pipe pipe;
    pipe.write("a\nb\nc");
    LineReader reader(pipe.reading, "pipe", true);
    if (reader.next().value()->text != "a") return 1;
    std::thread([] { request_stop(); }).join();
    if (reader.next().value()->text != "b") return 2;
    return reader.next().value().has_value() ? 3 : 0;
  });
  BOOST_TEST(ended.status == 0);
}

BOOST_AUTO_TEST_CASE(a_stop_wakes_a_reader_that_waits)
{
  const auto ended = in_child([] {
    Pipe pipe;
    LineReader reader(pipe.reading, "pipe", true);
    std::thread stopper;
    reader.on_quiet([&] {
      stopper = std::thread([] { request_stop(); });
      return Status();
    });
    const bool none = !reader.next().value().has_value();
    stopper.join();
    return none ? 0 : 1;
  });
  BOOST_TEST(ended.status == 0);
}

BOOST_AUTO_TEST_CASE(a_writer_holds_its_lines_until_the_flush)
{
  const Files scratch;
  const int fd = open(scratch.path("out").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  LineWriter writer(fd, "out");
  BOOST_TEST(writer.line("a").ok());
  BOOST_TEST(scratch.read("out") == "");
  BOOST_TEST(writer.flush().ok());
  BOOST_TEST(scratch.read("out") == "a\n");
  BOOST_TEST(writer.write("b").ok());
  BOOST_TEST(writer.flush().ok());
  BOOST_TEST(scratch.read("out") == "a\nb");
  close(fd);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_remembered)
{
  const int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  LineWriter writer(fd, "out");
  BOOST_TEST(writer.line("a").ok());
  BOOST_TEST(writer.flush().error().message == "out: No space left on device");
  BOOST_TEST(writer.line("b").error().message == "out: No space left on device");
  close(fd);
}

BOOST_AUTO_TEST_CASE(a_small_file_is_read_whole)
{
  const Files scratch;
  const std::string text(200'001, 'x');
  BOOST_TEST((read_whole(scratch.write("a", text)).value() == text));
  BOOST_TEST(read_whole(scratch.write("b", "")).value() == "");
  BOOST_TEST(read_whole("/").error().message == "/: Is a directory");
}

BOOST_AUTO_TEST_SUITE_END()
