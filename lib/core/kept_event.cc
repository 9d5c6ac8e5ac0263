#include "core/kept_event.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "core/proto_fields.h"

namespace attune {
namespace {

// Field numbers of message KeptEvent. Id, time and type stand first, so that a profile is decoded by its events' first bytes.
enum KeptField : int {
  kId = 1,
  kTime = 2,
  kType = 3,
  kCustomType = 4,
  kItem = 5,
  kLines = 6,
  kQuantity = 7,
  kPrice = 8,
  kCurrency = 9,
  kSession = 10,
  kSlot = 11,
  kRecommendation = 12,
  kCategory = 13,
  kOrder = 14,
};
enum KeptLineField : int { kLineItem = 1, kLineQuantity = 2, kLinePrice = 3 };

constexpr char kIdTag = (kId << 3) | 2;

template <class Sink>
void put_price(Sink& sink, int field, const std::optional<Money>& price)
{
  if (price) sink.present_number(field, static_cast<std::uint64_t>(price->micro));
}

template <class Sink>
void put(Sink& sink, const Line& line)
{
  sink.text(kLineItem, line.item.text);
  sink.number(kLineQuantity, static_cast<std::uint64_t>(line.quantity));
  put_price(sink, kLinePrice, line.price);
}

template <class Sink>
void put(Sink& sink, const Event& event)
{
  sink.text(kId, event.id.text);
  sink.signed_number(kTime, event.time->ms);
  sink.number(kType, static_cast<std::uint64_t>(event.type));
  sink.text(kCustomType, event.custom_type);
  sink.text(kItem, event.item.text);
  for (const auto& line : event.items) sink.message(kLines, [&line](auto& inner) { put(inner, line); });
  sink.number(kQuantity, static_cast<std::uint64_t>(event.quantity));
  put_price(sink, kPrice, event.price);
  sink.text(kCurrency, event.currency.text());
  sink.text(kSession, event.session.text);
  sink.text(kSlot, event.slot.text);
  sink.text(kRecommendation, event.recommendation.text);
  sink.text(kCategory, event.category);
  sink.text(kOrder, event.order.text);
}

std::uint64_t hash_of_text(std::string_view id)
{
  return XXH3_64bits(id.data(), id.size());
}

bool is_kept_type(std::uint64_t number)
{
  return number >= static_cast<std::uint64_t>(EventType::view) && number <= static_cast<std::uint64_t>(EventType::custom) &&
         !is_identity(static_cast<EventType>(number));
}

// What is beyond an event's limits can only come of damaged bytes; it reads as absent, so that sums need not fear it.
std::int64_t quantity_of(std::uint64_t number)
{
  return number <= static_cast<std::uint64_t>(kMaxQuantity) ? static_cast<std::int64_t>(number) : 0;
}

std::optional<Money> price_of(std::uint64_t number)
{
  if (number > static_cast<std::uint64_t>(kMaxPriceMicro)) return std::nullopt;
  return Money{static_cast<std::int64_t>(number)};
}

KeptLine line_of(std::string_view bytes)
{
  KeptLine line;
  ProtoReader reader(bytes);
  while (reader.next()) {
    if (reader.is_bytes(kLineItem)) line.item = reader.bytes;
    if (reader.is_number(kLineQuantity)) line.quantity = quantity_of(reader.number);
    if (reader.is_number(kLinePrice)) line.price = price_of(reader.number);
  }
  return line;
}

void read_number(const ProtoReader& reader, KeptView& view)
{
  switch (reader.field) {
    case kType:
      if (is_kept_type(reader.number)) view.type = static_cast<EventType>(reader.number);
      break;
    case kQuantity:
      view.quantity = quantity_of(reader.number);
      break;
    case kPrice:
      view.price = price_of(reader.number);
      break;
    default:
      break;
  }
}

void read_bytes(const ProtoReader& reader, KeptView& view)
{
  switch (reader.field) {
    case kCustomType:
      view.custom_type = reader.bytes;
      break;
    case kItem:
      view.item = reader.bytes;
      break;
    case kLines:
      view.lines.push_back(line_of(reader.bytes));
      break;
    case kCurrency:
      view.currency = parse_currency(reader.bytes).value_or(Currency{});
      break;
    case kSession:
      view.session = reader.bytes;
      break;
    case kSlot:
      view.slot = reader.bytes;
      break;
    case kRecommendation:
      view.recommendation = reader.bytes;
      break;
    case kCategory:
      view.category = reader.bytes;
      break;
    case kOrder:
      view.order = reader.bytes;
      break;
    default:
      break;
  }
}

} // namespace

std::uint64_t hash_of(const EventId& id)
{
  return hash_of_text(id.text);
}

std::string_view KeptView::type_name() const
{
  return type == EventType::custom ? custom_type : attune::type_name(type);
}

std::vector<std::string_view> KeptView::items() const
{
  std::vector<std::string_view> all;
  if (!item.empty()) all.push_back(item);
  for (const auto& line : lines) all.push_back(line.item);
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<KeptLine> KeptView::order_lines() const
{
  std::vector<KeptLine> all = lines;
  if (all.empty() && !item.empty()) all.push_back({item, quantity, price});
  for (auto& line : all) line.quantity = std::max<std::int64_t>(line.quantity, 1);
  return all;
}

KeptEvent KeptEvent::of(const Event& event)
{
  ATTUNE_ASSERT(event.time && !event.id.empty() && event.id.text.size() <= kMaxIdBytes && !is_identity(event.type));
  return {*event.time, hash_of(event.id), proto_bytes([&event](auto& sink) { put(sink, event); })};
}

std::optional<KeptEvent> KeptEvent::of_wire(const SharedBytes& bytes)
{
  const std::string_view wire = bytes.view();
  ProtoReader reader(wire);
  // The id's length takes one byte, so that id() finds it without reading.
  if (!reader.next() || !reader.is_bytes(kId) || reader.bytes.empty() || reader.bytes.size() > kMaxIdBytes ||
      static_cast<std::size_t>(wire[1]) != reader.bytes.size())
    return std::nullopt;
  KeptEvent kept{Timestamp{}, hash_of_text(reader.bytes), {}};
  if (!reader.next()) return std::nullopt;
  if (reader.is_number(kTime)) {
    kept.time = Timestamp{reader.signed_number()};
    if (!reader.next()) return std::nullopt;
  }
  if (!reader.is_number(kType) || !is_kept_type(reader.number) || kept.time < kMinTime || kept.time > kMaxTime) return std::nullopt;
  kept.wire = bytes;
  return kept;
}

std::string_view KeptEvent::id() const
{
  const std::string_view bytes = wire.view();
  ATTUNE_ASSERT(bytes.size() > 2 && bytes[0] == kIdTag);
  return bytes.substr(2, static_cast<std::size_t>(bytes[1]));
}

EventType KeptEvent::type() const
{
  ProtoReader reader(wire.view().substr(2 + id().size()));
  while (reader.next())
    if (reader.is_number(kType) && is_kept_type(reader.number)) return static_cast<EventType>(reader.number);
  return EventType::view;
}

KeptView KeptEvent::view() const
{
  KeptView view;
  view.id = id();
  view.time = time;
  ProtoReader reader(wire.view());
  while (reader.next()) {
    if (reader.form == ProtoReader::Form::number) read_number(reader, view);
    if (reader.form == ProtoReader::Form::bytes) read_bytes(reader, view);
  }
  return view;
}

Event KeptEvent::event(const CustomerId& customer) const
{
  const KeptView kept = view();
  Event event;
  event.id = EventId(kept.id);
  event.type = kept.type;
  event.custom_type = kept.custom_type;
  event.time = kept.time;
  event.customer = customer;
  event.session = SessionId(kept.session);
  event.item = ItemId(kept.item);
  event.items.reserve(kept.lines.size());
  for (const auto& line : kept.lines) event.items.push_back({ItemId(line.item), line.quantity, line.price});
  event.category = kept.category;
  event.quantity = kept.quantity;
  event.price = kept.price;
  event.currency = kept.currency;
  event.order = OrderId(kept.order);
  event.slot = Slot(kept.slot);
  event.recommendation = RecommendationId(kept.recommendation);
  return event;
}

bool before(const KeptEvent& a, const KeptEvent& b)
{
  return a.time != b.time ? a.time < b.time : a.id() < b.id();
}

bool at_or_before(const KeptEvent& event, const Place& place)
{
  return event.time != place.time ? event.time < place.time : event.id() <= place.id.text;
}

bool stays_before(const KeptEvent& a, const KeptEvent& b)
{
  return a.time != b.time ? a.time < b.time : a.wire.view() < b.wire.view();
}

} // namespace attune
