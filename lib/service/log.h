// What a program says to people, on standard error: one line a message, written whole. Tools say `attune-produce: MESSAGE`. Under systemd
// (JOURNAL_STREAM) each line begins with its priority, `<4>`, which the journal takes off. Daemons may choose JSON:
// {"time":"2026-01-02T03:04:05.678Z","level":"warning","program":"attuned","message":"…"}.
//
// Thread rule: log() from any thread; set_log() before others start. Cost: about a microsecond and a write; nothing below the level.
#pragma once

#include <string>
#include <string_view>

namespace attune {

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct LogSettings {
  std::string program;
  LogLevel least = LogLevel::info;
  LogFormat format = LogFormat::text;
};

void set_log(const LogSettings& settings);

// Secrets in URLs and settings are masked (service/mask.h). Newlines and other control characters become spaces in text and escapes in JSON.
void log(LogLevel level, std::string_view message);

} // namespace attune
