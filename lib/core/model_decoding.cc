// Reading a model file. Total: whatever the bytes say, the model is one that answers and learns on, or they are refused.
#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>

#include "core/model_format.h"

namespace attune {

namespace {

// Reads on after a failure, giving nothing; failed() is looked at once per part. Every count is bounded by the bytes that are left,
// so nothing a damaged file says can make us allocate more than some times its size.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  template <class T>
  T value()
  {
    static_assert(sizeof(T) == 8);
    T number{};
    if (left() < sizeof number) failed_ = true;
    if (failed_) return T{};
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }
  template <class T>
  std::vector<T> array()
  {
    const auto count = value<std::uint64_t>();
    if (count > left() / sizeof(T)) failed_ = true;
    if (failed_) return {};
    std::vector<T> values(count);
    if (count > 0) std::memcpy(static_cast<void*>(values.data()), at_, count * sizeof(T));
    at_ += count * sizeof(T);
    return values;
  }
  // One that has to have `count` values.
  template <class T>
  std::vector<T> array_of(std::size_t count)
  {
    auto values = array<T>();
    refuse_unless(values.size() == count);
    return failed_ ? std::vector<T>() : std::move(values);
  }
  void refuse_unless(bool good) { failed_ |= !good; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

// --- Options and positions -----------------------------------------------------------------------------------------------------------

ModelOptions read_options(Reader& in)
{
  ModelOptions options;
  options.idle = Milliseconds(in.value<std::int64_t>());
  options.max_age = Milliseconds(in.value<std::int64_t>());
  options.max_clicks = in.value<std::uint64_t>();
  options.neighbours = in.value<std::uint64_t>();
  options.rate = in.value<double>();
  options.teach_first = in.value<std::uint64_t>();
  options.teach_share = in.value<std::uint64_t>();
  in.refuse_unless(options.valid());
  return options;
}

std::vector<LogPosition> read_positions(Reader& in)
{
  std::vector<LogPosition> positions;
  const auto count = in.value<std::uint64_t>();
  in.refuse_unless(count <= in.left() / 24);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const auto topic = in.array<char>();
    const auto partition = in.value<std::int64_t>();
    const auto offset = in.value<std::int64_t>();
    in.refuse_unless(partition >= 0 && partition <= 0x7FFF'FFFF && offset >= 0);
    positions.push_back({{std::string(topic.begin(), topic.end()), static_cast<std::int32_t>(partition)}, offset});
    in.refuse_unless(i == 0 || positions[i - 1].at < positions[i].at);
  }
  return positions;
}

// --- Texts ---------------------------------------------------------------------------------------------------------------------------

// Distinct UTF-8 texts of up to `longest` bytes; only the first may be empty, and only where `first_empty` says so.
void read_texts(Reader& in, std::size_t longest, bool first_empty, Vocabulary& texts)
{
  const auto sizes = in.array<std::uint32_t>();
  const auto all = in.array<char>();
  std::size_t at = 0;
  texts.reserve(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bool empty_here = first_empty && i == 0;
    if (sizes[i] > longest || sizes[i] > all.size() - at || (sizes[i] == 0) != empty_here) return in.refuse_unless(false);
    const std::string_view text(all.data() + at, sizes[i]);
    at += sizes[i];
    if (!simdjson::validate_utf8(text.data(), text.size()) || texts.intern(text) != i) return in.refuse_unless(false);
  }
  in.refuse_unless(at == all.size() && (!first_empty || !sizes.empty()));
}

// --- Sessions ------------------------------------------------------------------------------------------------------------------------

bool sound(const Click& click, std::size_t items)
{
  return click.item < items && click.time >= kMinTime.ms && click.time <= kMaxTime.ms && click.kind <= ClickKind::purchase;
}

// The sessions are numbered by their place.
void read_sessions(Reader& in, std::size_t item_count, SessionTable& table)
{
  const auto keys = in.array<SessionKey>();
  const auto sizes = in.array_of<std::uint16_t>(keys.size());
  const auto times = in.array<std::int64_t>();
  const auto ids = in.array_of<std::uint64_t>(times.size());
  const auto items = in.array_of<ItemNumber>(times.size());
  const auto kinds = in.array_of<std::uint8_t>(times.size());
  if (in.failed()) return;
  table.reserve(keys.size());
  std::vector<Click> clicks;
  std::size_t at = 0;
  for (std::size_t s = 0; s < keys.size(); ++s) {
    if (sizes[s] == 0 || sizes[s] > kMaxSessionClicks || sizes[s] > times.size() - at) return in.refuse_unless(false);
    clicks.clear();
    for (const auto end = at + sizes[s]; at < end; ++at) {
      clicks.push_back({times[at], ids[at], items[at], static_cast<ClickKind>(kinds[at])});
      const auto& click = clicks.back();
      const bool in_order = clicks.size() == 1 ||
                            std::tie(clicks[clicks.size() - 2].time, clicks[clicks.size() - 2].id) < std::tie(click.time, click.id);
      if (!sound(click, item_count) || !in_order) return in.refuse_unless(false);
    }
    if (keys[s].site != 0 && table.find(keys[s]) != kNoSession) return in.refuse_unless(false);
    table.restore(keys[s], clicks);
  }
  in.refuse_unless(at == times.size());
}

// --- What is counted -----------------------------------------------------------------------------------------------------------------

void read_postings(Reader& in, Model::State& state)
{
  const auto sizes = in.array_of<std::uint32_t>(state.items.facts.size());
  const auto sessions = in.array<std::uint32_t>();
  std::size_t at = 0;
  for (ItemNumber item = 0; item < sizes.size() && !in.failed(); ++item) {
    if (sizes[item] > sessions.size() - at) return in.refuse_unless(false);
    const std::span list(sessions.data() + at, sizes[item]);
    at += sizes[item];
    in.refuse_unless(state.postings.restore(item, list, state.table));
  }
  in.refuse_unless(at == sessions.size());
}

// A value that sums of finite values stay finite with.
bool sound(double value)
{
  return value >= 0 && value <= 1e250;
}

// Clocks go round after 2^32 clicks, so that any value of one may stand beside any other.
bool sound(const PairCounts& counts)
{
  return counts.slow >= 0 && counts.slow <= 1e6F;
}

// Sees that the partners of each item are others than it, each once.
class PartnerCheck {
 public:
  explicit PartnerCheck(std::size_t items) : met_with_(items, kUnknownItem) {}

  bool operator()(const std::vector<ItemNumber>& partners, ItemNumber item)
  {
    return std::all_of(partners.begin(), partners.end(), [&](ItemNumber partner) {
      return partner < met_with_.size() && partner != item && std::exchange(met_with_[partner], item) != item;
    });
  }

 private:
  std::vector<ItemNumber> met_with_; // per item: the last whose partner it was
};

void read_pairs(Reader& in, std::size_t items, ItemPairs& pairs)
{
  const auto sizes = in.array_of<std::uint32_t>(items);
  const auto transitions = in.array_of<std::uint32_t>(items);
  const auto clocks = in.array_of<std::uint32_t>(items);
  const auto partners = in.array<ItemNumber>();
  const auto counts = in.array_of<PairCounts>(partners.size());
  PartnerCheck are_partners(items);
  std::size_t at = 0;
  for (ItemNumber item = 0; item < sizes.size() && !in.failed(); ++item) {
    if (sizes[item] > kMaxPartners || sizes[item] > partners.size() - at) return in.refuse_unless(false);
    ItemPairs::Row of;
    of.items.assign(partners.data() + at, partners.data() + at + sizes[item]);
    of.counts.assign(counts.data() + at, counts.data() + at + sizes[item]);
    of.transitions = transitions[item];
    of.clock = clocks[item];
    at += sizes[item];
    in.refuse_unless(are_partners(of.items, item));
    for (const auto& each : of.counts) in.refuse_unless(sound(each));
    if (!in.failed()) pairs.restore(item, std::move(of));
  }
  in.refuse_unless(at == partners.size());
}

void read_complements(Reader& in, std::size_t items, Complements& complements)
{
  complements.restore_total(in.value<std::uint64_t>());
  const auto sizes = in.array_of<std::uint32_t>(items);
  const auto baskets = in.array_of<std::uint32_t>(items);
  const auto partners = in.array<ItemNumber>();
  const auto counts = in.array_of<BasketCounts>(partners.size());
  PartnerCheck are_partners(items);
  std::size_t at = 0;
  for (ItemNumber item = 0; item < sizes.size() && !in.failed(); ++item) {
    if (sizes[item] > kMaxComplements || sizes[item] > partners.size() - at) return in.refuse_unless(false);
    Complements::Row row;
    row.items.assign(partners.data() + at, partners.data() + at + sizes[item]);
    row.counts.assign(counts.data() + at, counts.data() + at + sizes[item]);
    row.baskets = baskets[item];
    at += sizes[item];
    in.refuse_unless(are_partners(row.items, item));
    if (!in.failed()) complements.restore(item, std::move(row));
  }
  in.refuse_unless(at == partners.size());
}

void read_popularity(Reader& in, std::size_t items, Popularity& popularity)
{
  Popularity::Content content;
  content.values = in.array<Popularity::Values>();
  in.refuse_unless(content.values.size() <= items);
  for (std::size_t window = 0; window < kWindows && !in.failed(); ++window) {
    content.scales[window] = in.value<double>();
    content.best[window] = in.array<ItemNumber>();
    in.refuse_unless(content.scales[window] >= 1 && sound(content.scales[window]) && content.best[window].size() <= kPopularKept);
    // No more clicks than a float can count without harm.
    constexpr double kMostClicks = 1e12;
    for (const auto& values : content.values)
      in.refuse_unless(sound(values[window]) && values[window] <= kMostClicks * content.scales[window]);
    auto best = content.best[window];
    std::sort(best.begin(), best.end());
    in.refuse_unless(std::adjacent_find(best.begin(), best.end()) == best.end());
    for (const auto item : best) in.refuse_unless(item < content.values.size());
    if (in.failed()) return;
    // The newest click counts the scale, and the best as much at least.
    const auto value = [&](ItemNumber item) { return content.values[item][window]; };
    const auto& ranked = content.best[window];
    in.refuse_unless(content.values.empty() || (!ranked.empty() && value(ranked.front()) >= content.scales[window]));
    for (std::size_t i = 1; i < ranked.size(); ++i) in.refuse_unless(value(ranked[i - 1]) >= value(ranked[i]));
  }
  if (!in.failed()) popularity.restore(std::move(content));
}

void read_blend(Reader& in, std::size_t slots, Blend& blend)
{
  auto sets = in.array<Blend::Weights>();
  in.refuse_unless(sets.size() > kBuckets && sets.size() <= 1 + kBuckets + kMaxSlots && sets.size() <= kBuckets + slots);
  for (const auto& set : sets)
    for (std::size_t f = 0; f < kFeatures; ++f)
      in.refuse_unless(std::abs(set.weight[f]) < 1e6F && set.steepness[f] >= 0 && set.steepness[f] < 1e30F);
  if (!in.failed()) blend.restore(std::move(sets));
}

Error damaged(std::string_view reason)
{
  return Error{Code::bad_data, std::string(reason)};
}

} // namespace

Result<Model> Model::decode(std::string_view bytes)
{
  if (!bytes.starts_with(kModelMagic)) return damaged("not an attune model");
  if (bytes.size() < kModelHead + kModelChecksum) return damaged("cut short");
  std::uint32_t format = 0;
  std::memcpy(&format, bytes.data() + kModelMagic.size(), sizeof format);
  if (format != kModelFormat)
    return damaged("format version " + std::to_string(format) + ", this program reads " + std::to_string(kModelFormat));
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + bytes.size() - kModelChecksum, kModelChecksum);
  if (checksum != XXH3_64bits(bytes.data(), bytes.size() - kModelChecksum))
    return damaged("damaged or cut short: the checksum differs");

  Reader in(bytes.substr(kModelHead, bytes.size() - kModelHead - kModelChecksum));
  const auto options = read_options(in);
  if (in.failed()) return damaged("damaged: its options are out of range");
  Model model(options);
  auto& state = *model.state_;
  model.positions = read_positions(in);
  state.slots = {};
  read_texts(in, kMaxCustomerBytes, false, state.items.ids);
  read_texts(in, kMaxStringBytes, false, state.items.categories);
  read_texts(in, kMaxStringBytes, true, state.slots);
  state.items.facts = in.array_of<ItemFacts>(state.items.ids.size());
  state.items.weights.resize(state.items.facts.size());
  for (ItemNumber item = 0; item < state.items.facts.size(); ++item) state.items.weigh(item);
  const auto clock = in.value<std::uint64_t>();
  state.newest = in.value<std::int64_t>();
  state.learned = in.value<std::uint64_t>();
  state.repeated = in.value<std::uint64_t>();
  state.late = in.value<std::uint64_t>();
  state.ignored = in.value<std::uint64_t>();
  state.refused = in.value<std::uint64_t>();
  const auto refusals = in.array<Refusals::Standing>();
  for (std::size_t i = 0; i < refusals.size(); ++i)
    in.refuse_unless(refusals[i].granted <= 1 && (i == 0 || refusals[i - 1].customer < refusals[i].customer));
  if (!in.failed()) state.refusals.restore(refusals);
  in.refuse_unless(clock <= 0xFFFF'FFFFU && state.slots.size() <= kMaxSlots + 1);
  state.clock = static_cast<std::uint32_t>(clock);
  for (const auto& facts : state.items.facts)
    in.refuse_unless(facts.category == kNoCategory || facts.category < state.items.categories.size());
  if (in.failed()) return damaged("damaged: what it says of its items can not be");
  read_sessions(in, state.items.facts.size(), state.table);
  if (in.failed()) return damaged("damaged: its sessions can not be");
  state.postings.grow(state.items.facts.size());
  state.pairs.grow(state.items.facts.size());
  state.complements.grow(state.items.facts.size());
  read_postings(in, state);
  read_pairs(in, state.items.facts.size(), state.pairs);
  read_complements(in, state.items.facts.size(), state.complements);
  read_popularity(in, state.items.facts.size(), state.popularity);
  read_blend(in, state.slots.size(), state.blend);
  if (in.failed() || in.left() > 0) return damaged("damaged: what it counts can not be");
  state.saved = {checksum, state.learned, bytes.size()};
  return model;
}

} // namespace attune
