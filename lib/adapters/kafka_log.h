// The log on Apache Kafka, `kafka://host:9092[,host…]`: the ports of a log over librdkafka's C API (2.0.2 and newer).
//
// Writer: idempotent, acks=all, without a delivery timeout: a record is delivered at its place, or the writer was closed or failed for
// good. Placed.offset is -1 for the rare record whose acknowledgement was lost and whose second sending the broker recognised.
// append() waits while 64 MiB are queued, and gives up (unreachable) when nothing was delivered for `limit`. A topic that is not there
// is refused by the first append (usage). Delivered is called from one thread of the writer and must not call the writer.
// Reader: each partition has a queue of its own, so that read() never waits; wait() is one poll(2) on an eventfd that they all write to.
// While no broker answers, wait() says `unreachable` again and again and works again by itself afterwards.
// Group: cooperative-sticky; positions are committed one by one, their note is the offset's metadata (at most 4,096 bytes by the broker's
// default). A killed member's partitions move after session.timeout.ms (10 s).
// Admin: alter() reads and rewrites a topic's own settings; two administrators at once may undo each other.
//
// Thread rules: those of pipeline/ports.h. LogAdmin: one thread. A process that forks must not use its handles in the child.
// ERRORS: config: a setting librdkafka does not know (named), or one that a promise rests on; a refused login. unreachable: no answer within
// `limit`, as `kafka://db1:9092: connect: Connection refused`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/ports.h"

namespace attune {

struct KafkaOptions {
  std::string brokers; // host:port[,host:port…]
  // librdkafka settings; they override ours, the last of a name wins. Some are refused: what they change is promised otherwise.
  std::vector<std::pair<std::string, std::string>> properties;
  std::string client_id = "attune";
  Milliseconds linger{5}; // how long a record waits for company; flush() does not wait
  bool gathers = false; // a reader lets the broker gather records for it, up to a megabyte or 50 ms
  Milliseconds limit = std::chrono::seconds(10); // how long a call waits for brokers that do not answer
  // Gets librdkafka's log, one line at a time, from its threads. Without it the log is dropped, or goes to stderr with `debug` set.
  std::function<void(std::string_view)> log;
};

// No connection is made yet: the first call that needs one reports what is wrong with it.
[[nodiscard]] Result<std::unique_ptr<LogWriter>> open_kafka_log_writer(const KafkaOptions& options);
[[nodiscard]] Result<std::unique_ptr<LogReader>> open_kafka_log_reader(const KafkaOptions& options);
[[nodiscard]] Result<std::unique_ptr<LogGroup>> open_kafka_log_group(const KafkaOptions& options, std::string_view group);
[[nodiscard]] Result<std::unique_ptr<LogAdmin>> open_kafka_log_admin(const KafkaOptions& options);

// "2.0.2", for --version.
[[nodiscard]] std::string kafka_library_version();

} // namespace attune
