#include "core/popularity.h"

#include <algorithm>

#include "base/assert.h"

namespace attune {

namespace {

// 2^(1/half-life), written out so that they are the same on every machine.
constexpr Popularity::Values kGrowth{1.01395947979002914, 1.00138725571133453, 1.00013863904561632, 1.00001386303970225};
constexpr double kRescaleAt = 1e200;

} // namespace

void Popularity::hit(ItemNumber item)
{
  if (item >= values_.size()) {
    values_.resize(item + 1);
    for (auto& top : tops_) top.place.resize(item + 1);
  }
  for (std::size_t window = 0; window < kWindows; ++window) hit(tops_[window], window, item);
}

void Popularity::hit(Top& top, std::size_t window, ItemNumber item)
{
  top.scale *= kGrowth[window];
  if (top.scale > kRescaleAt) {
    for (auto& values : values_) values[window] /= top.scale;
    top.scale = 1;
  }
  values_[item][window] += top.scale;
  if (top.place[item] > 0) return rise(top, window, top.place[item] - 1);
  if (top.best.size() < kPopularKept) {
    top.best.push_back(item);
  } else if (values_[top.best.back()][window] < values_[item][window]) {
    top.place[top.best.back()] = 0;
    top.best.back() = item;
  } else {
    return;
  }
  top.place[item] = static_cast<std::uint32_t>(top.best.size());
  rise(top, window, top.best.size() - 1);
}

void Popularity::rise(Top& top, std::size_t window, std::size_t place)
{
  const auto item = top.best[place];
  for (; place > 0 && values_[top.best[place - 1]][window] < values_[item][window]; --place) {
    top.best[place] = top.best[place - 1];
    top.place[top.best[place]] = static_cast<std::uint32_t>(place + 1);
  }
  top.best[place] = item;
  top.place[item] = static_cast<std::uint32_t>(place + 1);
}

bool Popularity::is_best(ItemNumber item) const
{
  return item < values_.size() && std::any_of(tops_.begin(), tops_.end(), [item](const Top& top) { return top.place[item] > 0; });
}

void Popularity::forget(ItemNumber item)
{
  ATTUNE_ASSERT(!is_best(item));
  if (item < values_.size()) values_[item] = {};
}

Popularity::Values Popularity::scales() const
{
  Values scales;
  for (std::size_t window = 0; window < kWindows; ++window) scales[window] = 1 / tops_[window].scale;
  return scales;
}

double Popularity::value(Window window, ItemNumber item) const
{
  const auto at = static_cast<std::size_t>(window);
  return values(item)[at] * (1 / tops_[at].scale);
}

double Popularity::best_value(Window window) const
{
  const auto items = best(window);
  return items.empty() ? 0 : value(window, items.front());
}

std::size_t Popularity::bytes() const
{
  return values_.capacity() * (sizeof(Values) + kWindows * sizeof(std::uint32_t));
}

Popularity::Content Popularity::content() const
{
  Content content;
  content.values = values_;
  for (std::size_t window = 0; window < kWindows; ++window) {
    content.scales[window] = tops_[window].scale;
    content.best[window] = tops_[window].best;
  }
  return content;
}

void Popularity::restore(Content content)
{
  values_ = std::move(content.values);
  for (std::size_t window = 0; window < kWindows; ++window) {
    auto& top = tops_[window];
    top.scale = content.scales[window];
    top.best = std::move(content.best[window]);
    ATTUNE_ASSERT(top.best.size() <= kPopularKept);
    top.place.assign(values_.size(), 0);
    for (std::size_t place = 0; place < top.best.size(); ++place)
      top.place[top.best[place]] = static_cast<std::uint32_t>(place + 1);
  }
}

} // namespace attune
