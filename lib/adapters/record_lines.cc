#include "adapters/record_lines.h"

#include <simdjson.h>

#include <cstring>

namespace attune {

namespace {

// Large enough that a system call costs little a line, small enough to stay in the cache.
constexpr std::size_t kChunkBytes = 128 * 1024;

bool has_line_break(std::string_view text)
{
  return std::memchr(text.data(), '\n', text.size()) || std::memchr(text.data(), '\r', text.size());
}

} // namespace

RecordLines::RecordLines(Form form, std::function<Status(std::string_view)> write, std::function<Status()> flush)
    : form_(form), write_(std::move(write)), flush_(std::move(flush))
{
  lines_.reserve(2 * kChunkBytes);
}

Result<bool> RecordLines::put(const TopicPartition& at, const Record& record)
{
  if (form_ == Form::envelope) {
    envelope_.append_line(at, record, lines_);
  } else {
    if (!record.value) return false;
    append_plain_value(at, record);
  }
  lines_ += '\n';
  if (lines_.size() >= kChunkBytes) {
    const auto written = write_(lines_);
    lines_.clear();
    if (!written) return written.error();
  }
  return true;
}

void RecordLines::append_plain_value(const TopicPartition& at, const Record& record)
{
  if (!record.headers.empty() && is_protobuf(record) && decoder_.decode(at, record, event_))
    return append_event_json(event_, lines_);
  if (has_line_break(*record.value) && append_on_one_line(*record.value)) return;
  envelope_.append_value(*record.value, lines_);
}

// JSON that somebody laid out over several lines is still the same JSON on one.
bool RecordLines::append_on_one_line(std::string_view value)
{
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(value.data(), value.size()).get(element) || (!element.is_object() && !element.is_array())) return false;
  std::string small(value.size(), '\0');
  std::size_t length = 0;
  if (simdjson::minify(value.data(), value.size(), small.data(), length)) return false;
  lines_.append(small, 0, length);
  return true;
}

Status RecordLines::flush()
{
  if (!lines_.empty()) {
    const auto written = write_(lines_);
    lines_.clear();
    if (!written) return written;
  }
  return flush_();
}

} // namespace attune
