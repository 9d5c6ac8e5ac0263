#include "adapters/file_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "adapters/file_log_cleaning.h"
#include "adapters/file_log_group.h"
#include "adapters/file_log_reading.h"
#include "adapters/file_log_topics.h"

namespace attune {

FileSync fdatasync_file()
{
  return [](int fd) { return ::fdatasync(fd) == 0 ? 0 : errno; };
}

namespace {

class FileLogAdmin final : public LogAdmin {
 public:
  explicit FileLogAdmin(const FileLogOptions& options) : options_(options) {}

  Result<std::vector<TopicSettings>> describe() override
  {
    const auto topics = list_topics(options_.dir);
    if (!topics.ok()) {
      return topics.error();
    }
    std::vector<TopicSettings> out;
    for (const auto& topic : *topics) {
      auto settings = read_topic_settings(options_.dir, topic);
      if (!settings.ok()) {
        return settings.error();
      }
      if (*settings) {
        out.push_back(std::move(**settings));
      }
    }
    return out;
  }

  Status create(const TopicSettings& settings) override { return create_topic(options_.dir, settings, options_.sync); }

  Status alter(const TopicSettings& settings) override
  {
    if (auto status = alter_topic(options_.dir, settings, options_.sync); !status.ok()) {
      return status;
    }
    for (std::int32_t p = 0; p < settings.partitions; ++p) {
      const PartitionFiles files(options_.dir, {settings.topic, p});
      if (auto status = clean_partition(files, settings, options_); !status.ok()) {
        return status;
      }
    }
    return {};
  }

  Status store_positions(std::string_view group, const std::vector<std::pair<TopicPartition, StoredPosition>>& positions) override
  {
    return store_positions_without_members(options_, group, positions);
  }

 private:
  FileLogOptions options_;
};

} // namespace

Result<std::unique_ptr<LogReader>> open_file_log_reader(const FileLogOptions& options)
{
  auto reading = FileLogReading::open(options);
  if (!reading.ok()) {
    return reading.error();
  }
  return std::unique_ptr<LogReader>(std::make_unique<FileLogPort<LogReader>>(std::move(*reading)));
}

Result<std::unique_ptr<LogAdmin>> open_file_log_admin(const FileLogOptions& options)
{
  if (auto status = make_directory(options.dir, options.sync); !status.ok()) {
    return status.error();
  }
  return std::unique_ptr<LogAdmin>(std::make_unique<FileLogAdmin>(options));
}

} // namespace attune
