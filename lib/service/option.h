// Option: one thing a program can be told: as a flag, as the environment variable ATTUNE_NAME, or as a line of its configuration file.
// Made by Command::option and its kin (service/tool.h); these calls say more about it, in one chain.
//
// Thread rule: built and read on the main thread, before the body of a program starts others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace attune {

class Option;

// How an option meets its variable.
struct Binding {
  enum class Kind { text, number, truth };

  Kind kind = Kind::text;
  bool repeatable = false;
  // Puts the texts (one, unless repeatable) into the variable. ERRORS: the reason, without the option's name.
  std::function<Status(const Option&, const std::vector<std::string>&)> set;
  // The variable as texts; none: not set.
  std::function<std::vector<std::string>()> show;
};

class Option {
 public:
  // `names` is "--long", "-s" or "-s,--long". An empty `placeholder` is a flag that takes no value.
  Option(std::string names, std::string placeholder, std::string help, Binding binding);

  // Without it the program ends with a usage error.
  Option& required();
  // Its value is shown as *** everywhere. May also come from a file: --NAME-file PATH, or $CREDENTIALS_DIRECTORY/NAME.
  Option& secret();
  // For numbers, both ends included.
  Option& range(std::int64_t least, std::int64_t most);
  // The words it accepts.
  Option& choices(std::vector<std::string> words);
  // For repeatable options: the values of all sources add up, the file's first and the flags' last, instead of the strongest winning.
  Option& joined();

  // Whether any source gave it; false: the variable holds its default.
  [[nodiscard]] bool given() const { return !origin_.empty(); }

  [[nodiscard]] const std::string& names() const { return names_; }
  // The name in messages: "--group", "-X".
  [[nodiscard]] const std::string& flag() const { return flag_; }
  // The name in a configuration file: "group", "X".
  [[nodiscard]] const std::string& key() const { return key_; }
  // "ATTUNE_GROUP".
  [[nodiscard]] const std::string& variable() const { return variable_; }
  [[nodiscard]] const std::string& placeholder() const { return placeholder_; }
  [[nodiscard]] const std::string& help() const { return help_; }
  [[nodiscard]] const Binding& binding() const { return binding_; }
  [[nodiscard]] bool is_flag() const { return placeholder_.empty(); }
  [[nodiscard]] bool is_required() const { return required_; }
  [[nodiscard]] bool is_secret() const { return secret_; }
  [[nodiscard]] bool is_joined() const { return joined_; }
  [[nodiscard]] const std::optional<std::pair<std::int64_t, std::int64_t>>& limits() const { return limits_; }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  // Where the value came from: "flag", "environment", "FILE:7"; empty for the default.
  [[nodiscard]] const std::string& origin() const { return origin_; }

  // Checks the words and sets the variable. ERRORS: usage, the reason alone; a secret's text is not repeated in it.
  Status assign(const std::vector<std::string>& texts, std::string origin);

 private:
  std::string names_;
  std::string placeholder_;
  std::string help_;
  Binding binding_;
  std::string flag_;
  std::string key_;
  std::string variable_;
  bool required_ = false;
  bool secret_ = false;
  bool joined_ = false;
  std::optional<std::pair<std::int64_t, std::int64_t>> limits_;
  std::vector<std::string> words_;
  std::string origin_;
};

// "--dead-letters" -> "ATTUNE_DEAD_LETTERS".
std::string environment_name(const std::string& key);

} // namespace attune
