#include "core/event_batch.h"

#include <algorithm>
#include <string>

#include "core/json_tree.h"

namespace attune {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
const Reject kTooMany{"", "over " + std::to_string(kMaxBatchEvents) + " events"};

std::string_view trim(std::string_view text)
{
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

using Cut = Result<std::vector<std::string_view>, Reject>;

Cut cut_array(std::string_view body)
{
  thread_local PaddedText padded;
  thread_local simdjson::ondemand::parser parser;
  std::vector<std::string_view> texts;
  const auto text = padded.copy(body);
  simdjson::ondemand::document document;
  simdjson::ondemand::array array;
  if (auto error = parser.iterate(text).get(document)) return Reject{"", std::string(json_fault(error))};
  if (auto error = document.get_array().get(array)) return Reject{"", std::string(json_fault(error))};
  for (auto element : array) {
    if (element.error()) return Reject{"", std::string(json_fault(element.error()))};
    simdjson::ondemand::object object;
    if (element.get_object().get(object)) return Reject{"[" + std::to_string(texts.size()) + "]", "not a JSON object"};
    std::string_view raw;
    if (auto error = object.raw_json().get(raw)) return Reject{"", std::string(json_fault(error))};
    if (texts.size() == kMaxBatchEvents) return kTooMany;
    texts.push_back(body.substr(static_cast<std::size_t>(raw.data() - text.data()), raw.size()));
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return Reject{"", "something follows the array"};
  return texts;
}

Cut cut_lines(std::string_view body)
{
  std::vector<std::string_view> texts;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (const auto line = trim(body.substr(0, end)); !line.empty()) {
      if (texts.size() == kMaxBatchEvents) return kTooMany;
      texts.push_back(line);
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return texts;
}

bool has_lines(std::string_view body)
{
  const auto end = body.find('\n');
  if (end == std::string_view::npos) return false;
  const auto first = trim(body.substr(0, end));
  return first.size() > 1 && first.back() == '}';
}

} // namespace

Cut cut_batch(std::string_view body)
{
  const auto text = trim(body);
  if (text.empty()) return Reject{"", "no event"};
  Cut cut = text.front() == '[' ? cut_array(text) : has_lines(text) ? cut_lines(text) : Cut(std::vector{text});
  if (cut && cut->empty()) return Reject{"", "no event"};
  return cut;
}

} // namespace attune
