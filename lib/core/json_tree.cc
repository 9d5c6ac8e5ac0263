#include "core/json_tree.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "core/canonical_json.h"

namespace attune {
namespace {

using simdjson::ondemand::json_type;

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string_view trimmed(std::string_view token)
{
  return token.substr(0, token.find_last_not_of(kWhiteSpace) + 1);
}

// Members above this number are looked for twice by sorting, below it by comparing each with each.
constexpr std::size_t kFewNames = 12;

} // namespace

simdjson::padded_string_view PaddedText::copy(std::string_view text)
{
  if (text.size() + simdjson::SIMDJSON_PADDING > capacity_) {
    capacity_ = text.size() * 2 + simdjson::SIMDJSON_PADDING;
    bytes_ = std::make_unique<char[]>(capacity_);
  }
  text.copy(bytes_.get(), text.size()); // which may be none, of nowhere
  std::memset(bytes_.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  return simdjson::padded_string_view(bytes_.get(), text.size(), capacity_);
}

std::string_view json_fault(simdjson::error_code error)
{
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "not UTF-8";
    case simdjson::UNESCAPED_CHARS:
      return "a control character in a string";
    case simdjson::UNCLOSED_STRING:
      return "a string without an end";
    case simdjson::STRING_ERROR:
      return "a bad escape in a string";
    case simdjson::NUMBER_ERROR:
      return "not a number a double can hold";
    case simdjson::DEPTH_ERROR:
      return kNestedTooDeep;
    case simdjson::MEMALLOC:
      return "out of memory";
    default:
      return "not JSON";
  }
}

std::string_view not_an_object(std::string_view json, std::size_t max_bytes)
{
  if (json.size() > max_bytes) {
    return max_bytes == kMaxEventBytes ? "over 64 KiB" : "too long";
  }
  const std::size_t first = json.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) {
    return "empty line";
  }
  if (json.substr(first, 3) == "\xEF\xBB\xBF") {
    return "begins with a byte order mark";
  }
  return json[first] == '{' ? std::string_view() : "not a JSON object";
}

Check JsonTree::parse(std::string_view json, int max_depth)
{
  nodes_.clear();
  simdjson::ondemand::document document;
  simdjson::ondemand::value value;
  simdjson::error_code error = parser_.iterate(text_.copy(json)).get(document);
  error = error == simdjson::SUCCESS ? document.get_value().get(value) : error;
  if (error != simdjson::SUCCESS) {
    return json_fault(error);
  }
  const Check check = add(value, {}, max_depth);
  if (check && document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return std::string_view("something stands after the object");
  }
  return check;
}

Check JsonTree::parse(simdjson::ondemand::object object, int max_depth)
{
  nodes_.clear();
  nodes_.emplace_back();
  return fill_object(0, object, max_depth);
}

Check JsonTree::add(simdjson::ondemand::value value, std::string_view key, int depth_left)
{
  json_type type{};
  if (const auto error = value.type().get(type)) {
    return json_fault(error);
  }
  const std::size_t at = nodes_.size();
  JsonNode& node = nodes_.emplace_back();
  node.key = key;
  node.end = static_cast<std::uint32_t>(at + 1);
  simdjson::error_code error = simdjson::SUCCESS;
  switch (type) {
    case json_type::object: {
      simdjson::ondemand::object object;
      error = value.get_object().get(object);
      return error == simdjson::SUCCESS ? fill_object(at, object, depth_left) : Check(json_fault(error));
    }
    case json_type::array: {
      simdjson::ondemand::array array;
      error = value.get_array().get(array);
      return error == simdjson::SUCCESS ? fill_array(at, array, depth_left) : Check(json_fault(error));
    }
    case json_type::string:
      node.kind = JsonNode::Kind::string;
      error = value.get_string().get(node.text);
      break;
    case json_type::number: {
      node.kind = JsonNode::Kind::number;
      node.text = trimmed(value.raw_json_token());
      double number = 0;
      error = value.get_double().get(number);
      break;
    }
    case json_type::boolean:
      node.kind = JsonNode::Kind::boolean;
      error = value.get_bool().get(node.truth);
      break;
    case json_type::null: {
      bool null = false;
      error = value.is_null().get(null);
      error = error == simdjson::SUCCESS && !null ? simdjson::TAPE_ERROR : error;
      break;
    }
  }
  return error == simdjson::SUCCESS ? Check() : Check(json_fault(error));
}

Check JsonTree::fill_object(std::size_t at, simdjson::ondemand::object object, int depth_left)
{
  if (depth_left == 0) {
    return json_fault(simdjson::DEPTH_ERROR);
  }
  nodes_[at].kind = JsonNode::Kind::object;
  for (auto next : object) {
    simdjson::ondemand::field field;
    std::string_view key;
    simdjson::error_code error = std::move(next).get(field);
    error = error == simdjson::SUCCESS ? field.unescaped_key().get(key) : error;
    if (error != simdjson::SUCCESS) {
      return json_fault(error);
    }
    const Check check = add(field.value(), key, depth_left - 1);
    if (!check) {
      return check;
    }
  }
  nodes_[at].end = static_cast<std::uint32_t>(nodes_.size());
  return repeats_a_name(at) ? Check(std::string_view("a name given twice in one object")) : Check();
}

Check JsonTree::fill_array(std::size_t at, simdjson::ondemand::array array, int depth_left)
{
  if (depth_left == 0) {
    return json_fault(simdjson::DEPTH_ERROR);
  }
  nodes_[at].kind = JsonNode::Kind::array;
  for (auto next : array) {
    simdjson::ondemand::value element;
    if (const auto error = std::move(next).get(element)) {
      return json_fault(error);
    }
    const Check check = add(element, {}, depth_left - 1);
    if (!check) {
      return check;
    }
  }
  nodes_[at].end = static_cast<std::uint32_t>(nodes_.size());
  return {};
}

bool JsonTree::repeats_a_name(std::size_t object)
{
  names_.clear();
  for (const JsonNode& member : children(nodes_[object])) {
    names_.push_back(member.key);
  }
  if (names_.size() > kFewNames) {
    std::sort(names_.begin(), names_.end());
    return std::adjacent_find(names_.begin(), names_.end()) != names_.end();
  }
  for (auto name = names_.begin(); name != names_.end(); ++name) {
    if (std::find(names_.begin(), name, *name) != name) {
      return true;
    }
  }
  return false;
}

JsonTree::Children JsonTree::children(const JsonNode& node) const
{
  const std::size_t at = static_cast<std::size_t>(&node - nodes_.data());
  ATTUNE_ASSERT(at < nodes_.size());
  return {nodes_, at + 1, node.end};
}

const JsonNode* JsonTree::find(const JsonNode& node, std::string_view name) const
{
  if (node.kind != JsonNode::Kind::object) {
    return nullptr;
  }
  for (const JsonNode& member : children(node)) {
    if (member.key == name) {
      return &member;
    }
  }
  return nullptr;
}

} // namespace attune
