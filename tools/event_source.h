// Where the events come from that a program reads once, from beginning to end: files of lines in any dialect, or a log. Declared and
// read in one place for the programs that do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/position.h"
#include "core/column_map.h"
#include "core/lesson.h"
#include "pipeline/input.h"
#include "places_options.h"
#include "service/tool.h"

namespace attune {

// The column map of --map. ERRORS: io; config with the line.
Result<std::shared_ptr<const ColumnMap>> read_column_map(const std::string& path);

// --format, --map, --log, --topics, --from, --types, --dead-letters, --give-up.
struct EventSource {
  LogPlace log;
  std::vector<std::string> topics;
  std::string from = "earliest";
  std::vector<std::string> types; // none: all
  InputFormat format = InputFormat::attune;
  std::string map;
  std::string dead_letters = "stderr";
  Milliseconds give_up = std::chrono::seconds(60);

  void declare(Command& command);

  // What was read.
  struct Reading {
    std::uint64_t rejected = 0; // inputs that were no event, and stand in the dead letters
    std::vector<LogPosition> positions; // of a log: up to where each partition was read, sorted
  };
  // Every event of the types wanted, and every one that refuses (forget, consent), each whole, out of the files (none: standard input) or
  // the log, up to their end or a stop. Progress on a terminal. ERRORS: usage for options that do not go together; of the files, the log
  // and the dead letters.
  using Take = std::function<void(const Event&)>;
  Result<Reading> read(Tool& tool, const std::vector<std::string>& files, const Take& take) const;

 private:
  Result<Reading> read_lines(Tool& tool, const std::vector<std::string>& files, const Take& take) const;
  Result<Reading> read_log(Tool& tool, const Take& take) const;
};

// Without the clicks of customers who asked for it (forget, consent), in order.
Lessons in_order(Lessons lessons, const Refusals& refusals);

} // namespace attune
