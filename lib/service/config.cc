#include "service/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>

#include "service/known_names.h"
#include "service/lines.h"
#include "service/quantity.h"
#include "service/suggestion.h"

namespace attune {

namespace {

bool contains(const std::vector<std::string>& words, const std::string& word)
{
  return std::find(words.begin(), words.end(), word) != words.end();
}

class ConfigReader {
 public:
  ConfigReader(const std::string& path, const std::string& program, const std::vector<std::string>& keys)
      : path_(path), program_(program), keys_(keys)
  {
  }

  Result<ConfigValues> read(const toml::table& file)
  {
    for (const auto& [key, node] : file)
      if (!node.is_table())
        if (auto taken = take(key, node, known_to_any(key)); !taken) return taken.error();
    for (const auto& [key, node] : file)
      if (node.is_table())
        if (auto taken = take_table(key, *node.as_table()); !taken) return taken.error();
    return std::move(values_);
  }

 private:
  bool known_to_any(const toml::key& key) const { return contains(known_keys(), std::string(key.str())); }
  bool own(const toml::key& key) const { return contains(keys_, std::string(key.str())); }

  std::string place(const toml::source_region& source) const { return path_ + ":" + std::to_string(source.begin.line); }

  Error error(const toml::key& key, const std::string& reason) const
  {
    return {Code::config, place(key.source()) + ": " + std::string(key.str()) + ": " + reason};
  }

  Status take_table(const toml::key& name, const toml::table& table)
  {
    const std::string program(name.str());
    if (program != program_ && !contains(known_programs(), program))
      return error(name, "no program has this name" + suggestion(program, known_programs()));
    for (const auto& [key, node] : table) {
      const bool known = program == program_ ? own(key) : known_to_any(key);
      if (auto taken = take(key, node, known, program == program_); !taken) return taken.error();
    }
    return {};
  }

  // Every value is checked, also those for other programs; only what this program knows is kept.
  Status take(const toml::key& key, const toml::node& node, bool known, bool mine = true)
  {
    if (!known && !own(key)) return unknown(key);
    ConfigValue value{{}, place(key.source())};
    if (const auto* list = node.as_array()) {
      for (const auto& element : *list)
        if (auto added = add(key, element, value); !added) return added;
    } else if (auto added = add(key, node, value); !added) {
      return added;
    }
    if (mine && own(key)) values_[std::string(key.str())] = std::move(value);
    return {};
  }

  Error unknown(const toml::key& key) const
  {
    if (known_to_any(key)) return error(key, program_ + " has no such option");
    std::vector<std::string> candidates = keys_;
    candidates.insert(candidates.end(), known_keys().begin(), known_keys().end());
    return error(key, "unknown key" + suggestion(std::string(key.str()), candidates));
  }

  Status add(const toml::key& key, const toml::node& node, ConfigValue& value) const
  {
    if (const auto* text = node.as_string())
      value.texts.push_back(text->get());
    else if (const auto* integer = node.as_integer())
      value.texts.push_back(std::to_string(integer->get()));
    else if (const auto* number = node.as_floating_point())
      value.texts.push_back(to_text(number->get()));
    else if (const auto* truth = node.as_boolean())
      value.texts.push_back(truth->get() ? "true" : "false");
    else
      return error(key, "not text, a number, true, false or a list of them (a date stands in quotes)");
    return {};
  }

  const std::string& path_;
  const std::string& program_;
  const std::vector<std::string>& keys_;
  ConfigValues values_;
};

} // namespace

Result<ConfigValues> read_config(const std::string& path, const std::string& program, const std::vector<std::string>& keys)
{
  const auto text = read_whole(path);
  if (!text) return Error{Code::config, text.error().message};
  try {
    return ConfigReader(path, program, keys).read(toml::parse(*text, path));
  } catch (const toml::parse_error& error) {
    return Error{Code::config, path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description())};
  }
}

std::string toml_string(const std::string& text)
{
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", byte);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

} // namespace attune
