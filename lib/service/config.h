// The configuration file of --config: TOML, one file for all programs. Plain keys are options of any program; a table named after a
// program holds options for it alone. A key no program knows is an error that names its place: a misspelled option must not be ignored.
//
// Thread rule: pure but for reading the file. ERRORS: config "FILE:LINE: KEY: reason".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace attune {

struct ConfigValue {
  std::vector<std::string> texts; // one, unless the file has an array
  std::string place; // "attune.toml:7"
};

using ConfigValues = std::map<std::string, ConfigValue>;

// The values of `path` for `program`, whose own keys are `keys`. Its table beats the plain keys.
Result<ConfigValues> read_config(const std::string& path, const std::string& program, const std::vector<std::string>& keys);

// A TOML basic string, quoted and escaped.
std::string toml_string(const std::string& text);

} // namespace attune
