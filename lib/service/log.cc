#include "service/log.h"

#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>
#include <ctime>
#include <memory>

#include "service/mask.h"
#include "service/progress.h"

namespace attune {

namespace {

spdlog::level::level_enum vendor_level(LogLevel level)
{
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// syslog(3) priorities.
std::string_view priority(spdlog::level::level_enum level)
{
  switch (level) {
    case spdlog::level::debug:
      return "<7>";
    case spdlog::level::info:
      return "<6>";
    case spdlog::level::warn:
      return "<4>";
    default:
      return "<3>";
  }
}

void append(spdlog::memory_buf_t& out, std::string_view text)
{
  out.append(text.data(), text.data() + text.size());
}

// spdlog's own JSON patterns do not escape the message.
void append_json_string(spdlog::memory_buf_t& out, std::string_view text)
{
  append(out, "\"");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      char escape[8];
      const int length = std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      append(out, {escape, static_cast<std::size_t>(length)});
    } else {
      out.push_back(c);
    }
  }
  append(out, "\"");
}

void append_time(spdlog::memory_buf_t& out, spdlog::log_clock::time_point time)
{
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  append(out, {text, length});
  char fraction[8];
  append(out,
         {fraction, static_cast<std::size_t>(std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(ms % 1000)))});
}

class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(LogSettings settings, bool journal) : settings_(std::move(settings)), journal_(journal) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override
  {
    if (journal_) append(out, priority(message.level));
    const std::string_view text(message.payload.data(), message.payload.size());
    if (settings_.format == LogFormat::json)
      append_json(message, text, out);
    else
      append_text(text, out);
    out.push_back('\n');
  }

  [[nodiscard]] std::unique_ptr<formatter> clone() const override { return std::make_unique<LineFormatter>(settings_, journal_); }

 private:
  void append_text(std::string_view text, spdlog::memory_buf_t& out) const
  {
    append(out, settings_.program);
    append(out, ": ");
    for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }

  void append_json(const spdlog::details::log_msg& message, std::string_view text, spdlog::memory_buf_t& out) const
  {
    append(out, "{\"time\":\"");
    append_time(out, message.time);
    const auto level = spdlog::level::to_string_view(message.level);
    append(out, "\",\"level\":\"");
    append(out, {level.data(), level.size()});
    append(out, "\",\"program\":");
    append_json_string(out, settings_.program);
    append(out, ",\"message\":");
    append_json_string(out, text);
    append(out, "}");
  }

  LogSettings settings_;
  bool journal_;
};

// Not spdlog's registry: its destructor runs while other threads may still have something to say.
spdlog::logger& logger()
{
  static auto* the_logger = new spdlog::logger("attune", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return *the_logger;
}

} // namespace

void set_log(const LogSettings& settings)
{
  logger().set_formatter(std::make_unique<LineFormatter>(settings, std::getenv("JOURNAL_STREAM") != nullptr));
  logger().set_level(vendor_level(settings.least));
}

void log(LogLevel level, std::string_view message)
{
  const auto wanted = vendor_level(level);
  if (!logger().should_log(wanted)) return;
  erase_progress();
  const std::string masked = mask_secrets(message);
  logger().log(wanted, spdlog::string_view_t(masked.data(), masked.size()));
}

} // namespace attune
