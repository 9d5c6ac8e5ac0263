// EventLines: events out of lines, in any dialect (core/dialect.h), each made whole as at any entry (complete() of core/event.h). What can not
// be an event goes to the dead letters with its bytes, its place and the reason.
//
// Thread rule: one thread. Cost: one parse an input.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "pipeline/dead_letter.h"
#include "pipeline/input.h"

namespace attune {

// What the place where events enter knows and they do not.
struct EntryPlace {
  const Clock* clock = nullptr; // never null
  std::function<void(std::array<std::uint8_t, 10>&)> randomness; // for an event with neither id nor time
  Currency currency; // for events with a price and no currency
};

// One input into one whole event.
class EventInput {
 public:
  enum class Found { nothing, as_it_was, changed }; // no event and no error; whole already; made whole

  // REQUIRES: `format` is attune, segment, cloudevents, protobuf or csv; csv has `columns`. `entry` outlives it.
  EventInput(InputFormat format, const std::shared_ptr<const ColumnMap>& columns, const EntryPlace& entry);

  // White space around JSON is taken off `text`.
  [[nodiscard]] Result<Found, Reject> read(std::string_view& text, Event& out);

 private:
  std::unique_ptr<Dialect> dialect_;
  bool json_;
  const EntryPlace& entry_;
};

class EventLines {
 public:
  using Take = std::function<void(const Event&)>;

  // As EventInput; `dead_letters` outlives it.
  EventLines(InputFormat format, std::shared_ptr<const ColumnMap> columns, EntryPlace entry, DeadLetterSink& dead_letters,
             Take take);

  // ERRORS: of the dead letters. A line that is bad is no error.
  Status line(const InputLine& line) { return splitter_.take(line); }
  Status finish() { return splitter_.finish(); }

  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

 private:
  Status input(const InputSplitter::Input& input);
  Status reject(const Reject& reason, const InputSplitter::Input& input);

  InputFormat format_;
  std::shared_ptr<const ColumnMap> columns_;
  EntryPlace entry_;
  DeadLetterSink& dead_letters_;
  Take take_;
  InputSplitter splitter_;
  std::unique_ptr<EventInput> reader_;
  Event event_;
  std::uint64_t events_ = 0;
  std::uint64_t rejected_ = 0;
};

// Text without the white space around it.
[[nodiscard]] std::string_view trimmed(std::string_view text);

} // namespace attune
