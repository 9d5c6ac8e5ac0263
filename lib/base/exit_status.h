// Exit statuses of every attune program, after sysexits(3), and the one table from Code to status.
#pragma once

#include "base/result.h"

namespace attune {

enum class ExitStatus : int {
  done = 0,
  no = 1, // the answer is no: a target missed, a comparison differs
  usage = 64, // the command line is wrong
  bad_data = 65, // some input was bad, and was reported
  unreachable = 69, // a service is unreachable
  internal = 70, // a bug
  io = 74, // input/output
  try_again = 75, // try again later
  config = 78, // configuration
};

[[nodiscard]] inline ExitStatus exit_status(Code code)
{
  switch (code) {
    case Code::usage:
      return ExitStatus::usage;
    case Code::bad_data:
      return ExitStatus::bad_data;
    case Code::unreachable:
      return ExitStatus::unreachable;
    case Code::busy:
      return ExitStatus::try_again;
    case Code::io:
      return ExitStatus::io;
    case Code::config:
      return ExitStatus::config;
    case Code::gap:
      return ExitStatus::bad_data;
    case Code::replaced:
      return ExitStatus::try_again;
    case Code::stopped:
      return ExitStatus::done;
    case Code::internal:
      return ExitStatus::internal;
  }
  return ExitStatus::internal;
}

} // namespace attune
