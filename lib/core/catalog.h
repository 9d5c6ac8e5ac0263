// Catalog: what is known of items. One JSON object per line (DESIGN section 3); a line replaces its item, `deleted` removes it.
// Not synchronized; share it as `const` once filled.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "core/event.h"
#include "core/money.h"

namespace attune {

struct CatalogItem {
  ItemId item;
  std::string name;
  std::vector<std::string> categories;
  std::optional<Money> price;
  Currency currency;
  std::optional<std::int64_t> stock;
  std::vector<std::string> tags;
  std::optional<Timestamp> expires;
  std::string image;
  std::string url;
  std::vector<ItemId> accessories;
  bool deleted = false;
  friend bool operator==(const CatalogItem&, const CatalogItem&) = default;
};

inline constexpr std::size_t kMaxLinkBytes = 2048; // image, url; the other strings have the limits of events

// One JSON object of at most 64 KiB; strict as events are: unknown and repeated keys, nulls and empty strings are refused by name.
// Total. append writes the canonical form; parse(append(x)) == x.
[[nodiscard]] Result<CatalogItem, Reject> parse_catalog_item(std::string_view json);
void append_catalog_json(const CatalogItem& item, std::string& out);

class Catalog {
 public:
  void put(CatalogItem item); // replaces; removes when item.deleted
  [[nodiscard]] const CatalogItem* find(const ItemId& item) const;
  [[nodiscard]] std::size_t size() const { return items_.size(); }

 private:
  std::unordered_map<std::string, CatalogItem> items_;
};

} // namespace attune
