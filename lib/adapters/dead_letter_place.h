// Where a user wants dead letters (`--dead-letters PLACE`):
//
//   stderr        one readable line each: "attune-produce: stdin:7: price: not a decimal" (the bytes are not kept)
//   topic         the topic attune_dead_letters of --log
//   a log's URL   that topic of another log
//   FILE          a file of JSON lines (core/dead_letter.h), appended to; several programs may share one
//
// Thread rule and ERRORS: those of DeadLetterSink. A sink flushes what it holds when it goes away, if it can.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adapters/places.h"
#include "pipeline/dead_letter.h"

namespace attune {

struct DeadLetterPlace {
  std::string place = "stderr";
  std::string program; // begins each line on stderr
  std::string name_space; // prefix of the topic
  LogWriter* log = nullptr; // what `topic` means; outlives the sink. Null: `topic` is a usage error
  LogOptions log_options = {}; // of a log's URL
};

// ERRORS: usage; io: the file can not be opened; those of the log.
[[nodiscard]] Result<std::unique_ptr<DeadLetterSink>> open_dead_letters(const DeadLetterPlace& where);

} // namespace attune
