// Stands between a client and a Redis server, on a unix socket of its own, and does one wrong thing when told to.
// Thread rule: any; the proxy has a thread of its own.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace attune::test {

class FaultyProxy {
 public:
  explicit FaultyProxy(std::string server_socket);
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  [[nodiscard]] std::string url() const { return "redis+unix://" + socket_; }

  // Once: the next request that contains `part` reaches the server and is carried out; its replies, and the connection, are lost.
  void lose_replies_to(std::string part);
  // The next `times` requests that contain `part` do not reach the server; each of their commands is answered with `line`.
  void answer(std::string part, std::string line, int times = 1);
  [[nodiscard]] int faults() const { return faults_; } // requests so treated

 private:
  struct Fault {
    std::string part;
    std::optional<std::string> line; // nothing: the replies are lost
    int times = 0;
  };
  struct Connection;

  void run();
  bool request_arrives(Connection& one);
  std::optional<Fault> fault_for(const std::string& request);

  std::string server_socket_;
  std::string socket_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::mutex mutex_;
  std::optional<Fault> fault_;
  std::atomic<int> faults_{0};
  std::thread thread_;
};

} // namespace attune::test
