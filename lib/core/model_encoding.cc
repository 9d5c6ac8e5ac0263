// A model file, little-endian; a number is an unsigned LEB128 varint unless it is said to be raw.
//
//   "attune model"                                     12 bytes
//   format version                                     4 bytes raw
//   options: idle, m, k, last items, half-life         times in ms
//   positions, sorted: count; per position topic (length, bytes), partition, offset
//   items, sorted: count; per item length, bytes
//   sessions, in the table's order: count; keys (customer, site: 8 + 8 bytes raw each); the time of each last click, the first
//     zigzag, then its distance from the one before; the clicks of each session
//   clicks, session by session: the distances from each session's last click back to its first; items; ids (8 bytes raw each)
//   XXH3-64 of all bytes before                        8 bytes raw
//
// A model has one encoding: decode() refuses any other spelling of it, so what was decoded encodes to the same bytes.
#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/assert.h"
#include "core/model_index.h"

namespace attune {

namespace {

constexpr std::string_view kMagic = "attune model";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHead = kMagic.size() + sizeof kFormat;
constexpr std::size_t kChecksum = 8;

void put_number(std::uint64_t number, std::string& out)
{
  while (number >= 0x80) {
    out += static_cast<char>(number | 0x80);
    number >>= 7;
  }
  out += static_cast<char>(number);
}

void put_text(std::string_view text, std::string& out)
{
  put_number(text.size(), out);
  out += text;
}

template <class T>
void put_raw(const std::vector<T>& values, std::string& out)
{
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

void put_raw(std::uint64_t number, std::string& out)
{
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::uint64_t zigzag(std::int64_t number)
{
  return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

std::int64_t unzigzag(std::uint64_t number)
{
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

void put_table(const SessionTable& table, std::string& out)
{
  put_number(table.items.size(), out);
  for (const auto& item : table.items) put_text(item.text, out);
  put_number(table.sessions(), out);
  put_raw(table.keys, out);
  for (std::size_t s = 0; s < table.sessions(); ++s)
    put_number(s == 0 ? zigzag(table.end_time(0)) : static_cast<std::uint64_t>(table.end_time(s) - table.end_time(s - 1)), out);
  for (std::size_t s = 0; s < table.sessions(); ++s) put_number(table.begin[s + 1] - table.begin[s], out);
  for (std::size_t s = 0; s < table.sessions(); ++s)
    for (auto i = table.begin[s + 1] - 1; i > table.begin[s]; --i)
      put_number(static_cast<std::uint64_t>(table.times[i] - table.times[i - 1]), out);
  for (const auto item : table.clicked) put_number(item, out);
  put_raw(table.ids, out);
}

// Reads on after a failure, giving zeros; failed() is looked at once per part. Every count is bounded by the bytes that are left,
// so nothing a damaged file says can make us allocate more than some twenty times its size.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint64_t number()
  {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) return static_cast<unsigned char>(*at_++);
    return long_number();
  }
  std::uint64_t number_up_to(std::uint64_t most)
  {
    const auto value = number();
    if (value > most) failed_ = true;
    return failed_ ? 0 : value;
  }
  // A count of things of at least `least` bytes each, which have to be there.
  std::size_t count(std::size_t least)
  {
    const auto value = number();
    if (value > left() / least) failed_ = true;
    return failed_ ? 0 : value;
  }
  std::string_view text()
  {
    const auto size = count(1);
    const std::string_view value(at_, size);
    at_ += size;
    return value;
  }
  template <class T>
  void raw(std::size_t count, std::vector<T>& out)
  {
    if (count > left() / sizeof(T)) failed_ = true;
    if (failed_) return;
    out.resize(count);
    if (count > 0) std::memcpy(out.data(), at_, count * sizeof(T));
    at_ += count * sizeof(T);
  }
  void refuse_unless(bool good) { failed_ |= !good; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  std::uint64_t long_number()
  {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte >= 0x80) continue;
      // Only the shortest spelling, and no bits beyond 64.
      if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1)) break;
      return value;
    }
    failed_ = true;
    return 0;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

ModelOptions read_options(Reader& in)
{
  ModelOptions options;
  constexpr std::uint64_t kMost = 1ULL << 50;
  options.idle = Milliseconds(in.number_up_to(kMost));
  options.neighbours_m = in.number_up_to(kMost);
  options.neighbours_k = in.number_up_to(kMost);
  options.last_items = in.number_up_to(kMost);
  options.popular_half_life = Milliseconds(in.number_up_to(kMost));
  in.refuse_unless(options.valid());
  return options;
}

std::vector<LogPosition> read_positions(Reader& in)
{
  std::vector<LogPosition> positions(in.count(3));
  for (auto& position : positions) {
    position.at.topic = in.text();
    position.at.partition = static_cast<std::int32_t>(in.number_up_to(0x7FFF'FFFF));
    position.offset = static_cast<std::int64_t>(in.number_up_to(~0ULL >> 1));
    if (in.failed()) return {};
  }
  for (std::size_t i = 1; i < positions.size(); ++i) in.refuse_unless(positions[i - 1].at < positions[i].at);
  return positions;
}

void read_items(Reader& in, SessionTable& table)
{
  table.items.resize(in.count(2));
  for (auto& item : table.items) {
    item = ItemId(in.text());
    in.refuse_unless(!item.empty() && item.text.size() <= kMaxCustomerBytes &&
                     simdjson::validate_utf8(item.text.data(), item.text.size()));
  }
  in.refuse_unless(table.items.size() < kMaxItems);
  for (std::size_t i = 1; i < table.items.size(); ++i) in.refuse_unless(table.items[i - 1] < table.items[i]);
}

// The time of each session's last click. They rise, so one look at the last shows that none is beyond the end of time.
std::vector<std::int64_t> read_ends(Reader& in, std::size_t sessions)
{
  std::vector<std::int64_t> ends(sessions);
  constexpr auto kSpan = static_cast<std::uint64_t>(kMaxTime.ms - kMinTime.ms);
  for (std::size_t s = 0; s < sessions && !in.failed(); ++s) {
    ends[s] = s == 0 ? unzigzag(in.number()) : ends[s - 1] + static_cast<std::int64_t>(in.number_up_to(kSpan));
    in.refuse_unless(ends[s] >= kMinTime.ms && ends[s] <= kMaxTime.ms);
  }
  return ends;
}

void read_counts(Reader& in, std::size_t sessions, SessionTable& table)
{
  table.begin.reserve(sessions + 1);
  for (std::size_t s = 0; s < sessions; ++s) {
    const auto clicks = in.number_up_to(in.left());
    in.refuse_unless(clicks > 0);
    table.begin.push_back(table.begin.back() + clicks);
  }
  // Each click is at least an item and an id.
  in.refuse_unless(table.begin.back() <= in.left() / 9);
}

void read_clicks(Reader& in, const std::vector<std::int64_t>& ends, SessionTable& table)
{
  const auto clicks = table.begin.back();
  table.times.resize(clicks);
  for (std::size_t s = 0; s < ends.size(); ++s) {
    auto time = ends[s];
    for (auto i = table.begin[s + 1]; i-- > table.begin[s];) {
      table.times[i] = time;
      if (i > table.begin[s]) time -= static_cast<std::int64_t>(in.number_up_to(static_cast<std::uint64_t>(time - kMinTime.ms)));
    }
  }
  table.clicked.resize(clicks);
  std::vector<bool> used(table.items.size(), false);
  for (auto& item : table.clicked) {
    item = static_cast<ItemNumber>(in.number_up_to(kMaxItems)); // before it is cut to 32 bits
    if (item >= used.size()) return in.refuse_unless(false);
    used[item] = true;
  }
  in.refuse_unless(std::find(used.begin(), used.end(), false) == used.end());
  in.raw(clicks, table.ids);
}

// What freeze() sees to, and the sources rely on.
void check_order(Reader& in, const std::vector<std::int64_t>& ends, const SessionTable& table)
{
  for (std::size_t s = 0; s < ends.size(); ++s) {
    if (s > 0) in.refuse_unless(std::tie(ends[s - 1], table.keys[s - 1]) < std::tie(ends[s], table.keys[s]));
    for (auto i = table.begin[s] + 1; i < table.begin[s + 1]; ++i)
      in.refuse_unless(std::tie(table.times[i - 1], table.ids[i - 1]) < std::tie(table.times[i], table.ids[i]));
  }
}

void read_table(Reader& in, SessionTable& table)
{
  read_items(in, table);
  if (in.failed()) return;
  const auto sessions = in.count(sizeof(SessionKey) + 2);
  in.raw(sessions, table.keys);
  const auto ends = read_ends(in, sessions);
  read_counts(in, in.failed() ? 0 : sessions, table);
  if (in.failed()) return;
  read_clicks(in, ends, table);
  if (!in.failed()) check_order(in, ends, table);
}

Error damaged(std::string_view reason)
{
  return Error{Code::bad_data, std::string(reason)};
}

} // namespace

void Model::encode(std::string& out) const
{
  ATTUNE_ASSERT(index_->frozen());
  out = kMagic;
  out.append(reinterpret_cast<const char*>(&kFormat), sizeof kFormat);
  const auto& options = index_->options;
  put_number(static_cast<std::uint64_t>(options.idle.count()), out);
  put_number(options.neighbours_m, out);
  put_number(options.neighbours_k, out);
  put_number(options.last_items, out);
  put_number(static_cast<std::uint64_t>(options.popular_half_life.count()), out);
  put_number(positions.size(), out);
  for (const auto& position : positions) {
    put_text(position.at.topic, out);
    put_number(static_cast<std::uint64_t>(position.at.partition), out);
    put_number(static_cast<std::uint64_t>(position.offset), out);
  }
  put_table(index_->table, out);
  put_raw(XXH3_64bits(out.data(), out.size()), out);
}

Result<Model> Model::decode(std::string_view bytes)
{
  if (!bytes.starts_with(kMagic)) return damaged("not an attune model");
  if (bytes.size() < kHead + kChecksum) return damaged("cut short");
  std::uint32_t format = 0;
  std::memcpy(&format, bytes.data() + kMagic.size(), sizeof format);
  if (format != kFormat)
    return damaged("format version " + std::to_string(format) + ", this program reads " + std::to_string(kFormat));
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + bytes.size() - kChecksum, kChecksum);
  if (XXH3_64bits(bytes.data(), bytes.size() - kChecksum) != checksum) return damaged("damaged or cut short: the checksum differs");

  Reader in(bytes.substr(kHead, bytes.size() - kHead - kChecksum));
  const auto options = read_options(in);
  if (in.failed()) return damaged("damaged: options");
  Model model(options);
  model.positions = read_positions(in);
  if (!in.failed()) read_table(in, model.index_->table);
  if (in.failed() || in.left() > 0) return damaged("damaged: contents");
  model.index_->derive();
  return model;
}

} // namespace attune
