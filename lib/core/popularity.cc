#include "core/popularity.h"

#include <algorithm>

#include "base/assert.h"

namespace attune {

namespace {

constexpr double kRescaleAt = 1e200;

} // namespace

void DecayingTop::hit(ItemNumber item)
{
  if (item >= values_.size()) {
    values_.resize(item + 1);
    place_.resize(item + 1);
  }
  scale_ *= growth_;
  if (scale_ > kRescaleAt) {
    for (auto& value : values_) value /= scale_;
    scale_ = 1;
  }
  values_[item] += scale_;
  if (place_[item] > 0) return rise(place_[item] - 1);
  if (best_.size() < kept_) {
    best_.push_back(item);
  } else if (values_[best_.back()] < values_[item]) {
    place_[best_.back()] = 0;
    best_.back() = item;
  } else {
    return;
  }
  place_[item] = static_cast<std::uint32_t>(best_.size());
  rise(best_.size() - 1);
}

void DecayingTop::rise(std::size_t place)
{
  const auto item = best_[place];
  for (; place > 0 && values_[best_[place - 1]] < values_[item]; --place) {
    best_[place] = best_[place - 1];
    place_[best_[place]] = static_cast<std::uint32_t>(place + 1);
  }
  best_[place] = item;
  place_[item] = static_cast<std::uint32_t>(place + 1);
}

void DecayingTop::restore(Content content)
{
  ATTUNE_ASSERT(content.best.size() <= kept_);
  scale_ = content.scale;
  values_ = std::move(content.values);
  best_ = std::move(content.best);
  place_.assign(values_.size(), 0);
  for (std::size_t place = 0; place < best_.size(); ++place) place_[best_[place]] = static_cast<std::uint32_t>(place + 1);
}

void Popularity::hit(ItemNumber item)
{
  for (auto& window : windows_) window.hit(item);
}

std::size_t Popularity::bytes() const
{
  std::size_t bytes = 0;
  for (const auto& window : windows_) bytes += window.bytes();
  return bytes;
}

} // namespace attune
