#include "core/category_cap.h"

#include <algorithm>

namespace attune {
namespace {

bool has(const std::vector<std::string>& words, std::string_view word)
{
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_under(const CategoryCap& cap, const CatalogItem& item)
{
  return cap.tag.empty() ? has(item.categories, cap.category) : has(item.tags, cap.tag);
}

Refusal refusal(std::string_view of, std::size_t count)
{
  return {Filter::category_cap, static_cast<std::int64_t>(count), {}, {}, of};
}

} // namespace

CategoryCounts::CategoryCounts(const std::vector<const CategoryCap*>& caps)
{
  for (const auto* cap : caps) {
    if (!cap->category.empty() || !cap->tag.empty())
      named_.push_back({cap, 0});
    else
      most_of_each_ = std::min(most_of_each_.value_or(cap->most), cap->most);
  }
}

std::size_t CategoryCounts::count_of(std::string_view category) const
{
  for (const auto& [name, count] : each_)
    if (name == category) return count;
  return 0;
}

std::optional<Refusal> CategoryCounts::full(const CatalogItem* known) const
{
  if (known == nullptr) return std::nullopt;
  for (const auto& [cap, count] : named_)
    if (count >= cap->most && is_under(*cap, *known)) return refusal(cap->tag.empty() ? cap->category : cap->tag, count);
  if (most_of_each_)
    for (const auto& category : known->categories)
      if (const std::size_t count = count_of(category); count >= *most_of_each_) return refusal(category, count);
  return std::nullopt;
}

void CategoryCounts::count(const CatalogItem* known)
{
  if (known == nullptr) return;
  for (auto& [cap, count] : named_)
    if (is_under(*cap, *known)) ++count;
  if (!most_of_each_) return;
  for (auto category = known->categories.begin(); category != known->categories.end(); ++category) {
    if (std::find(known->categories.begin(), category, *category) != category) continue; // named twice
    const auto at = std::find_if(each_.begin(), each_.end(), [&](const auto& entry) { return entry.first == *category; });
    if (at == each_.end())
      each_.emplace_back(*category, 1);
    else
      ++at->second;
  }
}

} // namespace attune
