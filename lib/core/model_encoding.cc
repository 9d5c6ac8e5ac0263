// Writing a model file, piece by piece: a model of gigabytes is never in memory twice.
#include <xxhash.h>

#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/assert.h"
#include "core/model_format.h"

namespace attune {

namespace {

class Writer {
 public:
  explicit Writer(const Model::Sink& sink) : sink_(sink)
  {
    ATTUNE_ASSERT(sum_ != nullptr);
    pending_.reserve(kPiece);
    XXH3_64bits_reset(sum_.get());
  }

  void raw(const void* bytes, std::size_t size)
  {
    if (pending_.size() + size > kPiece) flush();
    if (size >= kPiece)
      give({static_cast<const char*>(bytes), size});
    else
      pending_.append(static_cast<const char*>(bytes), size);
  }
  template <class T>
  void value(T number)
  {
    static_assert(sizeof(T) == 8);
    raw(&number, sizeof number);
  }
  // An array in parts: how many values there are, and then the values.
  void begin_array(std::size_t count) { value<std::uint64_t>(count); }
  template <class T>
  void values(std::span<const T> some)
  {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!some.empty()) raw(some.data(), some.size_bytes());
  }
  template <class T>
  void each(const T& one)
  {
    values(std::span<const T>(&one, 1));
  }
  template <class T>
  void array(std::span<const T> all)
  {
    begin_array(all.size());
    values(all);
  }
  template <class T>
  void array(const std::vector<T>& all)
  {
    array(std::span<const T>(all));
  }
  // The checksum over all before, which ends the file.
  Result<Model::Saved> end(std::uint64_t learned)
  {
    flush();
    const std::uint64_t checksum = XXH3_64bits_digest(sum_.get());
    value(checksum);
    flush();
    if (!status_) return status_.error();
    return Model::Saved{checksum, learned, written_};
  }

 private:
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  static constexpr std::size_t kPiece = std::size_t{1} << 20;

  void flush()
  {
    give(pending_);
    pending_.clear();
  }
  void give(std::string_view piece)
  {
    if (piece.empty() || !status_) return;
    XXH3_64bits_update(sum_.get(), piece.data(), piece.size());
    written_ += piece.size();
    status_ = sink_(piece);
  }

  const Model::Sink& sink_;
  std::string pending_;
  std::unique_ptr<XXH3_state_t, FreeState> sum_{XXH3_createState()};
  std::uint64_t written_ = 0;
  Status status_;
};

void put_options(const ModelOptions& options, Writer& out)
{
  out.value<std::int64_t>(options.idle.count());
  out.value<std::int64_t>(options.max_age.count());
  out.value<std::uint64_t>(options.max_clicks);
  out.value<std::uint64_t>(options.neighbours);
  out.value<double>(options.rate);
  out.value<std::uint64_t>(options.teach_first);
  out.value<std::uint64_t>(options.teach_share);
}

void put_positions(const std::vector<LogPosition>& positions, Writer& out)
{
  out.begin_array(positions.size());
  for (const auto& position : positions) {
    out.array(std::span<const char>(position.at.topic));
    out.value<std::int64_t>(position.at.partition);
    out.value<std::int64_t>(position.offset);
  }
}

void put_offers(const OfferLedger& offers, Writer& out)
{
  out.begin_array(offers.size());
  for (const auto& [name, use] : offers) {
    out.array(std::span<const char>(name));
    out.value(use.impressions);
    out.value(use.redemptions);
  }
}

void put_texts(const Vocabulary& texts, Writer& out)
{
  std::size_t bytes = 0;
  out.begin_array(texts.size());
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    out.each(static_cast<std::uint32_t>(texts.text(i).size()));
    bytes += texts.text(i).size();
  }
  out.begin_array(bytes);
  for (std::uint32_t i = 0; i < texts.size(); ++i) out.values(std::span<const char>(texts.text(i)));
}

// `ordinals`: per session number its place in the file.
void put_sessions(const SessionTable& table, Writer& out, std::vector<std::uint32_t>& ordinals)
{
  ordinals.assign(table.limit(), 0);
  std::uint32_t count = 0;
  out.begin_array(table.sessions());
  table.for_each([&](SessionNumber session) {
    ordinals[session] = count++;
    out.each(table.key(session));
  });
  out.begin_array(table.sessions());
  table.for_each([&](SessionNumber session) { out.each(static_cast<std::uint16_t>(table.clicks(session).size())); });
  const auto column = [&](auto field) {
    out.begin_array(table.click_count());
    table.for_each([&](SessionNumber session) {
      for (const auto& click : table.clicks(session)) out.each(field(click));
    });
  };
  column([](const Click& click) { return click.time; });
  column([](const Click& click) { return click.id; });
  column([](const Click& click) { return click.item; });
  column([](const Click& click) { return static_cast<std::uint8_t>(click.kind); });
}

void put_postings(const Model::State& state, const std::vector<std::uint32_t>& ordinals, Writer& out)
{
  const auto items = static_cast<ItemNumber>(state.items.facts.size());
  std::size_t entries = 0;
  out.begin_array(items);
  for (ItemNumber item = 0; item < items; ++item) {
    out.each(static_cast<std::uint32_t>(state.postings.of(item).size()));
    entries += state.postings.of(item).size();
  }
  out.begin_array(entries);
  for (ItemNumber item = 0; item < items; ++item)
    for (const auto& entry : state.postings.of(item)) out.each(ordinals[entry.session]);
}

// Of each item's row what `field` says of it.
template <class Rows, class Field>
void put_per_item(const Rows& rows, Writer& out, Field field)
{
  out.begin_array(rows.items());
  for (ItemNumber item = 0; item < rows.items(); ++item) out.each(static_cast<std::uint32_t>(field(rows.of(item))));
}

// Who an item's partners are, and what is counted of them.
template <class Rows>
void put_partners(const Rows& rows, Writer& out)
{
  const auto items = static_cast<ItemNumber>(rows.items());
  out.begin_array(rows.pairs());
  for (ItemNumber item = 0; item < items; ++item) out.values(std::span(rows.of(item).items));
  out.begin_array(rows.pairs());
  for (ItemNumber item = 0; item < items; ++item) out.values(std::span(rows.of(item).counts));
}

void put_pairs(const ItemPairs& pairs, Writer& out)
{
  put_per_item(pairs, out, [](const ItemPairs::Row& row) { return row.size(); });
  put_per_item(pairs, out, [](const ItemPairs::Row& row) { return row.transitions; });
  put_per_item(pairs, out, [](const ItemPairs::Row& row) { return row.clock; });
  put_partners(pairs, out);
}

void put_complements(const Complements& complements, Writer& out)
{
  out.value(complements.total());
  put_per_item(complements, out, [](const Complements::Row& row) { return row.size(); });
  put_per_item(complements, out, [](const Complements::Row& row) { return row.baskets; });
  put_partners(complements, out);
}

void put_popularity(const Popularity& popularity, Writer& out)
{
  const auto content = popularity.content();
  out.array(content.values);
  for (std::size_t window = 0; window < kWindows; ++window) {
    out.value(content.scales[window]);
    out.array(content.best[window]);
  }
}

void put_memberships(const Model::State& state, Writer& out)
{
  put_texts(state.memberships.segments(), out);
  out.array(state.memberships.sets());
  const bool any = state.memberships.segments().size() > 0;
  out.begin_array(any ? state.table.click_count() : 0);
  if (!any) return;
  state.table.for_each([&](SessionNumber session) {
    for (const auto& click : state.table.clicks(session)) out.each(click.segments);
  });
}

void put_groups(const GroupPopularity& popularity, Writer& out)
{
  out.value<std::uint64_t>(popularity.groups());
  for (std::uint32_t group = 0; group < popularity.groups(); ++group) {
    const auto& content = popularity.content(group);
    out.array(content.items.items);
    out.array(content.items.counts);
    for (const auto& values : {content.scales, content.totals})
      for (const auto value : values) out.value(value);
  }
}

void put_repurchases(const Repurchases& repurchases, Writer& out)
{
  const auto content = repurchases.content();
  out.array(content.items);
  out.array(content.categories);
  out.array(std::span(&content.all, 1));
}

} // namespace

Result<Model::Saved> Model::encode(const Sink& sink) const
{
  const auto& state = *state_;
  Writer out(sink);
  out.raw(kModelMagic.data(), kModelMagic.size());
  out.raw(&kModelFormat, sizeof kModelFormat);
  put_options(state.options, out);
  put_positions(positions, out);
  put_offers(offers, out);
  put_texts(state.items.ids, out);
  put_texts(state.items.categories, out);
  put_texts(state.slots, out);
  out.array(state.items.facts);
  out.array(std::vector<ItemNumber>(state.items.left.begin(), state.items.left.end()));
  for (const auto number : {std::uint64_t{state.clock}, state.learned, state.repeated, state.late, state.ignored, state.refused})
    out.value(number);
  out.array(state.now.all());
  out.array(state.refusals.all());
  std::vector<std::uint32_t> ordinals;
  put_sessions(state.table, out, ordinals);
  put_postings(state, ordinals, out);
  put_pairs(state.pairs, out);
  put_complements(state.complements, out);
  put_popularity(state.popularity, out);
  put_memberships(state, out);
  put_groups(state.in_category, out);
  put_groups(state.in_segment, out);
  put_repurchases(state.repurchases, out);
  out.array(state.blend.sets());
  return out.end(state.learned);
}

} // namespace attune
