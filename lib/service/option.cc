#include "service/option.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace attune {

namespace {

std::string long_or_short(const std::string& names)
{
  const auto comma = names.find(',');
  return comma == std::string::npos ? names : names.substr(comma + 1);
}

std::string listed(const std::vector<std::string>& words)
{
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

} // namespace

std::string environment_name(const std::string& key)
{
  std::string name = "ATTUNE_";
  for (const char c : key) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Option::Option(std::string names, std::string placeholder, std::string help, Binding binding)
    : names_(std::move(names)),
      placeholder_(std::move(placeholder)),
      help_(std::move(help)),
      binding_(std::move(binding)),
      flag_(long_or_short(names_)),
      key_(flag_.substr(flag_.find_first_not_of('-'))),
      variable_(environment_name(key_))
{
}

Option& Option::required()
{
  required_ = true;
  return *this;
}

Option& Option::secret()
{
  secret_ = true;
  return *this;
}

Option& Option::range(std::int64_t least, std::int64_t most)
{
  limits_ = {least, most};
  return *this;
}

Option& Option::choices(std::vector<std::string> words)
{
  words_ = std::move(words);
  return *this;
}

Option& Option::joined()
{
  ATTUNE_ASSERT(binding_.repeatable);
  joined_ = true;
  return *this;
}

Status Option::assign(const std::vector<std::string>& texts, std::string origin)
{
  origin_ = std::move(origin);
  if (!words_.empty())
    for (const auto& text : texts)
      if (std::find(words_.begin(), words_.end(), text) == words_.end())
        return Error{Code::usage, "not one of " + listed(words_) + (secret_ ? "" : ": " + text)};
  auto set = binding_.set(*this, texts);
  if (!set && secret_) return Error{Code::usage, "not acceptable"};
  return set;
}

} // namespace attune
