#include "pipeline/line_feed.h"

#include <deque>

namespace attune {

namespace {

constexpr std::size_t kBlockRecords = 1024;

} // namespace

// Owns the bytes of its records; a deque, so that they stay where they are.
class LineFeed::Block final : public RecordBlock {
 public:
  std::deque<std::string> texts;
};

LineFeed::LineFeed(Ingest& ingest, DeadLetterSink& dead_letters, std::function<bool()> wait_for_room)
    : ingest_(ingest), dead_letters_(dead_letters), wait_for_room_(std::move(wait_for_room))
{
}

Result<bool> LineFeed::line(std::string_view text, const std::string& source, const Entry& entry)
{
  if (text.find_first_not_of(" \t\r") == std::string_view::npos) return true; // a blank line says nothing
  const auto bury = [&](const Reject& reject) -> Result<bool> {
    if (auto put = dead_letters_.put({source, reject.field, reject.reason, text, entry.received}); !put) return put.error();
    return false;
  };
  if (auto parsed = parser_.parse(text, event_); !parsed) return bury(parsed.error());
  const auto changed = complete(event_, entry);
  if (!changed) return bury(changed.error());

  if (!gathering_) {
    gathering_ = std::make_shared<Block>();
    gathering_->from = {source.substr(0, source.rfind(':')), 0};
  }
  auto& whole = gathering_->texts.emplace_back();
  if (*changed)
    append_event_json(event_, whole);
  else
    whole = text;
  const std::string_view key = gathering_->texts.emplace_back(event_.customer.text);
  gathering_->records.push_back({next_offset_++, entry.received, key, whole, {}});
  if (gathering_->records.size() >= kBlockRecords)
    if (auto flushed = flush(); !flushed) return flushed.error();
  return true;
}

Status LineFeed::flush()
{
  if (!gathering_) return {};
  while (!ingest_.has_room())
    if (!wait_for_room_()) return Error{Code::stopped, "stopped"};
  const RecordBlockPtr block = std::move(gathering_);
  for (std::size_t i = 0; i < block->records.size(); ++i) ingest_.submit(block, i);
  ingest_.dispatch();
  // A pipe has no positions to store, but this lets go of the blocks behind us and makes the sinks durable.
  if (auto passed = ingest_.take_positions(); !passed) return passed.error();
  return {};
}

} // namespace attune
