#include "core/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "core/json_tree.h"

namespace attune {
namespace {

// An object or array nested deeper than this is refused wherever no tighter limit is given.
constexpr int kMaxTextDepth = 64;

constexpr std::string_view kHex = "0123456789abcdef";

bool must_escape(char c)
{
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(char c, std::string& out)
{
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

// In UTF-8 the code points from U+10000 (lead bytes F0…) stand after U+E000…U+FFFF (EE, EF); in UTF-16 they are surrogates and
// stand before them. Everything else has one order in both.
unsigned utf16_rank(char c)
{
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0xF0) {
    return byte - 2U;
  }
  return byte >= 0xEE ? byte + 0x20U : byte;
}

// The digits of a double, shortest that read back the same, and where its point stands: 0.d1d2d3… × 10^point.
struct Digits {
  char text[24];
  std::size_t count = 0;
  int point = 0;
};

Digits digits_of(double magnitude)
{
  char buffer[40];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, magnitude, std::chars_format::scientific);
  ATTUNE_ASSERT(error == std::errc());
  Digits digits;
  const char* at = buffer;
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') {
      digits.text[digits.count++] = *at;
    }
  }
  const char* exponent = at + (at[1] == '+' ? 2 : 1);
  std::from_chars(exponent, end, digits.point);
  ++digits.point;
  return digits;
}

void append_magnitude(double magnitude, std::string& out)
{
  if (magnitude >= 1e-6 && magnitude < 1e15) { // most are: here to_chars() writes as ECMAScript does
    char text[32];
    const auto written = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::fixed);
    ATTUNE_ASSERT(written.ec == std::errc());
    out.append(text, written.ptr);
    return;
  }
  const Digits digits = digits_of(magnitude);
  const std::string_view text(digits.text, digits.count);
  const int count = static_cast<int>(digits.count);
  const int point = digits.point;
  if (point > 21 || point <= -6) {
    out += text[0];
    if (count > 1) {
      out += '.';
      out += text.substr(1);
    }
    out += point > 0 ? "e+" : "e-";
    out += std::to_string(std::abs(point - 1));
  } else if (point >= count) {
    out += text;
    out.append(static_cast<std::size_t>(point - count), '0');
  } else if (point > 0) {
    out += text.substr(0, static_cast<std::size_t>(point));
    out += '.';
    out += text.substr(static_cast<std::size_t>(point));
  } else {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += text;
  }
}

template <class Integer>
bool append_integer(std::string_view token, std::string& out)
{
  Integer value{};
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (error != std::errc() || end != token.data() + token.size()) {
    return false;
  }
  out += std::to_string(value);
  return true;
}

// REQUIRES: a token JsonTree accepted.
void append_number_token(std::string_view token, std::string& out)
{
  if (append_integer<std::int64_t>(token, out) || append_integer<std::uint64_t>(token, out)) {
    return;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  if (error == std::errc::result_out_of_range) {
    number = 0; // too small: JsonTree refused what is too large
  }
  ATTUNE_ASSERT(end == token.data() + token.size());
  append_json_number(number, out);
}

struct Member {
  std::string_view key;
  std::size_t begin; // of `"key":value` in the output
  std::size_t end;
};

// Puts the members written from `start` on into canonical order, if they are not in it already.
void order_members(std::vector<Member>& members, std::size_t start, std::string& out)
{
  const auto less = [](const Member& a, const Member& b) { return canonical_less(a.key, b.key); };
  if (std::is_sorted(members.begin(), members.end(), less)) {
    return;
  }
  std::sort(members.begin(), members.end(), less);
  std::string ordered;
  ordered.reserve(out.size() - start);
  for (const Member& member : members) {
    if (!ordered.empty()) {
      ordered += ',';
    }
    ordered.append(out, member.begin, member.end - member.begin);
  }
  out.replace(start, std::string::npos, ordered);
}

enum class Form { canonical, as_written };

template <Form form>
void append_node(const JsonTree& tree, const JsonNode& node, std::string& out);

template <Form form>
void append_object(const JsonTree& tree, const JsonNode& node, std::string& out)
{
  out += '{';
  const std::size_t start = out.size();
  std::vector<Member> members;
  for (const JsonNode& child : tree.children(node)) {
    if (out.size() > start) {
      out += ',';
    }
    const std::size_t begin = out.size();
    append_json_string(child.key, out);
    out += ':';
    append_node<form>(tree, child, out);
    if constexpr (form == Form::canonical) {
      members.push_back({child.key, begin, out.size()});
    }
  }
  order_members(members, start, out);
  out += '}';
}

template <Form form>
void append_array(const JsonTree& tree, const JsonNode& node, std::string& out)
{
  out += '[';
  const std::size_t start = out.size();
  for (const JsonNode& child : tree.children(node)) {
    if (out.size() > start) {
      out += ',';
    }
    append_node<form>(tree, child, out);
  }
  out += ']';
}

template <Form form>
void append_node(const JsonTree& tree, const JsonNode& node, std::string& out)
{
  switch (node.kind) {
    case JsonNode::Kind::null:
      out += "null";
      break;
    case JsonNode::Kind::boolean:
      out += node.truth ? "true" : "false";
      break;
    case JsonNode::Kind::string:
      append_json_string(node.text, out);
      break;
    case JsonNode::Kind::array:
      append_array<form>(tree, node, out);
      break;
    case JsonNode::Kind::object:
      append_object<form>(tree, node, out);
      break;
    case JsonNode::Kind::number:
      if constexpr (form == Form::canonical) {
        append_number_token(node.text, out);
      } else {
        out += node.text;
      }
      break;
  }
}

JsonTree& tree_of_this_thread()
{
  thread_local JsonTree tree;
  return tree;
}

} // namespace

void append_json_string(std::string_view text, std::string& out)
{
  out += '"';
  auto plain = text.begin();
  for (auto at = text.begin(); at != text.end(); ++at) {
    if (must_escape(*at)) {
      out.append(plain, at);
      append_escaped(*at, out);
      plain = at + 1;
    }
  }
  out.append(plain, text.end());
  out += '"';
}

void append_json_number(double number, std::string& out)
{
  ATTUNE_ASSERT(std::isfinite(number));
  if (number == 0) {
    out += '0';
    return;
  }
  if (number < 0) {
    out += '-';
  }
  append_magnitude(std::fabs(number), out);
}

bool canonical_less(std::string_view a, std::string_view b)
{
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return utf16_rank(x) < utf16_rank(y); });
}

JsonMembers::JsonMembers(std::string& out) : out_(out)
{
  out_ += '{';
}

void JsonMembers::name(std::string_view name)
{
  if (!first_) {
    out_ += ',';
  }
  first_ = false;
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

void JsonMembers::text(std::string_view key, std::string_view text)
{
  if (!text.empty()) {
    name(key);
    append_json_string(text, out_);
  }
}

void JsonMembers::integer(std::string_view key, std::int64_t number)
{
  name(key);
  char digits[24];
  const auto written = std::to_chars(digits, digits + sizeof digits, number);
  out_.append(digits, written.ptr);
}

void JsonMembers::price(const std::optional<Money>& price)
{
  if (price) {
    name("price");
    out_ += '"';
    append_money(price->micro, out_);
    out_ += '"';
  }
}

void JsonMembers::quantity(std::int64_t quantity)
{
  if (quantity != 0) {
    integer("quantity", quantity);
  }
}

void JsonMembers::time(std::string_view key, const std::optional<Timestamp>& time)
{
  if (time) {
    integer(key, time->ms);
  }
}

void JsonMembers::end()
{
  out_ += '}';
}

Check check_json_object(std::string_view json, int max_depth)
{
  JsonTree& tree = tree_of_this_thread();
  const Check parsed = tree.parse(json, max_depth);
  return parsed && tree.root().kind != JsonNode::Kind::object ? Check(std::string_view("not a JSON object")) : parsed;
}

Check append_canonical_json(std::string_view json, std::string& out)
{
  JsonTree& tree = tree_of_this_thread();
  const Check parsed = tree.parse(json, kMaxTextDepth);
  if (parsed) {
    append_canonical_json(tree, tree.root(), out);
  }
  return parsed;
}

void append_canonical_json(const JsonTree& tree, const JsonNode& node, std::string& out)
{
  append_node<Form::canonical>(tree, node, out);
}

void append_json(const JsonTree& tree, const JsonNode& node, std::string& out)
{
  append_node<Form::as_written>(tree, node, out);
}

} // namespace attune
