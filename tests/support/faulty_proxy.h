// Stands between clients and a Redis server, on a unix socket of its own, and does wrong things when told to.
// Thread rule: any; the proxy has a thread of its own.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

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
  // To each connection over which a request came that contains `part` (the first 64 KiB of them count):
  void cut(const std::string& part); // it is closed on both sides
  void half_close(const std::string& part); // the server's side is closed; the client's stays open and is never answered again
  [[nodiscard]] int faults() const { return faults_; } // requests and connections so treated

 private:
  struct Fault {
    std::string part;
    std::optional<std::string> line; // nothing: the replies are lost
    int times = 0;
  };
  struct Connection;
  struct Order {
    std::string part;
    bool half = false;
  };

  void run();
  void give(Order order);
  void carry_out(std::list<Connection>& connections);
  bool request_arrives(Connection& one);
  std::optional<Fault> fault_for(const std::string& request);

  std::string server_socket_;
  std::string socket_;
  int listener_ = -1;
  int wake_[2] = {-1, -1}; // a byte: there are orders; its end: stop
  std::mutex mutex_;
  std::optional<Fault> fault_;
  std::vector<Order> orders_;
  std::atomic<int> faults_{0};
  std::thread thread_;
};

} // namespace attune::test
