// The models under evaluation: a Model and the sources it is asked by (core/model.h, core/ranking.h), as contenders.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"
#include "core/ranking.h"
#include "pipeline/evaluate.h"

namespace attune {

// One configuration: the model's options, and what ranks.
struct ModelEntry {
  std::string name;
  ModelOptions options;
  Source source = Source::blend;
};

// Entries of equal options share a model. REQUIRES: valid options.
[[nodiscard]] Lineup model_lineup(const std::vector<ModelEntry>& entries);

} // namespace attune
