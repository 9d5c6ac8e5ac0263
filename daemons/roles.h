// The parts of the service that a process may play: `--roles collect,profile,recommend`.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace attune {

struct Roles {
  bool collect = false; // HTTP → log
  bool profile = false; // log → profiles
  bool recommend = false; // log and profiles → answers over HTTP

  // ERRORS: usage: a word that is no role.
  static Result<Roles> parse(const std::vector<std::string>& words);
};

} // namespace attune
