// The files that answers are made of beside the model: a catalog's lines, a rules file. For tools and daemons alike.
#pragma once

#include <cstdint>
#include <string>

#include "core/catalog.h"
#include "core/rules.h"
#include "pipeline/dead_letter.h"

namespace attune {

// Bad lines are dead letters, counted in `rejected`; the others count. ERRORS: io; of the dead letters.
Status read_catalog_file(const std::string& path, Catalog& catalog, DeadLetterSink& dead_letters, std::uint64_t& rejected);

// ERRORS: io; config, with the line.
[[nodiscard]] Result<Rules> read_rules_file(const std::string& path);

} // namespace attune
