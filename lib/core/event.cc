#include "core/event.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hex.h"
#include "core/canonical_json.h"
#include "core/event_json.h"
#include "core/field_rules.h"

namespace attune {
namespace {

constexpr std::array<std::string_view, 13> kTypeNames{"",         "view",   "click",      "search",   "cart_add", "cart_remove",
                                                      "purchase", "refund", "impression", "identify", "consent",  "forget",
                                                      "x"};

bool is_order(EventType type)
{
  return type == EventType::purchase || type == EventType::refund;
}

bool needs_item(EventType type)
{
  return type == EventType::view || type == EventType::click || type == EventType::cart_add || type == EventType::cart_remove;
}

// Fields DESIGN's table ties to a type.
Result<void, Reject> validate_ties(const Event& event)
{
  const auto tied = [](bool given, bool fits, const char* field, const char* reason) {
    return given && !fits ? Result<void, Reject>(Reject{field, reason}) : Result<void, Reject>();
  };
  const bool has_lines = is_order(event.type) || event.type == EventType::impression;
  for (auto& check : {tied(!event.items.empty(), has_lines, "items", "only purchase, refund and impression"),
                      tied(!event.order.empty(), is_order(event.type), "order", "only purchase and refund"),
                      tied(!event.query.empty(), event.type == EventType::search, "query", "only search"),
                      tied(!event.alias.empty(), event.type == EventType::identify, "alias", "only identify"),
                      tied(event.granted.has_value(), event.type == EventType::consent, "granted", "only consent")}) {
    if (!check) {
      return check;
    }
  }
  return {};
}

Result<void, Reject> validate_order(const Event& event)
{
  if (event.items.empty()) {
    return event.item.empty() ? Result<void, Reject>(Reject{"items", "missing"}) : Result<void, Reject>();
  }
  if (!event.item.empty()) {
    return Reject{"items", "given beside item"};
  }
  if (event.quantity != 0) {
    return Reject{"quantity", "given beside items"};
  }
  if (event.price) {
    return Reject{"price", "given beside items"};
  }
  return {};
}

Result<void, Reject> validate_impression(const Event& event)
{
  if (event.items.empty()) {
    return Reject{"items", "missing"};
  }
  for (std::size_t i = 0; i < event.items.size(); ++i) {
    if (event.items[i].quantity != 0) {
      return Reject{line_field(i, "quantity"), "not in an impression"};
    }
    if (event.items[i].price) {
      return Reject{line_field(i, "price"), "not in an impression"};
    }
  }
  return {};
}

Result<void, Reject> validate_needs(const Event& event)
{
  if (needs_item(event.type) && event.item.empty()) {
    return Reject{"item", "missing"};
  }
  switch (event.type) {
    case EventType::purchase:
    case EventType::refund:
      return validate_order(event);
    case EventType::impression:
      return validate_impression(event);
    case EventType::search:
      if (event.query.empty() && event.item.empty() && event.category.empty()) {
        return Reject{"query", "missing"};
      }
      return {};
    case EventType::identify:
      if (event.alias.empty()) {
        return Reject{"alias", "missing"};
      }
      if (event.alias == event.customer) {
        return Reject{"alias", "is the customer"};
      }
      return {};
    case EventType::consent:
      return event.granted ? Result<void, Reject>() : Result<void, Reject>(Reject{"granted", "missing"});
    default:
      return {};
  }
}

bool add_line(std::int64_t quantity, const std::optional<Money>& price, std::int64_t& total)
{
  std::int64_t amount = 0;
  return !price || (!__builtin_mul_overflow(std::max<std::int64_t>(quantity, 1), price->micro, &amount) &&
                    !__builtin_add_overflow(total, amount, &total));
}

Result<void, Reject> validate_totals(const Event& event)
{
  std::int64_t total = 0;
  if (!add_line(event.quantity, event.price, total)) {
    return Reject{"price", "total overflows"};
  }
  for (const Line& line : event.items) {
    if (!add_line(line.quantity, line.price, total)) {
      return Reject{"items", "total overflows"};
    }
  }
  return {};
}

bool has_price(const Event& event)
{
  return event.price ||
         std::any_of(event.items.begin(), event.items.end(), [](const Line& line) { return line.price.has_value(); });
}

EventId uuid_v7(const Entry& entry)
{
  std::array<std::uint8_t, 16> bytes{};
  const auto ms = static_cast<std::uint64_t>(entry.received.ms);
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  }
  std::copy(entry.random.begin(), entry.random.end(), bytes.begin() + 6);
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0F));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3F));
  std::string text;
  std::span<const std::uint8_t> rest(bytes);
  for (const std::size_t part : {4, 2, 2, 2, 6}) {
    if (!text.empty()) text += '-';
    append_hex(rest.first(part), text);
    rest = rest.subspan(part);
  }
  return EventId(std::move(text));
}

// What an order is, however often its page is shown: who, which order, which lines.
EventId order_id(const Event& event)
{
  Event order;
  order.type = event.type;
  order.customer = event.customer;
  order.order = event.order;
  order.items = lines_of(event);
  std::string text;
  append_event_json(order, text);
  return hashed_id(text);
}

EventId content_id(Event& event)
{
  const auto sent = std::exchange(event.sent, std::nullopt);
  std::string text;
  append_event_json(event, text);
  event.sent = sent;
  return hashed_id(text);
}

EventId missing_id(Event& event, const Entry& entry)
{
  if (is_order(event.type) && !event.order.empty()) {
    return order_id(event);
  }
  return event.time ? content_id(event) : uuid_v7(entry);
}

Result<void, Reject> settle_time(Event& event, const Entry& entry)
{
  const auto sent = std::exchange(event.sent, std::nullopt);
  if (!event.time) {
    event.time = entry.received;
    return {};
  }
  if (sent) {
    const Milliseconds skew = entry.received - *sent;
    if (skew > kClockTolerance || skew < -kClockTolerance) {
      event.time = *event.time + skew;
    }
  }
  if (*event.time > entry.received + kMaxFuture) {
    return Reject{"time", "over 5 minutes in the future"};
  }
  if (*event.time < kMinTime || *event.time > kMaxTime) {
    return Reject{"time", "not within the years 1 to 9999 once shifted by sent"};
  }
  return {};
}

// The canonical form may be longer than what came (`1e20` has 21 digits there), and it must be readable again.
Result<void, Reject> validate_size(const Event& event)
{
  constexpr std::size_t kLongestForm = 6; // bytes of canonical JSON for one byte in a string or number
  constexpr std::size_t kLineBytes = 64 + kLongestForm * kMaxCustomerBytes;
  constexpr std::size_t kStringsBytes = 24 * 1024;
  if (event.properties.size() * kLongestForm <= kMaxPropertiesBytes &&
      kStringsBytes + event.properties.size() * kLongestForm + event.items.size() * kLineBytes <= kMaxEventBytes) {
    return {};
  }
  std::string text;
  if (!event.properties.empty()) {
    const auto written = append_canonical_json(event.properties, text);
    ATTUNE_ASSERT(written.ok());
    if (text.size() > kMaxPropertiesBytes) {
      return Reject{"properties", "over 16 KiB in canonical form"};
    }
    text.clear();
  }
  append_event_json(event, text);
  return text.size() > kMaxEventBytes ? Result<void, Reject>(Reject{"", "over 64 KiB in canonical form"}) : Result<void, Reject>();
}

bool is_name_byte(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

} // namespace

void Event::clear()
{
  id.text.clear();
  type = EventType::view;
  custom_type.clear();
  time.reset();
  sent.reset();
  customer.text.clear();
  session.text.clear();
  item.text.clear();
  items.clear();
  category.clear();
  quantity = 0;
  price.reset();
  currency = {};
  order.text.clear();
  query.clear();
  alias.text.clear();
  granted.reset();
  slot.text.clear();
  recommendation.text.clear();
  properties.clear();
}

std::string_view type_name(EventType type)
{
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::string_view type_name(const Event& event)
{
  return event.type == EventType::custom ? std::string_view(event.custom_type) : type_name(event.type);
}

std::optional<EventType> parse_type(std::string_view name)
{
  if (name.size() > 2 && name.substr(0, 2) == "x." && name.size() <= kMaxStringBytes) {
    return std::all_of(name.begin() + 2, name.end(), is_name_byte) ? std::optional(EventType::custom) : std::nullopt;
  }
  const auto found = std::find(kTypeNames.begin() + 1, kTypeNames.end() - 1, name);
  if (found == kTypeNames.end() - 1) {
    return std::nullopt;
  }
  return static_cast<EventType>(found - kTypeNames.begin());
}

std::vector<Line> lines_of(const Event& event)
{
  std::vector<Line> lines = event.items;
  if (lines.empty() && !event.item.empty()) {
    lines.push_back({event.item, event.quantity, event.price});
  }
  if (is_order(event.type)) {
    for (Line& line : lines) {
      line.quantity = std::max<std::int64_t>(line.quantity, 1);
    }
  }
  return lines;
}

Result<bool, Reject> complete(Event& event, const Entry& entry)
{
  bool changed = event.id.empty() || !event.time || event.sent;
  if (event.id.empty()) {
    event.id = missing_id(event, entry);
  }
  if (const auto settled = settle_time(event, entry); !settled) {
    return settled.error();
  }
  if (event.currency.empty() && !entry.currency.empty() && has_price(event)) {
    event.currency = entry.currency;
    changed = true;
  }
  if (const auto fits = validate_size(event); !fits) {
    return fits.error();
  }
  return changed;
}

Result<void, Reject> validate(const Event& event)
{
  if (event.customer.empty()) {
    return Reject{"customer", "missing"};
  }
  for (const auto rule : {validate_ties, validate_needs, validate_totals}) {
    auto checked = rule(event);
    if (!checked) {
      return checked;
    }
  }
  return {};
}

EventId hashed_id(std::string_view text)
{
  // Fetched once: looking an algorithm up by name costs as much as hashing an event.
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  const int done = sha256 == nullptr ? 0 : EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha256, nullptr);
  ATTUNE_ASSERT(done == 1);
  std::string id;
  append_hex(std::span(digest).first(16), id);
  return EventId(std::move(id));
}

std::string_view topic_of(EventType type)
{
  switch (type) {
    case EventType::cart_add:
    case EventType::cart_remove:
      return kCartTopic;
    case EventType::purchase:
    case EventType::refund:
      return kPurchaseTopic;
    case EventType::identify:
    case EventType::consent:
    case EventType::forget:
      return kIdentityTopic;
    default:
      return kClicksTopic;
  }
}

std::string in_namespace(std::string_view name_space, std::string_view topic)
{
  std::string name(name_space);
  if (!name.empty()) {
    name += '.';
  }
  name += topic;
  return name;
}

bool valid_namespace(std::string_view name_space)
{
  return !name_space.empty() && std::all_of(name_space.begin(), name_space.end(),
                                            [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

} // namespace attune
