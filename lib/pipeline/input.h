// Input: what programs are given to read: its formats, its lines, and the inputs that lines make up.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/dialect.h"

namespace attune {

// protobuf: only as what a dead letter was; it has no lines.
enum class InputFormat { attune, segment, cloudevents, csv, catalog, envelope, raw, dead_letters, protobuf };
// "segment", "dead-letters", … and back.
[[nodiscard]] std::string_view format_name(InputFormat format);
[[nodiscard]] std::optional<InputFormat> format_named(std::string_view name);

struct InputLine {
  std::string_view text;
  std::string_view source; // "stdin", a file's name
  std::uint64_t number = 0; // from 1
  std::uint64_t size = 0; // of the whole line when it was too long to be kept
  bool over = false; // too long: `text` is its beginning
};

// Puts lines together to inputs: each line is one, but for CSV, where a record may go over several. Every CSV file has a header of its own.
// Thread rule: one thread.
class InputSplitter {
 public:
  struct Input {
    std::string_view text;
    std::string_view source;
    std::uint64_t number = 0; // of its first line
    std::string_view header; // CSV: the header that holds for it; empty: it is the header
    bool begins = false; // CSV: the first record of a file, which is its header
    std::uint64_t over = 0; // not 0: a line of so many bytes, and `text` is its beginning
    // What is wrong with one that is `over`.
    [[nodiscard]] Reject too_long() const;
  };
  // Views live until it returns. Its ERRORS are those of take and finish.
  using Take = std::function<Status(const Input&)>;

  // `separator` of CSV; none: every line is an input.
  InputSplitter(std::optional<char> separator, Take take) : separator_(separator), take_(std::move(take)) {}

  Status take(const InputLine& line);
  // The input is at its end: a last CSV record.
  Status finish();

 private:
  Status take_record(const std::string& record);

  std::optional<char> separator_;
  Take take_;
  std::string source_;
  std::optional<CsvRecords> csv_;
  std::string header_;
  std::uint64_t last_ = 0; // the newest line given to it
  std::uint64_t held_ = 0; // lines that are in no record yet
  bool header_known_ = false;
};

} // namespace attune
