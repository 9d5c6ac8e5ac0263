// Every program and every option of the family, so that one configuration file can serve them all and a misspelled key is still an error.
// tests/source/check-man.sh compares both lists with the programs themselves.
#pragma once

#include <string>
#include <vector>

namespace attune {

// "attune-produce", …: the tables a configuration file may have.
const std::vector<std::string>& known_programs();

// "log", "X", …: the keys it may have.
const std::vector<std::string>& known_keys();

} // namespace attune
