#include "support/faulty_proxy.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace attune::test {
namespace {

sockaddr_un address_of(const std::string& path)
{
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

int connect_to(const std::string& path)
{
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

bool send_all(int fd, std::string_view bytes)
{
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string receive(int fd)
{
  std::string bytes(1 << 16, '\0');
  const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

// Commands and replies have one grammar; this counts the whole ones.
class Counter {
 public:
  int whole_in(const std::string& bytes)
  {
    redisReaderFeed(reader_.get(), bytes.data(), bytes.size());
    int whole = 0;
    void* one = nullptr;
    while (redisReaderGetReply(reader_.get(), &one) == REDIS_OK && one != nullptr) {
      freeReplyObject(one);
      ++whole;
    }
    return whole;
  }

 private:
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader_{redisReaderCreate(), redisReaderFree};
};

} // namespace

struct FaultyProxy::Connection {
  int client = -1;
  int server = -1; // none: half closed
  std::string said; // by the client
  Counter commands;
  ~Connection()
  {
    ::close(client);
    if (server >= 0) ::close(server);
  }
};

FaultyProxy::FaultyProxy(std::string server_socket) : server_socket_(std::move(server_socket))
{
  std::string directory = (std::filesystem::temp_directory_path() / "attune-proxy-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr || ::pipe(wake_) != 0) throw std::runtime_error("proxy: " + directory);
  socket_ = directory + "/proxy.sock";
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(socket_);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 16) != 0) {
    throw std::runtime_error("proxy: " + socket_);
  }
  thread_ = std::thread([this] { run(); });
}

FaultyProxy::~FaultyProxy()
{
  ::close(wake_[1]);
  thread_.join();
  ::close(wake_[0]);
  ::close(listener_);
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(socket_).parent_path(), ignored);
}

void FaultyProxy::lose_replies_to(std::string part)
{
  const std::lock_guard lock(mutex_);
  fault_ = Fault{std::move(part), std::nullopt, 1};
}

void FaultyProxy::answer(std::string part, std::string line, int times)
{
  const std::lock_guard lock(mutex_);
  fault_ = Fault{std::move(part), std::move(line), times};
}

void FaultyProxy::cut(const std::string& part)
{
  give({part, false});
}

void FaultyProxy::half_close(const std::string& part)
{
  give({part, true});
}

void FaultyProxy::give(Order order)
{
  const std::lock_guard lock(mutex_);
  orders_.push_back(std::move(order));
  [[maybe_unused]] const auto ignored = ::write(wake_[1], "", 1);
}

void FaultyProxy::carry_out(std::list<Connection>& connections)
{
  char byte = 0;
  [[maybe_unused]] const auto ignored = ::read(wake_[0], &byte, 1);
  const std::lock_guard lock(mutex_);
  for (const Order& order : std::exchange(orders_, {})) {
    for (auto one = connections.begin(); one != connections.end();) {
      const bool meant = one->said.find(order.part) != std::string::npos;
      faults_ += meant ? 1 : 0;
      if (meant && order.half && one->server >= 0) {
        ::close(one->server);
        one->server = -1;
      }
      one = meant && !order.half ? connections.erase(one) : std::next(one);
    }
  }
}

std::optional<FaultyProxy::Fault> FaultyProxy::fault_for(const std::string& request)
{
  const std::lock_guard lock(mutex_);
  if (!fault_ || request.find(fault_->part) == std::string::npos) return std::nullopt;
  const Fault fault = *fault_;
  if (--fault_->times == 0) fault_.reset();
  ++faults_;
  return fault;
}

// False when the connection is to be closed.
bool FaultyProxy::request_arrives(Connection& one)
{
  const std::string request = receive(one.client);
  if (request.empty()) return false;
  if (one.server < 0) return true;
  if (one.said.size() < 1 << 16) one.said += request;
  const int commands = one.commands.whole_in(request);
  const std::optional<Fault> fault = fault_for(request);
  if (fault && fault->line) {
    for (int i = 0; i < commands; ++i) {
      if (!send_all(one.client, *fault->line + "\r\n")) return false;
    }
    return true;
  }
  if (!send_all(one.server, request)) return false;
  if (!fault) return true;
  Counter replies;
  for (int answered = 0; answered < commands;) {
    const std::string bytes = receive(one.server);
    if (bytes.empty()) break;
    answered += replies.whole_in(bytes);
  }
  return false;
}

void FaultyProxy::run()
{
  std::list<Connection> connections;
  for (;;) {
    std::vector<pollfd> polled{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Connection& one : connections) {
      polled.push_back({one.client, POLLIN, 0});
      polled.push_back({one.server, POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if ((polled[0].revents & POLLIN) != 0) {
      carry_out(connections);
      continue;
    }
    if (polled[0].revents != 0) return;
    std::size_t at = 2;
    for (auto one = connections.begin(); one != connections.end(); at += 2) {
      bool open = true;
      if (polled[at].revents != 0) open = request_arrives(*one);
      if (open && polled[at + 1].revents != 0) {
        const std::string reply = receive(one->server);
        open = !reply.empty() && send_all(one->client, reply);
      }
      one = open ? std::next(one) : connections.erase(one);
    }
    if (polled[1].revents != 0) {
      Connection& one = connections.emplace_back();
      one.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      one.server = connect_to(server_socket_);
      if (one.server < 0) connections.pop_back();
    }
  }
}

} // namespace attune::test
