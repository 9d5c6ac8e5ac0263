#include "adapters/store_names.h"

#include <algorithm>
#include <random>

namespace attune {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

std::string key_suffix(std::string_view generation)
{
  std::string suffix = "}:profile";
  if (!generation.empty()) suffix.append("@").append(generation);
  return suffix;
}

bool needs_encoding(char c)
{
  return static_cast<unsigned char>(c) < 0x21 || c == '{' || c == '}' || c == '%';
}

int hex_value(char c)
{
  const std::size_t at = kHex.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> percent_decoded(std::string_view text)
{
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

} // namespace

std::string random_name()
{
  std::random_device device;
  std::string name;
  name.reserve(32);
  for (int word = 0; word < 4; ++word) {
    unsigned bits = device();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) name.push_back("0123456789abcdef"[bits & 15]);
  }
  return name;
}

std::string incarnation_data(std::string_view random, std::string_view generation)
{
  std::string data(random);
  if (!generation.empty()) data.append("@").append(generation);
  return data;
}

std::string generation_of(std::string_view incarnation_data)
{
  const std::size_t at = incarnation_data.find('@');
  return at == std::string_view::npos ? std::string() : std::string(incarnation_data.substr(at + 1));
}

void append_redis_key(std::string_view name_space, std::string_view generation, const CustomerId& customer, std::string& out)
{
  out.append(name_space).append(":{");
  for (std::string_view rest = customer.text; !rest.empty();) {
    const auto odd = std::find_if(rest.begin(), rest.end(), needs_encoding);
    out.append(rest.begin(), odd);
    rest.remove_prefix(static_cast<std::size_t>(odd - rest.begin()));
    if (rest.empty()) break;
    const auto byte = static_cast<unsigned char>(rest.front());
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
    rest.remove_prefix(1);
  }
  out.append("}:profile");
  if (!generation.empty()) out.append("@").append(generation);
}

std::optional<CustomerId> customer_of_redis_key(std::string_view name_space, std::string_view generation, std::string_view key)
{
  const std::string prefix = std::string(name_space) + ":{";
  const std::string suffix = key_suffix(generation);
  if (key.size() < prefix.size() + suffix.size() || !key.starts_with(prefix) || !key.ends_with(suffix)) return std::nullopt;
  const std::string_view encoded = key.substr(prefix.size(), key.size() - prefix.size() - suffix.size());
  if (encoded.find_first_of("{}") != std::string_view::npos) return std::nullopt;
  std::optional<std::string> text = percent_decoded(encoded);
  if (!text) return std::nullopt;
  return CustomerId(*std::move(text));
}

std::string redis_key_pattern(std::string_view name_space, std::string_view generation)
{
  return std::string(name_space) + ":{*" + key_suffix(generation);
}

std::string redis_pattern_of_all(std::string_view name_space)
{
  return std::string(name_space) + ":{*}:profile*";
}

std::optional<std::string> generation_of_redis_key(std::string_view name_space, std::string_view key)
{
  const std::string prefix = std::string(name_space) + ":{";
  const std::string suffix = key_suffix("");
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(std::min(key.find('}'), key.size()));
  if (!key.starts_with(suffix)) return std::nullopt;
  key.remove_prefix(suffix.size());
  if (key.empty()) return std::string();
  if (key.front() != '@' || key.size() == 1) return std::nullopt;
  return std::string(key.substr(1));
}

std::string redis_incarnation_key(std::string_view name_space)
{
  return std::string(name_space) + ":incarnation";
}

} // namespace attune
