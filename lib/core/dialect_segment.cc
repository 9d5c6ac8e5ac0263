// Segment's messages (the HTTP tracking API and the e-commerce spec) as events:
//   customer  userId, else anonymousId        id    messageId (hashed when over 64 bytes)
//   time      timestamp                       sent  sentAt, unless Segment has already corrected the clock (originalTimestamp is there)
//   item      product_id, else sku            properties  all of `properties`, as written
// What Segment has and attune does not (context, integrations, …) is read over, and so are an identify's traits: attune has no use
// for names and e-mail addresses. A null is an absent field, as Segment's own libraries write it. An id may be an integer.
#include <array>

#include "core/canonical_json.h"
#include "core/dialect.h"
#include "core/field_rules.h"
#include "core/json_tree.h"

namespace attune {
namespace {

constexpr int kMaxMessageDepth = 32;

struct TrackName {
  std::string_view name;
  std::string_view type;
};
constexpr std::array<TrackName, 9> kTrackNames{{{"Product Viewed", "view"},
                                                {"Product Clicked", "click"},
                                                {"Products Searched", "search"},
                                                {"Product Added", "cart_add"},
                                                {"Product Removed", "cart_remove"},
                                                {"Order Completed", "purchase"},
                                                {"Order Refunded", "refund"},
                                                {"Product List Viewed", "impression"},
                                                {"Checkout Started", "x.checkout"}}};

// "Cart Viewed" -> "x.cart_viewed": ASCII letters small, every run of anything a name may not hold one '_'. Empty: no name is left.
std::string custom_name(std::string_view event)
{
  std::string name;
  bool gap = false;
  for (const char c : event) {
    const bool capital = c >= 'A' && c <= 'Z';
    const char small = capital ? static_cast<char>(c - 'A' + 'a') : c;
    const bool fits =
        (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9') || small == '.' || small == '-' || small == '_';
    if (!fits) {
      gap = true;
      continue;
    }
    if (gap && !name.empty()) {
      name += '_';
    }
    gap = false;
    name += small;
  }
  return name.empty() ? name : "x." + name;
}

Result<bool, Reject> as_event(const Result<void, Reject>& result)
{
  return result ? Result<bool, Reject>(true) : Result<bool, Reject>(result.error());
}

class SegmentDialect final : public Dialect {
 public:
  Result<bool, Reject> parse(std::string_view line, Event& out) override
  {
    out.clear();
    if (const std::string_view fault = not_an_object(line, kMaxEventBytes); !fault.empty()) {
      return rejected("", fault);
    }
    if (const Check check = tree_.parse(line, kMaxMessageDepth); !check) {
      return rejected("", check.error());
    }
    return read_message(out);
  }

 private:
  using Step = Result<void, Reject>;

  [[nodiscard]] const JsonNode* member(const JsonNode& of, std::string_view name) const
  {
    const JsonNode* found = tree_.find(of, name);
    return found != nullptr && found->kind == JsonNode::Kind::null ? nullptr : found;
  }
  [[nodiscard]] const JsonNode* member(std::string_view name) const { return member(tree_.root(), name); }
  // The first that is there.
  [[nodiscard]] const JsonNode* either(const JsonNode& of, std::string_view first, std::string_view second) const
  {
    const JsonNode* found = member(of, first);
    return found != nullptr ? found : member(of, second);
  }

  Result<bool, Reject> read_message(Event& out)
  {
    const JsonNode* kind = member("type");
    if (kind == nullptr || kind->kind != JsonNode::Kind::string) {
      return Reject{"type", kind == nullptr ? "missing" : "not a string"};
    }
    if (kind->text == "identify" || kind->text == "alias") {
      return read_link(kind->text == "identify" ? "anonymousId" : "previousId", out);
    }
    if (kind->text == "track") {
      return as_event(read_track(out));
    }
    if (kind->text == "page" || kind->text == "screen") {
      out.type = EventType::custom;
      out.custom_type = kind->text == "page" ? "x.page" : "x.screen";
      return as_event(read_custom(out));
    }
    return Reject{"type", "not track, identify, alias, page or screen"};
  }

  // An identify call that names one id only links nothing: it is no event, and no error.
  Result<bool, Reject> read_link(std::string_view alias_name, Event& out)
  {
    const JsonNode* customer = member("userId");
    const JsonNode* alias = member(alias_name);
    Step step = set(out, Field::customer, customer);
    step = step ? set(out, Field::alias, alias) : step;
    if (step && (customer == nullptr || alias == nullptr || out.customer == out.alias)) {
      return false;
    }
    out.type = EventType::identify;
    step = step ? read_envelope(out) : step;
    return as_event(step ? validate(out) : step);
  }

  Step read_track(Event& out)
  {
    const JsonNode* name = member("event");
    if (name == nullptr || name->kind != JsonNode::Kind::string) {
      return Reject{"event", name == nullptr ? "missing" : "not a string"};
    }
    if (const Check check = set_text(out, Field::type, type_of(name->text)); !check) {
      return Reject{"event", check.error() == "empty" ? "no name" : std::string(check.error())};
    }
    if (out.type == EventType::custom) {
      return read_custom(out);
    }
    Step step = read_envelope(out);
    step = step ? read_properties(out) : step;
    const JsonNode* given = member("properties");
    if (step && given != nullptr) {
      step = read_commerce(*given, out);
    }
    return step ? validate(out) : step;
  }

  static std::string type_of(std::string_view event)
  {
    for (const TrackName& known : kTrackNames) {
      if (known.name == event) {
        return std::string(known.type);
      }
    }
    return custom_name(event);
  }

  Step read_custom(Event& out)
  {
    Step step = read_envelope(out);
    step = step ? read_properties(out) : step;
    const JsonNode* given = member("properties");
    if (step && given != nullptr) {
      step = set(out, Field::item, either(*given, "product_id", "sku"));
    }
    return step ? validate(out) : step;
  }

  Step read_envelope(Event& out)
  {
    Step step = set(out, Field::customer, either(tree_.root(), "userId", "anonymousId"));
    step = step ? set_id(out) : step;
    const JsonNode* original = member("originalTimestamp");
    const JsonNode* time = member("timestamp");
    step = step ? set(out, Field::time, time != nullptr ? time : original) : step;
    if (step && (time == nullptr || original == nullptr)) {
      step = set(out, Field::sent, member("sentAt"));
    }
    return step;
  }

  Step set_id(Event& out)
  {
    const JsonNode* id = member("messageId");
    if (id != nullptr && id->kind == JsonNode::Kind::string && id->text.size() > kMaxIdBytes) {
      out.id = hashed_id(id->text);
      return {};
    }
    return set(out, Field::id, id);
  }

  Step read_properties(Event& out)
  {
    const JsonNode* given = member("properties");
    if (given == nullptr) {
      return {};
    }
    if (given->kind != JsonNode::Kind::object) {
      return Reject{"properties", "not an object"};
    }
    scratch_.clear();
    append_json(tree_, *given, scratch_);
    const Check check = set_properties(out, scratch_);
    return check ? Step() : Step(rejected("properties", check.error()));
  }

  Step read_commerce(const JsonNode& given, Event& out)
  {
    const bool order = out.type == EventType::purchase || out.type == EventType::refund;
    Step step = set(out, Field::category, member(given, "category"));
    step = step ? set(out, Field::currency, member(given, "currency")) : step;
    if (step && order) {
      step = set(out, Field::order, member(given, "order_id"));
    }
    if (step && out.type == EventType::search) {
      step = set(out, Field::query, member(given, "query"));
    }
    const JsonNode* products = member(given, "products");
    if (step && products != nullptr && (order || out.type == EventType::impression)) {
      return read_products(*products, out);
    }
    return step ? read_offer(given, out) : step;
  }

  Step read_offer(const JsonNode& given, Event& out)
  {
    Step step = set(out, Field::item, either(given, "product_id", "sku"));
    if (out.type != EventType::impression) {
      step = step ? set(out, Field::quantity, member(given, "quantity")) : step;
      step = step ? set(out, Field::price, member(given, "price")) : step;
    }
    return step;
  }

  Step read_products(const JsonNode& products, Event& out)
  {
    if (products.kind != JsonNode::Kind::array) {
      return Reject{"items", "not an array"};
    }
    Event offer;
    offer.type = out.type;
    for (const JsonNode& product : tree_.children(products)) {
      const std::size_t index = out.items.size();
      if (index == kMaxLines) {
        return Reject{"items", "over 2000 lines"};
      }
      offer.clear();
      offer.type = out.type;
      if (const Step step = read_offer(product, offer); !step) {
        return Reject{line_field(index, step.error().field), step.error().reason};
      }
      if (offer.item.empty()) {
        return Reject{line_field(index, "item"), "missing"};
      }
      out.items.push_back({offer.item, offer.quantity, offer.price});
    }
    return {};
  }

  // Sets one field from a member, if it is there.
  static Step set(Event& out, Field field, const JsonNode* node)
  {
    if (node == nullptr) {
      return {};
    }
    const Check check = set_value(out, field, *node);
    return check ? Step() : Step(rejected(field_name(field), check.error()));
  }

  static Check set_time(const JsonNode& node, std::optional<Timestamp>& place)
  {
    const bool number = node.kind == JsonNode::Kind::number;
    const Checked<Timestamp> time = number ? read_milliseconds(node.text) : read_rfc3339(node.text);
    if (time) {
      place = *time;
    }
    return time ? Check() : Check(time.error());
  }

  static Check set_value(Event& out, Field field, const JsonNode& node)
  {
    const bool number = node.kind == JsonNode::Kind::number;
    const bool string = node.kind == JsonNode::Kind::string;
    switch (field) {
      case Field::quantity:
        return number ? set_from_cell(out, field, node.text) : Check(std::string_view("not a whole number"));
      case Field::price:
        return number || string ? set_from_cell(out, field, node.text) : Check(std::string_view("not a decimal"));
      case Field::time:
      case Field::sent:
        return set_time(node, field == Field::time ? out.time : out.sent);
      default:
        break;
    }
    const bool integer = number && node.text.find_first_of(".eE") == std::string_view::npos;
    return string || integer ? set_text(out, field, node.text) : Check(std::string_view("not a string"));
  }

  JsonTree tree_;
  std::string scratch_;
};

} // namespace

std::unique_ptr<Dialect> segment_dialect()
{
  return std::make_unique<SegmentDialect>();
}

} // namespace attune
