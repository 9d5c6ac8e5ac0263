// HttpServer: HTTP/1.1 for programs that answer requests, and nothing of what the requests mean. Boost.Beast in one .cc: one io_context per
// thread, each with an acceptor of its own on the same port (SO_REUSEPORT), so that a connection lives on one thread.
//
// It refuses by itself, with an RFC 9457 problem document, what is no request (400, 431, 414, 413, 408, 417, 501 for CONNECT and for transfer
// codings but chunked, 505; 415 for a body in a coding it does not know; 411 for a POST, PUT or PATCH that speaks of a body, by Content-Type
// or by being HTTP/1.0, but not of its length), what has no Host (HTTP/1.1, RFC 9112 section 3.2), and connections beyond the limit (503).
// The connection is closed then. A target may be absolute ("http://host/path"): path and query are what stands behind the host. Keep-alive and
// pipelining as RFC 9112 has them (answers in the order of the requests; the next request is read when the one before was answered);
// `Expect: 100-continue`; HEAD as GET without the body; bodies in gzip or zstd are inflated (up to the body's limit); answers go out in
// gzip or zstd where the client asks for one and it pays (from 1 KiB). Every answer carries Date, `X-Request-Id` (the client's own when it is
// [A-Za-z0-9._-]{1,64}, else a new one) and `Server-Timing: total;dur=MS` after what the handler put there.
//
// Thread rule: start(), drain() and stop() from one thread. The handler is called on the connection's thread and must not block: what takes
// time is done elsewhere and answered later. Exchange::answer() and Stream::send() may be called from any thread.
// Cost: about 15 us of a core a request on a kept connection.
// Specifications: RFC 9110, 9112, 9457; W3C Server-Timing; WHATWG server-sent events.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "pipeline/request_thread.h"

namespace attune {

enum class HttpMethod : std::uint8_t { get, head, post, put, patch, delete_, options, other };

struct HttpLimits {
  std::size_t header_bytes = 8 * 1024;
  std::size_t body_bytes = 1024 * 1024; // as sent and inflated
  std::size_t connections = 20'000; // of this listener, over all threads; one more is told 503 and closed
  std::size_t connections_per_address = 1'000; // 0: no limit; not for trusted proxies. Of IPv6, per /64
  Milliseconds request{10'000}; // from a request's first byte to its last; then 408
  Milliseconds idle{75'000}; // a kept connection without a request
  Milliseconds write{10'000}; // without progress of an answer
  std::size_t stream_backlog = 64 * 1024; // bytes a slow reader of a stream may be behind; then it is closed
};

struct HttpListener {
  std::string address = "127.0.0.1"; // an address of IPv4 or IPv6, or "*" for all of both
  std::uint16_t port = 0; // 0: any; see HttpServer::port()
  HttpLimits limits;
  // Addresses or CIDR ranges whose X-Forwarded-For is believed: the address of a request is then the rightmost one in it that is not trusted.
  std::vector<std::string> trusted_proxies;
};

// One request. Views are good until it is answered.
struct HttpRequest {
  HttpMethod method = HttpMethod::other;
  std::string_view method_name;
  std::string_view target; // as it came
  std::string_view path; // before '?', percent-encoded as it came
  std::string_view query; // behind '?', likewise
  std::string_view body; // inflated
  std::string_view remote; // the client's address, without a port
  std::string_view id; // of the request
  std::chrono::steady_clock::time_point begun; // its first byte was read
};

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers; // beside those the server writes; no Content-Length
  std::string server_timing; // `profile;dur=0.120, rank;dur=0.050`
};

// Server-sent events to one client. Closed by the client, by close(), by letting the last reference go, by a backlog over its limit or by a
// drain. Cost: about 2 KB a stream that stands still.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  // One chunk of text, whole events ("data: …\n\n"). False when the stream is closed. Any thread.
  virtual bool send(std::string text) = 0;
  virtual void close() = 0; // what was sent before still goes out. Any thread
  // Called once, on the connection's thread and not from within send() or close(), when it is closed whoever closed it; soon when it is
  // closed already. One call at most is waited for: another takes its place.
  virtual void on_closed(std::function<void()> call) = 0;
};

// One request being answered. Whoever holds it owes exactly one answer() or stream(); letting the last reference go without is answered
// 500 and is a bug that is logged.
class HttpExchange : public RequestThread {
 public:
  [[nodiscard]] virtual const HttpRequest& request() const = 0;
  // The value of a header, the first of its name, case ignored; empty when there is none. On the connection's thread, before the answer.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const = 0;

  virtual void answer(HttpAnswer answer) = 0; // any thread, once
  // Answers 200 text/event-stream (not compressed, no buffering by proxies) and keeps the connection for it. Any thread, once.
  virtual std::shared_ptr<HttpStream> stream(std::vector<std::pair<std::string, std::string>> headers = {}) = 0;

  // As a RequestThread: on the connection's thread. Calls are made even when the client has gone (then an answer is thrown away) and after stream(),
  // but not after the server was stopped.
};

using HttpHandler = std::function<void(const std::shared_ptr<HttpExchange>& exchange)>;

struct HttpCounts {
  std::uint64_t accepted = 0; // connections, ever
  std::uint64_t refused = 0; // of them, beyond a limit
  std::uint64_t open = 0; // now
  std::uint64_t streams = 0; // of them, streams
  std::uint64_t requests = 0; // that reached a handler
  std::uint64_t malformed = 0; // requests refused by the server itself
};

class HttpServer {
 public:
  struct Options {
    std::size_t threads = 1;
    // Lines for people: a handler that threw (answered 500) or forgot to answer. Any thread.
    std::function<void(const std::string&)> say;
  };

  static Result<std::unique_ptr<HttpServer>> open(Options options);
  virtual ~HttpServer() = default; // stop()

  // Binds. Before run(); returns the number of the listener. ERRORS: usage: no address; busy: the port is taken (message names it); io.
  virtual Result<std::size_t> listen(const HttpListener& listener, HttpHandler handler) = 0;
  [[nodiscard]] virtual std::uint16_t port(std::size_t listener) const = 0;

  virtual void start() = 0; // its threads run and connections are accepted
  // Accepts no more, lets requests in flight be answered (`Connection: close`), ends streams, closes idle connections; returns when all
  // are closed or `limit` has passed. Whether all were.
  virtual bool drain(Milliseconds limit) = 0;
  virtual void stop() = 0; // now

  // For a watchdog: the number of threads whose loop has run since the last call, out of Options::threads. A tick is posted to each by the call.
  virtual std::size_t alive() = 0;
  [[nodiscard]] virtual HttpCounts counts(std::size_t listener) const = 0;
  [[nodiscard]] virtual std::size_t threads() const = 0;
};

} // namespace attune
