// Reading a model file. Total: whatever the bytes say, the model is one that answers and learns on, or they are refused.
#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "core/huge_pages.h"
#include "core/model_format.h"

namespace attune {

namespace {

// Values as they stand in the file, wherever that begins.
template <class T>
class Column {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Column() = default;
  Column(const char* at, std::size_t size) : at_(at), size_(size) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  T operator[](std::size_t i) const
  {
    T value;
    std::memcpy(static_cast<void*>(&value), at_ + i * sizeof(T), sizeof(T));
    return value;
  }
  // REQUIRES: begin + out.size() <= size().
  void copy(std::size_t begin, std::span<T> out) const
  {
    if (!out.empty()) std::memcpy(static_cast<void*>(out.data()), at_ + begin * sizeof(T), out.size_bytes());
  }
  [[nodiscard]] std::vector<T> all() const
  {
    std::vector<T> values(size_);
    copy(0, values);
    return values;
  }
  [[nodiscard]] std::string_view bytes(std::size_t begin, std::size_t count) const
  {
    return {at_ + begin * sizeof(T), count * sizeof(T)};
  }

 private:
  const char* at_ = nullptr;
  std::size_t size_ = 0;
};

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
  Column<T> array()
  {
    const auto count = value<std::uint64_t>();
    if (count > left() / sizeof(T)) failed_ = true;
    if (failed_) return {};
    const Column<T> values(at_, count);
    at_ += count * sizeof(T);
    return values;
  }
  // One that has to have `count` values.
  template <class T>
  Column<T> array_of(std::size_t count)
  {
    const auto values = array<T>();
    refuse_unless(values.size() == count);
    return failed_ ? Column<T>() : values;
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
    positions.push_back({{std::string(topic.bytes(0, topic.size())), static_cast<std::int32_t>(partition)}, offset});
    in.refuse_unless(i == 0 || positions[i - 1].at < positions[i].at);
  }
  return positions;
}

OfferLedger read_offers(Reader& in)
{
  OfferLedger offers;
  const auto count = in.value<std::uint64_t>();
  in.refuse_unless(count <= in.left() / 24);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const auto name = in.array<char>();
    OfferUse use;
    use.impressions = in.value<std::uint64_t>();
    use.redemptions = in.value<std::uint64_t>();
    const std::string text(name.bytes(0, name.size()));
    in.refuse_unless(offers.empty() || offers.rbegin()->first < text);
    offers.emplace_hint(offers.end(), text, use);
  }
  return offers;
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
    const auto text = all.bytes(at, sizes[i]);
    at += sizes[i];
    if (!simdjson::validate_utf8(text.data(), text.size()) || texts.intern(text) != i) return in.refuse_unless(false);
  }
  in.refuse_unless(at == all.size() && (!first_empty || sizes.size() > 0));
}

// --- Sessions ------------------------------------------------------------------------------------------------------------------------

bool sound(const Click& click, std::size_t items)
{
  return click.item < items && click.time >= kMinTime.ms && click.time <= kMaxTime.ms && click.kind <= ClickKind::purchase;
}

// What is counted of each item, counted again from the sessions.
struct Recount {
  std::uint32_t sessions = 0, clicks = 0, returns = 0, transitions = 0, baskets = 0;
  std::uint32_t in_session = kNoSession; // the newest session that was counted in `sessions`,
  std::uint32_t in_basket = kNoSession; // and in `baskets`
  std::uint32_t holders = 0; // where those of the item begin
};

// All items counted again, and for each the sessions that hold it, in the order of their numbers. There is room for as many as the file says
// of each item: whether they are as many, same_counts() tells.
class Recounts {
 public:
  // False: there are not so many clicks.
  [[nodiscard]] bool prepare(const std::vector<ItemFacts>& facts, std::size_t clicks)
  {
    if (clicks > 0xFFFF'FFFFU) return false;
    items_.resize(facts.size());
    std::size_t all = 0;
    for (std::size_t item = 0; item < facts.size(); ++item) {
      items_[item].holders = static_cast<std::uint32_t>(all);
      all += facts[item].sessions;
      if (all > clicks) return false;
    }
    holders_.reserve(all);
    ask_for_huge_pages(holders_.data(), all * sizeof(Postings::Entry));
    holders_.resize(all);
    return true;
  }
  // Counts a session; returns how many items it holds, and nothing where one is held by more sessions than there is room for.
  // REQUIRES: its items are below size().
  [[nodiscard]] std::optional<std::size_t> count(std::span<const Click> clicks, SessionNumber session)
  {
    std::size_t distinct = 0;
    auto last = kUnknownItem;
    for (const auto& click : clicks) {
      auto& item = items_[click.item];
      if (joins_basket(click) && std::exchange(item.in_basket, session) != session) ++item.baskets;
      if (click.item == last) continue;
      ++item.clicks;
      if (std::exchange(item.in_session, session) == session) {
        ++item.returns;
      } else {
        if (item.holders + item.sessions == end_of(click.item)) return std::nullopt;
        holders_[item.holders + item.sessions++] = Postings::entry(session, click.time);
        ++distinct;
      }
      if (last != kUnknownItem) ++items_[last].transitions;
      last = click.item;
    }
    return distinct;
  }

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] const std::vector<Recount>& items() const { return items_; }
  [[nodiscard]] std::span<const Postings::Entry> holders(ItemNumber item) const
  {
    return std::span(holders_).subspan(items_[item].holders, items_[item].sessions);
  }

 private:
  [[nodiscard]] std::size_t end_of(ItemNumber item) const
  {
    return item + 1 < items_.size() ? items_[item + 1].holders : holders_.size();
  }

  std::vector<Recount> items_;
  std::vector<Postings::Entry> holders_;
};

struct SessionColumns {
  explicit SessionColumns(Reader& in)
      : keys(in.array<SessionKey>()),
        sizes(in.array_of<std::uint16_t>(keys.size())),
        times(in.array<std::int64_t>()),
        ids(in.array_of<std::uint64_t>(times.size())),
        items(in.array_of<ItemNumber>(times.size())),
        kinds(in.array_of<std::uint8_t>(times.size()))
  {
  }

  Column<SessionKey> keys;
  Column<std::uint16_t> sizes;
  Column<std::int64_t> times;
  Column<std::uint64_t> ids;
  Column<ItemNumber> items;
  Column<std::uint8_t> kinds;
};

// The sessions are numbered by their place.
bool read_sessions(const SessionColumns& in, SessionTable& table, Recounts& recounts)
{
  if (in.keys.size() >= kNoSession) return false;
  std::size_t room = 0;
  std::size_t all = 0;
  for (std::size_t s = 0; s < in.keys.size(); ++s) {
    if (in.sizes[s] == 0 || in.sizes[s] > kMaxSessionClicks) return false;
    all += in.sizes[s];
    room += SessionTable::room_of(in.sizes[s]);
  }
  if (all != in.times.size()) return false;
  table.reserve(in.keys.size(), room);
  std::array<Click, kMaxSessionClicks> clicks;
  std::size_t at = 0;
  for (SessionNumber session = 0; session < in.keys.size(); ++session) {
    const std::size_t size = in.sizes[session];
    for (std::size_t i = 0; i < size; ++i, ++at) {
      auto& click = clicks[i];
      click = {in.times[at], in.ids[at], in.items[at], static_cast<ClickKind>(in.kinds[at]), 0};
      const bool in_order = i == 0 || std::tie(clicks[i - 1].time, clicks[i - 1].id) < std::tie(click.time, click.id);
      if (!sound(click, recounts.size()) || !in_order) return false;
    }
    const std::span there(clicks.data(), size);
    const auto distinct = recounts.count(there, session);
    if (!distinct) return false;
    const auto number = table.load(in.keys[session], there, *distinct);
    ATTUNE_ASSERT(number == session);
  }
  return table.finish_loading();
}

// --- What is counted -----------------------------------------------------------------------------------------------------------------

bool same_counts(const std::vector<ItemFacts>& facts, const std::vector<Recount>& recounts)
{
  return std::equal(facts.begin(), facts.end(), recounts.begin(), [](const ItemFacts& said, const Recount& counted) {
    return said.sessions == counted.sessions && said.clicks == counted.clicks && said.returns == counted.returns;
  });
}

struct PostingColumns {
  PostingColumns(Reader& in, std::size_t items) : sizes(in.array_of<std::uint32_t>(items)), sessions(in.array<std::uint32_t>()) {}

  Column<std::uint32_t> sizes;
  Column<std::uint32_t> sessions;
};

// Items are shared out between two threads, some at a time.
bool read_postings(const PostingColumns& in, const Recounts& recounts, Model::State& state)
{
  constexpr ItemNumber kAtOnce = 256;
  const auto items = static_cast<ItemNumber>(in.sizes.size());
  std::vector<std::size_t> begins; // of each share
  std::size_t all = 0;
  for (ItemNumber item = 0; item < items; ++item) {
    if (item % kAtOnce == 0) begins.push_back(all);
    if (in.sizes[item] > in.sessions.size() - all) return false;
    all += in.sizes[item];
  }
  if (all != in.sessions.size()) return false;
  std::atomic<std::size_t> next = 0;
  const auto read = [&] {
    std::vector<SessionNumber> list;
    for (std::size_t share = next++; share < begins.size(); share = next++) {
      auto at = begins[share];
      const auto begin = static_cast<ItemNumber>(share) * kAtOnce;
      for (auto item = begin; item < std::min(items, begin + kAtOnce); ++item) {
        list.resize(in.sizes[item]);
        in.sessions.copy(at, list);
        at += list.size();
        if (!state.postings.restore(item, list, recounts.holders(item), state.table)) return false;
      }
    }
    return true;
  };
  auto other = std::async(std::launch::async | std::launch::deferred, read);
  const bool here = read();
  return other.get() && here;
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

bool sound(const BasketCounts&)
{
  return true;
}

// Rows of partners, as pairs and complements are: their sizes, what `Fields` more there is of each item, partners and counts.
template <class Rows, class Counts, std::size_t Fields>
class PartnerColumns {
 public:
  PartnerColumns(Reader& in, std::size_t items) : sizes_(in.array_of<std::uint32_t>(items))
  {
    for (auto& field : fields_) field = in.array_of<std::uint32_t>(items);
    partners_ = in.array<ItemNumber>();
    counts_ = in.array_of<Counts>(partners_.size());
  }

  [[nodiscard]] const Column<std::uint32_t>& field(std::size_t which) const { return fields_[which]; }
  // `set(row, item)` takes the fields. False when an item's partners are not others than it, each once, or their counts can not be.
  template <class Set>
  [[nodiscard]] bool read(std::size_t most, Rows& rows, Set&& set) const
  {
    std::vector<ItemNumber> met_with(sizes_.size(), kUnknownItem); // per item: the last whose partner it was
    std::size_t at = 0;
    for (ItemNumber item = 0; item < sizes_.size(); ++item) {
      const std::size_t size = sizes_[item];
      if (size > most || size > partners_.size() - at) return false;
      typename Rows::Row row;
      row.items.resize(size);
      row.counts.resize(size);
      partners_.copy(at, row.items);
      counts_.copy(at, row.counts);
      at += size;
      for (const auto partner : row.items)
        if (partner >= met_with.size() || partner == item || std::exchange(met_with[partner], item) == item) return false;
      for (const auto& each : row.counts)
        if (!sound(each)) return false;
      set(row, item);
      rows.restore(item, std::move(row));
    }
    return at == partners_.size();
  }

 private:
  Column<std::uint32_t> sizes_;
  std::array<Column<std::uint32_t>, Fields> fields_;
  Column<ItemNumber> partners_;
  Column<Counts> counts_;
};

using PairColumns = PartnerColumns<ItemPairs, PairCounts, 2>; // transitions, clocks
using ComplementColumns = PartnerColumns<Complements, BasketCounts, 1>; // baskets

bool read_pairs(const PairColumns& in, ItemPairs& pairs)
{
  return in.read(kMaxPartners, pairs, [&in](ItemPairs::Row& row, ItemNumber item) {
    row.transitions = in.field(0)[item];
    row.clock = in.field(1)[item];
  });
}

bool read_complements(const ComplementColumns& in, std::uint64_t total, Complements& complements)
{
  complements.restore_total(total);
  return in.read(kMaxComplements, complements, [&in](Complements::Row& row, ItemNumber item) { row.baskets = in.field(0)[item]; });
}

// What pairs and complements count of single items.
bool same_counts(const ItemPairs& pairs, const Complements& complements, const std::vector<Recount>& recounts)
{
  std::uint64_t total = 0;
  for (ItemNumber item = 0; item < recounts.size(); ++item) {
    const auto& counted = recounts[item];
    if (pairs.of(item).transitions != counted.transitions || complements.of(item).baskets != counted.baskets) return false;
    total += counted.baskets;
  }
  return total == complements.total();
}

void read_popularity(Reader& in, std::size_t items, Popularity& popularity)
{
  Popularity::Content content;
  content.values = in.array<Popularity::Values>().all();
  in.refuse_unless(content.values.size() <= items);
  for (std::size_t window = 0; window < kWindows && !in.failed(); ++window) {
    content.scales[window] = in.value<double>();
    content.best[window] = in.array<ItemNumber>().all();
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

struct MembershipColumns {
  MembershipColumns(Reader& in, std::size_t clicks, Memberships& memberships)
  {
    Vocabulary segments;
    read_texts(in, kMaxStringBytes, false, segments);
    auto sets = in.array<Memberships::SegmentSet>().all();
    of_clicks = in.array_of<std::uint16_t>(segments.size() > 0 ? clicks : 0);
    for (std::size_t i = 0; i < of_clicks.size(); ++i) in.refuse_unless(of_clicks[i] < sets.size());
    in.refuse_unless(!in.failed() && memberships.restore(std::move(segments), std::move(sets)));
  }

  Column<std::uint16_t> of_clicks; // in the order of the sessions; none where there are no segments
};

void read_memberships(const MembershipColumns& in, SessionTable& table)
{
  if (in.of_clicks.size() == 0) return;
  std::array<std::uint16_t, kMaxSessionClicks> segments;
  std::size_t at = 0;
  table.for_each([&](SessionNumber session) {
    const auto of_session = std::span(segments).first(table.clicks(session).size());
    in.of_clicks.copy(at, of_session);
    table.set_segments(session, of_session);
    at += of_session.size();
  });
}

void read_groups(Reader& in, std::size_t most, std::size_t items, GroupPopularity& popularity)
{
  const auto groups = in.value<std::uint64_t>();
  in.refuse_unless(groups <= most);
  for (std::uint64_t group = 0; group < groups && !in.failed(); ++group) {
    GroupPopularity::Content content;
    content.items.items = in.array<ItemNumber>().all();
    content.items.counts = in.array_of<GroupPopularity::Values>(content.items.items.size()).all();
    for (auto* values : {&content.scales, &content.totals})
      for (auto& value : *values) value = in.value<double>();
    auto sorted = content.items.items;
    std::sort(sorted.begin(), sorted.end());
    in.refuse_unless(sorted.size() <= kGroupItems && std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() &&
                     (sorted.empty() || sorted.back() < items));
    for (std::size_t w = 0; w < kGroupWindows; ++w) {
      constexpr double kMostClicks = 1e12;
      in.refuse_unless(content.scales[w] >= 1 && sound(content.scales[w]) && sound(content.totals[w]) &&
                       content.totals[w] <= kMostClicks * content.scales[w]);
      for (const auto& values : content.items.counts)
        in.refuse_unless(values[w] > 0 && values[w] <= kMostClicks * content.scales[w]);
    }
    if (!in.failed()) popularity.restore(std::move(content));
  }
}

void read_repurchases(Reader& in, const ItemTable& items, Repurchases& repurchases)
{
  Repurchases::Content content;
  content.items = in.array<Repurchases::Habit>().all();
  content.categories = in.array<Repurchases::Habit>().all();
  const auto all = in.array_of<Repurchases::Habit>(1).all();
  in.refuse_unless(content.items.size() <= items.facts.size() && content.categories.size() <= items.categories.size());
  for (const auto& habits : {std::span<const Repurchases::Habit>(content.items), {content.categories}, {all}})
    for (const auto& habit : habits)
      in.refuse_unless(habit.count >= 0 && habit.count < 1e6F && habit.sum >= 0 && habit.sum <= 64 * habit.count);
  if (in.failed()) return;
  content.all = all.front();
  repurchases.restore(std::move(content));
}

void read_blend(Reader& in, std::size_t slots, Blend& blend)
{
  auto sets = in.array<Blend::Weights>().all();
  in.refuse_unless(sets.size() > kBuckets && sets.size() <= 1 + kBuckets + kMaxSlots && sets.size() <= kBuckets + slots);
  for (const auto& set : sets)
    for (std::size_t f = 0; f < kFeatures; ++f)
      in.refuse_unless(std::abs(set.weight[f]) < 1e6F && set.steepness[f] >= 0 && set.steepness[f] < 1e30F);
  if (!in.failed()) blend.restore(std::move(sets));
}

// Every item of which no click is kept stands in line once.
void read_left(Reader& in, ItemTable& items)
{
  items.is_left.assign(items.facts.size(), false);
  for (const auto item : in.array<ItemNumber>().all()) {
    if (item >= items.facts.size() || items.is_left[item]) return in.refuse_unless(false);
    items.leave(item);
  }
  for (ItemNumber item = 0; item < items.facts.size(); ++item)
    in.refuse_unless(items.facts[item].clicks > 0 || items.is_left[item]);
}

void read_now(Reader& in, SupportedTime& now)
{
  const auto witnesses = in.array<SupportedTime::Witness>().all();
  in.refuse_unless(witnesses.size() <= SupportedTime::kWitnesses);
  if (in.failed()) return;
  for (const auto& witness : witnesses) now.see(witness.customer, witness.time);
  in.refuse_unless(std::equal(witnesses.begin(), witnesses.end(), now.all().begin(), now.all().end()));
  for (const auto& witness : witnesses) in.refuse_unless(witness.time >= kMinTime.ms && witness.time <= kMaxTime.ms);
}

Error damaged(std::string_view reason)
{
  return Error{Code::bad_data, std::string(reason)};
}

} // namespace

// The checksum is made beside the reading, which takes any bytes.
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
  const auto summed = bytes.substr(0, bytes.size() - kModelChecksum);
  auto sum = std::async(std::launch::async | std::launch::deferred, [&] { return XXH3_64bits(summed.data(), summed.size()); });
  auto model = decode_contents(summed.substr(kModelHead));
  if (sum.get() != checksum) return damaged("damaged or cut short: the checksum differs");
  if (model) model->state_->saved = {checksum, model->state_->learned, bytes.size()};
  return model;
}

// A model is two parts of about the same size: its sessions, and what is counted of pairs. A thread each; what one of them throws, and
// that is only where memory ends, the other waits for.
Result<Model> Model::decode_contents(std::string_view bytes)
{
  Reader in(bytes);
  const auto options = read_options(in);
  if (in.failed()) return damaged("damaged: its options are out of range");
  Model model(options);
  auto& state = *model.state_;
  model.positions = read_positions(in);
  model.offers = read_offers(in);
  state.slots = {};
  read_texts(in, kMaxCustomerBytes, false, state.items.ids);
  read_texts(in, kMaxStringBytes, false, state.items.categories);
  read_texts(in, kMaxStringBytes, true, state.slots);
  const auto items = state.items.ids.size();
  state.items.facts = in.array_of<ItemFacts>(items).all();
  state.items.weights.resize(state.items.facts.size());
  for (ItemNumber item = 0; item < state.items.facts.size(); ++item) state.items.weigh(item);
  read_left(in, state.items);
  const auto clock = in.value<std::uint64_t>();
  state.learned = in.value<std::uint64_t>();
  state.repeated = in.value<std::uint64_t>();
  state.late = in.value<std::uint64_t>();
  state.ignored = in.value<std::uint64_t>();
  state.refused = in.value<std::uint64_t>();
  read_now(in, state.now);
  const auto refusals = in.array<Refusals::Standing>().all();
  for (std::size_t i = 0; i < refusals.size(); ++i)
    in.refuse_unless(refusals[i].granted <= 1 && (i == 0 || refusals[i - 1].customer < refusals[i].customer));
  if (!in.failed()) state.refusals.restore(refusals);
  in.refuse_unless(clock <= 0xFFFF'FFFFU && state.slots.size() <= kMaxSlots + 1);
  state.clock = static_cast<std::uint32_t>(clock);
  for (const auto& facts : state.items.facts)
    in.refuse_unless(facts.category == kNoCategory || facts.category < state.items.categories.size());
  if (in.failed()) return damaged("damaged: what it says of its items can not be");

  const SessionColumns sessions(in);
  const PostingColumns postings(in, items);
  const PairColumns pairs(in, items);
  const auto baskets = in.value<std::uint64_t>();
  const ComplementColumns complements(in, items);
  read_popularity(in, items, state.popularity);
  const MembershipColumns memberships(in, sessions.times.size(), state.memberships);
  read_groups(in, state.items.categories.size(), items, state.in_category);
  read_groups(in, state.memberships.segments().size(), items, state.in_segment);
  read_repurchases(in, state.items, state.repurchases);
  read_blend(in, state.slots.size(), state.blend);
  if (in.failed() || in.left() > 0) return damaged("damaged: what it counts can not be");
  state.postings.grow(items);
  state.pairs.grow(items);
  state.complements.grow(items);
  auto counted = std::async(std::launch::async | std::launch::deferred, [&] {
    return read_pairs(pairs, state.pairs) && read_complements(complements, baskets, state.complements);
  });
  Recounts recounts;
  const bool in_sessions = recounts.prepare(state.items.facts, sessions.times.size()) &&
                           read_sessions(sessions, state.table, recounts) && same_counts(state.items.facts, recounts.items());
  if (in_sessions) read_memberships(memberships, state.table);
  const bool in_postings = in_sessions && read_postings(postings, recounts, state);
  const bool in_pairs = counted.get();
  if (!in_sessions) return damaged("damaged: its sessions can not be");
  if (!in_postings || !in_pairs || !same_counts(state.pairs, state.complements, recounts.items()))
    return damaged("damaged: what it counts can not be");
  return model;
}

} // namespace attune
