// Kafka brokers for tests, by tests/support/kafka.sh.
//
// shared_kafka(): the broker all tests share: ATTUNE_TEST_KAFKA, or the one ctest's fixture started, or one started here and stopped at exit.
// KafkaServer: a broker of one's own, to be stopped and started again. Both end the process with status 77 and `skipped: …` where there
// can be no broker, and with a failure under ATTUNE_REQUIRE_SERVERS=1.
#pragma once

#include <string>

namespace attune::testing {

// "127.0.0.1:29092".
const std::string& shared_kafka();

class KafkaServer {
 public:
  KafkaServer(); // starts it
  ~KafkaServer();
  KafkaServer(const KafkaServer&) = delete;
  KafkaServer& operator=(const KafkaServer&) = delete;

  [[nodiscard]] const std::string& brokers() const { return brokers_; }
  void stop(); // in good order
  void kill(); // -9
  void start(); // again, on the same data and port
  void pause(); // it stays there and says nothing
  void resume();

 private:
  std::string call(const std::string& verb);

  std::string dir_;
  std::string brokers_;
};

} // namespace attune::testing
