#include "core/model.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <tuple>
#include <type_traits>

#include "base/assert.h"
#include "core/model_index.h"

namespace attune {

static_assert(std::endian::native == std::endian::little, "a model's name and file are little-endian");

namespace {

using Pending = Model::Index::Pending;

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0)
{
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

SessionKey key_of(const Event& event)
{
  // 0 stands for "no session id", so no id may hash to it.
  return {hash_of(event.customer.text), event.session.empty() ? 0 : std::max<std::uint64_t>(1, hash_of(event.session.text))};
}

// Of the clicks of one id the smallest stays, so that the choice is a function of the set. Items have to be numbered in order of
// their ids. Returns how many were dropped.
std::uint64_t drop_repeated(std::vector<Pending>& clicks)
{
  std::sort(clicks.begin(), clicks.end(), [](const Pending& a, const Pending& b) {
    return std::tie(a.id, a.time, a.key, a.item) < std::tie(b.id, b.time, b.key, b.item);
  });
  const auto end = std::unique(clicks.begin(), clicks.end(), [](const Pending& a, const Pending& b) { return a.id == b.id; });
  const auto dropped = static_cast<std::uint64_t>(clicks.end() - end);
  clicks.erase(end, clicks.end());
  return dropped;
}

// A run of clicks that is one session.
struct Run {
  std::size_t first = 0;
  std::size_t last = 0;
};

std::vector<Run> cut_into_sessions(std::vector<Pending>& clicks, Milliseconds idle)
{
  std::sort(clicks.begin(), clicks.end(),
            [](const Pending& a, const Pending& b) { return std::tie(a.key, a.time, a.id) < std::tie(b.key, b.time, b.id); });
  std::vector<Run> runs;
  for (std::size_t i = 0; i < clicks.size(); ++i) {
    const bool goes_on = i > 0 && clicks[i].key == clicks[i - 1].key &&
                         (clicks[i].key.site != 0 || clicks[i].time - clicks[i - 1].time <= idle.count());
    if (!goes_on) runs.push_back({i, i});
    runs.back().last = i;
  }
  std::sort(runs.begin(), runs.end(), [&](const Run& a, const Run& b) {
    const auto& left = clicks[a.last];
    const auto& right = clicks[b.last];
    return std::tie(left.time, left.key) < std::tie(right.time, right.key);
  });
  return runs;
}

void fill_table(const std::vector<Pending>& clicks, const std::vector<Run>& runs, SessionTable& table)
{
  ATTUNE_ASSERT(runs.size() < ~SessionNumber{0});
  table.keys.reserve(runs.size());
  table.begin.reserve(runs.size() + 1);
  table.times.reserve(clicks.size());
  table.ids.reserve(clicks.size());
  table.clicked.reserve(clicks.size());
  for (const auto& run : runs) {
    table.keys.push_back(clicks[run.first].key);
    for (auto i = run.first; i <= run.last; ++i) {
      table.times.push_back(clicks[i].time);
      table.ids.push_back(clicks[i].id);
      table.clicked.push_back(clicks[i].item);
    }
    table.begin.push_back(table.times.size());
  }
}

// Takes the items apart from the clicks, sorts them, and gives the clicks their new numbers.
std::vector<ItemId> number_in_order(std::vector<ItemId> items, std::vector<Pending>& clicks)
{
  std::vector<ItemNumber> order(items.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](ItemNumber a, ItemNumber b) { return items[a] < items[b]; });
  std::vector<ItemNumber> number(items.size());
  std::vector<ItemId> sorted;
  sorted.reserve(items.size());
  for (const auto old : order) {
    number[old] = static_cast<ItemNumber>(sorted.size());
    sorted.push_back(std::move(items[old]));
  }
  for (auto& click : clicks) click.item = number[click.item];
  return sorted;
}

// An item all of whose clicks were dropped was never learned.
std::vector<ItemId> drop_unused(std::vector<ItemId> items, std::vector<Pending>& clicks)
{
  std::vector<ItemNumber> number(items.size(), kUnknownItem);
  for (const auto& click : clicks) number[click.item] = 0;
  std::vector<ItemId> used;
  used.reserve(items.size());
  for (std::size_t item = 0; item < items.size(); ++item) {
    if (number[item] == kUnknownItem) continue;
    number[item] = static_cast<ItemNumber>(used.size());
    used.push_back(std::move(items[item]));
  }
  for (auto& click : clicks) click.item = number[click.item];
  return used;
}

void append_clicks(const SessionTable& table, std::vector<Pending>& out)
{
  out.reserve(out.size() + table.clicks());
  for (std::size_t session = 0; session < table.sessions(); ++session)
    for (auto i = table.begin[session]; i < table.begin[session + 1]; ++i)
      out.push_back({table.keys[session], table.times[i], table.ids[i], table.clicked[i]});
}

class Hash {
 public:
  Hash() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
  ~Hash() { XXH3_freeState(state_); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  void add(const void* bytes, std::size_t size) { XXH3_64bits_update(state_, bytes, size); }
  void add(std::uint64_t number) { add(&number, sizeof number); }
  template <class T>
  void add(const std::vector<T>& numbers)
  {
    static_assert(std::has_unique_object_representations_v<T>);
    add(numbers.size());
    add(numbers.data(), numbers.size() * sizeof(T));
  }
  [[nodiscard]] std::uint64_t digest() const { return XXH3_64bits_digest(state_); }

 private:
  XXH3_state_t* state_;
};

std::uint64_t name_of(const ModelOptions& options, const SessionTable& table)
{
  Hash hash;
  hash.add(static_cast<std::uint64_t>(options.idle.count()));
  hash.add(options.neighbours_m);
  hash.add(options.neighbours_k);
  hash.add(options.last_items);
  hash.add(static_cast<std::uint64_t>(options.popular_half_life.count()));
  hash.add(table.items.size());
  for (const auto& item : table.items) {
    hash.add(item.text.size());
    hash.add(item.text.data(), item.text.size());
  }
  hash.add(table.keys);
  hash.add(table.begin);
  hash.add(table.times);
  hash.add(table.ids);
  hash.add(table.clicked);
  return hash.digest();
}

ItemNumber intern(Model::Index& index, const ItemId& item)
{
  if (const auto known = index.numbers.find(item.text); known != index.numbers.end()) return known->second;
  const auto next = index.table.items.size() + index.new_items.size();
  ATTUNE_ASSERT(next < kMaxItems);
  const auto [place, made] = index.new_numbers.try_emplace(item.text, static_cast<ItemNumber>(next));
  if (made) index.new_items.push_back(item);
  return place->second;
}

const ItemId& item_of(const Model::Index& index, ItemNumber item)
{
  const auto& items = index.table.items;
  return item < items.size() ? items[item] : index.new_items[item - items.size()];
}

// Of a partition both have read, the smaller position. Both sorted, as is the result.
std::vector<LogPosition> merge_positions(const std::vector<LogPosition>& a, const std::vector<LogPosition>& b)
{
  std::vector<LogPosition> merged;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged));
  const auto same = [](const LogPosition& left, const LogPosition& right) { return left.at == right.at; };
  merged.erase(std::unique(merged.begin(), merged.end(), same), merged.end());
  return merged;
}

} // namespace

bool ModelOptions::valid() const
{
  using std::chrono::hours;
  const auto within = [](auto value, auto least, auto most) { return least <= value && value <= most; };
  return within(idle, Milliseconds(1), Milliseconds(hours(24 * 365))) && within(neighbours_m, 1U, 1'000'000U) &&
         within(neighbours_k, 1U, 1'000'000U) && within(last_items, 1U, 32U) &&
         within(popular_half_life, Milliseconds(hours(1)), Milliseconds(hours(24 * 3650)));
}

ItemNumber Model::Index::number_of(const ItemId& item) const
{
  const auto found = numbers.find(item.text);
  return found == numbers.end() ? kUnknownItem : found->second;
}

void Model::Index::derive()
{
  numbers.clear();
  numbers.reserve(table.items.size());
  for (std::size_t i = 0; i < table.items.size(); ++i) numbers.emplace(table.items[i].text, static_cast<ItemNumber>(i));
  neighbours.build(table);
  popularity.build(table, options.popular_half_life);
  name = name_of(options, table);
}

Model::Model(const ModelOptions& options) : index_(std::make_unique<Index>())
{
  ATTUNE_ASSERT(options.valid());
  index_->options = options;
  index_->derive();
}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

void Model::learn(const Event& event)
{
  ATTUNE_ASSERT(event.time && !event.id.empty());
  const auto add = [&](const ItemId& item, std::uint64_t line) {
    index_->pending.push_back({key_of(event), event.time->ms, hash_of(event.id.text, line), intern(*index_, item)});
  };
  switch (event.type) {
    case EventType::view:
    case EventType::click:
    case EventType::cart_add:
      add(event.item, 0);
      break;
    case EventType::purchase: {
      std::uint64_t number = 0;
      for (const auto& line : lines_of(event)) add(line.item, number++);
      break;
    }
    default:
      break;
  }
}

void Model::merge(const Model& other)
{
  ATTUNE_ASSERT(index_->options == other.index_->options);
  const auto& theirs = *other.index_;
  auto clicks = theirs.pending;
  append_clicks(theirs.table, clicks);
  std::vector<ItemNumber> number(theirs.table.items.size() + theirs.new_items.size());
  for (std::size_t i = 0; i < number.size(); ++i) number[i] = intern(*index_, item_of(theirs, static_cast<ItemNumber>(i)));
  for (auto& click : clicks) click.item = number[click.item];
  index_->pending.insert(index_->pending.end(), clicks.begin(), clicks.end());
  index_->repeated += theirs.repeated;
  positions = merge_positions(positions, other.positions);
}

void Model::freeze()
{
  if (index_->frozen()) return;
  Index made;
  made.options = index_->options;
  made.repeated = index_->repeated;
  auto clicks = std::move(index_->pending);
  append_clicks(index_->table, clicks);
  auto items = std::move(index_->table.items);
  std::move(index_->new_items.begin(), index_->new_items.end(), std::back_inserter(items));
  *index_ = Index{}; // lets go of the old tables before the new ones are made

  items = number_in_order(std::move(items), clicks);
  made.repeated += drop_repeated(clicks);
  made.table.items = drop_unused(std::move(items), clicks);
  const auto runs = cut_into_sessions(clicks, made.options.idle);
  fill_table(clicks, runs, made.table);
  clicks = {};
  made.derive();
  *index_ = std::move(made);
}

Model::Holdings Model::holdings() const
{
  const auto& table = index_->table;
  Holdings holdings{table.clicks(), table.sessions(), table.items.size(), index_->repeated, {}, {}};
  if (table.clicks() == 0) return holdings;
  holdings.newest = Timestamp{table.end_time(table.sessions() - 1)};
  std::int64_t oldest = holdings.newest->ms;
  for (std::size_t session = 0; session < table.sessions(); ++session) oldest = std::min(oldest, table.times[table.begin[session]]);
  holdings.oldest = Timestamp{oldest};
  return holdings;
}

const ModelOptions& Model::options() const
{
  return index_->options;
}

std::string Model::name() const
{
  ATTUNE_ASSERT(index_->frozen());
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (int shift = 60; shift >= 0; shift -= 4) name += kDigits[index_->name >> shift & 0xF];
  return name;
}

} // namespace attune
