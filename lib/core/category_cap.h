// CategoryCounts: how many of each category and tag have a place, and so whether there is room for one more. Lives for one answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/catalog.h"
#include "core/item_filter.h"
#include "core/rule.h"

namespace attune {

class CategoryCounts {
 public:
  explicit CategoryCounts(const std::vector<const CategoryCap*>& caps);
  // The cap that has no room for the item. An item that the catalog tells nothing of is under no cap. Cost: some ns a cap.
  [[nodiscard]] std::optional<Refusal> full(const CatalogItem* known) const;
  void count(const CatalogItem* known);

 private:
  struct Named {
    const CategoryCap* cap;
    std::size_t count = 0;
  };
  [[nodiscard]] std::size_t count_of(std::string_view category) const;

  std::vector<Named> named_;
  std::optional<std::size_t> most_of_each_;
  std::vector<std::pair<std::string_view, std::size_t>> each_; // few: at most the categories of one list
};

} // namespace attune
