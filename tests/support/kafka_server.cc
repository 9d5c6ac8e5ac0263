#include "support/kafka_server.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

namespace attune::testing {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name)
{
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

[[noreturn]] void no_broker()
{
  const bool required = environment("ATTUNE_REQUIRE_SERVERS") == "1";
  std::cout << (required ? "FAILED: " : "skipped: ") << "no Kafka broker" << std::endl;
  std::_Exit(required ? 1 : 77);
}

std::string script()
{
  // A compiler cache may have made the path of this file relative to a directory that is not ours.
  if (const char* source = std::getenv("ATTUNE_SOURCE")) return std::string(source) + "/tests/support/kafka.sh";
  return (fs::path(__FILE__).parent_path() / "kafka.sh").string();
}

} // namespace

KafkaServer::KafkaServer()
{
  std::string name = (fs::temp_directory_path() / "attune-kafka.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) no_broker();
  dir_ = name;
  brokers_ = call("start");
  if (brokers_.empty()) {
    fs::remove_all(dir_);
    no_broker();
  }
}

KafkaServer::~KafkaServer()
{
  kill();
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

std::string KafkaServer::call(const std::string& verb)
{
  const std::string command = "bash '" + script() + "' " + verb + " '" + dir_ + "/broker'";
  const auto close = [](FILE* pipe) { pclose(pipe); };
  const std::unique_ptr<FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
  std::array<char, 256> line{};
  std::string text;
  while (pipe && std::fgets(line.data(), line.size(), pipe.get()) != nullptr) text += line.data();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void KafkaServer::stop()
{
  call("stop");
}

void KafkaServer::kill()
{
  call("kill");
}

void KafkaServer::start()
{
  if (call("start").empty()) no_broker();
}

void KafkaServer::pause()
{
  call("pause");
}

void KafkaServer::resume()
{
  call("resume");
}

const std::string& shared_kafka()
{
  static const std::string given = [] {
    if (auto brokers = environment("ATTUNE_TEST_KAFKA"); !brokers.empty()) return brokers;
    std::ifstream file(environment("ATTUNE_KAFKA_ENV"));
    const std::string wanted = "ATTUNE_TEST_KAFKA=";
    for (std::string line; std::getline(file, line);)
      if (line.starts_with(wanted)) return line.substr(wanted.size());
    return std::string();
  }();
  if (!given.empty()) return given;
  static const KafkaServer own;
  return own.brokers();
}

} // namespace attune::testing
