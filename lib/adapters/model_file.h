// Model files: core/model.h's bytes on disk. A file is replaced as a whole: whoever reads it, and whatever crashes, sees the old
// model or the new. Thread rule: none of its own. ERRORS name the path.
#pragma once

#include <string>

#include "base/result.h"
#include "core/model.h"

namespace attune {

// ERRORS: io; bad_data: "PATH: damaged or cut short: the checksum differs".
[[nodiscard]] Result<Model> read_model_file(const std::string& path);

// Durable when it returns; names the model. Returns the size in bytes. ERRORS: io.
[[nodiscard]] Result<std::size_t> write_model_file(const std::string& path, Model& model);

} // namespace attune
