// Producer: lines of input into records of a log, or into lines for the next program of a pipe (attune-produce).
//
//   line → dialect → complete → topic and key → log            what can not be processed → dead letters, with its bytes
//
// An event in attune's own JSON that is whole already travels as the bytes it came in; any other in canonical JSON, or in Protobuf.
// Nothing is counted as acknowledged before the log has said so.
//
// Thread rule: one thread calls take() and finish(); `acknowledged` is called by a thread of the log.
// Cost: one parse a line; no copies of a line that is passed on as it is.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/dialect.h"
#include "core/event.h"
#include "core/event_json.h"
#include "pipeline/dead_letter.h"
#include "pipeline/event_lines.h"
#include "pipeline/ports.h"

namespace attune {

enum class WireFormat { json, protobuf };

// One record as an input line may give it whole (the envelope, adapters/envelope.h). Views live until the next line.
struct GivenRecord {
  std::optional<std::string_view> topic;
  std::optional<std::int32_t> partition;
  std::optional<Timestamp> timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value; // nothing: a tombstone
  std::vector<Header> headers;
};

struct ProduceOptions {
  InputFormat format = InputFormat::attune;
  InputFormat returned = InputFormat::attune; // dead_letters: the format of those that name none
  WireFormat wire = WireFormat::json;
  std::string name_space;
  std::string topic; // all records go there (a whole name); empty: by the topic table, or as the envelope says
  bool keep_partition = false; // envelope: as it says, instead of by the key
  Currency currency; // for events with a price and no currency
  std::shared_ptr<const ColumnMap> columns; // csv
};

struct ProduceParts {
  // Records go to `log` or, when it is null, their values to `lines`.
  LogWriter* log = nullptr;
  std::function<Status(std::string_view)> lines;
  DeadLetterSink* dead_letters = nullptr; // never null
  const Clock* clock = nullptr; // never null
  // For an event with neither id nor time.
  std::function<void(std::array<std::uint8_t, 10>&)> randomness;
  // One line of the envelope format. ERRORS: bad_data "FIELD: reason".
  std::function<Status(std::string_view, GivenRecord&)> envelope;
  // Called for each record the log has acknowledged; may be empty. `id`: of the event or item, empty for envelope and raw. `last`: no
  // other record is under way just now.
  std::function<void(const TopicPartition& at, std::int64_t offset, std::string_view id, bool last)> acknowledged;
};

struct ProduceCounts {
  std::uint64_t lines = 0;
  std::uint64_t sent = 0; // handed to the log, or written out
  std::uint64_t acknowledged = 0; // durable in the log
  std::uint64_t rejected = 0; // handed to the dead letters
};

class Producer {
 public:
  Producer(ProduceOptions options, ProduceParts parts);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  // ERRORS: those of the log and of the dead letters. A line that is bad is no error.
  Status take(const InputLine& line);

  // The input is at its end: a last CSV record, then everything is durable. ERRORS: busy: not all was acknowledged within `limit`;
  // else the first failure of a delivery. The message says how many are not acknowledged.
  Status finish(Milliseconds limit);

  // The log refused a record after it was taken: nothing more will be acknowledged in order, so stop.
  [[nodiscard]] bool failed() const;

  [[nodiscard]] ProduceCounts counts() const;

 private:
  class Intake;
  class EventIntake;
  class CatalogIntake;
  class EnvelopeIntake;
  class RawIntake;
  struct Sending;

  std::unique_ptr<Intake> make_intake(InputFormat format);
  Status take_one(Intake& intake, std::string_view text, std::uint64_t number, std::string_view format, std::string_view header);
  Status take_input(const InputSplitter::Input& input);
  Status take_returned(std::string_view text, std::uint64_t number);
  Intake* intake_of(InputFormat format, const std::string& header);
  Status send(const Sending& sending);
  LogWriter::Delivered on_delivery(const Sending& sending);
  Status reject(const Reject& reason, std::string_view text, std::uint64_t number, std::string_view format,
                std::string_view header);
  Error unacknowledged(const Error& cause) const;

  ProduceOptions options_;
  ProduceParts parts_;
  EntryPlace entry_;
  InputSplitter splitter_;
  std::unique_ptr<Intake> intake_;
  std::string source_;

  // Dead letters that come back, by format and CSV header.
  std::map<std::pair<InputFormat, std::string>, std::unique_ptr<Intake>> returned_;

  std::uint64_t lines_ = 0;
  std::uint64_t rejected_ = 0;
  std::atomic<std::uint64_t> sent_{0}; // changed by the caller's thread alone
  std::atomic<std::uint64_t> told_{0}; // deliveries, with `acknowledged`
};

} // namespace attune
