// A directory of one's own under the system's temporary one, removed with all that is in it at the end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/assert.h"

namespace attune::testing {

class Scratch {
 public:
  Scratch()
  {
    std::string pattern = (std::filesystem::temp_directory_path() / "attune-test.XXXXXX").string();
    ATTUNE_ASSERT(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Scratch()
  {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

} // namespace attune::testing
