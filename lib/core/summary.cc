#include "core/summary.h"

#include <algorithm>
#include <iterator>

namespace attune {
namespace {

// Gives tiles of a summary to be added to, one after the other; each is read and written once as long as the same one is asked for.
class OpenTile {
 public:
  explicit OpenTile(std::vector<StoredTile>& tiles) : tiles_(tiles) {}
  OpenTile(const OpenTile&) = delete;
  OpenTile& operator=(const OpenTile&) = delete;
  ~OpenTile() { close(); }

  Tile& at(Granularity granularity, Timestamp start)
  {
    if (open_ && open_->granularity == granularity && open_->start == start) return *open_;
    close();
    const auto stored = place_of(granularity, start);
    if (is_at(stored, granularity, start)) {
      open_ = stored->tile();
    } else {
      open_.emplace();
      open_->granularity = granularity;
      open_->start = start;
    }
    return *open_;
  }

 private:
  using At = std::vector<StoredTile>::iterator;

  At place_of(Granularity granularity, Timestamp start)
  {
    return std::partition_point(tiles_.begin(), tiles_.end(), [&](const StoredTile& tile) {
      return tile.start != start ? tile.start < start : tile.granularity < granularity;
    });
  }
  bool is_at(At at, Granularity granularity, Timestamp start)
  {
    return at != tiles_.end() && at->granularity == granularity && at->start == start;
  }
  void close()
  {
    if (!open_) return;
    const auto stored = place_of(open_->granularity, open_->start);
    if (is_at(stored, open_->granularity, open_->start)) {
      *stored = StoredTile::of(*open_);
    } else {
      tiles_.insert(stored, StoredTile::of(*open_));
    }
    open_.reset();
  }

  std::vector<StoredTile>& tiles_;
  std::optional<Tile> open_;
};

void note_purchase(Summary& summary, const ItemId& item, Timestamp time)
{
  auto& last = summary.last_purchases;
  const auto at =
      std::lower_bound(last.begin(), last.end(), item, [](const auto& entry, const ItemId& id) { return entry.first < id; });
  if (at == last.end() || at->first != item) {
    last.insert(at, {item, time});
  } else {
    at->second = std::max(at->second, time);
  }
}

void bound_last_purchases(Summary& summary)
{
  auto& last = summary.last_purchases;
  if (last.size() <= kLastPurchases) return;
  const auto newer = [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; };
  auto by_time = last;
  std::nth_element(by_time.begin(), by_time.begin() + kLastPurchases, by_time.end(), newer);
  const auto bound = by_time[kLastPurchases];
  std::erase_if(last, [&](const auto& entry) { return !newer(entry, bound); });
}

void note_order(Summary& summary, const KeptEvent& order)
{
  if (!summary.newest_order || before(*summary.newest_order, order)) summary.newest_order = order;
}

void note_first_time(Summary& summary, Timestamp time)
{
  summary.first_time = summary.first_time ? std::min(*summary.first_time, time) : time;
}

// Takes ids in that stand, sorted or not, from `sorted` on; keeps the newest, each once.
void note_folded(std::vector<FoldedId>& folded, std::size_t sorted)
{
  const auto middle = folded.begin() + static_cast<std::ptrdiff_t>(sorted);
  std::sort(middle, folded.end());
  if (sorted > 0 && middle != folded.end() && *middle < *(middle - 1)) {
    std::inplace_merge(std::lower_bound(folded.begin(), middle, *middle), middle, folded.end());
  }
  folded.erase(std::unique(folded.begin(), folded.end()), folded.end());
  if (folded.size() > kFoldedHashes) folded.erase(folded.begin(), folded.end() - kFoldedHashes);
}

void fold_one(Summary& summary, OpenTile& tiles, const KeptEvent& event, Timestamp newest)
{
  const KeptView view = event.view();
  const Granularity granularity = granularity_at(event.time, newest);
  tiles.at(granularity, tile_start(granularity, event.time)).count(view);
  note_first_time(summary, event.time);
  summary.folded.push_back({event.time, event.id_hash});
  if (view.type != EventType::purchase) return;
  note_order(summary, event);
  for (const auto item : view.items()) note_purchase(summary, ItemId(item), event.time);
}

} // namespace

void fold(Summary& summary, std::span<const KeptEvent> events, Timestamp newest)
{
  const std::size_t sorted = summary.folded.size();
  {
    OpenTile tiles(summary.tiles);
    for (const auto& event : events) fold_one(summary, tiles, event, newest);
  }
  note_folded(summary.folded, sorted);
  bound_last_purchases(summary);
}

void roll_up(Summary& summary, Timestamp newest)
{
  const auto stays = [newest](const StoredTile& tile) { return granularity_at(tile.start, newest) <= tile.granularity; };
  const auto rising = std::stable_partition(summary.tiles.begin(), summary.tiles.end(), stays);
  const std::vector<StoredTile> finer(std::make_move_iterator(rising), std::make_move_iterator(summary.tiles.end()));
  summary.tiles.erase(rising, summary.tiles.end());
  OpenTile tiles(summary.tiles);
  for (const auto& tile : finer) {
    const Granularity granularity = granularity_at(tile.start, newest);
    tiles.at(granularity, tile_start(granularity, tile.start)).add(tile.tile());
  }
}

void add(Summary& into, Summary other, Timestamp newest)
{
  {
    OpenTile tiles(into.tiles);
    for (const auto& tile : other.tiles) tiles.at(tile.granularity, tile.start).add(tile.tile());
  }
  roll_up(into, newest);
  if (other.newest_order) note_order(into, *other.newest_order);
  for (const auto& [item, time] : other.last_purchases) note_purchase(into, item, time);
  bound_last_purchases(into);
  const std::size_t sorted = into.folded.size();
  into.folded.insert(into.folded.end(), other.folded.begin(), other.folded.end());
  note_folded(into.folded, sorted);
  if (other.first_time) note_first_time(into, *other.first_time);
}

} // namespace attune
