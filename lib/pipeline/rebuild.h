// Rebuild: profiles made anew from a log, exactly: for each customer all events of the log and of the late sink, in (time, id) order and
// in one merge, so that none is late. It fills a fresh generation of the store beside the one in use and then swaps them.
//
// Memory is bounded: the customers are taken in as many passes over the log as `memory_bytes` asks for. Updaters of the same store should
// be stopped meanwhile; one that was not finds another incarnation. With `groups`, their positions are set to where the rebuild
// ended, so that they go on from there; otherwise they begin at the earliest record, which changes nothing but takes time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pipeline/ports.h"

namespace attune {

struct RebuildOptions {
  std::vector<std::string> event_topics; // whole names, customer_identity among them
  std::string identity_topic;
  std::string late_topic; // may not exist
  std::vector<std::string> groups;
  std::size_t memory_bytes = 512u << 20;
  std::optional<Milliseconds> give_up; // how long a log or store that is away is tried; nothing: for ever
  std::function<bool()> stop;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress; // records read, over all passes; may be empty
  // More late events, one JSON object each, for a late sink that is a file: calls its argument once per line. May be empty.
  std::function<Status(const std::function<void(std::string_view)>&)> more_late;
};

struct RebuildReport {
  std::uint64_t records = 0; // of the log, read once
  std::uint64_t events = 0; // distinct, in the profiles
  std::uint64_t refused = 0; // forgotten, or without consent
  std::uint64_t unreadable = 0; // records that are no events: they are dead letters already
  std::uint64_t conflicts = 0; // identify events that lost
  std::uint64_t profiles = 0; // written
};

// ERRORS: those of the log and the store; stopped (the store is as it was).
Result<RebuildReport> rebuild(LogReader& log, LogAdmin& admin, ProfileStore& store, const RebuildOptions& options);

} // namespace attune
