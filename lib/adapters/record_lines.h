// RecordLines: records of a log as lines of JSON, for attune-consume.
//
//   envelope   the whole record, lossless (adapters/envelope.h)
//   value      its value alone: an event in Protobuf as canonical JSON, anything else as the envelope would carry it. Tombstones are left out
//
// Always valid JSON in UTF-8, one line a record. Thread rule: one thread. Cost: a check that the value is JSON; no memory per record.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "adapters/envelope.h"
#include "pipeline/consume.h"
#include "pipeline/event_record.h"

namespace attune {

class RecordLines final : public RecordOutput {
 public:
  enum class Form { value, envelope };

  // `write` takes whole lines, many at a time; `flush` makes them leave the program.
  RecordLines(Form form, std::function<Status(std::string_view)> write, std::function<Status()> flush);

  Result<bool> put(const TopicPartition& at, const Record& record) override;
  Status flush() override;

 private:
  void append_plain_value(const TopicPartition& at, const Record& record);
  bool append_on_one_line(std::string_view value);

  Form form_;
  std::function<Status(std::string_view)> write_;
  std::function<Status()> flush_;
  EnvelopeWriter envelope_;
  EventDecoder decoder_;
  Event event_;
  std::string lines_;
};

} // namespace attune
