#include "pipeline/input.h"

#include <algorithm>

#include "core/dead_letter.h"

namespace attune {

namespace {

constexpr std::pair<InputFormat, std::string_view> kFormats[] = {
    {InputFormat::attune, "attune"}, {InputFormat::segment, "segment"},           {InputFormat::cloudevents, "cloudevents"},
    {InputFormat::csv, "csv"},       {InputFormat::catalog, "catalog"},           {InputFormat::envelope, "envelope"},
    {InputFormat::raw, "raw"},       {InputFormat::dead_letters, "dead-letters"}, {InputFormat::protobuf, kProtobufFormat},
};

} // namespace

std::string_view format_name(InputFormat format)
{
  for (const auto& [known, name] : kFormats)
    if (known == format) return name;
  return {};
}

std::optional<InputFormat> format_named(std::string_view name)
{
  for (const auto& [format, known] : kFormats)
    if (known == name) return format;
  return {};
}

Reject InputSplitter::Input::too_long() const
{
  return {"", "a line of " + std::to_string(over) + " bytes: only its first " + std::to_string(text.size()) + " are kept"};
}

Status InputSplitter::take(const InputLine& line)
{
  if (line.source != source_) {
    if (auto ended = finish(); !ended) return ended;
    source_ = line.source;
  }
  if (line.over) return take_({line.text, source_, line.number, header_, false, line.size});
  if (!separator_) return take_({line.text, source_, line.number, {}, false, 0});

  if (!csv_) {
    csv_.emplace(*separator_);
    header_.clear();
    header_known_ = false;
  }
  last_ = line.number;
  ++held_;
  csv_->feed(line.text);
  csv_->feed("\n");
  while (const auto record = csv_->next())
    if (auto taken = take_record(*record); !taken) return taken;
  return {};
}

Status InputSplitter::take_record(const std::string& record)
{
  const auto began = last_ + 1 - held_;
  held_ -= std::min(held_, 1 + static_cast<std::uint64_t>(std::count(record.begin(), record.end(), '\n')));
  if (header_known_) return take_({record, source_, began, header_, false, 0});
  header_known_ = true;
  auto taken = take_({record, source_, began, {}, true, 0});
  header_ = record;
  return taken;
}

Status InputSplitter::finish()
{
  if (!csv_) return {};
  Status ended;
  while (const auto last = csv_->finish()) {
    ended = take_record(*last);
    if (!ended) break;
  }
  csv_.reset();
  held_ = 0;
  return ended;
}

} // namespace attune
