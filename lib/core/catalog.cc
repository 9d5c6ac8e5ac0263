#include "core/catalog.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "core/canonical_json.h"
#include "core/field_rules.h"
#include "core/json_tree.h"

namespace attune {
namespace {

using Step = Result<void, Reject>;

constexpr int kMaxCatalogDepth = 8;

enum class Key { item, name, categories, price, currency, stock, tags, expires, image, url, accessories, deleted };

constexpr std::pair<std::string_view, Key> kKeys[] = {{"item", Key::item},
                                                      {"name", Key::name},
                                                      {"categories", Key::categories},
                                                      {"price", Key::price},
                                                      {"currency", Key::currency},
                                                      {"stock", Key::stock},
                                                      {"tags", Key::tags},
                                                      {"expires", Key::expires},
                                                      {"image", Key::image},
                                                      {"url", Key::url},
                                                      {"accessories", Key::accessories},
                                                      {"deleted", Key::deleted}};

Check read_text(const JsonNode& node, std::size_t max, std::string& place)
{
  if (node.kind != JsonNode::Kind::string) {
    return std::string_view("not a string");
  }
  const Check check = check_text(node.text, max);
  if (check) {
    place.assign(node.text);
  }
  return check;
}

Check read_price_node(const JsonNode& node, std::optional<Money>& place)
{
  if (node.kind != JsonNode::Kind::string && node.kind != JsonNode::Kind::number) {
    return std::string_view("not a decimal");
  }
  const auto price = read_price(node.text);
  if (!price) {
    return price.error();
  }
  place = *price;
  return {};
}

Check read_currency(const JsonNode& node, Currency& place)
{
  const auto currency = node.kind == JsonNode::Kind::string ? parse_currency(node.text) : std::nullopt;
  if (!currency) {
    return kNotACurrency;
  }
  place = *currency;
  return {};
}

Check read_stock(const JsonNode& node, std::optional<std::int64_t>& place)
{
  std::int64_t stock = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, stock);
  if (node.kind != JsonNode::Kind::number || stop != end || error == std::errc::invalid_argument) {
    return std::string_view("not a whole number");
  }
  if (node.text.front() == '-') {
    return std::string_view("negative");
  }
  if (error == std::errc::result_out_of_range) {
    return std::string_view("over 9223372036854775807");
  }
  place = stock;
  return {};
}

Check read_expires(const JsonNode& node, std::optional<Timestamp>& place)
{
  if (node.kind != JsonNode::Kind::string && node.kind != JsonNode::Kind::number) {
    return kNotATime;
  }
  const auto time = node.kind == JsonNode::Kind::string ? read_rfc3339(node.text) : read_milliseconds(node.text);
  if (!time) {
    return time.error();
  }
  place = *time;
  return {};
}

Check read_deleted(const JsonNode& node, bool& place)
{
  if (node.kind != JsonNode::Kind::boolean) {
    return std::string_view("not true or false");
  }
  place = node.truth;
  return {};
}

class CatalogReader {
 public:
  Result<CatalogItem, Reject> read(std::string_view json)
  {
    if (const std::string_view fault = not_an_object(json, kMaxEventBytes); !fault.empty()) {
      return rejected("", fault);
    }
    if (const Check check = tree_.parse(json, kMaxCatalogDepth); !check) {
      return rejected("", check.error());
    }
    CatalogItem item;
    for (const JsonNode& member : tree_.children(tree_.root())) {
      if (const Step step = read_member(member, item); !step) {
        return step.error();
      }
    }
    if (item.item.empty()) {
      return Reject{"item", "missing"};
    }
    return item;
  }

 private:
  Step read_member(const JsonNode& member, CatalogItem& item)
  {
    const auto* const known =
        std::find_if(std::begin(kKeys), std::end(kKeys), [&](const auto& key) { return key.first == member.key; });
    if (known == std::end(kKeys)) {
      return rejected(shown(member.key), "unknown key");
    }
    if (member.kind == JsonNode::Kind::null) {
      return rejected(member.key, "null");
    }
    switch (known->second) {
      case Key::categories:
        return read_texts(member, kMaxStringBytes, item.categories);
      case Key::tags:
        return read_texts(member, kMaxStringBytes, item.tags);
      case Key::accessories:
        return read_texts(member, kMaxCustomerBytes, item.accessories);
      default:
        break;
    }
    const Check check = read_scalar(known->second, member, item);
    return check ? Step() : Step(rejected(member.key, check.error()));
  }

  static Check read_scalar(Key key, const JsonNode& node, CatalogItem& item)
  {
    switch (key) {
      case Key::item:
        return read_text(node, kMaxCustomerBytes, item.item.text);
      case Key::name:
        return read_text(node, kMaxStringBytes, item.name);
      case Key::image:
        return read_text(node, kMaxLinkBytes, item.image);
      case Key::url:
        return read_text(node, kMaxLinkBytes, item.url);
      case Key::price:
        return read_price_node(node, item.price);
      case Key::currency:
        return read_currency(node, item.currency);
      case Key::stock:
        return read_stock(node, item.stock);
      case Key::expires:
        return read_expires(node, item.expires);
      case Key::deleted:
        return read_deleted(node, item.deleted);
      default:
        break;
    }
    return {};
  }

  static std::string& text_of(std::string& place) { return place; }
  static std::string& text_of(ItemId& place) { return place.text; }

  // An array of strings; empty is allowed and means none.
  template <class Text>
  Step read_texts(const JsonNode& node, std::size_t max, std::vector<Text>& places)
  {
    if (node.kind != JsonNode::Kind::array) {
      return rejected(node.key, "not an array");
    }
    for (const JsonNode& element : tree_.children(node)) {
      if (places.size() == kMaxLines) {
        return rejected(node.key, "over 2000 strings");
      }
      const Check check = read_text(element, max, text_of(places.emplace_back()));
      if (!check) {
        return Reject{std::string(node.key) + '[' + std::to_string(places.size() - 1) + ']', std::string(check.error())};
      }
    }
    return {};
  }

  JsonTree tree_;
};

} // namespace

Result<CatalogItem, Reject> parse_catalog_item(std::string_view json)
{
  thread_local CatalogReader reader;
  return reader.read(json);
}

void append_catalog_json(const CatalogItem& item, std::string& out)
{
  JsonMembers members(out);
  members.texts("accessories", item.accessories);
  members.texts("categories", item.categories);
  members.text("currency", item.currency.text());
  if (item.deleted) {
    members.name("deleted");
    out += "true";
  }
  members.time("expires", item.expires);
  members.text("image", item.image);
  members.text("item", item.item.text);
  members.text("name", item.name);
  members.price(item.price);
  if (item.stock) {
    members.integer("stock", *item.stock);
  }
  members.texts("tags", item.tags);
  members.text("url", item.url);
  members.end();
}

void Catalog::put(CatalogItem item)
{
  if (item.deleted) {
    items_.erase(item.item.text);
    return;
  }
  std::string key = item.item.text;
  items_.insert_or_assign(std::move(key), std::move(item));
}

const CatalogItem* Catalog::find(const ItemId& item) const
{
  const auto found = items_.find(item.text);
  return found == items_.end() ? nullptr : &found->second;
}

} // namespace attune
