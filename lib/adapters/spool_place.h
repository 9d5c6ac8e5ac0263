// Where a collector keeps records while its log is away: a directory that holds an embedded log (adapters/file_log.h) of one topic with one
// partition, so that anyone can read what waits there.
//
//   dir/spool/0/…ndjson   the records: each as it was given, behind two headers, attune-topic and attune-partition (-1: by its key)
//   dir/.groups/log/…     how far they were brought
//   dir/holder            locked by the process that has it open, and its name
//
// Segments are small, and removed once all of them was brought. One process at a time; thread rule and promises are those of Spool.
#pragma once

#include <memory>
#include <string>

#include "adapters/file_log.h"
#include "pipeline/spool.h"

namespace attune {

// The directory is made when there is none. `sync`: as of FileLogOptions.
// ERRORS: io; busy: it is open already (the message names by whom); usage: most_bytes is less than kLeastSpoolBytes.
[[nodiscard]] Result<std::unique_ptr<Spool>> open_spool(const std::string& dir, std::unique_ptr<LogWriter> log,
                                                        SpoolOptions options, FileSync sync = fdatasync_file());

inline constexpr std::uint64_t kLeastSpoolBytes = 64 << 10;

} // namespace attune
