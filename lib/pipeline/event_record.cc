#include "pipeline/event_record.h"

#include <algorithm>

#include "core/dead_letter.h"
#include "core/event_proto.h"

namespace attune {

namespace {

// What stands in for randomness: the same at every delivery.
std::array<std::uint8_t, 10> bits_of(const TopicPartition& from, std::int64_t offset)
{
  const auto id = hashed_id(to_string(from) + "@" + std::to_string(offset)).text;
  std::array<std::uint8_t, 10> bits{};
  std::copy_n(id.begin(), bits.size(), bits.begin());
  return bits;
}

} // namespace

bool is_protobuf(const Record& record)
{
  return std::any_of(record.headers.begin(), record.headers.end(), [](const Header& header) {
    return header.name == kContentTypeHeader && header.value == kProtobufContentType;
  });
}

std::string_view letter_format(const Record& record)
{
  return is_protobuf(record) ? kProtobufFormat : std::string_view();
}

Result<void, Reject> EventDecoder::decode(const TopicPartition& from, const Record& record, Event& event)
{
  if (!record.value) return Reject{"", "no value"};
  auto parsed = is_protobuf(record) ? parse_event_proto(*record.value, event) : parser_.parse(*record.value, event);
  if (!parsed) return parsed;
  if (event.id.empty() || !event.time || event.sent) {
    auto completed = complete(event, {record.timestamp, bits_of(from, record.offset), {}});
    if (!completed) return completed.error();
  }
  return {};
}

} // namespace attune
