#include "core/neighbours.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/assert.h"

namespace attune {

namespace {

constexpr std::size_t kMaxAsked = 32; // bits of Neighbour::shared

// One posting list being walked, newest first.
struct Cursor {
  const SessionNumber* at = nullptr;
  const SessionNumber* end = nullptr;
  double weight = 0;
  std::uint32_t bit = 0;
};

double decay(const Neighbour& neighbour, std::span<const NeighbourQuestion::Asked> asked)
{
  const auto newest_shared = static_cast<std::size_t>(std::countr_zero(neighbour.shared));
  // Past the tenth place the formula would turn negative and speak against an item.
  return std::max(0.0, 1.0 - 0.1 * (asked[newest_shared].place + 1));
}

} // namespace

NeighbourQuestion::NeighbourQuestion(std::span<const ItemNumber> session, std::size_t last_items)
{
  ATTUNE_ASSERT(last_items <= kMaxAsked);
  const auto length = std::min(session.size(), last_items);
  std::size_t distinct = 0;
  for (std::size_t place = 0; place < length; ++place) {
    const auto item = session[session.size() - 1 - place];
    const bool repeated = item != kUnknownItem &&
                          std::any_of(asked_.begin(), asked_.end(), [item](const Asked& asked) { return asked.item == item; });
    if (repeated) continue;
    ++distinct;
    if (item != kUnknownItem) asked_.push_back({item, static_cast<std::uint32_t>(place), static_cast<double>(length - place)});
  }
  for (auto& asked : asked_) asked.weight /= static_cast<double>(distinct);
}

void Neighbours::build(const SessionTable& table)
{
  keep_sessions(table);
  make_postings(table.items.size());
  weigh_items(table.items.size());
}

void Neighbours::keep_sessions(const SessionTable& table)
{
  items_.clear();
  items_.reserve(table.clicks());
  items_begin_.assign(1, 0);
  sessions_kept_ = 0;
  items_begin_.reserve(table.sessions() + 1);
  std::vector<SessionNumber> seen_in(table.items.size(), 0); // the newest session, + 1, that is known to hold the item
  for (std::size_t session = 0; session < table.sessions(); ++session) {
    const auto mark = static_cast<SessionNumber>(session + 1);
    const auto first = items_.size();
    for (auto i = table.begin[session]; i < table.begin[session + 1]; ++i)
      if (items_.size() == first || items_.back() != table.clicked[i]) items_.push_back(table.clicked[i]);
    if (items_.size() - first > kMaxSessionItems)
      items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(first),
                   items_.end() - static_cast<std::ptrdiff_t>(kMaxSessionItems));
    std::size_t distinct = 0;
    for (auto i = items_.size(); i-- > first;) {
      auto& seen = seen_in[items_[i]];
      if (seen == mark)
        items_[i] |= kAgainLater;
      else
        ++distinct;
      seen = mark;
    }
    // It could only take the place of a session that knows more than the question.
    if (distinct < 2) items_.resize(first);
    sessions_kept_ += distinct < 2 ? 0 : 1;
    items_begin_.push_back(items_.size());
  }
}

void Neighbours::make_postings(std::size_t items)
{
  postings_begin_.assign(items + 1, 0);
  for (const auto item : items_)
    if (!(item & kAgainLater)) ++postings_begin_[item + 1];
  for (std::size_t item = 0; item < items; ++item) postings_begin_[item + 1] += postings_begin_[item];
  postings_.resize(postings_begin_.back());
  auto next = postings_begin_;
  for (auto session = items_begin_.size() - 1; session-- > 0;)
    for (const auto item : items_of(static_cast<SessionNumber>(session)))
      if (!(item & kAgainLater)) postings_[next[item]++] = static_cast<SessionNumber>(session);
}

void Neighbours::weigh_items(std::size_t items)
{
  idf_.resize(items);
  for (std::size_t item = 0; item < items; ++item) {
    const auto holding = postings(static_cast<ItemNumber>(item)).size();
    const double idf = holding == 0 ? 0 : std::log(static_cast<double>(sessions_kept_) / static_cast<double>(holding));
    idf_[item] = idf > 0 ? idf : 1;
  }
}

// The paper walks the lists one after the other, keeps the m newest sessions on a heap and leaves a list at the first session older
// than all that are kept. What remains are the m newest sessions of all lists; walking the lists side by side gives just these, in
// order, and each sum at once, without heap or table.
void Neighbours::find(const NeighbourQuestion& question, const ModelOptions& options, std::vector<Neighbour>& out) const
{
  out.clear();
  std::array<Cursor, kMaxAsked> cursors;
  std::array<std::int64_t, kMaxAsked> heads{}; // the session each cursor stands at; -1 behind its end
  std::size_t count = 0;
  for (const auto& asked : question.asked()) {
    const auto list = postings(asked.item);
    if (!list.empty()) {
      heads[count] = list.front();
      cursors[count] = {list.data(), list.data() + list.size(), asked.weight, 0};
      cursors[count].bit = 1U << (&asked - question.asked().data());
      ++count;
    }
  }
  while (out.size() < options.neighbours_m) {
    std::int64_t newest = -1;
    for (std::size_t i = 0; i < count; ++i) newest = std::max(newest, heads[i]);
    if (newest < 0) break;
    Neighbour neighbour{static_cast<SessionNumber>(newest), 0, 0};
    for (std::size_t i = 0; i < count; ++i) {
      if (heads[i] != newest) continue;
      auto& cursor = cursors[i];
      neighbour.shared |= cursor.bit;
      neighbour.similarity += cursor.weight;
      heads[i] = ++cursor.at == cursor.end ? -1 : std::int64_t{*cursor.at};
    }
    out.push_back(neighbour);
  }
  if (out.size() <= options.neighbours_k) return;
  const auto kept = out.begin() + static_cast<std::ptrdiff_t>(options.neighbours_k);
  std::nth_element(out.begin(), kept, out.end(), [](const Neighbour& a, const Neighbour& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.session > b.session;
  });
  out.erase(kept, out.end());
  std::sort(out.begin(), out.end(), [](const Neighbour& a, const Neighbour& b) { return a.session > b.session; });
}

void Neighbours::add(const NeighbourQuestion& question, std::span<const Neighbour> neighbours, Candidates& candidates) const
{
  for (const auto& neighbour : neighbours) {
    const double weight = neighbour.similarity * decay(neighbour, question.asked());
    if (weight == 0) continue;
    for (const auto item : items_of(neighbour.session))
      if (!(item & kAgainLater)) candidates[item].column(Source::neighbours) += weight;
  }
  for (auto& candidate : candidates.list()) candidate.column(Source::neighbours) *= idf_[candidate.item];
}

Neighbours::Evidence Neighbours::why(const NeighbourQuestion& question, std::span<const Neighbour> neighbours,
                                     ItemNumber item) const
{
  const auto asked = question.asked();
  std::array<std::size_t, kMaxAsked> of{};
  std::array<std::size_t, kMaxAsked> with{};
  std::array<double, kMaxAsked> given{};
  for (const auto& neighbour : neighbours) {
    const auto items = items_of(neighbour.session);
    const bool holds = std::find(items.begin(), items.end(), item) != items.end();
    const double weight = holds ? neighbour.similarity * decay(neighbour, asked) : 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!(neighbour.shared >> i & 1U)) continue;
      ++of[i];
      if (!holds) continue;
      ++with[i];
      given[i] += weight;
    }
  }
  // "Seen next to itself" explains nothing, unless there is nothing else.
  std::size_t best = asked.size();
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (with[i] > 0 && asked[i].item != item && (best == asked.size() || given[i] > given[best])) best = i;
  for (std::size_t i = 0; best == asked.size() && i < asked.size(); ++i)
    if (with[i] > 0) best = i;
  ATTUNE_ASSERT(best < asked.size());
  return {asked[best].item, with[best], of[best]};
}

} // namespace attune
