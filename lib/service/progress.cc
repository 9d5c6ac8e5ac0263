#include "service/progress.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <utility>

namespace attune {

namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::string_view kEraseLine = "\r\033[K";

std::atomic<bool> drawn{false};

void write_error(std::string_view text)
{
  // Progress is a courtesy: a terminal that is gone is no error.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string grouped(std::uint64_t number)
{
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string clock_text(double seconds)
{
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%llu:%02llu:%02llu", static_cast<unsigned long long>(whole / 3600),
                  static_cast<unsigned long long>(whole / 60 % 60), static_cast<unsigned long long>(whole % 60));
  else
    std::snprintf(text, sizeof text, "%llu:%02llu", static_cast<unsigned long long>(whole / 60),
                  static_cast<unsigned long long>(whole % 60));
  return text;
}

} // namespace

std::string progress_text(std::uint64_t done, const std::string& unit, std::optional<double> fraction,
                          std::chrono::milliseconds elapsed)
{
  const double seconds = std::max(std::chrono::duration<double>(elapsed).count(), 0.001);
  std::string text = grouped(done) + ' ' + unit;
  if (fraction) text += "  " + std::to_string(static_cast<int>(std::clamp(*fraction, 0.0, 1.0) * 100)) + '%';
  text += "  " + grouped(static_cast<std::uint64_t>(static_cast<double>(done) / seconds)) + "/s";
  if (fraction && *fraction > 0 && *fraction <= 1) text += "  " + clock_text(seconds / *fraction - seconds) + " left";
  return text;
}

void erase_progress()
{
  if (drawn.exchange(false)) write_error(kEraseLine);
}

Progress::Progress(std::string unit, bool wanted)
    : unit_(std::move(unit)), shown_(wanted && isatty(STDERR_FILENO) == 1), start_(std::chrono::steady_clock::now()), drawn_(start_)
{
}

Progress::~Progress()
{
  if (shown_) erase_progress();
}

void Progress::update(std::uint64_t done, std::optional<double> fraction)
{
  if (!shown_) return;
  const Instant now = std::chrono::steady_clock::now();
  if (now - drawn_ < kRedraw) return;
  drawn_ = now;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_);
  drawn.store(true);
  write_error(std::string(kEraseLine) + progress_text(done, unit_, fraction, elapsed));
}

} // namespace attune
