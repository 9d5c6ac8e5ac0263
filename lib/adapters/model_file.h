// Model files: core/model.h's bytes on disk. A file is replaced as a whole: whoever reads it, and whatever crashes, sees the old
// model or the new. Thread rule: none of its own. ERRORS name the path.
#pragma once

#include <string>

#include "base/result.h"
#include "core/model.h"

namespace attune {

// ERRORS: io; bad_data: "PATH: damaged or cut short: the checksum differs".
[[nodiscard]] Result<Model> read_model_file(const std::string& path);

// Durable when it returns. Written into PATH.new first, which one process holds at a time and the next one uses again, so that one that
// was killed leaves nothing that stays. Reads the model only: others may ask it meanwhile.
// ERRORS: io; busy: somebody else writes it, for half a minute.
[[nodiscard]] Result<Model::Saved> write_model_file(const std::string& path, const Model& model);

} // namespace attune
