// The fields of a Protobuf message, one by one: for forms that carry parts as bytes they do not look into, and whose bytes must be
// one for one value. A message is described once, as a function over a sink; ProtoSize adds up what ProtoWriter then writes. Fields
// are written in the order of the calls; defaults are left out. ProtoReader reads any order and is total.
//
//   const auto put = [&place](auto& sink) { sink.signed_number(1, place.time.ms); sink.text(2, place.id.text); };
//   write_proto(put, bytes);
//
// Pure; over protobuf's own coded streams. Private to lib/core.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "core/shared_bytes.h"

namespace attune {

using ProtoLite = google::protobuf::internal::WireFormatLite;
using ProtoOut = google::protobuf::io::CodedOutputStream;

static_assert(std::endian::native == std::endian::little, "fixed64 fields are copied as they lie in memory");

// The bytes a message takes.
class ProtoSize {
 public:
  void number(int field, std::uint64_t value)
  {
    if (value != 0) present_number(field, value);
  }
  void signed_number(int field, std::int64_t value) { number(field, ProtoLite::ZigZagEncode64(value)); }
  void present_number(int field, std::uint64_t value) { bytes_ += tag(field) + ProtoOut::VarintSize64(value); }
  void text(int field, std::string_view value)
  {
    if (!value.empty()) part(field, value);
  }
  void part(int field, std::string_view value) { length_delimited(field, value.size()); }
  // `of` gives the 64 bits of a value.
  template <class Values, class Of>
  void fixed64s(int field, const Values& values, const Of&)
  {
    if (!values.empty()) length_delimited(field, values.size() * sizeof(std::uint64_t));
  }
  template <class Put>
  void message(int field, const Put& put)
  {
    ProtoSize inner;
    put(inner);
    length_delimited(field, inner.bytes());
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t tag(int field) { return field < 16 ? 1 : 2; }
  void length_delimited(int field, std::size_t length) { bytes_ += tag(field) + ProtoOut::VarintSize64(length) + length; }

  std::size_t bytes_ = 0;
};

// Writes at `at`, where as many bytes are free as ProtoSize says.
class ProtoWriter {
 public:
  explicit ProtoWriter(char* at) : at_(reinterpret_cast<std::uint8_t*>(at)) {}

  void number(int field, std::uint64_t value)
  {
    if (value != 0) present_number(field, value);
  }
  void signed_number(int field, std::int64_t value) { number(field, ProtoLite::ZigZagEncode64(value)); }
  void present_number(int field, std::uint64_t value)
  {
    tag(field, ProtoLite::WIRETYPE_VARINT);
    at_ = ProtoOut::WriteVarint64ToArray(value, at_);
  }
  void text(int field, std::string_view value)
  {
    if (!value.empty()) part(field, value);
  }
  void part(int field, std::string_view value)
  {
    head(field, value.size());
    copy(value.data(), value.size());
  }
  template <class Values, class Of>
  void fixed64s(int field, const Values& values, const Of& of)
  {
    if (values.empty()) return;
    head(field, values.size() * sizeof(std::uint64_t));
    for (const auto& value : values) {
      const auto bits = of(value);
      static_assert(sizeof bits == sizeof(std::uint64_t));
      copy(&bits, sizeof bits);
    }
  }
  template <class Put>
  void message(int field, const Put& put)
  {
    ProtoSize inner;
    put(inner);
    head(field, inner.bytes());
    put(*this);
  }
  [[nodiscard]] const char* at() const { return reinterpret_cast<const char*>(at_); }

 private:
  void tag(int field, ProtoLite::WireType type) { at_ = ProtoOut::WriteVarint32ToArray(ProtoLite::MakeTag(field, type), at_); }
  void head(int field, std::size_t length)
  {
    tag(field, ProtoLite::WIRETYPE_LENGTH_DELIMITED);
    at_ = ProtoOut::WriteVarint64ToArray(length, at_);
  }
  void copy(const void* from, std::size_t bytes)
  {
    if (bytes == 0) return;
    std::memcpy(at_, from, bytes);
    at_ += bytes;
  }

  std::uint8_t* at_;
};

// Appends the message that `put` describes.
template <class Put>
void append_proto(const Put& put, std::string& out)
{
  ProtoSize size;
  put(size);
  const auto before = out.size();
  out.resize(before + size.bytes());
  ProtoWriter writer(out.data() + before);
  put(writer);
  ATTUNE_ASSERT(writer.at() == out.data() + out.size());
}

// Replaces `out` by it.
template <class Put>
void write_proto(const Put& put, std::string& out)
{
  out.clear();
  append_proto(put, out);
}

// The same as bytes of their own.
template <class Put>
[[nodiscard]] SharedBytes proto_bytes(const Put& put)
{
  ProtoSize size;
  put(size);
  return SharedBytes(size.bytes(), [&](char* to) {
    ProtoWriter writer(to);
    put(writer);
    ATTUNE_ASSERT(writer.at() == to + size.bytes());
  });
}

// Reads one message field by field:
//
//   ProtoReader reader(bytes);
//   while (reader.next()) …reader.field, reader.number or reader.bytes…
//   if (!reader.done()) …malformed…
//
// Groups and 32-bit fields are malformed: no message of ours has them.
class ProtoReader {
 public:
  enum class Form : std::uint8_t { number, fixed, bytes };

  // REQUIRES: `message` outlives the reader. Messages over 2 GiB are malformed.
  explicit ProtoReader(std::string_view message)
      : message_(message), in_(reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()))
  {
    if (message.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) failed_ = true;
  }

  // Moves to the next field. False at the end and at a fault.
  bool next()
  {
    if (failed_ || static_cast<std::size_t>(in_.CurrentPosition()) == message_.size()) return false;
    const std::uint32_t tag = in_.ReadTagNoLastTag();
    field = ProtoLite::GetTagFieldNumber(tag);
    failed_ = field == 0 || !read_value(ProtoLite::GetTagWireType(tag));
    return !failed_;
  }
  // Whether the whole message was read without a fault.
  [[nodiscard]] bool done() const { return !failed_; }

  [[nodiscard]] bool is_number(int wanted) const { return field == wanted && form == Form::number; }
  [[nodiscard]] bool is_bytes(int wanted) const { return field == wanted && form == Form::bytes; }
  [[nodiscard]] std::int64_t signed_number() const { return ProtoLite::ZigZagDecode64(number); }

  int field = 0;
  Form form = Form::number;
  std::uint64_t number = 0; // when form is number or fixed
  std::string_view bytes; // when form is bytes

 private:
  bool read_value(ProtoLite::WireType type)
  {
    switch (type) {
      case ProtoLite::WIRETYPE_VARINT:
        form = Form::number;
        return in_.ReadVarint64(&number);
      case ProtoLite::WIRETYPE_FIXED64:
        form = Form::fixed;
        return in_.ReadLittleEndian64(&number);
      case ProtoLite::WIRETYPE_LENGTH_DELIMITED:
        return read_bytes();
      default:
        return false;
    }
  }
  bool read_bytes()
  {
    form = Form::bytes;
    std::uint32_t length = 0;
    if (!in_.ReadVarint32(&length)) return false;
    const auto begin = static_cast<std::size_t>(in_.CurrentPosition());
    if (length > message_.size() - begin) return false;
    bytes = message_.substr(begin, length);
    return in_.Skip(static_cast<int>(length));
  }

  std::string_view message_;
  google::protobuf::io::CodedInputStream in_;
  bool failed_ = false;
};

} // namespace attune
