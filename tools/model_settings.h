// The options of a model (core/model.h), as every program that makes one takes them: as flags, and as the lines of a TOML file that
// attune-tune writes.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"
#include "core/trials.h"
#include "service/tool.h"

namespace attune {

void declare_model_options(Command& command, ModelOptions& options);

// What the file says, over `options`. Keys that are of other programs' options are read over. ERRORS: config with the line; io.
Result<ModelOptions> read_model_options(const std::string& path, const std::string& program, ModelOptions options);

// "sessions" -> "1000": settings by their keys, over `options`. ERRORS: config: no such option, or a value it can not have.
Result<ModelOptions> with_settings(ModelOptions options, const TrialSettings& settings);

// The settings an option search may move, and the values it tries.
std::vector<TrialAxis> tunable_settings();
// What `options` has for them.
TrialSettings tuned_settings(ModelOptions options);

} // namespace attune
