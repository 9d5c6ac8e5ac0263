#include "core/token.h"

#include <algorithm>

#include "base/assert.h"
#include "core/base64.h"

namespace attune {

namespace {

constexpr char kVersion = 1;

void append_varint(std::uint64_t value, std::string& out)
{
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

std::uint64_t zigzag(std::int64_t value)
{
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value)
{
  return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes)
{
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return {};
}

std::optional<Token::Entry> take_entry(std::string_view& bytes)
{
  Token::Entry entry;
  const auto type = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  if (type < static_cast<unsigned>(EventType::view) || type > static_cast<unsigned>(EventType::custom)) return {};
  entry.type = static_cast<EventType>(type);
  const auto time = take_varint(bytes);
  if (!time || bytes.empty()) return {};
  entry.place.time = Timestamp{unzigzag(*time)};
  if (entry.place.time < kMinTime || entry.place.time > kMaxTime) return {};
  const std::size_t length = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  if (length == 0 || length > kMaxIdBytes || length > bytes.size()) return {};
  entry.place.id = EventId(bytes.substr(0, length));
  bytes.remove_prefix(length);
  if (entry.type != EventType::identify) return entry;
  if (bytes.empty()) return {};
  const std::size_t alias = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  if (alias == 0 || alias > kMaxCustomerBytes || alias > bytes.size()) return {};
  entry.alias = CustomerId(bytes.substr(0, alias));
  bytes.remove_prefix(alias);
  return entry;
}

} // namespace

void Token::add(const Event& event)
{
  entries_.push_back({event.type, Place::of(event), event.alias});
  if (entries_.size() <= kMaxTokenEvents) return;
  // The oldest whose topic has another behind it: there are fewer topics than entries.
  const auto oldest = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return std::any_of(&entry + 1, static_cast<const Entry*>(entries_.data() + entries_.size()),
                       [&](const Entry& other) { return topic_of(other.type) == topic_of(entry.type); });
  });
  ATTUNE_ASSERT(oldest != entries_.end());
  entries_.erase(oldest);
}

void Token::add(const Token& other)
{
  entries_.insert(entries_.end(), other.entries_.begin(), other.entries_.end());
}

std::string Token::text() const
{
  if (entries_.empty()) return {};
  std::string bytes(1, kVersion);
  for (const auto& entry : entries_) {
    bytes += static_cast<char>(entry.type);
    append_varint(zigzag(entry.place.time.ms), bytes);
    bytes += static_cast<char>(entry.place.id.text.size());
    bytes += entry.place.id.text;
    if (entry.type != EventType::identify) continue;
    bytes += static_cast<char>(entry.alias.text.size());
    bytes += entry.alias.text;
  }
  std::string text;
  append_base64url(bytes, text);
  return text;
}

Result<Token, Reject> Token::parse(std::string_view text)
{
  const Reject no_token{"after", "not a token"};
  std::string bytes;
  if (text.size() > kMaxTokenBytes || !decode_base64url(text, bytes) || bytes.empty() || bytes.front() != kVersion) return no_token;
  Token token;
  std::string_view rest = bytes;
  for (rest.remove_prefix(1); !rest.empty();) {
    auto entry = take_entry(rest);
    if (!entry || token.entries_.size() == kMaxTokenEvents) return no_token;
    token.entries_.push_back(std::move(*entry));
  }
  if (token.empty()) return no_token;
  return token;
}

bool awaited(const Token::Entry& entry, const Profile* profile)
{
  if (!profile) return true;
  if (entry.type != EventType::identify) return holds(*profile, entry.type, entry.place) == Held::unknown;
  return std::none_of(profile->aliases.begin(), profile->aliases.end(),
                      [&](const AliasClaim& claim) { return claim.alias == entry.alias; });
}

const Token::Entry* awaited(const Token& token, const Profile* profile)
{
  for (const auto& entry : token.entries())
    if (awaited(entry, profile)) return &entry;
  return nullptr;
}

} // namespace attune
