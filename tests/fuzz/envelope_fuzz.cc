// Any bytes are an envelope or refused; what is taken as one, and any bytes as a record's value, come back from the line we write
// of it.
#include <string>

#include "adapters/envelope.h"
#include "base/assert.h"

namespace {

using namespace attune;

bool same(const std::vector<Header>& a, const std::vector<Header>& b)
{
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].value != b[i].value) {
      return false;
    }
  }
  return true;
}

void comes_back(const Record& record)
{
  static EnvelopeWriter writer;
  static EnvelopeReader reader;
  const TopicPartition at{"t", 1};
  std::string head;
  EnvelopeWriter::append_head(at, head);
  std::string line;
  writer.append_line(at, record, line);
  ATTUNE_ASSERT(line.find('\n') == std::string::npos);
  EnvelopeArena arena;
  Record own;
  ATTUNE_ASSERT(reader.parse_own(head, line, own, arena).ok());
  ATTUNE_ASSERT(own.offset == record.offset && own.timestamp == record.timestamp && own.key == record.key &&
                own.value == record.value && same(own.headers, record.headers));
  Envelope any;
  ATTUNE_ASSERT(reader.parse(line, any, arena).ok());
  ATTUNE_ASSERT(any.offset == record.offset && any.timestamp == record.timestamp && any.key == record.key &&
                any.value == record.value && same(any.headers, record.headers));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static EnvelopeReader reader;
  EnvelopeArena arena;

  Envelope envelope;
  if (reader.parse(bytes, envelope, arena).ok()) {
    Record record;
    record.offset = envelope.offset.value_or(0);
    record.timestamp = envelope.timestamp.value_or(Timestamp{});
    record.key = envelope.key;
    record.value = envelope.value;
    record.headers = envelope.headers;
    comes_back(record);
  }

  Record ignored;
  std::string head;
  EnvelopeWriter::append_head({"t", 1}, head);
  [[maybe_unused]] const bool ours = reader.parse_own(head, bytes, ignored, arena).ok();

  Record raw;
  raw.key = bytes;
  raw.value = bytes;
  raw.headers = {{bytes, bytes}, {bytes.substr(size / 2), std::nullopt}};
  comes_back(raw);
  return 0;
}
