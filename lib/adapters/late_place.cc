#include "adapters/late_place.h"

#include <unistd.h>

#include "adapters/line_file.h"
#include "core/event_json.h"

namespace attune {

namespace {

class StderrLate final : public LateSink {
 public:
  explicit StderrLate(std::string program) : program_(std::move(program)) {}

  Status put(const Event& event) override
  {
    return write_all(STDERR_FILENO,
                     program_ + ": late: " + event.customer.text + ": " + std::string(type_name(event)) + ' ' + event.id.text +
                         " at " + std::to_string(event.time->ms) + '\n',
                     "stderr");
  }
  Status flush(Milliseconds) override { return {}; }

 private:
  std::string program_;
};

class FileLate final : public LateSink {
 public:
  explicit FileLate(std::unique_ptr<LineFile> file) : file_(std::move(file)) {}

  Status put(const Event& event) override
  {
    std::string json;
    append_event_json(event, json);
    return file_->line(json);
  }
  Status flush(Milliseconds) override { return file_->flush(); }

 private:
  std::unique_ptr<LineFile> file_;
};

class LogLate final : public LateSink {
 public:
  LogLate(LogWriter& log, std::string topic) : log_(log), topic_(std::move(topic)) {}

  Status put(const Event& event) override
  {
    std::string json;
    append_event_json(event, json);
    OutgoingRecord record;
    record.topic = topic_;
    record.key = event.id.text;
    record.value = json;
    return log_.append(record);
  }
  Status flush(Milliseconds limit) override { return log_.flush(limit); }

 private:
  LogWriter& log_;
  std::string topic_;
};

class OwnLogLate final : public LateSink {
 public:
  OwnLogLate(std::unique_ptr<LogWriter> log, std::string topic) : log_(std::move(log)), sink_(*log_, std::move(topic)) {}

  Status put(const Event& event) override { return sink_.put(event); }
  Status flush(Milliseconds limit) override { return sink_.flush(limit); }

 private:
  std::unique_ptr<LogWriter> log_;
  LogLate sink_;
};

} // namespace

Result<std::unique_ptr<LateSink>> open_late(const LatePlace& where)
{
  using Sink = std::unique_ptr<LateSink>;
  if (where.place == "stderr") return Sink(std::make_unique<StderrLate>(where.program));
  if (where.place == "topic") {
    if (!where.log) return Error{Code::usage, "--late topic: needs --log"};
    return Sink(std::make_unique<LogLate>(*where.log, where.topic));
  }
  if (is_log_url(where.place)) {
    auto log = open_log_writer(where.place, options_beside(where.place, where.log_options));
    if (!log) return log.error();
    return Sink(std::make_unique<OwnLogLate>(std::move(*log), where.topic));
  }
  auto file = LineFile::open(where.place);
  if (!file) return file.error();
  return Sink(std::make_unique<FileLate>(std::move(*file)));
}

} // namespace attune
