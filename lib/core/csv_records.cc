#include <cstring>
#include <utility>

#include "core/dialect.h"

namespace attune {

// Where the scan stands, by libcsv's rules, which take the record apart afterwards.
enum class CsvPlace { field_start, unquoted, quoted, after_quote };

struct CsvRecords::State {
  char separator = ',';
  std::string buffer;
  std::size_t start = 0; // of the record
  std::size_t scanned = 0; // bytes before it are behind us
  CsvPlace place = CsvPlace::field_start;
  bool too_long = false; // what comes before the next newline is dropped

  [[nodiscard]] CsvPlace after(char c) const
  {
    const bool blank = (c == ' ' || c == '\t') && c != separator;
    switch (place) {
      case CsvPlace::quoted:
        return c == '"' ? CsvPlace::after_quote : CsvPlace::quoted;
      case CsvPlace::after_quote:
        if (c == '"') {
          return CsvPlace::quoted;
        }
        return c == separator ? CsvPlace::field_start : blank || c == '\r' ? CsvPlace::after_quote : CsvPlace::unquoted;
      case CsvPlace::field_start:
        if (c == '"') {
          return CsvPlace::quoted;
        }
        return c == separator || blank ? CsvPlace::field_start : CsvPlace::unquoted;
      case CsvPlace::unquoted:
        return c == separator ? CsvPlace::field_start : CsvPlace::unquoted;
    }
    return place;
  }

  // The record from `start` to `end`, and the scan set on what comes after the newline there.
  std::string take(std::size_t end)
  {
    std::size_t length = end - start;
    if (length > 0 && buffer[end - 1] == '\r') {
      --length;
    }
    std::string record = buffer.substr(start, length);
    start = end < buffer.size() ? end + 1 : end;
    scanned = start;
    place = CsvPlace::field_start;
    too_long = false;
    return record;
  }

  // The end of a record that has no quote in it, which is most of them.
  [[nodiscard]] std::size_t plain_end() const
  {
    if (scanned != start || start == buffer.size()) {
      return std::string::npos;
    }
    const char* const begin = buffer.data() + start;
    const void* const newline = std::memchr(begin, '\n', buffer.size() - start);
    if (newline == nullptr) {
      return std::string::npos;
    }
    const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - begin);
    return length > kMaxEventBytes || std::memchr(begin, '"', length) != nullptr ? std::string::npos : start + length;
  }

  // A quote was closed where none can be. If that was lines after it was opened, it was no quote of one record: it ends with its line.
  std::optional<std::string> misquoted()
  {
    const std::size_t newline = buffer.find('\n', start);
    return newline < scanned ? std::optional(take(newline)) : std::nullopt;
  }

  // The record has passed the limit. An open quote ends with its line; a line ends somewhere behind.
  std::optional<std::string> overflow()
  {
    const std::size_t newline = buffer.find('\n', start);
    if (newline < scanned) {
      return take(newline);
    }
    too_long = true;
    return std::nullopt;
  }

  std::optional<std::string> scan()
  {
    if (const std::size_t end = plain_end(); end != std::string::npos) {
      return take(end);
    }
    while (scanned < buffer.size()) {
      const char c = buffer[scanned];
      if (c == '\n' && (too_long || place != CsvPlace::quoted)) {
        return too_long ? take_cut() : take(scanned);
      }
      const CsvPlace before = std::exchange(place, after(c));
      if (before == CsvPlace::after_quote && place == CsvPlace::unquoted && !too_long) {
        if (auto record = misquoted()) {
          return record;
        }
      }
      ++scanned;
      if (!too_long && scanned - start > kMaxEventBytes) {
        if (auto record = overflow()) {
          return record;
        }
      }
    }
    if (too_long) {
      buffer.resize(start + kMaxEventBytes + 1);
      scanned = buffer.size();
    }
    return std::nullopt;
  }

  std::string take_cut()
  {
    std::string record = take(scanned);
    record.resize(kMaxEventBytes + 1);
    return record;
  }
};

CsvRecords::CsvRecords(char separator) : state_(std::make_unique<State>())
{
  state_->separator = separator;
}

CsvRecords::~CsvRecords() = default;

void CsvRecords::feed(std::string_view bytes)
{
  state_->buffer.erase(0, state_->start);
  state_->scanned -= state_->start;
  state_->start = 0;
  state_->buffer.append(bytes);
}

std::optional<std::string> CsvRecords::next()
{
  return state_->scan();
}

std::optional<std::string> CsvRecords::finish()
{
  if (auto record = next()) {
    return record;
  }
  State& state = *state_;
  if (state.start == state.buffer.size()) {
    return std::nullopt;
  }
  const std::size_t newline = state.buffer.find('\n', state.start);
  return state.take(newline == std::string::npos ? state.buffer.size() : newline);
}

} // namespace attune
