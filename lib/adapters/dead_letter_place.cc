#include "adapters/dead_letter_place.h"

#include <unistd.h>

#include "adapters/line_file.h"
#include "core/event.h"

namespace attune {

namespace {

// A message is for a terminal: no control of the input's reaches it.
std::string printable(std::string text)
{
  for (auto& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

class StderrDeadLetters final : public DeadLetterSink {
 public:
  explicit StderrDeadLetters(std::string program) : program_(std::move(program)) {}

  Status put(const DeadLetter& letter) override
  {
    return write_all(STDERR_FILENO, program_ + ": " + printable(letter.text()) + '\n', "stderr");
  }
  Status flush(Milliseconds) override { return {}; }

 private:
  std::string program_;
};

class FileDeadLetters final : public DeadLetterSink {
 public:
  explicit FileDeadLetters(std::unique_ptr<LineFile> file) : file_(std::move(file)) {}

  Status put(const DeadLetter& letter) override
  {
    std::string json;
    append_dead_letter_json(letter, json);
    return file_->line(json);
  }
  Status flush(Milliseconds) override { return file_->flush(); }

 private:
  std::unique_ptr<LineFile> file_;
};

class OwnLogDeadLetters final : public DeadLetterSink {
 public:
  OwnLogDeadLetters(std::unique_ptr<LogWriter> log, std::string topic) : log_(std::move(log)), sink_(*log_, std::move(topic)) {}

  Status put(const DeadLetter& letter) override { return sink_.put(letter); }
  Status flush(Milliseconds limit) override { return sink_.flush(limit); }

 private:
  std::unique_ptr<LogWriter> log_;
  LogDeadLetters sink_;
};

} // namespace

Result<std::unique_ptr<DeadLetterSink>> open_dead_letters(const DeadLetterPlace& where)
{
  using Sink = std::unique_ptr<DeadLetterSink>;
  if (where.place == "stderr") return Sink(std::make_unique<StderrDeadLetters>(where.program));
  const auto topic = in_namespace(where.name_space, kDeadLetterTopic);
  if (where.place == "topic") {
    if (!where.log) return Error{Code::usage, "--dead-letters topic: needs --log"};
    return Sink(std::make_unique<LogDeadLetters>(*where.log, topic));
  }
  if (is_log_url(where.place)) {
    auto log = open_log_writer(where.place, options_beside(where.place, where.log_options));
    if (!log) return log.error();
    return Sink(std::make_unique<OwnLogDeadLetters>(std::move(*log), topic));
  }
  auto file = LineFile::open(where.place);
  if (!file) return file.error();
  return Sink(std::make_unique<FileDeadLetters>(std::move(*file)));
}

} // namespace attune
