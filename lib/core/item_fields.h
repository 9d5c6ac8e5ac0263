// ItemFields: what a page wants to know of each item it is shown, so that it can draw it without asking again: `fields=name,price,image,url` of an
// answer, from the catalog. A price comes with its currency. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/catalog.h"

namespace attune {

class ItemFields {
 public:
  static constexpr std::array<std::string_view, 8> kNames = {"name", "categories", "price", "stock",
                                                             "tags", "image",      "url",   "accessories"};

  // "name,price"; nothing asks for nothing. ERRORS: `fields: unknown: colour`. Total.
  [[nodiscard]] static Result<ItemFields, Reject> parse(std::string_view text);

  // `,"name":"Aurora 5 phone","price":"549.00","currency":"EUR"`: those that it has, in the order of kNames.
  void append(const CatalogItem& item, std::string& out) const;

  friend bool operator==(const ItemFields&, const ItemFields&) = default;

 private:
  std::uint8_t wanted_ = 0; // a bit for each of kNames
};

} // namespace attune
