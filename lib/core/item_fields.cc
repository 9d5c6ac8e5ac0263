#include "core/item_fields.h"

#include <algorithm>

#include "core/canonical_json.h"

namespace attune {

namespace {

void append_name(std::string_view name, std::string& out)
{
  out += ",\"";
  out += name;
  out += "\":";
}

void append_text(std::string_view name, std::string_view text, std::string& out)
{
  if (text.empty()) return;
  append_name(name, out);
  append_json_string(text, out);
}

template <class Texts, class TextOf>
void append_texts(std::string_view name, const Texts& texts, const TextOf& text_of, std::string& out)
{
  if (texts.empty()) return;
  append_name(name, out);
  out += '[';
  for (const auto& each : texts) {
    if (out.back() != '[') out += ',';
    append_json_string(text_of(each), out);
  }
  out += ']';
}

void append_field(std::size_t field, const CatalogItem& item, std::string& out)
{
  const auto name = ItemFields::kNames[field];
  const auto itself = [](const std::string& text) -> std::string_view { return text; };
  if (name == "name") {
    append_text(name, item.name, out);
  } else if (name == "categories") {
    append_texts(name, item.categories, itself, out);
  } else if (name == "price") {
    if (!item.price) return;
    append_text(name, to_string(*item.price), out);
    append_text("currency", item.currency.text(), out);
  } else if (name == "stock") {
    if (!item.stock) return;
    append_name(name, out);
    out += std::to_string(*item.stock);
  } else if (name == "tags") {
    append_texts(name, item.tags, itself, out);
  } else if (name == "image") {
    append_text(name, item.image, out);
  } else if (name == "url") {
    append_text(name, item.url, out);
  } else {
    append_texts(
        name, item.accessories, [](const ItemId& each) -> std::string_view { return each.text; }, out);
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
  for (std::size_t field = 0; field < kNames.size(); ++field)
    if ((wanted_ >> field & 1u) != 0) append_field(field, item, out);
}

} // namespace attune
