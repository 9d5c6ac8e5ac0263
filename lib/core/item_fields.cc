#include "core/item_fields.h"

#include <algorithm>

#include "core/canonical_json.h"

namespace attune {
namespace {

void append_field(std::size_t field, const CatalogItem& item, JsonMembers& members)
{
  const auto name = ItemFields::kNames[field];
  if (name == "name") {
    members.text(name, item.name);
  } else if (name == "categories") {
    members.texts(name, item.categories);
  } else if (name == "price") {
    members.price(item.price);
    if (item.price) members.text("currency", item.currency.text());
  } else if (name == "stock") {
    if (item.stock) members.integer(name, *item.stock);
  } else if (name == "tags") {
    members.texts(name, item.tags);
  } else if (name == "image") {
    members.text(name, item.image);
  } else if (name == "url") {
    members.text(name, item.url);
  } else {
    members.texts(name, item.accessories);
  }
}

} // namespace

Result<ItemFields, Reject> ItemFields::parse(std::string_view text)
{
  ItemFields fields;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto name = text.substr(0, comma);
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) return Reject{"fields", "unknown: " + std::string(name)};
    fields.wanted_ = static_cast<std::uint8_t>(fields.wanted_ | 1u << (found - kNames.begin()));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return fields;
}

void ItemFields::append(const CatalogItem& item, std::string& out) const
{
  auto members = JsonMembers::more(out);
  for (std::size_t field = 0; field < kNames.size(); ++field)
    if ((wanted_ >> field & 1u) != 0) append_field(field, item, members);
}

} // namespace attune
