#include "core/profile_json.h"

#include <algorithm>
#include <charconv>

#include "core/affinity.h"
#include "core/canonical_json.h"
#include "core/event_json.h"
#include "core/field_rules.h"
#include "core/json_tree.h"
#include "core/profile_proto.h"
#include "core/session.h"

namespace attune {
namespace {

struct NamedWindow {
  std::string_view name;
  Milliseconds length;
};
constexpr NamedWindow kWindows[] = {
    {"1h", std::chrono::hours(1)}, {"24h", std::chrono::hours(24)}, {"7d", std::chrono::hours(24 * 7)}};

constexpr std::pair<Granularity, std::string_view> kGranularities[] = {
    {Granularity::hour, "hour"}, {Granularity::day, "day"}, {Granularity::month, "month"}};

// What the reader reads over, because it follows from the rest.
constexpr std::string_view kDerived[] = {"version", "first_time",    "last_time", "counts",   "items",  "cart",
                                         "spend",   "last_purchase", "session",   "affinity", "windows"};

constexpr int kRecordDepth = 8;
constexpr std::size_t kHashDigits = 16;

// --- Writing ----------------------------------------------------------------------------------------------------------

// Appends one JSON value; commas come by themselves.
class JsonOut {
 public:
  explicit JsonOut(std::string& out) : out_(out), begin_(out.size()) {}

  JsonOut& open(char bracket)
  {
    separate();
    out_ += bracket;
    return *this;
  }
  void close(char bracket) { out_ += bracket; }
  JsonOut& key(std::string_view name)
  {
    text(name);
    out_ += ':';
    return *this;
  }
  void text(std::string_view value)
  {
    separate();
    append_json_string(value, out_);
  }
  template <class Integer>
  void integer(Integer value)
  {
    separate();
    char digits[24];
    out_.append(digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr);
  }
  void number(double value)
  {
    separate();
    append_json_number(value, out_);
  }
  void word(std::string_view literal)
  {
    separate();
    out_ += literal;
  }
  void event(const Event& value)
  {
    separate();
    append_event_json(value, out_);
  }
  void time(const std::optional<Timestamp>& value)
  {
    if (!value) return word("null");
    integer(value->ms);
  }

 private:
  // No value ends in one of these, so the last byte tells whether one stands before.
  void separate()
  {
    if (out_.size() > begin_ && out_.back() != '{' && out_.back() != '[' && out_.back() != ':') out_ += ',';
  }

  std::string& out_;
  std::size_t begin_;
};

void write_place(JsonOut& json, const Place& place)
{
  json.key("time").integer(place.time.ms);
  json.key("id").text(place.id.text);
}

void write_counts(JsonOut& json, const TypeCounts& counts)
{
  json.open('{');
  for (const auto& [type, n] : counts) json.key(type).integer(n);
  json.close('}');
}

void write_named(JsonOut& json, const NamedCounts& named)
{
  json.open('{');
  for (const auto& [name, counts] : named) write_counts(json.key(name), counts);
  json.close('}');
}

void write_spend(JsonOut& json, const Spend& spend)
{
  json.open('{');
  for (const auto& [currency, amount] : spend) json.key(currency.text()).text(to_string(amount));
  json.close('}');
}

void write_items(JsonOut& json, const std::vector<ItemId>& items)
{
  json.open('[');
  for (const auto& item : items) json.text(item.text);
  json.close(']');
}

void write_floors(JsonOut& json, const Profile& profile)
{
  json.open('{');
  for (std::size_t list = 0; list < kRecentLists; ++list) {
    if (!profile.floors[list]) continue;
    json.key(list_name(static_cast<RecentList>(list))).open('{');
    write_place(json, *profile.floors[list]);
    json.close('}');
  }
  json.close('}');
}

void write_cart(JsonOut& json, const Profile& profile)
{
  json.open('[');
  for (const auto& line : cart(profile)) {
    json.open('{').key("item").text(line.item.text);
    json.key("quantity").integer(line.quantity);
    if (line.price) json.key("price").text(to_string(*line.price));
    if (!line.currency.empty()) json.key("currency").text(line.currency.text());
    json.key("time").integer(line.time.ms);
    json.close('}');
  }
  json.close(']');
}

void write_last_purchase(JsonOut& json, const Profile& profile)
{
  const auto order = last_purchase(profile);
  if (!order) return json.word("null");
  json.open('{').key("time").integer(order->time->ms);
  if (!order->order.empty()) json.key("order").text(order->order.text);
  json.key("items").open('[');
  for (const auto& line : order->items) {
    json.open('{').key("item").text(line.item.text);
    json.key("quantity").integer(line.quantity);
    if (line.price) json.key("price").text(to_string(*line.price));
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

void write_session(JsonOut& json, const Profile& profile, const std::optional<Timestamp>& at)
{
  const auto session = at ? current_session(profile, *at) : std::nullopt;
  if (!session) return json.word("null");
  json.open('{').key("id").text(session->id.text);
  json.key("start").integer(session->start.ms);
  write_items(json.key("items"), session->items);
  json.close('}');
}

void write_affinity(JsonOut& json, const Profile& profile, const Catalog& catalog, const std::optional<Timestamp>& at)
{
  json.open('{');
  if (at)
    for (const auto& [category, weight] : affinity(profile, catalog, *at)) json.key(category).number(weight);
  json.close('}');
}

void write_windows(JsonOut& json, const Profile& profile, const std::optional<Timestamp>& at)
{
  json.open('{');
  for (const auto& window : kWindows)
    write_counts(json.key(window.name), at ? window_counts(profile, *at, window.length) : TypeCounts{});
  json.close('}');
}

void write_recent(JsonOut& json, const Profile& profile)
{
  json.open('[');
  for (const auto& recent : profile.recent)
    for (const auto& kept : recent) json.event(kept.event(profile.customer));
  json.close(']');
}

// The fields view and record share; the object stays open.
void write_readings(JsonOut& json, const Profile& profile, const Catalog& catalog, const ViewOptions& options)
{
  const auto at = options.at ? options.at : last_time(profile);
  json.open('{').key("customer").text(profile.customer.text);
  json.key("version").integer(profile.version());
  json.key("first_time").time(first_time(profile));
  json.key("last_time").time(last_time(profile));
  write_floors(json.key("floors"), profile);
  write_counts(json.key("counts"), counts(profile));
  if (options.items) write_named(json.key("items"), item_counts(profile));
  write_cart(json.key("cart"), profile);
  write_last_purchase(json.key("last_purchase"), profile);
  write_spend(json.key("spend"), spend(profile));
  write_session(json.key("session"), profile, at);
  write_affinity(json.key("affinity"), profile, catalog, at);
  write_windows(json.key("windows"), profile, at);
  if (options.recent) write_recent(json.key("recent"), profile);
}

std::string_view granularity_name(Granularity granularity)
{
  return kGranularities[static_cast<std::size_t>(granularity) - 1].second;
}

void write_tile(JsonOut& json, const Tile& tile)
{
  json.open('{').key("granularity").text(granularity_name(tile.granularity));
  json.key("start").integer(tile.start.ms);
  write_counts(json.key("counts"), tile.counts);
  write_spend(json.key("spend"), tile.spend);
  write_named(json.key("items"), tile.items);
  write_counts(json.key("other_items"), tile.other_items);
  write_named(json.key("categories"), tile.categories);
  write_counts(json.key("other_categories"), tile.other_categories);
  json.close('}');
}

std::string hex_of(std::uint64_t hash)
{
  std::string digits(kHashDigits, '0');
  for (std::size_t i = kHashDigits; i-- > 0; hash >>= 4) digits[i] = "0123456789abcdef"[hash & 15];
  return digits;
}

void write_folded(JsonOut& json, const std::vector<FoldedId>& folded)
{
  json.open('[');
  for (const auto& id : folded) {
    json.open('[').integer(id.time.ms);
    json.text(hex_of(id.hash));
    json.close(']');
  }
  json.close(']');
}

void write_summary(JsonOut& json, const Profile& profile)
{
  const auto& summary = profile.summary;
  json.open('{').key("tiles").open('[');
  for (const auto& tile : summary.tiles) write_tile(json, tile.tile());
  json.close(']');
  json.key("newest_order");
  if (summary.newest_order) {
    json.event(summary.newest_order->event(profile.customer));
  } else {
    json.word("null");
  }
  json.key("last_purchases").open('{');
  for (const auto& [item, time] : summary.last_purchases) json.key(item.text).integer(time.ms);
  json.close('}');
  write_folded(json.key("folded"), summary.folded);
  json.key("first_time").time(summary.first_time);
  json.close('}');
}

void write_aliases(JsonOut& json, const std::vector<AliasClaim>& aliases)
{
  json.open('[');
  for (const auto& claim : aliases) {
    json.open('{').key("alias").text(claim.alias.text);
    write_place(json, claim.by);
    json.close('}');
  }
  json.close(']');
}

void write_identity(JsonOut& json, const Profile& profile)
{
  write_aliases(json.key("aliases"), profile.aliases);
  json.key("moved_to");
  if (profile.moved_to) {
    json.open('{').key("customer").text(profile.moved_to->alias.text);
    write_place(json, profile.moved_to->by);
    json.close('}');
  } else {
    json.word("null");
  }
  json.key("forgotten");
  if (profile.forgotten) {
    write_place(json.open('{'), *profile.forgotten);
    json.close('}');
  } else {
    json.word("null");
  }
  json.key("consent");
  if (profile.consent) {
    json.open('{').key("granted").word(profile.consent->granted ? "true" : "false");
    write_place(json, profile.consent->by);
    json.close('}');
  } else {
    json.word("null");
  }
  json.key("version_base").integer(profile.version_base);
}

// --- Reading ----------------------------------------------------------------------------------------------------------

// Where a value stands, told only when it is refused.
struct Path {
  const Path* in = nullptr;
  std::string_view name;
  std::optional<std::size_t> index = std::nullopt;

  [[nodiscard]] std::string text() const
  {
    std::string all = in ? in->text() : std::string();
    if (index) return all + "[" + std::to_string(*index) + "]";
    if (!all.empty()) all += '.';
    return all + shown(name);
  }
};

// Reads a profile out of a tree. The first fault stands and what is read after it is of no use, so that callers ask once, at the
// end.
class RecordReader {
 public:
  explicit RecordReader(const JsonTree& tree) : tree_(tree) {}

  [[nodiscard]] const std::optional<Reject>& fault() const { return fault_; }

  Profile profile()
  {
    Profile profile;
    const JsonNode& root = tree_.root();
    const Path top;
    if (const auto* customer = tree_.find(root, "customer"))
      profile.customer = CustomerId(text(*customer, {&top, "customer"}, kMaxCustomerBytes));
    for (const std::string_view needed : {"customer", "recent", "summary"})
      if (!tree_.find(root, needed)) fail({&top, needed}, "missing");
    members(root, top, [&](const JsonNode& node, const Path& path) { field(node, path, profile); });
    return profile;
  }

 private:
  void fail(const Path& path, std::string_view reason)
  {
    if (!fault_) fault_ = Reject{path.text(), std::string(reason)};
  }

  template <class Take>
  void members(const JsonNode& node, const Path& path, const Take& take)
  {
    if (node.kind != JsonNode::Kind::object) return fail(path, "not an object");
    for (const auto& child : tree_.children(node)) {
      if (fault_) return;
      take(child, Path{&path, child.key});
    }
  }

  template <class Take>
  void elements(const JsonNode& node, const Path& path, const Take& take)
  {
    if (node.kind != JsonNode::Kind::array) return fail(path, "not an array");
    std::size_t i = 0;
    for (const auto& child : tree_.children(node)) {
      if (fault_) return;
      take(child, Path{&path, {}, i++});
    }
  }

  static bool is_null(const JsonNode& node) { return node.kind == JsonNode::Kind::null; }

  // A value, or the default of its type after a fault.
  template <class T>
  T checked(const Checked<T>& read, const Path& path)
  {
    if (read) return *read;
    fail(path, read.error());
    return {};
  }

  std::string_view text(const JsonNode& node, const Path& path, std::size_t max)
  {
    if (node.kind != JsonNode::Kind::string) {
      fail(path, "not a string");
      return {};
    }
    if (const auto good = check_text(node.text, max); !good) fail(path, good.error());
    return node.text;
  }

  std::string_view digits(const JsonNode& node, const Path& path, std::string_view otherwise)
  {
    if (node.kind == JsonNode::Kind::number) return node.text;
    fail(path, otherwise);
    return {};
  }

  std::uint64_t natural(const JsonNode& node, const Path& path)
  {
    constexpr std::string_view kNotNatural = "not a whole number";
    const auto written = digits(node, path, kNotNatural);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), number);
    if (error != std::errc() || end != written.data() + written.size()) fail(path, kNotNatural);
    return number;
  }

  Timestamp time(const JsonNode& node, const Path& path)
  {
    return fault_ ? Timestamp{} : checked(read_milliseconds(digits(node, path, kNotATime)), path);
  }

  void field(const JsonNode& node, const Path& path, Profile& profile)
  {
    const auto key = path.name;
    if (key == "floors") {
      floors(node, path, profile);
    } else if (key == "recent") {
      recent(node, path, profile);
    } else if (key == "summary") {
      summary(node, path, profile);
    } else if (key == "aliases") {
      elements(node, path,
               [&](const JsonNode& claim, const Path& at) { profile.aliases.push_back(alias_claim(claim, at, "alias")); });
      std::sort(profile.aliases.begin(), profile.aliases.end(), [](const auto& a, const auto& b) { return a.alias < b.alias; });
    } else if (key == "moved_to") {
      if (!is_null(node)) profile.moved_to = alias_claim(node, path, "customer");
    } else if (key == "forgotten") {
      if (!is_null(node)) profile.forgotten = place(node, path);
    } else if (key == "consent") {
      if (!is_null(node)) profile.consent = consent_of(node, path);
    } else if (key == "version_base") {
      profile.version_base = natural(node, path);
    } else if (key != "customer" && std::find(std::begin(kDerived), std::end(kDerived), key) == std::end(kDerived)) {
      fail(path, "unknown key");
    }
  }

  // time and id of an object; `other` takes what else it has, and says whether it knows it.
  template <class Other>
  Place place_and(const JsonNode& node, const Path& path, const Other& other)
  {
    Place place;
    bool timed = false;
    members(node, path, [&](const JsonNode& child, const Path& at) {
      if (at.name == "time") {
        place.time = time(child, at);
        timed = true;
      } else if (at.name == "id") {
        place.id = EventId(text(child, at, kMaxIdBytes));
      } else if (!other(child, at)) {
        fail(at, "unknown key");
      }
    });
    if (!timed) fail({&path, "time"}, "missing");
    if (place.id.empty()) fail({&path, "id"}, "missing");
    return place;
  }

  Place place(const JsonNode& node, const Path& path)
  {
    return place_and(node, path, [](const JsonNode&, const Path&) { return false; });
  }

  AliasClaim alias_claim(const JsonNode& node, const Path& path, std::string_view name)
  {
    AliasClaim claim;
    claim.by = place_and(node, path, [&](const JsonNode& child, const Path& at) {
      if (at.name == name) claim.alias = CustomerId(text(child, at, kMaxCustomerBytes));
      return at.name == name;
    });
    if (claim.alias.empty()) fail({&path, name}, "missing");
    return claim;
  }

  Consent consent_of(const JsonNode& node, const Path& path)
  {
    Consent consent;
    bool said = false;
    consent.by = place_and(node, path, [&](const JsonNode& child, const Path& at) {
      said = said || (at.name == "granted" && child.kind == JsonNode::Kind::boolean);
      consent.granted = child.truth;
      return at.name == "granted";
    });
    if (!said) fail({&path, "granted"}, "not true or false");
    return consent;
  }

  void floors(const JsonNode& node, const Path& path, Profile& profile)
  {
    members(node, path, [&](const JsonNode& child, const Path& at) {
      for (std::size_t list = 0; list < kRecentLists; ++list) {
        if (at.name != list_name(static_cast<RecentList>(list))) continue;
        profile.floors[list] = place(child, at);
        return;
      }
      fail(at, "unknown list");
    });
  }

  void recent(const JsonNode& node, const Path& path, Profile& profile)
  {
    elements(node, path, [&](const JsonNode& child, const Path& at) {
      if (auto kept = kept_event(child, at, profile.customer))
        profile.recent[static_cast<std::size_t>(list_of(kept->type()))].push_back(*kept);
    });
    for (auto& list : profile.recent) std::sort(list.begin(), list.end(), before);
  }

  // Not by way of EventParser: what is kept of an event need not be a whole one (a search without its query), nor within the size
  // of one.
  std::optional<KeptEvent> kept_event(const JsonNode& node, const Path& path, const CustomerId& customer)
  {
    Event event;
    members(node, path, [&](const JsonNode& child, const Path& at) { event_field(child, at, event); });
    if (event.id.empty()) fail({&path, "id"}, "missing");
    if (!event.time) fail({&path, "time"}, "missing");
    if (!tree_.find(node, "type")) fail({&path, "type"}, "missing");
    if (is_identity(event.type)) fail({&path, "type"}, "not a type that is kept");
    if (event.customer != customer) fail({&path, "customer"}, "not the profile's");
    return fault_ ? std::nullopt : std::optional(KeptEvent::of(event));
  }

  void event_field(const JsonNode& node, const Path& path, Event& event)
  {
    const auto name = field_named(path.name);
    if (!name) return fail(path, "unknown key");
    switch (*name) {
      case Field::time:
        event.time = time(node, path);
        return;
      case Field::price:
        event.price = price(node, path);
        return;
      case Field::quantity:
        event.quantity = quantity(node, path);
        return;
      case Field::items:
        return lines(node, path, event.items);
      case Field::alias:
      case Field::granted:
      case Field::properties:
      case Field::query:
      case Field::sent:
        return fail(path, "not a field that is kept");
      default:
        break;
    }
    if (node.kind != JsonNode::Kind::string) return fail(path, "not a string");
    if (const auto set = set_from_cell(event, *name, node.text); !set) fail(path, set.error());
  }

  void lines(const JsonNode& node, const Path& path, std::vector<Line>& lines)
  {
    elements(node, path, [&](const JsonNode& child, const Path& at) {
      Line& line = lines.emplace_back();
      members(child, at, [&](const JsonNode& value, const Path& where) {
        if (where.name == "item") {
          line.item = ItemId(text(value, where, kMaxCustomerBytes));
        } else if (where.name == "quantity") {
          line.quantity = quantity(value, where);
        } else if (where.name == "price") {
          line.price = price(value, where);
        } else {
          fail(where, "unknown key");
        }
      });
      if (line.item.empty()) fail({&at, "item"}, "missing");
    });
  }

  std::int64_t quantity(const JsonNode& node, const Path& path)
  {
    const auto written = digits(node, path, "not a whole number");
    return fault_ ? 0 : checked(read_quantity(written), path);
  }

  Money price(const JsonNode& node, const Path& path)
  {
    const auto written = text(node, path, kMaxStringBytes);
    return fault_ ? Money{} : checked(read_price(written), path);
  }

  void summary(const JsonNode& node, const Path& path, Profile& profile)
  {
    auto& summary = profile.summary;
    members(node, path, [&](const JsonNode& child, const Path& at) {
      if (at.name == "tiles") {
        elements(child, at, [&](const JsonNode& tile_node, const Path& where) {
          summary.tiles.push_back(StoredTile::of(tile(tile_node, where)));
        });
      } else if (at.name == "newest_order") {
        if (!is_null(child)) summary.newest_order = kept_event(child, at, profile.customer);
      } else if (at.name == "last_purchases") {
        members(child, at, [&](const JsonNode& bought, const Path& where) {
          summary.last_purchases.emplace_back(ItemId(where.name), time(bought, where));
        });
        std::sort(summary.last_purchases.begin(), summary.last_purchases.end());
      } else if (at.name == "folded") {
        elements(child, at, [&](const JsonNode& id, const Path& where) { summary.folded.push_back(folded(id, where)); });
      } else if (at.name == "first_time") {
        if (!is_null(child)) summary.first_time = time(child, at);
      } else {
        fail(at, "unknown key");
      }
    });
  }

  Tile tile(const JsonNode& node, const Path& path)
  {
    Tile tile;
    bool timed = false;
    members(node, path, [&](const JsonNode& child, const Path& at) {
      if (at.name == "granularity") {
        tile.granularity = granularity(child, at);
      } else if (at.name == "start") {
        tile.start = time(child, at);
        timed = true;
      } else if (at.name == "counts") {
        tile.counts = type_counts(child, at);
      } else if (at.name == "spend") {
        tile.spend = spend_totals(child, at);
      } else if (at.name == "items") {
        tile.items = named_counts(child, at);
      } else if (at.name == "other_items") {
        tile.other_items = type_counts(child, at);
      } else if (at.name == "categories") {
        tile.categories = named_counts(child, at);
      } else if (at.name == "other_categories") {
        tile.other_categories = type_counts(child, at);
      } else {
        fail(at, "unknown key");
      }
    });
    if (!timed) fail({&path, "start"}, "missing");
    return tile;
  }

  Granularity granularity(const JsonNode& node, const Path& path)
  {
    const auto name = text(node, path, kMaxStringBytes);
    for (const auto& [granularity, its_name] : kGranularities)
      if (name == its_name) return granularity;
    fail(path, "not hour, day or month");
    return Granularity::hour;
  }

  TypeCounts type_counts(const JsonNode& node, const Path& path)
  {
    TypeCounts counts;
    members(node, path, [&](const JsonNode& child, const Path& at) { counts.emplace_back(at.name, natural(child, at)); });
    std::sort(counts.begin(), counts.end());
    return counts;
  }

  NamedCounts named_counts(const JsonNode& node, const Path& path)
  {
    NamedCounts named;
    members(node, path, [&](const JsonNode& child, const Path& at) { named.emplace_back(at.name, type_counts(child, at)); });
    std::sort(named.begin(), named.end());
    return named;
  }

  Spend spend_totals(const JsonNode& node, const Path& path)
  {
    Spend spend;
    members(node, path, [&](const JsonNode& child, const Path& at) {
      const auto currency = parse_currency(at.name);
      const auto amount = parse_total(text(child, at, kMaxStringBytes));
      if (!currency) fail(at, "not a currency");
      if (!amount) fail(at, "not a decimal");
      if (currency && amount) spend.emplace_back(*currency, *amount);
    });
    std::sort(spend.begin(), spend.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return spend;
  }

  FoldedId folded(const JsonNode& node, const Path& path)
  {
    FoldedId id;
    std::size_t n = 0;
    elements(node, path, [&](const JsonNode& child, const Path& at) {
      if (n == 0) id.time = time(child, at);
      if (n == 1) id.hash = hash(child, at);
      ++n;
    });
    if (n != 2) fail(path, "not [time, hash]");
    return id;
  }

  std::uint64_t hash(const JsonNode& node, const Path& path)
  {
    const auto written = text(node, path, kHashDigits);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), number, 16);
    if (written.size() != kHashDigits || error != std::errc() || end != written.data() + written.size())
      fail(path, "not 16 hex digits");
    return number;
  }

  const JsonTree& tree_;
  std::optional<Reject> fault_;
};

} // namespace

void append_profile_view(const Profile& profile, const Catalog& catalog, const ViewOptions& options, std::string& out)
{
  JsonOut json(out);
  write_readings(json, profile, catalog, options);
  json.close('}');
}

void append_profile_record(const Profile& profile, std::string& out)
{
  static const Catalog kNoCatalog;
  JsonOut json(out);
  write_readings(json, profile, kNoCatalog, {.at = {}, .items = false, .recent = true});
  write_summary(json.key("summary"), profile);
  write_identity(json, profile);
  json.close('}');
}

Result<Profile, Reject> parse_profile_record(std::string_view json)
{
  thread_local JsonTree tree;
  if (const auto parsed = tree.parse(json, kRecordDepth); !parsed) return Reject{"", std::string(parsed.error())};
  if (tree.root().kind != JsonNode::Kind::object) return Reject{"", "not a JSON object"};
  RecordReader reader(tree);
  Profile profile = reader.profile();
  if (reader.fault()) return *reader.fault();
  // What makes a stored profile well-formed is asked in one place.
  std::string bytes;
  encode_profile(profile, bytes);
  if (!decode_profile(profile.customer, bytes)) return Reject{"", "its lists contradict each other"};
  return profile;
}

} // namespace attune
