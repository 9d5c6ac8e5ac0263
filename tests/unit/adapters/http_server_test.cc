#include "adapters/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <rapidcheck/boost_test.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "adapters/content_coding.h"

namespace attune {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kPatience = 20s; // for what is sure to come

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers; // names in small letters
  std::string body;
};

// A raw client. Everything it waits for comes within kPatience, or it says so.
class Client {
 public:
  explicit Client(std::uint16_t port, const char* address = "127.0.0.1")
  {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_REQUIRE(socket_ >= 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address, &to.sin_addr);
    BOOST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
  }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}
  Client& operator=(Client&&) = delete;
  ~Client()
  {
    if (socket_ >= 0) ::close(socket_);
  }

  // False when the other side has closed.
  bool send(std::string_view bytes)
  {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void half_close() { ::shutdown(socket_, SHUT_WR); }
  // Ends with a reset, as a process that is killed with unread bytes.
  void reset()
  {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(socket_, -1));
  }
  void shrink_window()
  {
    const int small = 4096;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  }

  // One answer; status 0 when the connection ended before it was whole. An answer to HEAD has no body.
  Reply read(bool head = false)
  {
    Reply reply;
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return {};
    }
    const std::string header = take(end + 4);
    reply.status = std::atoi(header.c_str() + 9);
    for (std::size_t at = header.find("\r\n") + 2; at + 2 < header.size();) {
      const std::size_t eol = header.find("\r\n", at);
      const std::string line = header.substr(at, eol - at);
      at = eol + 2;
      if (line.empty()) break;
      std::string name = line.substr(0, line.find(':'));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      reply.headers[name] = line.substr(line.find(':') + 2);
    }
    if (head || reply.status == 100 || reply.headers.contains("transfer-encoding")) return reply;
    if (const auto length = reply.headers.find("content-length"); length != reply.headers.end()) {
      const std::size_t size = std::stoul(length->second);
      while (in_.size() < size) {
        if (!more()) return {};
      }
      reply.body = take(size);
    }
    return reply;
  }

  // One chunk of a stream; empty at its end, nullopt when the connection ended without.
  std::optional<std::string> read_chunk()
  {
    while (in_.find("\r\n") == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    const std::size_t size = std::stoul(in_, nullptr, 16);
    take(in_.find("\r\n") + 2);
    while (in_.size() < size + 2) {
      if (!more()) return std::nullopt;
    }
    return take(size + 2).substr(0, size);
  }

  // What comes until the other side closes.
  std::string read_to_end()
  {
    while (more()) {
    }
    return std::exchange(in_, {});
  }
  bool is_closed_by_peer() { return read_to_end().empty() && ended_; }

  Reply ask(std::string_view request)
  {
    send(request);
    return read();
  }
  Reply get(const std::string& target, const std::string& headers = {})
  {
    return ask("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
  }

 private:
  bool more()
  {
    pollfd ready{socket_, POLLIN, 0};
    if (ended_ || ::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) return false;
    char piece[16384];
    const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    in_.append(piece, static_cast<std::size_t>(got));
    return true;
  }
  std::string take(std::size_t size)
  {
    std::string taken = in_.substr(0, size);
    in_.erase(0, size);
    return taken;
  }

  int socket_ = -1;
  std::string in_;
  bool ended_ = false;
};

// Something a thread says and another waits for.
template <class T>
class Said {
 public:
  void say(T value)
  {
    const std::lock_guard lock(mutex_); // while it is told too: who hears it may end it
    value_ = std::move(value);
    changed_.notify_all();
  }
  T wait()
  {
    std::unique_lock lock(mutex_);
    BOOST_REQUIRE(changed_.wait_for(lock, kPatience, [&] { return value_.has_value(); }));
    return *std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

bool becomes(const std::function<bool()>& condition)
{
  const auto until = SteadyClock::now() + kPatience;
  while (!condition()) {
    if (SteadyClock::now() > until) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

// "METHOD path?query|remote|body": what the handler was given.
void echo(const std::shared_ptr<HttpExchange>& exchange)
{
  const HttpRequest& request = exchange->request();
  HttpAnswer answer;
  answer.content_type = "text/plain";
  answer.body.append(request.method_name).append(" ").append(request.path);
  if (!request.query.empty()) answer.body.append("?").append(request.query);
  answer.body.append("|").append(request.body);
  exchange->answer(std::move(answer));
}

class Served {
 public:
  explicit Served(HttpHandler handler, HttpListener listener = {}, std::size_t threads = 1)
  {
    HttpServer::Options options;
    options.threads = threads;
    options.say = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      said_.push_back(line);
    };
    auto opened = HttpServer::open(options);
    BOOST_REQUIRE(opened.ok());
    server_ = std::move(opened).value();
    const auto number = server_->listen(listener, std::move(handler));
    BOOST_REQUIRE_MESSAGE(number.ok(), (number.ok() ? "" : number.error().message));
    server_->start();
  }
  ~Served() { server_->stop(); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  HttpServer* operator->() { return server_.get(); }
  [[nodiscard]] Client client(const char* address = "127.0.0.1") const { return Client(server_->port(0), address); }
  [[nodiscard]] HttpCounts counts() const { return server_->counts(0); }
  std::vector<std::string> said()
  {
    const std::lock_guard lock(mutex_);
    return said_;
  }
  void end() { server_.reset(); }

 private:
  std::mutex mutex_;
  std::vector<std::string> said_;
  std::unique_ptr<HttpServer> server_;
};

HttpListener with(const std::function<void(HttpLimits&)>& change)
{
  HttpListener listener;
  change(listener.limits);
  return listener;
}

std::string post(const std::string& body, const std::string& headers = {})
{
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

std::string encoded(ContentCoding coding, const std::string& text)
{
  std::string out;
  BOOST_REQUIRE(encode_content(coding, text, out));
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(http_server)

// ---- what is a request ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(every_malformed_or_odd_request_gets_its_status)
{
  Served served(echo, with([](HttpLimits& limits) { limits.body_bytes = 64 * 1024; }));
  const std::string host = "Host: a\r\n";
  const auto get = [&](const std::string& headers) { return "GET / HTTP/1.1\r\n" + headers + "\r\n"; };
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  const auto chunked = [&](const std::string& body) {
    return "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
  };
  struct Case {
    const char* what;
    std::string bytes;
    int status;
    std::string body; // for 200
  };
  std::vector<Case> cases;
  const auto add = [&](const char* what, std::string_view bytes, int status, std::string_view body = {}) {
    cases.push_back({what, std::string(bytes), status, std::string(body)});
  };
  add("a garbage line", "\x01\x02garbage\r\n\r\n", 400);
  add("a TLS hello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(100, '\x7f'), 400);
  add("a line of one word", "HELLO\r\n\r\n", 400);
  add("HTTP/0.9", "GET /\r\n\r\n", 400);
  add("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  add("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505);
  add("a version that is none", "GET / HTTX/1.1\r\nHost: a\r\n\r\n", 400);
  add("a version with a tail", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400);
  add("a small http", "GET / http/1.1\r\nHost: a\r\n\r\n", 400);
  add("two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("a tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("a raw byte in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("a target that is no path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("* for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("* for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200, "OPTIONS *|");
  add("an absolute target", "GET http://a:80/b?c=d HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET /b?c=d|");
  add("an absolute target without a path", "GET HTTP://a?c HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET /?c|");
  add("an absolute target of another scheme", "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("an absolute target without a host", "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n", 400);
  add("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501);
  add("a method nobody knows", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 200, "BREW /pot|");
  add("a space before the colon", get("Host : a\r\n"), 400);
  add("a space before a name", get(host + " X: y\r\n"), 400);
  add("a header without a name", get(host + ": y\r\n"), 400);
  add("a header without a colon", get(host + "Nothing\r\n"), 400);
  add("a folded header", get(host + "X: y\r\n z\r\n"), 400);
  add("a folded header whose first line is empty", get(host + "X:\r\n z\r\n"), 400);
  add("NUL in a header", get(host + std::string("X: a\0b\r\n", 8)), 400);
  add("a bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400);
  add("a bare LF in the header", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400);
  add("a bare CR in the header", get(host + "X: a\rb\r\n"), 400);
  add("no Host", get(""), 400);
  add("two Hosts", get(host + host), 400);
  add("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400);
  add("an empty Host", get("Host:\r\n"), 400);
  add("a Host that is two", get("Host: a,b\r\n"), 400);
  add("a Host with a path", get("Host: a/b\r\n"), 400);
  add("a Host with a user", get("Host: u@a\r\n"), 400);
  add("a Host with a port", get("Host: [::1]:8080\r\n"), 200, "GET /|");
  add("Content-Length and Transfer-Encoding",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  add("Transfer-Encoding and Content-Length",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400);
  add("two different Content-Lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400);
  add("twice the same Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400);
  add("a list of Content-Lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400);
  add("a negative Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400);
  add("a Content-Length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400);
  add("a Content-Length of 0x3", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400);
  add("an empty Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400);
  add("a Content-Length of 10^18", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000000\r\n\r\n", 413);
  add("a Content-Length beyond 64 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400);
  add("a body over the limit", post(std::string(64 * 1024 + 1, 'x')), 413);
  add("a body at the limit", post(std::string(64 * 1024, 'x')), 200, "POST /p|" + std::string(64 * 1024, 'x'));
  add("a GET with a body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200, "GET /|abc");
  add("a header of 100 KB", get(host + "X: " + std::string(100'000, 'y') + "\r\n"), 431);
  add("2000 headers", get(host + many), 431);
  add("a target of 100 KB", "GET /" + std::string(100'000, 'y') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414);
  add("a method of 100 KB", std::string(100'000, 'M'), 431);
  add("nothing but empty lines", std::string(100'000, '\r').replace(1, 1, "\n"), 400);
  add("an empty line first", "\r\n" + get(host), 200, "GET /|");
  add("chunks", chunked("3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n"), 200, "POST /p|abc0123456789");
  add("chunks with a trailer", chunked("3\r\nabc\r\n0\r\nHost: b\r\nX: y\r\n\r\n"), 200, "POST /p|abc");
  add("a chunk without a size", chunked("\r\nabc\r\n0\r\n\r\n"), 400);
  add("a chunk whose size is no number", chunked("g\r\nabc\r\n0\r\n\r\n"), 400);
  add("a chunk of a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n"), 400);
  add("a chunk of 2^68", chunked("100000000000000000\r\nabc"), 400);
  add("a chunk of 2^64 - 1", chunked("FFFFFFFFFFFFFFFF\r\nabc"), 413);
  add("a chunk longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400);
  add("a chunk ended by a bare LF", chunked("3\nabc\r\n0\r\n\r\n"), 400);
  add("chunks over the limit", chunked("8000\r\n" + std::string(0x8000, 'x') + "\r\n8001\r\n"), 413);
  add("the head of a chunk without an end", chunked("3;" + std::string(100'000, 'x')), 400);
  add("a trailer without an end", chunked("0\r\nX: " + std::string(100'000, 'x')), 400);
  add("a trailer with a Content-Length", chunked("0\r\nContent-Length: 5\r\n\r\n"), 400);
  add("a transfer coding nobody knows", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501);
  add("gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
  add("chunked twice", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400);
  add("identity, then chunked",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501);
  add("chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
  add("a POST without a body", "POST /p HTTP/1.1\r\nHost: a\r\n\r\n", 200, "POST /p|");
  add("a POST with a type and no length", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n\r\n", 411);
  add("a POST of HTTP/1.0 and no length", "POST /p HTTP/1.0\r\n\r\n", 411);
  add("an expectation nobody meets", post("abc", "Expect: 200-ok\r\n"), 417);
  add("a body in a coding nobody knows", post("abc", "Content-Encoding: br\r\n"), 415);
  add("a body in two codings", post("abc", "Content-Encoding: gzip, zstd\r\n"), 415);
  add("a body in two codings, in two headers", post("abc", "Content-Encoding: gzip\r\nContent-Encoding: zstd\r\n"), 415);
  add("a body that is no gzip", post("abc", "Content-Encoding: gzip\r\n"), 400);
  add("a broken Connection", get(host + "Connection: a b\r\n"), 400);
  add("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200, "GET /|");
  std::uint64_t refused = 0;
  for (const Case& c : cases) {
    Client client = served.client();
    client.send(c.bytes);
    const Reply reply = client.read();
    BOOST_TEST(reply.status == c.status,
               c.what << ": " << reply.status << " instead of " << c.status << " " << reply.body.substr(0, 300));
    if (c.status == 200) {
      BOOST_TEST((reply.body == c.body), c.what << ": " << reply.body.substr(0, 300));
      continue;
    }
    ++refused;
    BOOST_TEST(reply.headers.at("content-type") == "application/problem+json", c.what);
    BOOST_TEST(reply.headers.at("connection") == "close", c.what);
    BOOST_TEST(reply.body.starts_with("{\"type\":\"about:blank\",\"title\":\""), reply.body);
    BOOST_TEST(reply.body.find("\"status\":" + std::to_string(c.status) + ",\"detail\":\"") != std::string::npos, reply.body);
    BOOST_TEST(reply.body.ends_with("\"request_id\":\"" + reply.headers.at("x-request-id") + "\"}\n"), reply.body);
    client.half_close();
    BOOST_TEST(client.is_closed_by_peer(), c.what);
  }
  BOOST_TEST(served.counts().malformed == refused);
  BOOST_TEST(served.client().get("/still").body == "GET /still|");
}

BOOST_AUTO_TEST_CASE(a_header_at_the_limit_is_taken_and_one_byte_more_is_not)
{
  Served served(echo, with([](HttpLimits& limits) { limits.header_bytes = 512; }));
  const std::string line = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{20}, std::size_t{300}, std::size_t{511}}) {
    for (const bool over : {false, true}) {
      const std::string bytes = line + std::string(512 - line.size() - 4 + (over ? 1 : 0), 'y') + "\r\n\r\n";
      Client client = served.client();
      client.send(std::string_view(bytes).substr(0, cut));
      if (cut > 0) std::this_thread::sleep_for(5ms);
      client.send(std::string_view(bytes).substr(cut));
      BOOST_TEST(client.read().status == (over ? 431 : 200));
    }
  }
}

// Whole conversations, cut anywhere, are answered as if every request had come alone.
RC_BOOST_PROP(pipelined_requests_cut_anywhere_are_answered_in_their_order, ())
{
  static Served served(echo, with([](HttpLimits& limits) { limits.body_bytes = 256 * 1024; }), 1);
  std::string bytes;
  std::vector<std::string> expected;
  const int requests = *rc::gen::inRange(1, 80);
  for (int i = 0; i < requests; ++i) {
    const std::string path = "/" + std::to_string(i);
    const auto size = static_cast<std::size_t>(*rc::gen::element(0, 1, 3, 100, 5000, 9000, 20'000, 70'000));
    const std::string body(size, static_cast<char>('a' + i % 26));
    if (*rc::gen::inRange(0, 4) == 0) bytes += "\r\n";
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        bytes += "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
        expected.push_back("GET " + path + "|");
        break;
      case 1:
        bytes += "PUT " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body;
        expected.push_back("PUT " + path + "|" + body);
        break;
      default: {
        bytes += "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::size_t at = 0; at < size;) {
          const std::size_t piece = std::min(size - at, static_cast<std::size_t>(*rc::gen::inRange(1, 12'000)));
          char head[32];
          std::snprintf(head, sizeof head, "%zx\r\n", piece);
          bytes += head + body.substr(at, piece) + "\r\n";
          at += piece;
        }
        bytes += "0\r\n\r\n";
        expected.push_back("POST " + path + "|" + body);
      }
    }
  }
  const auto cuts = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 30'000));
  Client client = served.client();
  std::thread sender([&] {
    std::size_t at = 0;
    for (const int cut : cuts) {
      client.send(std::string_view(bytes).substr(std::min(at, bytes.size()), static_cast<std::size_t>(cut)));
      at += static_cast<std::size_t>(cut);
      std::this_thread::sleep_for(1ms);
    }
    client.send(std::string_view(bytes).substr(std::min(at, bytes.size())));
  });
  bool same = true;
  for (const std::string& body : expected) same = same && client.read().body == body;
  sender.join();
  RC_ASSERT(same);
}

BOOST_AUTO_TEST_CASE(a_request_may_come_byte_by_byte)
{
  Served served(echo);
  Client client = served.client();
  for (const std::string& request :
       {std::string("GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n"), post("abc"),
        std::string("POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")}) {
    for (const char c : request) {
      client.send({&c, 1});
      std::this_thread::sleep_for(200us);
    }
    const std::string body = client.read().body;
    BOOST_TEST((body == "GET /a?b|" || body == "POST /p|abc"), body);
  }
  BOOST_TEST(served.counts().accepted == 1U);
  BOOST_TEST(served.counts().requests == 3U);
}

// ---- connections ------------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_connection_is_kept_unless_somebody_says_otherwise)
{
  Served served(echo);
  Client kept = served.client();
  BOOST_TEST(kept.get("/1").status == 200);
  const Reply last = kept.get("/2", "Connection: close\r\n");
  BOOST_TEST(last.headers.at("connection") == "close");
  BOOST_TEST(kept.is_closed_by_peer());

  Client old = served.client();
  BOOST_TEST(old.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").headers.at("connection") == "keep-alive");
  BOOST_TEST(old.ask("GET / HTTP/1.0\r\n\r\n").headers.at("connection") == "close");
  BOOST_TEST(old.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_client_that_has_closed_its_half_is_still_answered)
{
  Served served([](const std::shared_ptr<HttpExchange>& exchange) { exchange->after(20ms, [exchange] { echo(exchange); }); });
  Client client = served.client();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.half_close();
  BOOST_TEST(client.read().body == "GET /1|");
  BOOST_TEST(client.read().body == "GET /2|");
  BOOST_TEST(client.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_request_that_ends_early_is_no_request)
{
  Served served(echo);
  for (const char* part :
       {"GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"}) {
    Client client = served.client();
    client.send(part);
    client.half_close();
    BOOST_TEST(client.read().status == 400, part);
    BOOST_TEST(client.is_closed_by_peer());
  }
  BOOST_TEST(served.counts().requests == 0U);
}

BOOST_AUTO_TEST_CASE(head_is_get_without_the_body)
{
  Served served([](const std::shared_ptr<HttpExchange>& exchange) {
    HttpAnswer answer;
    answer.body = std::string(700, 'x');
    exchange->answer(std::move(answer));
  });
  Client client = served.client();
  client.send("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  const Reply reply = client.read(true);
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.headers.at("content-length") == "700");
  BOOST_TEST(client.get("/2").body.size() == 700U, "nothing of a body came before it");
}

BOOST_AUTO_TEST_CASE(answers_without_content_have_none)
{
  Served served([](const std::shared_ptr<HttpExchange>& exchange) {
    HttpAnswer answer;
    answer.status = exchange->request().path == "/204" ? 204 : 304;
    answer.body = "nobody sees this";
    exchange->answer(std::move(answer));
  });
  Client client = served.client();
  for (const char* path : {"/204", "/304"}) {
    const Reply reply = client.get(path);
    BOOST_TEST(reply.status == std::atoi(path + 1));
    BOOST_TEST(!reply.headers.contains("content-length"));
    BOOST_TEST(!reply.headers.contains("content-type"));
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_expects_it_is_told_to_go_on)
{
  Served served(echo, with([](HttpLimits& limits) { limits.body_bytes = 100; }));
  Client client = served.client();
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
  BOOST_TEST(client.read().status == 100);
  client.send("abc");
  BOOST_TEST(client.read().body == "POST /p|abc");
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(client.read().status == 100);
  client.send("3\r\nabc\r\n0\r\n\r\n");
  BOOST_TEST(client.read().body == "POST /p|abc");
  BOOST_TEST(client.ask(post("abc", "Expect: 100-continue\r\n")).body == "POST /p|abc", "the body was here already");
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  BOOST_TEST(client.read().status == 413, "it need not send it");
}

BOOST_AUTO_TEST_CASE(what_a_handler_gets_is_what_was_sent)
{
  Said<std::string> got;
  Served served([&](const std::shared_ptr<HttpExchange>& exchange) {
    const HttpRequest& r = exchange->request();
    got.say(std::string(r.method_name) + " " + std::string(r.target) + " " + std::string(r.path) + " " + std::string(r.query) +
            " " + std::string(r.remote) + " " + std::string(r.id) + " " + std::string(exchange->header("x-THING")) + "." +
            std::string(exchange->header("x-none")) + (r.method == HttpMethod::delete_ ? " delete" : "") +
            (r.begun <= SteadyClock::now() && r.begun > SteadyClock::now() - kPatience ? " now" : ""));
    exchange->answer({});
  });
  Client client = served.client();
  client.ask("DELETE /a%20b?c=%64?e HTTP/1.1\r\nHost: a\r\nX-Thing:  one \r\nX-Thing: two\r\nX-Request-Id: my_Id.1-2\r\n\r\n");
  BOOST_TEST(got.wait() == "DELETE /a%20b?c=%64?e /a%20b c=%64?e 127.0.0.1 my_Id.1-2 one. delete now");
}

BOOST_AUTO_TEST_CASE(every_answer_has_a_date_an_id_and_its_time)
{
  Served served([](const std::shared_ptr<HttpExchange>& exchange) {
    HttpAnswer answer;
    answer.status = 503;
    answer.headers = {{"Retry-After", "1"}, {"X-Evil", "a\r\nSet-Cookie: b"}};
    answer.server_timing = "rank;dur=0.050";
    exchange->answer(std::move(answer));
  });
  Client client = served.client();
  const Reply first = client.get("/", "X-Request-Id: mine\r\n");
  BOOST_TEST(first.status == 503);
  BOOST_TEST(first.headers.at("date").size() == 29U);
  BOOST_TEST(first.headers.at("date").ends_with(" GMT"));
  BOOST_TEST(first.headers.at("x-request-id") == "mine");
  BOOST_TEST(first.headers.at("retry-after") == "1");
  BOOST_TEST(first.headers.at("x-evil") == "a  Set-Cookie: b", "a value does not end its line");
  BOOST_TEST(!first.headers.contains("set-cookie"));
  const std::string timing = first.headers.at("server-timing");
  BOOST_TEST(timing.starts_with("rank;dur=0.050, total;dur="), timing);
  BOOST_TEST(std::stod(timing.substr(timing.rfind('=') + 1)) < 10'000.0);
  const std::string second = client.get("/", "X-Request-Id: with space\r\n").headers.at("x-request-id");
  const std::string third = client.get("/", "X-Request-Id: " + std::string(65, 'x') + "\r\n").headers.at("x-request-id");
  BOOST_TEST(second.size() == 16U);
  BOOST_TEST(third.size() == 16U);
  BOOST_TEST(second != third);
}

// ---- codings ----------------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_coded_body_is_decoded_up_to_the_limit_of_a_body)
{
  Served served(echo, with([](HttpLimits& limits) { limits.body_bytes = 100'000; }));
  const std::string text = std::string(50'000, 'a') + "end";
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    const std::string header = "Content-Encoding: " + std::string(to_string(coding)) + "\r\n";
    Client client = served.client();
    BOOST_TEST((client.ask(post(encoded(coding, text), header)).body == "POST /p|" + text));
    BOOST_TEST(client.ask(post("", header)).body == "POST /p|");
    BOOST_TEST((client.ask(post(text, "Content-Encoding: identity\r\n")).body == "POST /p|" + text));
    BOOST_TEST(client.ask(post(encoded(coding, std::string(100'001, 'a')), header)).status == 413);
    BOOST_TEST(served.client().ask(post(encoded(coding, std::string(50'000'000, '\0')), header)).status == 413, "a bomb");
  }
  const Reply unknown = served.client().ask(post("abc", "Content-Encoding: br\r\n"));
  BOOST_TEST(unknown.status == 415);
  BOOST_TEST(unknown.headers.at("accept-encoding") == "gzip, zstd");
}

BOOST_AUTO_TEST_CASE(an_answer_is_coded_where_that_is_asked_for_and_pays)
{
  const std::string text = std::string(20'000, 'a') + "end";
  Served served([&](const std::shared_ptr<HttpExchange>& exchange) {
    HttpAnswer answer;
    answer.body = exchange->request().path == "/small" ? text.substr(0, 1023) : text;
    if (exchange->request().path == "/image") answer.content_type = "image/png";
    if (exchange->request().path == "/done") answer.headers.emplace_back("Content-Encoding", "br");
    answer.headers.emplace_back("ETag", "\"tag\"");
    exchange->answer(std::move(answer));
  });
  Client client = served.client();
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    const std::string accept = "Accept-Encoding: " + std::string(to_string(coding)) + "\r\n";
    const Reply reply = client.get("/", accept);
    BOOST_TEST(reply.headers.at("content-encoding") == to_string(coding));
    BOOST_TEST(reply.headers.at("vary") == "Accept-Encoding");
    BOOST_TEST(reply.headers.at("etag") == "W/\"tag\"");
    BOOST_TEST(reply.body.size() < 1000U);
    std::string plain;
    BOOST_TEST((decode_content(coding, reply.body, 100'000, plain) == Decoded::done));
    BOOST_TEST((plain == text));
    for (const char* path : {"/small", "/image"}) BOOST_TEST(!client.get(path, accept).headers.contains("content-encoding"));
    BOOST_TEST((client.get("/done", accept).body == text));
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n" + accept + "\r\n");
    const Reply head = client.read(true);
    BOOST_TEST(head.headers.at("content-length") == std::to_string(reply.body.size()));
  }
  const Reply plain = client.get("/");
  BOOST_TEST((plain.body == text));
  BOOST_TEST(plain.headers.at("vary") == "Accept-Encoding");
  BOOST_TEST(plain.headers.at("etag") == "\"tag\"");
}

// ---- limits -----------------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(three_hundred_slow_clients_do_not_keep_a_good_one_waiting_and_are_told_408)
{
  Served served(echo, with([](HttpLimits& limits) { limits.request = 300ms; }));
  std::vector<Client> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(served.client());
    slow.back().send(i % 3 == 0   ? "G"
                     : i % 3 == 1 ? "GET / HTTP/1.1\r\nHost: a\r\nX: "
                                  : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n");
  }
  std::atomic<bool> done{false};
  std::thread drip([&] {
    while (!done) {
      for (Client& client : slow) client.send("x");
      std::this_thread::sleep_for(20ms);
    }
  });
  Client good = served.client();
  for (int i = 0; i < 50; ++i) BOOST_TEST(good.get("/good").status == 200);
  BOOST_TEST(becomes([&] { return served.counts().malformed == 300; }), served.counts().malformed);
  BOOST_TEST(good.get("/good").status == 200);
  done = true;
  drip.join();
  int told = 0;
  for (Client& client : slow) told += client.read().status == 408 ? 1 : 0;
  BOOST_TEST(told == 300);
  slow.clear();
  BOOST_TEST(becomes([&] { return served.counts().open == 1; }), served.counts().open);
}

BOOST_AUTO_TEST_CASE(a_request_in_time_is_not_timed_out_and_an_idle_connection_is_closed_without_a_word)
{
  Served served(echo, with([](HttpLimits& limits) {
                  limits.request = 2s;
                  limits.idle = 300ms;
                }));
  Client client = served.client();
  client.send("GET / HTTP/1.1\r\n");
  std::this_thread::sleep_for(500ms); // longer than idle: a request has begun
  BOOST_TEST(client.ask("Host: a\r\n\r\n").status == 200);
  const auto begun = SteadyClock::now();
  BOOST_TEST(client.is_closed_by_peer());
  const auto took = SteadyClock::now() - begun;
  BOOST_TEST((took >= 250ms && took < 5s));
  BOOST_TEST(served.counts().malformed == 0U);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_answer_is_let_go)
{
  Served served(
      [](const std::shared_ptr<HttpExchange>& exchange) {
        HttpAnswer answer;
        answer.content_type = "image/png";
        answer.body = std::string(30'000'000, 'x');
        exchange->answer(std::move(answer));
      },
      with([](HttpLimits& limits) { limits.write = 1s; }));
  Client stuck = served.client();
  stuck.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Client reader = served.client();
  BOOST_TEST(reader.get("/").body.size() == 30'000'000U);
  BOOST_TEST(becomes([&] { return served.counts().open == 1; }));
}

BOOST_AUTO_TEST_CASE(a_body_that_is_too_large_is_refused_before_it_is_sent)
{
  Served served(echo);
  Client client = served.client();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
  BOOST_TEST(client.read().status == 413);

  // One that sends all the same reads the answer: it is not lost in a reset.
  Client eager = served.client();
  std::thread sender(
      [&] { eager.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" + std::string(4'000'000, 'x')); });
  sender.join();
  BOOST_TEST(eager.read().status == 413);
}

BOOST_AUTO_TEST_CASE(one_connection_beyond_the_limit_is_told_503)
{
  Served served(echo, with([](HttpLimits& limits) { limits.connections = 3; }));
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(served.client());
    BOOST_TEST(clients.back().get("/").status == 200);
  }
  Client more = served.client();
  const Reply reply = more.get("/");
  BOOST_TEST(reply.status == 503);
  BOOST_TEST(reply.headers.at("retry-after") == "1");
  more.half_close();
  BOOST_TEST(more.is_closed_by_peer());
  BOOST_TEST(served.counts().refused == 1U);
  BOOST_TEST(served.counts().open == 3U);
  clients.pop_back();
  BOOST_TEST(becomes([&] { return served.counts().open == 2; }));
  BOOST_TEST(served.client().get("/").status == 200);
}

BOOST_AUTO_TEST_CASE(one_address_has_its_own_limit_of_connections_unless_it_is_trusted)
{
  HttpListener listener = with([](HttpLimits& limits) { limits.connections_per_address = 2; });
  {
    Served served(echo, listener);
    Client first = served.client();
    std::optional<Client> second(served.client());
    BOOST_TEST(first.get("/").status == 200);
    BOOST_TEST(second->get("/").status == 200);
    BOOST_TEST(served.client().get("/").status == 503);
    second.reset();
    BOOST_TEST(becomes([&] { return served.counts().open == 1; }));
    BOOST_TEST(served.client().get("/").status == 200);
  }
  listener.trusted_proxies = {"127.0.0.0/8"};
  Served served(echo, listener);
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(served.client());
    BOOST_TEST(clients.back().get("/").status == 200);
  }
}

BOOST_AUTO_TEST_CASE(clients_that_come_when_there_are_no_descriptors_are_served_once_there_are)
{
  auto server = HttpServer::open({}).value();
  const std::uint16_t port = server->port(server->listen({}, echo).value());
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(port);
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  server->start();
  std::this_thread::sleep_for(100ms);
  const std::uint64_t accepted = server->counts(0).accepted;
  setrlimit(RLIMIT_NOFILE, &before);
  BOOST_TEST(accepted == 0U);
  for (Client& client : clients) BOOST_TEST(client.read().status == 200);
}

BOOST_AUTO_TEST_CASE(x_forwarded_for_is_believed_from_trusted_proxies_alone)
{
  const HttpHandler remote = [](const std::shared_ptr<HttpExchange>& exchange) {
    HttpAnswer answer;
    answer.body = exchange->request().remote;
    exchange->answer(std::move(answer));
  };
  const std::string header = "X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-For: 10.1.1.1\r\n";
  Served plain(remote);
  BOOST_TEST(plain.client().get("/", header).body == "127.0.0.1");
  HttpListener listener;
  listener.trusted_proxies = {"127.0.0.1", "10.0.0.0/8"};
  Served behind(remote, listener);
  Client client = behind.client();
  BOOST_TEST(client.get("/", header).body == "203.0.113.9");
  BOOST_TEST(client.get("/").body == "127.0.0.1", "not what the request before said");
}

// ---- answers that take time -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_answer_may_come_from_another_thread)
{
  std::vector<std::thread> workers;
  std::mutex mutex;
  Served served(
      [&](const std::shared_ptr<HttpExchange>& exchange) {
        const std::lock_guard lock(mutex);
        workers.emplace_back([exchange] { echo(exchange); });
      },
      {}, 2);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, client = served.client()]() mutable {
      for (int i = 0; i < 50; ++i) {
        const std::string path = "/" + std::to_string(i);
        if (client.get(path).body == "GET " + path + "|") ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  for (std::thread& worker : workers) worker.join();
  BOOST_TEST(good == 200);
}

BOOST_AUTO_TEST_CASE(a_request_that_is_dropped_or_whose_handler_throws_is_answered_500_and_told)
{
  Served served([](const std::shared_ptr<HttpExchange>& exchange) {
    if (exchange->request().path == "/throw") throw std::runtime_error("no such thing");
    if (exchange->request().path == "/odd") throw 7;
    if (exchange->request().path == "/late") {
      std::thread([exchange] { std::this_thread::sleep_for(5ms); }).detach();
    } else if (exchange->request().path == "/answered") {
      exchange->answer({});
      throw std::runtime_error("after the answer");
    } else if (exchange->request().path == "/called") {
      exchange->post([exchange] { throw std::runtime_error("in a call"); });
    }
  });
  Client client = served.client();
  for (const char* path : {"/throw", "/odd", "/drop", "/late", "/called"}) {
    const Reply reply = client.get(path, "X-Request-Id: mine\r\n");
    BOOST_TEST(reply.status == 500, path);
    BOOST_TEST(reply.headers.at("content-type") == "application/problem+json");
    BOOST_TEST(reply.body.find("no such thing") == std::string::npos, "what threw is no client's affair");
  }
  BOOST_TEST(client.get("/answered", "X-Request-Id: mine\r\n").status == 200);
  BOOST_TEST(served.counts().accepted == 1U, "the connection is kept");
  const std::vector<std::string> expected = {"request mine: the handler threw: no such thing",
                                             "request mine: the handler threw: something that is no exception",
                                             "request mine was dropped without an answer",
                                             "request mine was dropped without an answer",
                                             "a call on an HTTP thread threw: in a call",
                                             "request mine was dropped without an answer",
                                             "a request that was answered: the handler threw: after the answer"};
  BOOST_TEST(becomes([&] { return served.said().size() == expected.size(); }));
  BOOST_TEST(served.said() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_answer_to_a_client_that_has_gone_is_thrown_away)
{
  Said<std::shared_ptr<HttpExchange>> held;
  Served served([&](const std::shared_ptr<HttpExchange>& exchange) {
    if (exchange->request().path == "/") return exchange->answer({});
    held.say(exchange);
  });
  for (const bool from_its_thread : {false, true}) {
    Client client = served.client();
    client.send("POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    std::shared_ptr<HttpExchange> exchange = held.wait();
    client.reset();
    BOOST_TEST(served.client().get("/").status == 200);
    BOOST_TEST(exchange->request().body == "abc", "it is good until it is answered");
    BOOST_TEST(exchange->header("host") == "a");
    Said<bool> called;
    exchange->post([&] { called.say(true); });
    BOOST_TEST(called.wait());
    HttpAnswer answer;
    answer.body = std::string(1'000'000, 'x');
    if (from_its_thread) {
      exchange->post([exchange, answer] { exchange->answer(answer); });
    } else {
      exchange->answer(std::move(answer));
    }
    exchange.reset();
    BOOST_TEST(becomes([&] { return served.counts().open == 0; }));
  }
  BOOST_TEST(served.said().empty());
}

BOOST_AUTO_TEST_CASE(an_exchange_and_a_stream_outlive_the_server)
{
  Said<std::shared_ptr<HttpExchange>> held;
  auto served = std::make_unique<Served>([&](const std::shared_ptr<HttpExchange>& exchange) { held.say(exchange); });
  std::vector<Client> clients;
  std::vector<std::shared_ptr<HttpExchange>> exchanges;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(served->client());
    clients.back().send(post("abc"));
    exchanges.push_back(held.wait());
  }
  const std::shared_ptr<HttpStream> stream = exchanges[0]->stream();
  BOOST_TEST(stream->send("data: 1\n\n"));
  std::atomic<int> calls{0};
  exchanges[1]->after(10min, [&] { ++calls; });
  served.reset();
  BOOST_TEST(!stream->send("data: 2\n\n"));
  stream->close();
  stream->on_closed([&] { ++calls; });
  BOOST_TEST(exchanges[1]->request().body == "abc");
  exchanges[1]->post([&] { ++calls; });
  exchanges[1]->after(0us, [&] { ++calls; });
  exchanges[1]->answer({});
  const std::shared_ptr<HttpStream> late = exchanges[2]->stream();
  BOOST_TEST(!late->send("data: 1\n\n"));
  exchanges.clear(); // the last one without an answer
  BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(calls_run_on_the_thread_of_the_connection)
{
  struct Seen {
    std::thread::id handler, posted, later;
    SteadyClock::duration waited{};
  };
  Said<Seen> seen;
  Served served(
      [&](const std::shared_ptr<HttpExchange>& exchange) {
        auto all = std::make_shared<Seen>();
        all->handler = std::this_thread::get_id();
        std::thread([&seen, exchange, all] {
          exchange->post([&seen, exchange, all] {
            all->posted = std::this_thread::get_id();
            const auto begun = SteadyClock::now();
            exchange->after(30ms, [&seen, exchange, all, begun] {
              all->later = std::this_thread::get_id();
              all->waited = SteadyClock::now() - begun;
              seen.say(*all);
              exchange->answer({});
            });
          });
        }).detach();
      },
      {}, 2);
  BOOST_TEST(served.client().get("/").status == 200);
  const Seen all = seen.wait();
  BOOST_TEST((all.handler == all.posted));
  BOOST_TEST((all.handler == all.later));
  BOOST_TEST((all.waited >= 30ms));
}

BOOST_AUTO_TEST_CASE(a_thread_that_stands_still_is_not_alive)
{
  std::mutex mutex;
  std::atomic<bool> stands{false};
  Served served(
      [&](const std::shared_ptr<HttpExchange>& exchange) {
        stands = true;
        const std::lock_guard lock(mutex);
        exchange->answer({});
      },
      {}, 2);
  BOOST_TEST(becomes([&] { return served->alive() == 2; }));
  Client client = served.client();
  {
    const std::lock_guard lock(mutex);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(becomes([&] { return stands.load(); }));
    served->alive();
    std::this_thread::sleep_for(50ms);
    BOOST_TEST(served->alive() == 1U);
  }
  BOOST_TEST(client.read().status == 200);
  BOOST_TEST(becomes([&] { return served->alive() == 2; }));
}

// ---- streams ----------------------------------------------------------------------------------------------------------------------

namespace {

// A server all of whose requests become streams.
struct Streams {
  explicit Streams(HttpListener listener = {})
      : served(
            [this](const std::shared_ptr<HttpExchange>& exchange) {
              held.say(exchange->stream({{"X-Mine", "yes"}}));
            },
            std::move(listener))
  {
  }

  Said<std::shared_ptr<HttpStream>> held;
  Served served;
};

std::shared_ptr<Said<bool>> closing(HttpStream& stream)
{
  auto closed = std::make_shared<Said<bool>>();
  stream.on_closed([closed] { closed->say(true); });
  return closed;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_stream_carries_events_until_it_is_closed)
{
  Streams streams;
  Client client = streams.served.client();
  const Reply head = client.get("/");
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.headers.at("content-type") == "text/event-stream");
  BOOST_TEST(head.headers.at("cache-control") == "no-store");
  BOOST_TEST(head.headers.at("x-mine") == "yes");
  const std::shared_ptr<HttpStream> stream = streams.held.wait();
  const auto closed = closing(*stream);
  BOOST_TEST(streams.served.counts().streams == 1U);
  for (int i = 0; i < 100; ++i) BOOST_TEST(stream->send("data: " + std::to_string(i) + "\n\n"));
  BOOST_TEST(stream->send(""), "nothing is no end");
  for (int i = 0; i < 100; ++i) BOOST_TEST(client.read_chunk().value() == "data: " + std::to_string(i) + "\n\n");
  client.send("a client may say what it likes");
  BOOST_TEST(stream->send("data: last\n\n"));
  stream->close();
  BOOST_TEST(!stream->send("data: too late\n\n"));
  BOOST_TEST(client.read_chunk().value() == "data: last\n\n");
  BOOST_TEST(client.read_chunk().value().empty());
  BOOST_TEST(closed->wait());
  BOOST_TEST(streams.served.counts().streams == 0U);
  BOOST_TEST(closing(*stream)->wait(), "closed already");
}

BOOST_AUTO_TEST_CASE(a_stream_for_http_1_0_has_no_chunks_and_one_for_head_no_events)
{
  Streams streams;
  Client client = streams.served.client();
  client.send("GET / HTTP/1.0\r\n\r\n");
  std::shared_ptr<HttpStream> stream = streams.held.wait();
  stream->send("data: 1\n\n");
  stream->close();
  const std::string all = client.read_to_end();
  BOOST_TEST(all.ends_with("\r\n\r\ndata: 1\n\n"), all);
  BOOST_TEST(all.find("chunked") == std::string::npos);

  Client header = streams.served.client();
  header.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  stream = streams.held.wait();
  BOOST_TEST(closing(*stream)->wait());
  BOOST_TEST(header.read_to_end().ends_with("\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(a_stream_is_closed_when_its_client_goes)
{
  Streams streams;
  for (const bool hard : {false, true}) {
    Client client = streams.served.client();
    client.get("/");
    const std::shared_ptr<HttpStream> stream = streams.held.wait();
    const auto closed = closing(*stream);
    if (hard) {
      client.reset();
    } else {
      client.half_close();
    }
    BOOST_TEST(closed->wait());
    BOOST_TEST(!stream->send("data: 1\n\n"));
  }
  BOOST_TEST(streams.served.counts().open == 0U);
}

BOOST_AUTO_TEST_CASE(letting_go_of_a_stream_closes_it)
{
  Streams streams;
  Client client = streams.served.client();
  client.get("/");
  {
    const std::shared_ptr<HttpStream> stream = streams.held.wait();
    stream->send("data: 1\n\n");
  }
  BOOST_TEST(client.read_chunk().value() == "data: 1\n\n");
  BOOST_TEST(client.read_chunk().value().empty());
  BOOST_TEST(client.is_closed_by_peer());
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_too_far_behind_is_let_go_and_others_are_not)
{
  Streams streams(with([](HttpLimits& limits) { limits.stream_backlog = 64 * 1024; }));
  Client slow = streams.served.client();
  slow.shrink_window();
  slow.get("/");
  const std::shared_ptr<HttpStream> to_slow = streams.held.wait();
  const auto closed = closing(*to_slow);
  Client quick = streams.served.client();
  quick.get("/");
  const std::shared_ptr<HttpStream> to_quick = streams.held.wait();
  const std::string event(4096, 'x');
  bool open = true;
  int sent = 0;
  while (open && sent < 10'000) {
    open = to_slow->send(event);
    BOOST_REQUIRE(to_quick->send(event));
    BOOST_REQUIRE(quick.read_chunk().value() == event);
    ++sent;
  }
  BOOST_TEST(!open);
  BOOST_TEST(sent > 16);
  BOOST_TEST(closed->wait());
  BOOST_TEST(to_quick->send("data: 1\n\n"));
  BOOST_TEST(quick.read_chunk().value() == "data: 1\n\n");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_stream_does_not_wait_for_ever_for_its_reader)
{
  Streams streams(with([](HttpLimits& limits) {
    limits.stream_backlog = 30'000'000;
    limits.write = 200ms;
  }));
  Client stuck = streams.served.client();
  stuck.get("/");
  const std::shared_ptr<HttpStream> stream = streams.held.wait();
  const auto closed = closing(*stream);
  BOOST_TEST(stream->send(std::string(20'000'000, 'x')));
  std::this_thread::sleep_for(500ms);
  BOOST_TEST(streams.served.counts().open == 1U, "a stream that is behind may stand still");
  stream->close();
  BOOST_TEST(closed->wait());
}

BOOST_AUTO_TEST_CASE(many_threads_may_send_to_one_stream)
{
  Streams streams(with([](HttpLimits& limits) { limits.stream_backlog = 10'000'000; }));
  Client client = streams.served.client();
  client.get("/");
  const std::shared_ptr<HttpStream> stream = streams.held.wait();
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) stream->send(std::to_string(t) + " " + std::to_string(i));
    });
  }
  std::map<std::string, int> next;
  bool ordered = true;
  for (int i = 0; i < 2000; ++i) {
    const std::string event = client.read_chunk().value();
    ordered = ordered && event.substr(2) == std::to_string(next[event.substr(0, 1)]++);
  }
  for (std::thread& sender : senders) sender.join();
  BOOST_TEST(ordered);
}

// ---- the end ----------------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_drain_serves_what_is_in_flight_and_ends_the_rest)
{
  Said<std::shared_ptr<HttpExchange>> held;
  Said<std::shared_ptr<HttpStream>> streamed;
  Served served([&](const std::shared_ptr<HttpExchange>& exchange) {
    if (exchange->request().path == "/held") return held.say(exchange);
    if (exchange->request().path == "/stream") return streamed.say(exchange->stream());
    echo(exchange);
  });
  Client in_flight = served.client();
  in_flight.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  std::shared_ptr<HttpExchange> exchange = held.wait();
  Client half = served.client();
  half.send("GET /half HTTP/1.1\r\nHost: a\r\n");
  Client idle = served.client();
  BOOST_TEST(idle.get("/").status == 200);
  Client listener = served.client();
  listener.get("/stream");
  const std::shared_ptr<HttpStream> stream = streamed.wait();
  const auto closed = closing(*stream);
  BOOST_TEST(becomes([&] { return served.counts().open == 4; }));

  BOOST_TEST(!served->drain(50ms), "not all are done");
  BOOST_TEST(idle.is_closed_by_peer());
  BOOST_TEST(closed->wait());
  BOOST_TEST(listener.read_chunk().value().empty());
  std::thread answering([&] {
    std::this_thread::sleep_for(50ms);
    exchange->answer({});
    half.send("\r\n");
  });
  BOOST_TEST(served->drain(kPatience));
  answering.join();
  for (Client* client : {&in_flight, &half}) {
    const Reply reply = client->read();
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(reply.headers.at("connection") == "close");
    BOOST_TEST(client->is_closed_by_peer());
  }
  BOOST_TEST(served.counts().open == 0U);
}

BOOST_AUTO_TEST_CASE(a_drain_under_load_drops_no_request)
{
  for (int round = 0; round < 5; ++round) {
    Served served(echo, {}, 2);
    std::atomic<int> lost{0};
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c) {
      clients.emplace_back([&, client = served.client()]() mutable {
        for (int i = 0; i < 1'000'000; ++i) {
          if (!client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) return;
          const Reply reply = client.read();
          if (reply.status != 200) return; // a close that crossed the request: no handler has seen it
          ++answered;
          if (reply.headers.contains("connection")) return;
        }
        ++lost;
      });
    }
    std::this_thread::sleep_for(20ms);
    BOOST_TEST(served->drain(kPatience));
    for (std::thread& client : clients) client.join();
    BOOST_TEST(static_cast<std::uint64_t>(answered) == served.counts().requests, "what reached a handler was answered");
    BOOST_TEST(lost == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_stop_closes_everything_at_once_and_says_so_to_streams)
{
  Streams streams;
  Client client = streams.served.client();
  client.get("/");
  const std::shared_ptr<HttpStream> stream = streams.held.wait();
  const auto closed = closing(*stream);
  streams.served->stop();
  BOOST_TEST(closed->wait());
  BOOST_TEST(client.is_closed_by_peer());
  streams.served->stop();
}

BOOST_AUTO_TEST_CASE(two_threads_share_a_port)
{
  std::mutex mutex;
  std::map<std::thread::id, int> by_thread;
  Served served(
      [&](const std::shared_ptr<HttpExchange>& exchange) {
        {
          const std::lock_guard lock(mutex);
          ++by_thread[std::this_thread::get_id()];
        }
        exchange->answer({});
      },
      {}, 2);
  for (int i = 0; i < 100; ++i) BOOST_TEST(served.client().get("/").status == 200);
  BOOST_TEST(by_thread.size() == 2U);
  BOOST_TEST(served.counts().requests == 100U);
  BOOST_TEST(served.counts().accepted == 100U);
}

BOOST_AUTO_TEST_CASE(a_server_may_listen_at_several_places_with_limits_of_their_own)
{
  auto server = HttpServer::open({}).value();
  HttpListener narrow = with([](HttpLimits& limits) { limits.body_bytes = 2; });
  narrow.address = "*";
  const std::size_t first = server->listen({}, echo).value();
  const std::size_t second = server->listen(narrow, echo).value();
  server->start();
  BOOST_TEST(Client(server->port(first)).ask(post("abc")).body == "POST /p|abc");
  BOOST_TEST(Client(server->port(second)).ask(post("abc")).status == 413);
  BOOST_TEST(server->counts(first).malformed == 0U);
  BOOST_TEST(server->counts(second).malformed == 1U);
}

BOOST_AUTO_TEST_CASE(a_place_where_nobody_can_listen_is_an_error_that_names_it)
{
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    HttpServer::Options options;
    options.threads = threads;
    auto one = HttpServer::open(options).value();
    auto two = HttpServer::open(options).value();
    HttpListener listener;
    listener.port = one->port(one->listen(listener, echo).value());
    const auto taken = two->listen(listener, echo);
    BOOST_REQUIRE(!taken.ok());
    BOOST_TEST((taken.error().code == Code::busy));
    BOOST_TEST(taken.error().message == "127.0.0.1:" + std::to_string(listener.port) + ": another program listens there");
  }
  auto server = HttpServer::open({}).value();
  HttpListener listener;
  listener.address = "localhost";
  BOOST_TEST((server->listen(listener, echo).error().code == Code::usage));
  listener.address = "203.0.113.1";
  BOOST_TEST((server->listen(listener, echo).error().code == Code::usage), "not an address of this machine");
  listener.address = "127.0.0.1";
  listener.trusted_proxies = {"10.0.0.1/8"};
  BOOST_TEST(server->listen(listener, echo).error().message.starts_with("10.0.0.1/8: "));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace attune
