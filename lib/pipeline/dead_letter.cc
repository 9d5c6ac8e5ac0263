#include "pipeline/dead_letter.h"

namespace attune {

namespace {

// As a JSON string no byte takes more than six, so that a cut letter fits where a mebibyte does.
constexpr std::size_t kCutBytes = 128 * 1024;

} // namespace

void DeadLetterReasons::note(const DeadLetter& letter)
{
  std::string reason(letter.field);
  if (!reason.empty()) reason += ": ";
  reason += letter.reason;
  const std::lock_guard lock(mutex_);
  const bool room = counts_.size() < kMost || counts_.contains(reason);
  ++counts_[room ? reason : std::string("other")];
}

std::map<std::string, std::uint64_t> DeadLetterReasons::counts() const
{
  const std::lock_guard lock(mutex_);
  return counts_;
}

Status LogDeadLetters::put(const DeadLetter& letter)
{
  auto put = append(letter);
  if (put || put.error().code != Code::bad_data || letter.value.size() <= kCutBytes) return put;
  // Too large for the log, as perhaps the input was. Its beginning and the reason are worth more than nothing.
  auto cut = letter;
  const auto reason = std::string(letter.reason) + " (cut here from " + std::to_string(letter.value.size()) + " bytes)";
  cut.reason = reason;
  cut.value = letter.value.substr(0, kCutBytes);
  return append(cut);
}

Status LogDeadLetters::append(const DeadLetter& letter)
{
  std::string line;
  append_dead_letter_json(letter, line);
  OutgoingRecord record;
  record.topic = topic_;
  record.value = line;
  return writer_.append(record);
}

} // namespace attune
