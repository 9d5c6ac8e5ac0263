// A real redis-server of a test's own: on a unix socket in a temporary directory, gone when the object is (or the test dies).
// Thread rule: the main thread (the server dies with the thread that started it), but ask() from any.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace attune::test {

// Ends the process when a server a test needs is not installed: "skipped: …" and status 77, or failure with ATTUNE_REQUIRE_SERVERS=1.
void require_server(const std::string& program);

class RedisServer {
 public:
  // Started and ready. `arguments` are appended to its command line; by default it keeps nothing on disk.
  explicit RedisServer(std::vector<std::string> arguments = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::string url() const { return "redis+unix://" + socket(); }
  [[nodiscard]] std::string socket() const { return (directory_ / "redis.sock").string(); }

  void start(); // ready when it returns; with the data it finds
  void kill(); // SIGKILL
  void stop(); // SIGTERM: saves if it was told to
  void pause(); // SIGSTOP; it has stopped when this returns
  void resume();

  // One command; the reply as text ("OK", "(nil)", "3"; an array's elements a line each; errors as "-ERR …").
  std::string ask(const std::vector<std::string>& command) const;

 private:
  std::filesystem::path directory_;
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
};

} // namespace attune::test
