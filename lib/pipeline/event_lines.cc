#include "pipeline/event_lines.h"

#include "base/assert.h"
#include "core/column_map.h"

namespace attune {

namespace {

std::unique_ptr<Dialect> dialect_of(InputFormat format, const std::shared_ptr<const ColumnMap>& columns)
{
  switch (format) {
    case InputFormat::attune:
      return attune_dialect();
    case InputFormat::segment:
      return segment_dialect();
    case InputFormat::cloudevents:
      return cloudevents_dialect();
    case InputFormat::protobuf:
      return protobuf_dialect();
    case InputFormat::csv:
      return csv_dialect(columns);
    default:
      return nullptr;
  }
}

std::optional<char> separator_of(InputFormat format, const std::shared_ptr<const ColumnMap>& columns)
{
  if (format != InputFormat::csv) return std::nullopt;
  return columns->separator();
}

} // namespace

// White space around a JSON text says nothing, and would make a value that is not one line of an envelope.
std::string_view trimmed(std::string_view text)
{
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

EventInput::EventInput(InputFormat format, const std::shared_ptr<const ColumnMap>& columns, const EntryPlace& entry)
    : dialect_(dialect_of(format, columns)), json_(format != InputFormat::csv && format != InputFormat::protobuf), entry_(entry)
{
  ATTUNE_ASSERT(dialect_ && entry.clock);
}

Result<EventInput::Found, Reject> EventInput::read(std::string_view& text, Event& out)
{
  if (json_) {
    text = trimmed(text);
    if (text.empty()) return Found::nothing;
  }
  const auto parsed = dialect_->parse(text, out);
  if (!parsed) return parsed.error();
  if (!*parsed) return Found::nothing;
  Entry entry{entry_.clock->now(), {}, entry_.currency};
  if (out.id.empty() && !out.time) entry_.randomness(entry.random);
  const auto changed = complete(out, entry);
  if (!changed) return changed.error();
  return *changed ? Found::changed : Found::as_it_was;
}

EventLines::EventLines(InputFormat format, std::shared_ptr<const ColumnMap> columns, EntryPlace entry, DeadLetterSink& dead_letters,
                       Take take)
    : format_(format),
      columns_(std::move(columns)),
      entry_(std::move(entry)),
      dead_letters_(dead_letters),
      take_(std::move(take)),
      splitter_(separator_of(format, columns_), [this](const InputSplitter::Input& each) { return input(each); }),
      reader_(std::make_unique<EventInput>(format, columns_, entry_))
{
}

Status EventLines::input(const InputSplitter::Input& input)
{
  if (input.over > 0) return reject(input.too_long(), input);
  if (input.begins) reader_ = std::make_unique<EventInput>(format_, columns_, entry_);
  auto text = input.text;
  const auto found = reader_->read(text, event_);
  if (!found) return reject(found.error(), input);
  if (*found == EventInput::Found::nothing) return {};
  ++events_;
  take_(event_);
  return {};
}

Status EventLines::reject(const Reject& reason, const InputSplitter::Input& input)
{
  ++rejected_;
  const auto place = std::string(input.source) + ':' + std::to_string(input.number);
  const auto format = format_ == InputFormat::attune ? std::string_view{} : format_name(format_);
  return dead_letters_.put({place, reason.field, reason.reason, input.text, entry_.clock->now(), format, input.header});
}

} // namespace attune
