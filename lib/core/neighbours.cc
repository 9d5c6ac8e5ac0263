#include "core/neighbours.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/elementary.h"

namespace attune {

namespace {

constexpr std::size_t kTail = 20; // items of a neighbour that are looked at, its newest
constexpr std::size_t kFar = 24; // distances from here on count as one

template <std::size_t n>
std::array<float, n> falling(float constant)
{
  std::array<float, n> values;
  for (std::size_t i = 0; i < n; ++i) values[i] = exp_of(-static_cast<float>(i) / constant);
  return values;
}
const std::array<float, kFar> kByDistance = falling<kFar>(2.0F);
const std::array<float, kLastItems> kByPlace = falling<kLastItems>(2.0F);
const std::array<float, kLastItems> kShared = falling<kLastItems>(1.5F);

std::size_t slot_of(SessionNumber session, std::size_t mask)
{
  return (session * 0x9E3779B1U >> 7) & mask;
}

} // namespace

void distinct_items(std::span<const ItemNumber> session, std::vector<Asked>& out, std::size_t last)
{
  out.clear();
  for (std::size_t place = 0; place < session.size() && place < last; ++place) {
    const auto item = session[session.size() - 1 - place];
    const bool met = item == kUnknownItem || std::any_of(out.begin(), out.end(), [item](const Asked& a) { return a.item == item; });
    if (!met) out.push_back({item, static_cast<std::uint16_t>(place)});
  }
}

Neighbour* NeighbourSearch::known(SessionNumber session)
{
  const auto mask = marks_.size() - 1;
  auto slot = slot_of(session, mask);
  while (marks_[slot].session != kNoSession && marks_[slot].session != session) slot = (slot + 1) & mask;
  if (marks_[slot].session == session) return &found_[marks_[slot].at];
  marks_[slot] = {session, static_cast<std::uint32_t>(found_.size())};
  used_marks_.push_back(static_cast<std::uint32_t>(slot));
  return nullptr;
}

void NeighbourSearch::begin(const Question& question, std::size_t most)
{
  for (const auto slot : used_marks_) marks_[slot] = {};
  used_marks_.clear();
  found_.clear();
  distinct_items(question.session, asked_);
  if (marks_.size() < 2 * most) marks_.assign(std::bit_ceil(2 * most), {});
}

// The lists are walked side by side from their newest entries; in the paper one after the other, with a heap of the newest sessions.
void NeighbourSearch::find_newest(const Question& question, const Postings& postings, std::size_t newest)
{
  begin(question, newest + kLastItems);
  const auto length = static_cast<float>(std::min(question.session.size(), kLastItems));
  const auto distinct = static_cast<float>(asked_.size());
  std::array<std::span<const Postings::Entry>, kLastItems> lists;
  for (std::size_t i = 0; i < asked_.size(); ++i) lists[i] = postings.of(asked_[i].item);
  while (found_.size() < newest) {
    std::size_t best = kLastItems;
    for (std::size_t i = 0; i < asked_.size(); ++i)
      if (!lists[i].empty() && (best == kLastItems || lists[i].back().second > lists[best].back().second)) best = i;
    if (best == kLastItems) return;
    const auto session = lists[best].back().session;
    lists[best] = lists[best].first(lists[best].size() - 1);
    if (session == question.self) continue;
    const auto place = asked_[best].place;
    const float linear = (length - static_cast<float>(place)) / distinct;
    if (auto* neighbour = known(session)) {
      neighbour->linear += linear;
      neighbour->place = std::min(neighbour->place, place);
    } else {
      found_.push_back({session, linear, 0, place, 0, 0});
    }
  }
}

void NeighbourSearch::add_vmis(const Question& question, const SessionTable& table, const ItemTable& items,
                               Candidates& candidates) const
{
  constexpr std::size_t kAhead = 8;
  const auto longest = table.usual_length();
  const auto last = question.session.back();
  for (std::size_t n = 0; n < std::min(kAhead, found_.size()); ++n) table.prefetch_session(found_[n].session);
  for (std::size_t n = 0; n < found_.size(); ++n) {
    if (n + kAhead < found_.size()) table.prefetch_session(found_[n + kAhead].session);
    if (n + kAhead / 2 < found_.size()) table.prefetch_items(found_[n + kAhead / 2].session);
    const auto& neighbour = found_[n];
    const auto distinct = table.distinct(neighbour.session);
    const float weight = (1.0F - 0.1F * static_cast<float>(neighbour.place + 1)) * neighbour.linear;
    if (distinct > longest) continue;
    const auto list = table.items(neighbour.session);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i] == last) continue;
      if (distinct < list.size() && std::find(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(i), list[i]) !=
                                        list.begin() + static_cast<std::ptrdiff_t>(i))
        continue;
      candidates[list[i]][Column::vmis] += weight;
    }
  }
  const auto all = log_of(static_cast<float>(std::max<std::size_t>(table.items_in_sessions(), 1)));
  for (auto& row : candidates.rows()) row[Column::vmis] *= std::max(all - items.weights[row.item].log_support, 0.0F);
}

void NeighbourSearch::find(const Question& question, const SessionTable& table, const Postings& postings, std::size_t newest)
{
  begin(question, 2 * newest + kLastItems);

  const auto length = static_cast<float>(std::min(question.session.size(), kLastItems));
  const auto distinct = static_cast<float>(asked_.size());
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    const auto list = postings.of(asked_[i].item);
    const auto place = asked_[i].place;
    const float linear = (length - static_cast<float>(place)) / distinct;
    const float exponential = kShared[place];
    const auto count = std::min(list.size(), i == 0 ? newest : newest / (2 + 2 * i));
    for (std::size_t rank = 0; rank < count; ++rank) {
      const auto session = list[list.size() - 1 - rank].session;
      if (session == question.self) continue;
      if (auto* neighbour = known(session)) {
        neighbour->linear += linear;
        neighbour->exponential += exponential;
        neighbour->shared = static_cast<std::uint16_t>(neighbour->shared | 1U << i);
        continue;
      }
      table.prefetch_session(session);
      found_.push_back(
          {session, linear, exponential, place, static_cast<std::uint16_t>(1U << i), static_cast<std::uint32_t>(rank)});
    }
  }
}

void NeighbourSearch::add(const Question& question, const SessionTable& table, Candidates& candidates) const
{
  if (asked_.empty()) return;
  float norm = 0;
  for (const auto& asked : asked_) norm += kShared[asked.place] * kShared[asked.place];
  norm = std::sqrt(norm);
  const auto last = question.session.back();
  const auto before_last = question.session.size() > 1 ? question.session[question.session.size() - 2] : kUnknownItem;

  constexpr std::size_t kAhead = 8;
  for (std::size_t n = 0; n < found_.size(); ++n) {
    if (n + kAhead < found_.size()) table.prefetch_items(found_[n + kAhead].session);
    const auto& neighbour = found_[n];
    const auto all = table.items(neighbour.session);
    const auto items = all.size() > kTail ? all.last(kTail) : all;
    const auto shared = question.session[question.session.size() - 1 - neighbour.place];
    auto at = items.size();
    while (at > 0 && items[at - 1] != shared) --at;
    if (at == 0) continue; // it stands before the tail
    --at;
    const float vmis = (1.0F - 0.1F * static_cast<float>(neighbour.place + 1)) * neighbour.linear;
    const float cosine = neighbour.exponential / (norm * std::sqrt(static_cast<float>(all.size())));
    const float weight = cosine * kByPlace[neighbour.place];
    const float recency = 1.0F / (1.0F + static_cast<float>(neighbour.rank) * 0.02F);
    const bool two = neighbour.place == 0 && at > 0 && items[at - 1] == before_last;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i] == last) continue;
      auto& columns = candidates[items[i]].columns;
      const auto distance = i < at ? at - i : i - at;
      const float near = kByDistance[std::min(distance, kFar - 1)] * weight;
      columns[0] += vmis;
      columns[1] += cosine;
      columns[2] += near;
      columns[3] += near * recency;
      if (i != at + 1) continue;
      columns[4] += weight;
      if (two) columns[5] += weight;
    }
  }
}

NeighbourSearch::Evidence NeighbourSearch::why(ItemNumber item, const SessionTable& table) const
{
  std::array<std::size_t, kLastItems> of{};
  std::array<std::size_t, kLastItems> with{};
  for (const auto& neighbour : found_) {
    const auto items = table.items(neighbour.session);
    const bool holds = std::find(items.begin(), items.end(), item) != items.end();
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      if (!(neighbour.shared >> i & 1U)) continue;
      ++of[i];
      with[i] += holds ? 1 : 0;
    }
  }
  // "Seen next to itself" explains nothing, unless there is nothing else.
  std::size_t best = asked_.size();
  for (std::size_t i = 0; i < asked_.size(); ++i)
    if (with[i] > 0 && asked_[i].item != item && (best == asked_.size() || with[i] > with[best])) best = i;
  for (std::size_t i = 0; best == asked_.size() && i < asked_.size(); ++i)
    if (with[i] > 0) best = i;
  if (best == asked_.size()) return {};
  return {asked_[best].item, with[best], of[best]};
}

} // namespace attune
