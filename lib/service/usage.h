// The texts a program prints about itself.
// Thread rule: pure functions of the declarations.
#pragma once

#include <string>
#include <vector>

#include "service/tool.h"

namespace attune {

// --help: of the program, or of its command when one was chosen.
std::string help_text(const Tool& tool);

// --print-config: TOML that --config reads back, with the origin of each value as a comment; secrets masked.
std::string config_text(const std::string& program, const std::vector<Option*>& options);

} // namespace attune
