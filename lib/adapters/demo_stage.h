// DemoStage: what `--demo DIR` shows of the programs of a demonstration, and how it has them stopped and started. The script that plays it owns
// the directory: it writes parts.json, `{"parts":[{"name":"redis","title":"Redis","up":true}]}`, and reads lines off the FIFO `control`:
// `stop redis`, `start redis`. For demonstrations alone: files are read as they are asked for.
//
// Thread rule: set_places() before others look; the rest from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace attune {

class DemoStage {
 public:
  explicit DemoStage(std::string directory) : directory_(std::move(directory)) {}

  // Where the admin listener is ("http://127.0.0.1:8081"), and whose pages may ask it.
  void set_places(std::string admin, std::vector<std::string> origins)
  {
    admin_ = std::move(admin);
    origins_ = std::move(origins);
  }
  [[nodiscard]] const std::string& admin() const { return admin_; }
  [[nodiscard]] bool of_the_shop(std::string_view origin) const;

  [[nodiscard]] std::string parts() const; // the JSON; of no parts while the file is not there
  [[nodiscard]] bool has_part(std::string_view name) const;
  // Hands a line to whoever plays the demonstration. ERRORS: unreachable: nobody reads; io.
  [[nodiscard]] Status tell(const std::string& line) const;

 private:
  std::string directory_, admin_;
  std::vector<std::string> origins_;
};

} // namespace attune
