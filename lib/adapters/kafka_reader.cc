#include "adapters/kafka_fetcher.h"

namespace attune {

namespace {

class KafkaReader final : public kafka::Reading<LogReader> {
 public:
  KafkaReader(std::shared_ptr<kafka::Client> client, kafka::FetchMode mode) : fetcher_(std::move(client), mode) {}

 private:
  kafka::Fetcher& fetcher() override { return fetcher_; }

  kafka::Fetcher fetcher_;
};

} // namespace

Result<std::unique_ptr<LogReader>> open_kafka_log_reader(const KafkaOptions& options)
{
  kafka::FetchMode mode;
  auto settings = kafka::fetcher_settings({}, &mode);
  if (options.gathers) settings.set("fetch.min.bytes", "1000000");
  auto client = kafka::Client::open(RD_KAFKA_CONSUMER, std::move(settings), options);
  if (!client) return client.error();
  return std::unique_ptr<LogReader>(std::make_unique<KafkaReader>(std::move(*client), mode));
}

} // namespace attune
