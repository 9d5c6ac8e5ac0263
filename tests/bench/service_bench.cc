// attune-service-bench: what a service is measured with and beside. Prints one JSON object a line.
//
//   attune-service-bench constant BYTES             an endpoint on one thread that answers a constant of so many bytes; its port on standard
//                                                   output; until standard input ends
//   attune-service-bench load PORT RATE SECONDS CONNECTIONS TARGETS
//                                                   GETs the targets (a file of paths, one a line, again and again) at a constant rate, open
//                                                   loop: a request is due whether or not those before it were answered, and its time counts
//                                                   from then. {"sent","errors","late_us" (of the generator itself),"p50_us",…}
//   attune-service-bench streams PORT COUNT         opens so many event streams, waits for the first answer on each, says {"streams"} and
//                                                   holds them until standard input ends
//
// The load generator is one thread over epoll; a connection has one request at a time, and when none is free one waits for the first.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http_server.h"
#include "support/loopback.h"

namespace attune {
namespace {

using Steady = std::chrono::steady_clock;

using testing::connect_to;

void write_all(int fd, std::string_view bytes)
{
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      std::perror("send");
      std::exit(69);
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string get_of(std::string_view target)
{
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: bench\r\n\r\n";
}

void wait_for_the_end_of_input()
{
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}

int constant(std::size_t bytes)
{
  auto server = HttpServer::open({1, {}});
  if (!server) return 70;
  const std::string body(bytes, 'x');
  auto bound = (*server)->listen({}, [&](const std::shared_ptr<HttpExchange>& exchange) {
    HttpAnswer answer;
    answer.body = body;
    exchange->answer(std::move(answer));
  });
  if (!bound) return 70;
  (*server)->start();
  std::printf("%d\n", (*server)->port(*bound));
  std::fflush(stdout);
  wait_for_the_end_of_input();
  return 0;
}

struct Connection {
  int fd = -1;
  Steady::time_point due;
  std::string in;
};

// Whether a whole answer is in; then it is taken. `ok`: it was a 200.
bool take_answer(std::string& in, bool& ok)
{
  const auto end = in.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const auto length = in.find("Content-Length: ");
  const std::size_t body = length < end ? std::strtoull(in.c_str() + length + 16, nullptr, 10) : 0;
  if (in.size() < end + 4 + body) return false;
  ok = in.compare(9, 3, "200") == 0;
  in.erase(0, end + 4 + body);
  return true;
}

int load(int port, double rate, double seconds, std::size_t most, const char* file)
{
  std::vector<std::string> requests;
  std::ifstream targets(file);
  for (std::string line; std::getline(targets, line);) requests.push_back(get_of(line));
  if (requests.empty()) return 64;

  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections(most);
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < most; ++i) {
    connections[i].fd = connect_to(port);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
    free.push_back(i);
  }
  const auto count = static_cast<std::size_t>(rate * seconds);
  const auto begun = Steady::now();
  const auto due_of = [&](std::size_t i) {
    return begun + std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(i) / rate));
  };
  std::vector<double> took;
  std::vector<double> late;
  std::deque<std::size_t> waiting;
  std::size_t errors = 0, next = 0, done = 0;
  char buffer[65536];
  const auto send_on = [&](std::size_t at, std::size_t which) {
    auto& connection = connections[at];
    connection.due = due_of(which);
    write_all(connection.fd, requests[which % requests.size()]);
  };
  while (done < count) {
    const auto now = Steady::now();
    for (; next < count && due_of(next) <= now; ++next) {
      late.push_back(std::chrono::duration<double, std::micro>(now - due_of(next)).count());
      if (free.empty()) {
        waiting.push_back(next);
      } else {
        send_on(free.back(), next);
        free.pop_back();
      }
    }
    epoll_event events[64];
    // Spins: the kernel's timers are no finer than what is measured.
    const int ready = ::epoll_wait(epoll, events, 64, 0);
    for (int i = 0; i < ready; ++i) {
      const auto at = events[i].data.u64;
      auto& connection = connections[at];
      const auto got = ::recv(connection.fd, buffer, sizeof buffer, 0);
      if (got <= 0) {
        std::fprintf(stderr, "a connection ended\n");
        return 69;
      }
      connection.in.append(buffer, static_cast<std::size_t>(got));
      bool ok = false;
      if (!take_answer(connection.in, ok)) continue;
      took.push_back(std::chrono::duration<double, std::micro>(Steady::now() - connection.due).count());
      errors += ok ? 0 : 1;
      ++done;
      if (waiting.empty()) {
        free.push_back(at);
      } else {
        send_on(at, waiting.front());
        waiting.pop_front();
      }
    }
  }
  const double wall = std::chrono::duration<double>(Steady::now() - begun).count();
  std::sort(took.begin(), took.end());
  std::sort(late.begin(), late.end());
  const auto at = [](const std::vector<double>& values, double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  std::printf(
      "{\"sent\":%zu,\"errors\":%zu,\"rate\":%.0f,\"late_p99_us\":%.0f,\"p50_us\":%.0f,\"p90_us\":%.0f,\"p99_us\":%.0f,\"p999_us\":"
      "%.0f,"
      "\"max_us\":%.0f}\n",
      count, errors, static_cast<double>(count) / wall, at(late, .99), at(took, .5), at(took, .9), at(took, .99), at(took, .999),
      took.back());
  return 0;
}

int streams(int port, std::size_t count)
{
  std::vector<int> open;
  char buffer[4096];
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = connect_to(port);
    write_all(fd, get_of("/v1/stream?n=8&customer=anon-stream-" + std::to_string(i)));
    for (std::string in; in.find("data: ") == std::string::npos;) {
      const auto got = ::recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) {
        std::fprintf(stderr, "stream %zu ended: %s\n", i, in.c_str());
        return 69;
      }
      in.append(buffer, static_cast<std::size_t>(got));
    }
    open.push_back(fd);
  }
  std::printf("{\"streams\":%zu}\n", open.size());
  std::fflush(stdout);
  wait_for_the_end_of_input();
  return 0;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "constant" && argc == 3) return attune::constant(std::strtoull(argv[2], nullptr, 10));
  if (what == "load" && argc == 7)
    return attune::load(std::atoi(argv[2]), std::atof(argv[3]), std::atof(argv[4]), std::strtoull(argv[5], nullptr, 10), argv[6]);
  if (what == "streams" && argc == 4) return attune::streams(std::atoi(argv[2]), std::strtoull(argv[3], nullptr, 10));
  std::fprintf(stderr,
               "usage: attune-service-bench constant BYTES | load PORT RATE SECONDS CONNECTIONS TARGETS | streams PORT COUNT\n");
  return 64;
}
