// Dialects: the other forms events arrive in. Each turns one input into one Event, or says why not.
//   attune       core/event_json.h
//   segment      Segment's e-commerce spec: track calls (`Product Viewed`, `Product Added`, `Order Completed`, …), identify, page
//   cloudevents  CloudEvents 1.0, structured JSON: `data` is an attune event, or `type` names one; id over source and id
//   protobuf     core/event_proto.h: bytes, not a line
//   csv          a header line and a column map (core/column_map.h)
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/event.h"

namespace attune {

// Thread rule: one per thread.
class Dialect {
 public:
  virtual ~Dialect() = default;
  // One line (for csv: one record, line breaks inside quotes included) without its newline.
  // Returns false when the input is no event and no error: a header line, an input of a kind the map says to skip.
  [[nodiscard]] virtual Result<bool, Reject> parse(std::string_view line, Event& out) = 0;
};

[[nodiscard]] std::unique_ptr<Dialect> attune_dialect();
[[nodiscard]] std::unique_ptr<Dialect> segment_dialect();
[[nodiscard]] std::unique_ptr<Dialect> cloudevents_dialect();
[[nodiscard]] std::unique_ptr<Dialect> protobuf_dialect();

// Splits text into CSV records: a record ends at a newline outside quotes. A quote opens only where a field begins. Total over any bytes,
// in bounded memory: a quote that is not closed within 64 KiB, or closed on a later line in the middle of a field, is taken to end with its
// line, so that it can not swallow the good records after it, and of a line over 64 KiB the first 64 KiB + 1 byte are given, for csv_dialect() to refuse.
// Feed bytes as they come; next() gives the records that are whole, until it gives none. After the last byte, finish() gives what
// is left, until it gives none (one record at most, unless a quote was left open).
class CsvRecords {
 public:
  explicit CsvRecords(char separator = ',');
  ~CsvRecords();
  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<std::string> next();
  [[nodiscard]] std::optional<std::string> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ColumnMap; // core/column_map.h
// The first record is the header; a record equal to it is read over, so that files may be concatenated. The byte between fields is the
// map's: CsvRecords must be given the same (ColumnMap::separator()).
[[nodiscard]] std::unique_ptr<Dialect> csv_dialect(std::shared_ptr<const ColumnMap> map);

} // namespace attune
