// A second clock for the test of attune-latency-probe: `stopwatch_proxy PORT` stands before the service at 127.0.0.1:PORT, prints its own port,
// then, for each POST that is followed by a GET on its connection, the nanoseconds from the one's arrival until the other's answer was passed on. It
// holds each GET back, every fifth one longer, so that there is something to measure. Ends with standard input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kHeld{40}, kHeldLong{120};
std::atomic<unsigned> gets{0};

sockaddr_in loopback(std::uint16_t port)
{
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return at;
}

int new_socket()
{
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

bool pass_on(int fd, std::string_view bytes)
{
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

class Connection {
 public:
  Connection(int client, int service) : client_(client), service_(service) {}
  ~Connection()
  {
    tell();
    ::close(client_);
    ::close(service_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run()
  {
    pollfd ready[2] = {{client_, POLLIN, 0}, {service_, POLLIN, 0}};
    static thread_local char bytes[64 * 1024];
    while (::poll(ready, 2, -1) > 0)
      for (const auto& [fd, events, seen] : ready) {
        if (seen == 0) continue;
        const auto got = ::read(fd, bytes, sizeof bytes);
        if (got <= 0) return;
        const std::string_view text(bytes, static_cast<std::size_t>(got));
        if (fd == client_) request(text);
        if (!pass_on(fd == client_ ? service_ : client_, text)) return;
        if (fd == service_) answered_ = Clock::now();
      }
  }

 private:
  // The probe sends a request's head and body together, and one request at a time.
  void request(std::string_view text)
  {
    const auto now = Clock::now();
    if (text.starts_with("POST ")) {
      tell();
      posted_ = now;
      got_ = false;
    } else if (text.starts_with("GET ")) {
      if (got_) tell();
      got_ = true;
      std::this_thread::sleep_for(gets.fetch_add(1) % 5 == 0 ? kHeldLong : kHeld);
    }
  }

  void tell()
  {
    if (posted_ && got_) {
      std::printf("%lld\n", static_cast<long long>(std::chrono::nanoseconds(answered_ - *posted_).count()));
      std::fflush(stdout);
    }
    posted_.reset();
  }

  int client_, service_;
  std::optional<Clock::time_point> posted_;
  bool got_ = false; // a GET behind the POST
  Clock::time_point answered_;
};

void accept_all(int listener, std::uint16_t port)
{
  for (;;) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int service = new_socket();
    const auto at = loopback(port);
    if (::connect(service, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) std::abort();
    std::thread([client, service] { Connection(client, service).run(); }).detach();
  }
}

} // namespace

int main(int argc, char** argv)
{
  if (argc != 2) return 64;
  const int listener = new_socket();
  auto at = loopback(0);
  socklen_t size = sizeof at;
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&at), size) != 0 || ::listen(listener, 128) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return 74;
  std::printf("%d\n", ntohs(at.sin_port));
  std::fflush(stdout);
  std::thread([listener, port = static_cast<std::uint16_t>(std::atoi(argv[1]))] { accept_all(listener, port); }).detach();
  while (std::getchar() != EOF) {
  }
  std::_Exit(0);
}
