// CloudEvents 1.0 in structured JSON: an envelope around an attune event. `data` is the event; what it leaves out is taken from the
// envelope: type from `type` ("com.attune.view", "com.attune.x.checkout"), time from `time`, customer from `subject`. The id is a hash
// over source and id, which together are unique. Extension attributes are read over.
#include "core/canonical_json.h"
#include "core/dialect.h"
#include "core/event_json.h"
#include "core/field_rules.h"
#include "core/json_tree.h"

namespace attune {
namespace {

// The envelope, data, and properties within it.
constexpr int kMaxEnvelopeDepth = 32;

// "com.attune.view" -> "view"; "com.attune.x.checkout" -> "x.checkout"; empty when it names no type of attune's.
std::string_view type_in(std::string_view envelope_type)
{
  const std::size_t custom = envelope_type.find(".x.");
  if (custom != std::string_view::npos && parse_type(envelope_type.substr(custom + 1))) {
    return envelope_type.substr(custom + 1);
  }
  const std::size_t dot = envelope_type.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? envelope_type : envelope_type.substr(dot + 1);
  for (const std::string_view name : {last, envelope_type}) {
    if (parse_type(name)) {
      return name;
    }
  }
  return {};
}

bool is_json(std::string_view content_type)
{
  const std::string_view media = content_type.substr(0, content_type.find(';'));
  const bool suffixed = media.size() > 5 && media.substr(media.size() - 5) == "+json";
  return media == "application/json" || media == "text/json" || suffixed;
}

class CloudEventsDialect final : public Dialect {
 public:
  Result<bool, Reject> parse(std::string_view line, Event& out) override
  {
    out.clear();
    if (const std::string_view fault = not_an_object(line, kMaxEventBytes); !fault.empty()) {
      return rejected("", fault);
    }
    if (const Check check = tree_.parse(line, kMaxEnvelopeDepth); !check) {
      return rejected("", check.error());
    }
    if (const auto checked = check_envelope(); !checked) {
      return checked.error();
    }
    const JsonNode& data = *tree_.find(tree_.root(), "data");
    write_event(data);
    if (const auto parsed = parser_.parse(text_, out); !parsed) {
      return parsed.error();
    }
    return true;
  }

 private:
  [[nodiscard]] const JsonNode* attribute(std::string_view name) const { return tree_.find(tree_.root(), name); }

  // The text of a string attribute; empty when it is not there or no string.
  [[nodiscard]] std::string_view text_of(std::string_view name) const
  {
    const JsonNode* node = attribute(name);
    return node != nullptr && node->kind == JsonNode::Kind::string ? node->text : std::string_view();
  }

  [[nodiscard]] Result<void, Reject> check_envelope() const
  {
    if (text_of("specversion") != "1.0") {
      return Reject{"specversion", attribute("specversion") == nullptr ? "missing" : "not 1.0"};
    }
    for (const std::string_view name : {"id", "source", "type"}) {
      if (text_of(name).empty()) {
        return rejected(name, attribute(name) == nullptr ? "missing" : "empty or not a string");
      }
    }
    for (const std::string_view name : {"time", "subject", "datacontenttype"}) {
      if (attribute(name) != nullptr && text_of(name).empty()) {
        return rejected(name, "empty or not a string");
      }
    }
    if (attribute("datacontenttype") != nullptr && !is_json(text_of("datacontenttype"))) {
      return Reject{"datacontenttype", "not JSON"};
    }
    return check_data();
  }

  [[nodiscard]] Result<void, Reject> check_data() const
  {
    if (attribute("data_base64") != nullptr) {
      return Reject{"data_base64", "not JSON"};
    }
    const JsonNode* data = attribute("data");
    if (data == nullptr || data->kind != JsonNode::Kind::object) {
      return Reject{"data", data == nullptr ? "missing" : "not an object"};
    }
    if (tree_.find(*data, "id") != nullptr) {
      return Reject{"data.id", "given beside the id of the envelope"};
    }
    if (tree_.find(*data, "type") == nullptr && type_in(text_of("type")).empty()) {
      return Reject{"type", "unknown type"};
    }
    return {};
  }

  // The event as attune's own JSON, so that one parser has every rule.
  void write_event(const JsonNode& data)
  {
    text_ = R"({"id":)";
    append_json_string(envelope_id().text, text_);
    for (const JsonNode& member : tree_.children(data)) {
      add_name(member.key);
      append_json(tree_, member, text_);
    }
    fill(data, "type", type_in(text_of("type")));
    fill(data, "time", text_of("time"));
    fill(data, "customer", text_of("subject"));
    text_ += '}';
  }

  [[nodiscard]] EventId envelope_id() const
  {
    std::string pair = "[";
    append_json_string(text_of("source"), pair);
    pair += ',';
    append_json_string(text_of("id"), pair);
    pair += ']';
    return hashed_id(pair);
  }

  void fill(const JsonNode& data, std::string_view name, std::string_view text)
  {
    if (!text.empty() && tree_.find(data, name) == nullptr) {
      add_name(name);
      append_json_string(text, text_);
    }
  }

  void add_name(std::string_view name)
  {
    text_ += ',';
    append_json_string(name, text_);
    text_ += ':';
  }

  JsonTree tree_;
  EventParser parser_;
  std::string text_;
};

} // namespace

std::unique_ptr<Dialect> cloudevents_dialect()
{
  return std::make_unique<CloudEventsDialect>();
}

} // namespace attune
