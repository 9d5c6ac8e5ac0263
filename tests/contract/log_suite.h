// The contract of a log (pipeline/ports.h), as one suite of tests for every adapter: link contract/log_suite.cc with a file that
// defines log_under_test(). Every test works in topics and groups of its own, so a shared broker will do.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "pipeline/ports.h"

namespace attune::contract {

struct LogUnderTest {
  std::function<std::unique_ptr<LogWriter>()> make_writer;
  std::function<std::unique_ptr<LogReader>()> make_reader;
  std::function<std::unique_ptr<LogGroup>(const std::string& group)> make_group;
  std::function<std::unique_ptr<LogAdmin>()> make_admin;
  // Names nobody used before, in this run or an earlier one.
  std::function<std::string()> fresh_topic_name;
  std::function<std::string()> fresh_group_name;
  // Makes the records of a partition before `offset` go away, as retention does. The topic was created with
  // retention_bytes = 4,096 and holds 200 records of about 1 KiB, each flushed on its own, so that embedded segments can roll.
  std::function<void(const TopicPartition& at, std::int64_t offset)> lose_before;
  // More than the log takes in one record.
  std::size_t too_large_bytes = 16u << 20;
  // How long a test waits for what must happen before it calls it missing; no test waits that long when all is well.
  Milliseconds patience = std::chrono::seconds(60);
};

// Defined by the adapter's own test file.
const LogUnderTest& log_under_test();

} // namespace attune::contract
