#include "adapters/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

#include "adapters/content_coding.h"
#include "adapters/header_words.h"
#include "adapters/http_problem.h"
#include "adapters/ip_range.h"
#include "base/assert.h"

namespace attune {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;

constexpr std::size_t kReadAhead =
    8 * 1024; // room behind a header: for a small body, for chunks on their way into a body, for the next requests
constexpr std::size_t kFirstBodyPiece = 64 * 1024; // memory for a body grows with what arrives of it, not with what was promised
constexpr std::size_t kGather =
    4 * 1024; // a body up to this is copied behind its header: cheaper than a second buffer in the system call
constexpr std::size_t kCompressFrom = 1024;
constexpr std::size_t kBuffersKept = 64; // of a loop, for the next connections
constexpr std::size_t kKeptCapacity = 64 * 1024; // of a buffer that is kept
constexpr unsigned kTurns = 32; // pipelined requests of one connection before others have their turn
constexpr int kBacklog = 1024;
constexpr Milliseconds kLinger{1000}; // after a refusal, for the client to read it
constexpr std::uint64_t kLingeringRefusals = 256; // connections beyond the limit that are told so at one time; more are just closed
constexpr Milliseconds kAcceptAgain{50}; // after the system had no descriptor or memory for a connection

// ---- words ------------------------------------------------------------------------------------------------------------------------

std::string_view view(boost::beast::string_view text)
{
  return {text.data(), text.size()};
}

IpAddress to_ip(const asio::ip::address& address)
{
  return {(address.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, address.to_v4()) : address.to_v6()).to_bytes()};
}

HttpMethod to_method(http::verb verb)
{
  switch (verb) {
    case http::verb::get:
      return HttpMethod::get;
    case http::verb::head:
      return HttpMethod::head;
    case http::verb::post:
      return HttpMethod::post;
    case http::verb::put:
      return HttpMethod::put;
    case http::verb::patch:
      return HttpMethod::patch;
    case http::verb::delete_:
      return HttpMethod::delete_;
    case http::verb::options:
      return HttpMethod::options;
    default:
      return HttpMethod::other;
  }
}

bool is_request_id(std::string_view id)
{
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

// uri-host [ ":" port ] of RFC 3986, as far as it matters: none of the bytes that would let it be read as something else.
bool is_host(std::string_view host)
{
  return !host.empty() && host.front() != ':' && std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c < '\x7f' && std::strchr("/?#@,\\\"<>^`{|}", c) == nullptr;
  });
}

bool is_compressible(std::string_view type)
{
  type = type.substr(0, type.find(';'));
  return type.starts_with("text/") || type == "application/json" || type == "application/javascript" || type == "image/svg+xml" ||
         type.ends_with("+json") || type.ends_with("+xml") || type == "application/xml" || type == "application/x-ndjson";
}

void append_number(std::string& out, std::uint64_t number, int base = 10)
{
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

// Milliseconds to the microsecond: "0.042".
void append_ms(std::string& out, SteadyClock::duration time)
{
  const auto us =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
  append_number(out, us / 1000);
  const auto rest = static_cast<unsigned>(us % 1000);
  const char fraction[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
  out.append(fraction, sizeof fraction);
}

// A header's value, whatever a handler put there, never ends its line.
void append_value(std::string& out, std::string_view value)
{
  const std::size_t begin = out.size();
  out.append(value);
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (static_cast<unsigned char>(out[i]) < 0x20 && out[i] != '\t') out[i] = ' ';
  }
}

void append_status_line(std::string& out, unsigned status)
{
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.append("HTTP/1.1 ");
  append_number(out, status);
  out.push_back(' ');
  out.append(http_reason(status));
  out.append("\r\n");
}

// ---- parsing ----------------------------------------------------------------------------------------------------------------------

struct Header {
  http::field field = http::field::unknown;
  std::string_view name;
  std::string_view value;
};

// What a header says. Views into the connection's buffer.
struct Head {
  http::verb verb = http::verb::unknown;
  std::string_view method;
  std::string_view target;
  int version = 0; // 10 or 11
  bool has_line = false;
  std::vector<Header> headers;

  [[nodiscard]] const Header* find(http::field field) const
  {
    for (const Header& header : headers) {
      if (header.field == field) return &header;
    }
    return nullptr;
  }
  [[nodiscard]] std::size_t count(http::field field) const
  {
    return static_cast<std::size_t>(
        std::count_if(headers.begin(), headers.end(), [&](const Header& h) { return h.field == field; }));
  }
};

// Beast reads the start line, the fields and the chunks; a body of a told length needs no parser.
class Parser final : public http::basic_parser<true> {
 public:
  // `head` and `body` outlive it; `in` is the memory of which put() gets parts.
  Parser(Head& head, std::string& body, std::size_t body_limit, std::string_view in)
      : head_(head), body_(body), body_limit_(body_limit), in_(in)
  {
    header_limit(std::numeric_limits<std::uint32_t>::max()); // the connection counts: Beast forgets what it has consumed
    this->body_limit(std::numeric_limits<std::uint64_t>::max()); // none would be less than any length
  }

  [[nodiscard]] bool folded() const { return folded_; }

 private:
  void on_request_impl(http::verb verb, boost::beast::string_view method, boost::beast::string_view target, int version,
                       error_code&) override
  {
    head_.verb = verb;
    head_.method = view(method);
    head_.target = view(target);
    head_.version = version;
    head_.has_line = true;
  }
  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
  void on_field_impl(http::field field, boost::beast::string_view name, boost::beast::string_view value, error_code& ec) override
  {
    if (in_body_) return; // a trailer: it may not say anything of the request (RFC 9110 section 6.5.1)
    // A folded value is put together in memory of the parser's own, or stands behind an end of line.
    const char* const from = name.data() + name.size();
    const bool apart = std::less<>()(value.data(), from) || std::less<>()(in_.data() + in_.size(), value.data());
    if (apart || std::find(from, value.data(), '\r') != value.data()) {
      folded_ = true;
      ec = http::error::bad_value;
      return;
    }
    head_.headers.push_back({field, view(name), view(value)});
  }
  void on_header_impl(error_code&) override { in_body_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(boost::beast::string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view, error_code& ec) override
  {
    if (size > body_limit_ - body_.size()) ec = http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view piece, error_code&) override
  {
    body_.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  Head& head_;
  std::string& body_;
  std::size_t body_limit_;
  std::string_view in_;
  bool in_body_ = false;
  bool folded_ = false;
};

struct Refusal {
  unsigned status = 0;
  const char* detail = "";
};

// Why Beast refused the bytes of a header.
Refusal why_not(const error_code& ec, const Parser& parser, std::string_view bytes)
{
  if (ec == http::error::bad_version) {
    // It is one error for a version that is none and for one that is not ours.
    const std::string_view line = bytes.substr(0, bytes.find('\r'));
    const std::string_view version = line.substr(std::min(line.find(' ', line.find(' ') + 1), line.size() - 1) + 1);
    const auto digit = [&](std::size_t at) { return version[at] >= '0' && version[at] <= '9'; };
    if (version.size() == 8 && version.starts_with("HTTP/") && digit(5) && version[6] == '.' && digit(7)) {
      return {505, "this server speaks HTTP/1.1 and HTTP/1.0"};
    }
    return {400, "the request line does not end in a version of HTTP"};
  }
  if (parser.folded()) return {400, "a header is folded over several lines"};
  if (ec == http::error::bad_method) return {400, "the request line does not begin with a method"};
  if (ec == http::error::bad_target) return {400, "the request line has no target, or one with a space or control character"};
  if (ec == http::error::bad_field) return {400, "the name of a header has a character that may not stand there"};
  if (ec == http::error::bad_value) return {400, "the value of a header has a character that may not stand there"};
  if (ec == http::error::bad_line_ending) return {400, "a line does not end in CR and LF"};
  if (ec == http::error::bad_content_length) return {400, "Content-Length is no number, or is contradicted"};
  if (ec == http::error::bad_transfer_encoding) return {400, "Transfer-Encoding is contradicted"};
  if (ec == http::error::body_limit) return {413, "the body is larger than this server takes"};
  if (ec == http::error::bad_chunk || ec == http::error::bad_chunk_extension)
    return {400, "the body is not chunked as it should be"};
  return {400, "these bytes are no HTTP request"};
}

// What RFC 9112 asks of a header beyond what Beast sees to. Status 0: nothing is wrong.
Refusal check_head(const Head& head)
{
  using http::field;
  if (head.verb == http::verb::connect) return {501, "this server is no proxy"};
  for (const char c : head.target) {
    if (static_cast<unsigned char>(c) >= 0x7f || c == '#') return {400, "the target has a character that must be percent-encoded"};
  }
  const std::size_t hosts = head.count(field::host);
  if (hosts > 1) return {400, "there are several Host headers"};
  if (hosts == 0 && head.version >= 11) return {400, "there is no Host header"};
  if (hosts == 1 && !is_host(head.find(field::host)->value)) return {400, "the Host header names no host"};

  const std::size_t lengths = head.count(field::content_length);
  const std::size_t codings = head.count(field::transfer_encoding);
  if (lengths > 1) return {400, "there are several Content-Length headers"};
  if (lengths == 1) {
    const std::string_view value = head.find(field::content_length)->value;
    if (value.find_first_not_of("0123456789") != std::string_view::npos) return {400, "Content-Length is no number"};
  }
  if (codings > 0) {
    // Beast takes other codings for none at all, and what follows for the next request.
    if (lengths > 0) return {400, "there are both Content-Length and Transfer-Encoding"};
    if (head.version < 11) return {400, "HTTP/1.0 has no Transfer-Encoding"};
    if (codings > 1 || !same_word(head.find(field::transfer_encoding)->value, "chunked")) {
      return {501, "no Transfer-Encoding but chunked is known here"};
    }
  }
  if (lengths + codings == 0 && (head.verb == http::verb::post || head.verb == http::verb::put || head.verb == http::verb::patch) &&
      (head.version < 11 || head.find(field::content_type) != nullptr || head.find(field::content_encoding) != nullptr)) {
    return {411, "a body is spoken of, but there is neither Content-Length nor Transfer-Encoding"};
  }
  if (const Header* expect = head.find(field::expect);
      expect != nullptr && head.version >= 11 && !same_word(expect->value, "100-continue")) {
    return {417, "nothing but 100-continue can be expected"};
  }
  return {};
}

// RFC 9112 section 3.2: origin-form, absolute-form, and "*" for OPTIONS. False for anything else.
bool split_target(const Head& head, HttpRequest& request)
{
  std::string_view rest = head.target;
  request.target = rest;
  if (rest == "*") {
    request.path = rest;
    request.query = {};
    return head.verb == http::verb::options;
  }
  if (!rest.starts_with('/')) {
    const std::size_t scheme = rest.find("://");
    if (scheme == std::string_view::npos) return false;
    if (!same_word(rest.substr(0, scheme), "http") && !same_word(rest.substr(0, scheme), "https")) return false;
    rest.remove_prefix(scheme + 3);
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    if (!is_host(rest.substr(0, end))) return false;
    rest.remove_prefix(end);
  }
  const std::size_t question = rest.find('?');
  request.path = rest.substr(0, question);
  request.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  if (request.path.empty()) request.path = "/";
  return true;
}

// ---- loops ------------------------------------------------------------------------------------------------------------------------

// What a connection needs while it has a request, and no longer.
struct Buffers {
  explicit Buffers(std::size_t size) : in(std::make_unique_for_overwrite<char[]>(size)), capacity(size) {}

  std::unique_ptr<char[]> in;
  std::size_t capacity;
  Head head;
  std::string body; // chunked, or too long for `in`
  std::string inflated;
  std::string out;
};

void let_go(std::string& text)
{
  if (text.capacity() > kKeptCapacity) text = std::string();
  text.clear();
}

using Say = std::function<void(const std::string&)>;

// A thread and what belongs to it alone. Connections outlive its io_context, which goes with stop(): what comes later finds `stopped`.
class Loop {
 public:
  explicit Loop(Say say_to) : say(std::move(say_to)), context(std::make_unique<asio::io_context>(1))
  {
    std::random_device random;
    next_id_ = (static_cast<std::uint64_t>(random()) << 32) ^ random();
  }

  // Runs `call` on the loop's thread. False, and nothing is kept, after stop(). Any thread.
  template <class Call>
  bool post(Call call)
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    asio::post(*context, std::move(call));
    return true;
  }

  // Runs what belongs to others, whose exceptions end here.
  void guard(const std::function<void()>& call) const
  {
    try {
      call();
    } catch (const std::exception& thrown) {
      if (say) say(std::string("a call on an HTTP thread threw: ") + thrown.what());
    } catch (...) {
      if (say) say("a call on an HTTP thread threw");
    }
  }

  [[nodiscard]] bool is_here() const { return here_ == this; }

  void run()
  {
    here_ = this;
    context->run();
    here_ = nullptr;
  }

  // REQUIRES: its thread has ended. Destroys what was still to be called.
  void end()
  {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    context.reset();
  }

  // 16 hexadecimal digits; a bijection of a counter (splitmix64), so that none comes twice.
  void make_id(std::string& out)
  {
    std::uint64_t x = next_id_ += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    x ^= x >> 31;
    out.resize(16);
    for (char& digit : out) {
      digit = "0123456789abcdef"[x & 15];
      x >>= 4;
    }
  }

  // "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n" of now, made once a second.
  std::string_view date()
  {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != date_of_) {
      static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
      static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
      tm utc{};
      gmtime_r(&now.tv_sec, &utc);
      const int size =
          std::snprintf(date_.data(), date_.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", kDays[utc.tm_wday],
                        utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
      date_size_ = static_cast<std::size_t>(size);
      date_of_ = now.tv_sec;
    }
    return {date_.data(), date_size_};
  }

  std::unique_ptr<Buffers> take_buffers(std::size_t capacity)
  {
    if (buffers_.empty() || buffers_.back()->capacity != capacity) return std::make_unique<Buffers>(capacity);
    std::unique_ptr<Buffers> buffers = std::move(buffers_.back());
    buffers_.pop_back();
    return buffers;
  }

  void give_buffers(std::unique_ptr<Buffers> buffers)
  {
    if (buffers_.size() >= kBuffersKept) return;
    for (std::string* text : {&buffers->body, &buffers->inflated, &buffers->out}) let_go(*text);
    buffers_.push_back(std::move(buffers));
  }

  const Say say;
  std::unique_ptr<asio::io_context> context;
  std::thread thread;
  std::atomic<bool> ran{false};
  std::atomic<bool> tick_posted{false};

 private:
  static thread_local const Loop* here_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::uint64_t next_id_;
  std::time_t date_of_ = -1;
  std::array<char, 64> date_{};
  std::size_t date_size_ = 0;
  std::vector<std::unique_ptr<Buffers>> buffers_;
};

thread_local const Loop* Loop::here_ = nullptr;

// A counter that one thread moves and others read.
class Count {
 public:
  void add(std::int64_t by)
  {
    value_.store(value_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(by), std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// What all threads share of a listener.
struct Listener {
  HttpListener config;
  HttpHandler handler;
  std::vector<IpRange> trusted;
  std::uint16_t port = 0;
  std::atomic<std::uint64_t> open{0}; // within the limit
  std::atomic<std::uint64_t> lingering_refusals{0};

  std::mutex mutex; // of all below
  std::unordered_map<IpAddress, std::size_t, IpAddress::Hash> per_address;
  std::uint64_t present = 0; // connections, those being refused too
  std::condition_variable gone;

  [[nodiscard]] bool trusts(const IpAddress& address) const
  {
    return std::any_of(trusted.begin(), trusted.end(), [&](const IpRange& range) { return range.holds(address); });
  }
};

class Connection;

// What a connection waits for at most so long. Of one kind all wait equally long, so that the first to come is the first to end.
enum class Deadline : std::uint8_t { none, idle, request, write, linger };
constexpr std::size_t kDeadlines = 5;

// A listener's part on one thread.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  Lane(std::shared_ptr<Loop> loop_of, std::shared_ptr<Listener> listener_of, Acceptor acceptor)
      : loop(std::move(loop_of)),
        listener(std::move(listener_of)),
        acceptor_(std::move(acceptor)),
        timer_(std::in_place, *loop->context)
  {
  }

  void accept();
  void drain();
  void close_all();

  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] Milliseconds limit(Deadline deadline) const
  {
    const HttpLimits& limits = listener->config.limits;
    switch (deadline) {
      case Deadline::idle:
        return limits.idle;
      case Deadline::request:
        return limits.request;
      case Deadline::write:
        return limits.write;
      case Deadline::linger:
        return kLinger;
      case Deadline::none:
        break;
    }
    return Milliseconds::max();
  }
  void watch(SteadyClock::time_point at);

  const std::shared_ptr<Loop> loop;
  const std::shared_ptr<Listener> listener;
  std::array<std::list<Connection*>, kDeadlines> connections; // by Deadline, the first to end in front
  Count accepted;
  Count refused;
  Count streams;
  Count requests;
  Count malformed;

 private:
  void take(Socket socket);
  void expire();
  std::vector<std::shared_ptr<Connection>> all() const;

  std::optional<Acceptor> acceptor_;
  std::optional<Timer> timer_;
  SteadyClock::time_point watched_ = SteadyClock::time_point::max();
  bool draining_ = false;
};

// ---- streams ----------------------------------------------------------------------------------------------------------------------

// What a stream's senders and its connection share.
class StreamState : public std::enable_shared_from_this<StreamState> {
 public:
  StreamState(std::shared_ptr<Lane> lane, std::weak_ptr<Connection> connection, bool chunked)
      : lane_(std::move(lane)), connection_(std::move(connection)), chunked_(chunked)
  {
  }

  // As in HttpStream.
  bool send(std::string_view text);
  void close();
  void on_closed(std::function<void()> call);

  // The rest on the connection's thread.
  // What waits goes into `out`, which is empty; false when that is the end of it.
  bool take(std::string& out);
  void written(std::size_t bytes);
  [[nodiscard]] bool is_closing();
  void end(); // the connection has closed

 private:
  void flush();

  const std::shared_ptr<Lane> lane_;
  const std::weak_ptr<Connection> connection_;
  const bool chunked_;
  std::mutex mutex_; // of all below
  std::string waiting_;
  std::size_t in_flight_ = 0; // taken and not yet written
  bool posted_ = false; // a flush is on its way
  bool closed_ = false; // nothing more is sent
  bool last_ = false; // the end was taken
  bool ended_ = false;
  std::function<void()> call_;
};

class Stream final : public HttpStream {
 public:
  explicit Stream(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}
  ~Stream() override { state_->close(); } // nobody can send any more
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool send(std::string text) override { return state_->send(text); }
  void close() override { state_->close(); }
  void on_closed(std::function<void()> call) override { state_->on_closed(std::move(call)); }

 private:
  const std::shared_ptr<StreamState> state_;
};

// ---- connections ------------------------------------------------------------------------------------------------------------------

// One client. All of it on its loop's thread, but for what an Exchange reads of the request before it is answered.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Lane> lane, Socket socket, const IpAddress& peer)
      : lane_(std::move(lane)), socket_(std::move(socket)), peer_(peer), remote_(to_string(peer))
  {
    node_.push_back(this);
  }
  ~Connection() { ATTUNE_ASSERT(state_ == State::closed); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void begin();
  void begin_refused(); // it is one too many: told so, and closed
  void drain();
  void close();
  void on_deadline(Deadline deadline);

  // For its exchange.
  [[nodiscard]] const std::shared_ptr<Lane>& lane() const { return lane_; }
  [[nodiscard]] const HttpRequest& request() const { return request_; }
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool is_http_11() const { return http_11_; }
  void answer(HttpAnswer answer);
  void begin_stream(std::shared_ptr<StreamState> stream, const std::vector<std::pair<std::string, std::string>>& headers);
  void flush_stream();

 private:
  enum class State : std::uint8_t { reading, answering, writing, streaming, lingering, closed };
  enum class Phase : std::uint8_t { head, length, chunked, whole };
  enum class After : std::uint8_t { next, stream, linger };

  void set_deadline(Deadline deadline);
  void wait_readable();
  void on_readable();
  bool read();
  void discard();

  void run();
  bool take_request();
  bool take_head();
  bool take_length();
  bool take_chunks();
  bool finish_request();
  void continue_();
  void call_handler();
  void refuse(unsigned status, std::string_view detail);

  void begin_head(unsigned status);
  void write_answer(HttpAnswer answer, After after);
  void write();
  void wait_writable();
  void on_writable();
  void written();
  void next_request();

  const std::shared_ptr<Lane> lane_;
  std::optional<Socket> socket_;
  const IpAddress peer_;
  const std::string remote_;
  std::shared_ptr<Connection> self_; // while it is open

  State state_ = State::reading;
  Phase phase_ = Phase::head;
  After after_ = After::next;
  Deadline deadline_ = Deadline::none;
  bool counted_ = false; // it is one of Listener::open
  bool counted_address_ = false;
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  bool running_ = false;
  bool started_ = false; // a byte of the request is here
  bool peer_done_ = false; // it sends no more
  bool keep_alive_ = false;
  bool http_11_ = true;

  std::list<Connection*> node_; // its place among Lane::connections, before it has one
  std::list<Connection*>::iterator place_;
  SteadyClock::time_point ends_;

  std::unique_ptr<Buffers> buffers_;
  std::optional<Parser> parser_;
  std::size_t begin_ = 0; // of the request, in Buffers::in
  std::size_t end_ = 0; // of what was read
  std::size_t head_size_ = 0; // of what the parser has taken of the header
  std::size_t body_at_ = 0;
  std::size_t body_size_ = 0; // told
  std::size_t filled_ = 0; // of Buffers::body
  std::size_t next_at_ = 0; // behind the request

  HttpRequest request_;
  std::string id_;
  std::string forwarded_;

  std::string answer_body_; // beyond kGather
  std::size_t written_ = 0;

  std::shared_ptr<StreamState> stream_;
  std::string stream_out_;

  friend class Lane;
};

// One request in the hands of a handler.
class Exchange final : public HttpExchange, public std::enable_shared_from_this<Exchange> {
 public:
  explicit Exchange(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~Exchange() override
  {
    if (taken_) return;
    const std::shared_ptr<Lane>& lane = connection_->lane();
    lane->loop->post([connection = connection_] {
      const Loop& loop = *connection->lane()->loop;
      if (loop.say) loop.say("request " + std::string(connection->request().id) + " was dropped without an answer");
      connection->answer(problem_answer({.status = 500, .detail = "the server forgot to answer"}, connection->request().id));
    });
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] const HttpRequest& request() const override { return connection_->request(); }
  [[nodiscard]] std::string_view header(std::string_view name) const override { return connection_->header(name); }

  void answer(HttpAnswer answer) override
  {
    ATTUNE_ASSERT(try_take());
    ATTUNE_ASSERT(answer.status >= 200 && answer.status <= 599);
    Loop& loop = *connection_->lane()->loop;
    if (loop.is_here()) {
      connection_->answer(std::move(answer));
    } else {
      loop.post([connection = connection_, answer = std::move(answer)]() mutable { connection->answer(std::move(answer)); });
    }
  }

  std::shared_ptr<HttpStream> stream(std::vector<std::pair<std::string, std::string>> headers) override
  {
    ATTUNE_ASSERT(try_take());
    auto state = std::make_shared<StreamState>(connection_->lane(), connection_, connection_->is_http_11());
    Loop& loop = *connection_->lane()->loop;
    if (loop.is_here()) {
      connection_->begin_stream(state, headers);
    } else if (!loop.post(
                   [connection = connection_, state, headers = std::move(headers)] { connection->begin_stream(state, headers); })) {
      state->end();
    }
    return std::make_shared<Stream>(std::move(state));
  }

  void post(std::function<void()> call) override
  {
    Loop& loop = *connection_->lane()->loop;
    loop.post([&loop, call = std::move(call)] { loop.guard(call); });
  }

  void after(std::chrono::microseconds wait, std::function<void()> call) override
  {
    // A timer is made where it runs: after stop() there is nothing to make it of.
    Loop& loop = *connection_->lane()->loop;
    const SteadyClock::time_point at = SteadyClock::now() + wait;
    auto begin = [&loop, at, call = std::move(call)]() mutable {
      auto timer = std::make_shared<Timer>(*loop.context, at);
      timer->async_wait([timer, &loop, call = std::move(call)](const error_code& ec) {
        if (!ec) loop.guard(call);
      });
    };
    if (loop.is_here()) {
      begin();
    } else {
      loop.post(std::move(begin));
    }
  }

  // Whether the answer was still owed; from now on it is not.
  bool try_take() { return !taken_.exchange(true); }

 private:
  const std::shared_ptr<Connection> connection_;
  std::atomic<bool> taken_{false};
};

void Connection::begin()
{
  counted_ = true;
  self_ = shared_from_this();
  place_ = node_.begin();
  std::list<Connection*>& list = lane_->connections[static_cast<std::size_t>(Deadline::none)];
  list.splice(list.end(), node_);
  run();
}

void Connection::begin_refused()
{
  self_ = shared_from_this();
  place_ = node_.begin();
  std::list<Connection*>& list = lane_->connections[static_cast<std::size_t>(Deadline::none)];
  list.splice(list.end(), node_);
  buffers_ = lane_->loop->take_buffers(lane_->listener->config.limits.header_bytes + kReadAhead);
  request_.begun = SteadyClock::now();
  lane_->loop->make_id(id_);
  request_.id = id_;
  write_answer(problem_answer({.status = 503, .detail = "there are too many connections", .retry_after_s = 1}, id_), After::linger);
}

void Connection::close()
{
  if (state_ == State::closed) return;
  state_ = State::closed;
  const std::shared_ptr<Connection> alive = std::move(self_);
  socket_.reset();
  lane_->connections[static_cast<std::size_t>(deadline_)].erase(place_);
  Listener& listener = *lane_->listener;
  if (counted_) {
    listener.open.fetch_sub(1);
  } else {
    listener.lingering_refusals.fetch_sub(1);
  }
  {
    const std::lock_guard lock(listener.mutex);
    if (counted_address_) {
      const auto entry = listener.per_address.find(site_of(peer_));
      if (--entry->second == 0) listener.per_address.erase(entry);
    }
    if (--listener.present == 0) listener.gone.notify_all();
  }
  if (stream_ != nullptr) {
    lane_->streams.add(-1);
    std::exchange(stream_, nullptr)->end();
  }
}

void Connection::set_deadline(Deadline deadline)
{
  if (deadline == Deadline::none && deadline_ == Deadline::none) return;
  auto& to = lane_->connections[static_cast<std::size_t>(deadline)];
  to.splice(to.end(), lane_->connections[static_cast<std::size_t>(deadline_)], place_);
  deadline_ = deadline;
  if (deadline == Deadline::none) return;
  ends_ = SteadyClock::now() + lane_->limit(deadline);
  lane_->watch(ends_);
}

void Connection::on_deadline(Deadline deadline)
{
  if (deadline == Deadline::request) {
    refuse(408, "the request did not arrive in time");
  } else {
    close();
  }
}

void Connection::drain()
{
  if (state_ == State::streaming) {
    const std::shared_ptr<StreamState> stream = stream_; // closing may end the connection at once
    stream->close();
  } else if (state_ == State::reading && !started_) {
    // The last look at what may have been sent before the client could know.
    if (!read()) return;
    if (started_) {
      run();
    } else {
      close();
    }
  }
}

// ---- reading ----------------------------------------------------------------------------------------------------------------------

void Connection::wait_readable()
{
  if (waits_readable_) return;
  waits_readable_ = true;
  socket_->async_wait(Socket::wait_read, [self = shared_from_this()](const error_code&) {
    self->waits_readable_ = false;
    self->on_readable();
  });
}

void Connection::on_readable()
{
  switch (state_) {
    case State::reading:
      if (read()) run();
      break;
    case State::streaming:
    case State::lingering:
      discard();
      break;
    case State::answering:
    case State::writing:
    case State::closed:
      break;
  }
}

// One read of what is there, nothing perhaps. False when the connection is done for.
bool Connection::read()
{
  if (buffers_ == nullptr) buffers_ = lane_->loop->take_buffers(lane_->listener->config.limits.header_bytes + kReadAhead);
  const bool into_body = phase_ == Phase::length && filled_ > 0;
  std::string& body = buffers_->body;
  if (into_body && filled_ == body.size()) body.resize(std::min(body_size_, body.size() * 2));
  char* const to = into_body ? body.data() + filled_ : buffers_->in.get() + end_;
  const std::size_t room = into_body ? body.size() - filled_ : buffers_->capacity - end_;
  error_code ec;
  const std::size_t got = socket_->read_some(asio::buffer(to, room), ec);
  if (ec == asio::error::would_block) return true;
  if (ec == asio::error::eof) {
    peer_done_ = true;
    if (!started_) {
      close();
    } else {
      refuse(400, "the request ends before it is whole");
    }
    return false;
  }
  if (ec) {
    close();
    return false;
  }
  if (!started_) {
    started_ = true;
    request_.begun = SteadyClock::now();
    set_deadline(Deadline::none);
  }
  (into_body ? filled_ : end_) += got;
  return true;
}

// Whatever a client still sends is not for us.
void Connection::discard()
{
  std::array<char, 4096> scratch;
  for (int i = 0; i < 16; ++i) {
    error_code ec;
    socket_->read_some(asio::buffer(scratch), ec);
    if (ec == asio::error::would_block) break;
    if (ec) {
      close();
      return;
    }
  }
  wait_readable();
}

// As far as the bytes go that are here.
void Connection::run()
{
  if (running_) return;
  running_ = true;
  for (unsigned turn = 0; state_ == State::reading; ++turn) {
    if (turn == kTurns) {
      running_ = false;
      lane_->loop->post([self = shared_from_this()] { self->run(); });
      return;
    }
    if (!started_ || !take_request()) break;
    call_handler();
  }
  running_ = false;
  if (state_ != State::reading) return;
  if (!started_) {
    if (buffers_ != nullptr) lane_->loop->give_buffers(std::move(buffers_));
    if (deadline_ != Deadline::idle) set_deadline(Deadline::idle);
  } else if (deadline_ != Deadline::request) {
    set_deadline(Deadline::request);
  }
  wait_readable();
}

// Whether the request is whole. If not, more bytes are needed, or it was refused.
bool Connection::take_request()
{
  if (phase_ == Phase::head && !take_head()) return false;
  if (phase_ == Phase::length && !take_length()) return false;
  if (phase_ == Phase::chunked && !take_chunks()) return false;
  return finish_request();
}

bool Connection::take_head()
{
  Buffers& buffers = *buffers_;
  const HttpLimits& limits = lane_->listener->config.limits;
  if (!parser_) {
    // RFC 9112 section 2.2: empty lines before a request are not seen.
    while (end_ - begin_ >= 2 && buffers.in[begin_] == '\r' && buffers.in[begin_ + 1] == '\n') begin_ += 2;
    if (begin_ == end_ || (end_ - begin_ == 1 && buffers.in[begin_] == '\r')) {
      if (begin_ > kReadAhead / 2) {
        refuse(400, "there are only empty lines");
      }
      return false;
    }
    buffers.head.headers.clear();
    buffers.head.has_line = false;
    buffers.body.clear();
    parser_.emplace(buffers.head, buffers.body, limits.body_bytes, std::string_view(buffers.in.get(), buffers.capacity));
    head_size_ = 0;
  }
  error_code ec;
  const char* const from = buffers.in.get() + begin_;
  head_size_ += parser_->put(asio::const_buffer(from + head_size_, end_ - begin_ - head_size_), ec);
  const bool too_long = ec == http::error::need_more ? end_ - begin_ >= limits.header_bytes : head_size_ > limits.header_bytes;
  if (too_long && !ec.failed()) ec = http::error::header_limit;
  if (ec == http::error::need_more && !too_long) return false;
  if (too_long) {
    const bool only_target = !buffers.head.has_line && std::memchr(from, ' ', end_ - begin_) != nullptr;
    refuse(only_target ? 414 : 431,
           only_target ? "the target is longer than this server takes" : "the header is larger than this server takes");
    return false;
  }
  if (ec) {
    const Refusal refusal = why_not(ec, *parser_, {from, end_ - begin_});
    refuse(refusal.status, refusal.detail);
    return false;
  }

  const Head& head = buffers.head;
  http_11_ = head.version >= 11;
  keep_alive_ = parser_->keep_alive();
  if (const std::string_view given = header("X-Request-Id"); is_request_id(given)) id_ = given;
  const Refusal refusal = check_head(head);
  if (refusal.status != 0) {
    refuse(refusal.status, refusal.detail);
    return false;
  }
  if (!split_target(head, request_)) {
    refuse(400, "the target is neither a path nor an http URL");
    return false;
  }
  if (head.count(http::field::content_encoding) > 1 || (head.find(http::field::content_encoding) != nullptr &&
                                                        !parse_content_coding(head.find(http::field::content_encoding)->value))) {
    refuse(415, "a body may be coded in gzip or zstd");
    return false;
  }
  body_at_ = begin_ + head_size_;
  if (head.find(http::field::transfer_encoding) != nullptr) {
    phase_ = Phase::chunked;
  } else {
    const std::uint64_t told = parser_->content_length().value_or(0);
    if (told > limits.body_bytes) {
      refuse(413, "the body is larger than this server takes");
      return false;
    }
    body_size_ = static_cast<std::size_t>(told);
    filled_ = 0;
    phase_ = Phase::length;
  }
  const bool expects = http_11_ && head.find(http::field::expect) != nullptr;
  if (expects && (phase_ == Phase::chunked ? end_ == body_at_ : end_ - body_at_ < body_size_)) continue_();
  return state_ == State::reading;
}

// RFC 9110 section 10.1.1. Everything before was written, so that these few bytes find room.
void Connection::continue_()
{
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code ec;
  if (socket_->write_some(asio::buffer(kContinue.data(), kContinue.size()), ec) != kContinue.size()) close();
}

bool Connection::take_length()
{
  Buffers& buffers = *buffers_;
  if (filled_ == 0) {
    const std::size_t here = end_ - body_at_;
    if (here >= body_size_) {
      request_.body = {buffers.in.get() + body_at_, body_size_};
      next_at_ = body_at_ + body_size_;
      phase_ = Phase::whole;
      return true;
    }
    if (body_size_ <= buffers.capacity - body_at_ || here == 0) return false;
    buffers.body.resize(std::min(body_size_, std::max(kFirstBodyPiece, here)));
    std::memcpy(buffers.body.data(), buffers.in.get() + body_at_, here);
    filled_ = here;
    end_ = body_at_;
  }
  if (filled_ < body_size_) return false;
  request_.body = buffers.body;
  next_at_ = body_at_;
  phase_ = Phase::whole;
  return true;
}

bool Connection::take_chunks()
{
  Buffers& buffers = *buffers_;
  std::size_t at = body_at_;
  error_code ec;
  while (at < end_ && !parser_->is_done() && !ec) at += parser_->put(asio::const_buffer(buffers.in.get() + at, end_ - at), ec);
  if (ec && ec != http::error::need_more) {
    const Refusal refusal = why_not(ec, *parser_, {});
    refuse(refusal.status, refusal.detail);
    return false;
  }
  if (!parser_->is_done()) {
    std::memmove(buffers.in.get() + body_at_, buffers.in.get() + at, end_ - at);
    end_ -= at - body_at_;
    if (end_ == buffers.capacity) refuse(400, "the head of a chunk, or what follows the last one, is too long");
    return false;
  }
  request_.body = buffers.body;
  next_at_ = at;
  phase_ = Phase::whole;
  return true;
}

// What is left to do once all bytes are here. False when it was refused.
bool Connection::finish_request()
{
  Buffers& buffers = *buffers_;
  const Head& head = buffers.head;
  if (const Header* coded = head.find(http::field::content_encoding); coded != nullptr && !request_.body.empty()) {
    const ContentCoding coding = *parse_content_coding(coded->value);
    if (coding != ContentCoding::identity) {
      switch (decode_content(coding, request_.body, lane_->listener->config.limits.body_bytes, buffers.inflated)) {
        case Decoded::done:
          break;
        case Decoded::too_large:
          refuse(413, "the body, decoded, is larger than this server takes");
          return false;
        case Decoded::corrupt:
          refuse(400, "the body is not coded as Content-Encoding says");
          return false;
      }
      request_.body = buffers.inflated;
    }
  }
  request_.method = to_method(head.verb);
  request_.method_name = head.method;
  request_.remote = remote_;
  if (!lane_->listener->trusted.empty() && lane_->listener->trusts(peer_)) {
    std::vector<std::string_view> values;
    for (const Header& header : head.headers) {
      if (same_word(header.name, "X-Forwarded-For")) values.push_back(header.value);
    }
    if (!values.empty()) {
      forwarded_ = to_string(forwarded_for(values, peer_, lane_->listener->trusted));
      request_.remote = forwarded_;
    }
  }
  if (id_.empty()) lane_->loop->make_id(id_);
  request_.id = id_;
  set_deadline(Deadline::none);
  state_ = State::answering;
  return true;
}

std::string_view Connection::header(std::string_view name) const
{
  if (buffers_ == nullptr) return {};
  for (const Header& header : buffers_->head.headers) {
    if (same_word(header.name, name)) return header.value;
  }
  return {};
}

void Connection::call_handler()
{
  lane_->requests.add(1);
  const auto exchange = std::make_shared<Exchange>(shared_from_this());
  std::string what;
  try {
    lane_->listener->handler(exchange);
    return;
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {
    what = "something that is no exception";
  }
  const bool owed = exchange->try_take();
  // What was answered may be over, and its id with it.
  if (lane_->loop->say)
    lane_->loop->say((owed ? "request " + id_ : std::string("a request that was answered")) + ": the handler threw: " + what);
  if (owed) answer(problem_answer({.status = 500, .detail = "the server failed at this request"}, id_));
}

// ---- writing ----------------------------------------------------------------------------------------------------------------------

// An answer of the server's own to what is no request. The connection is closed behind it, in a way that lets the client read it.
void Connection::refuse(unsigned status, std::string_view detail)
{
  lane_->malformed.add(1);
  if (buffers_ == nullptr) buffers_ = lane_->loop->take_buffers(lane_->listener->config.limits.header_bytes + kReadAhead);
  if (id_.empty()) lane_->loop->make_id(id_);
  request_.id = id_;
  keep_alive_ = false;
  HttpProblem problem{.status = status, .detail = std::string(detail)};
  if (status == 415) problem.headers.emplace_back("Accept-Encoding", "gzip, zstd");
  write_answer(problem_answer(problem, id_), After::linger);
}

void Connection::answer(HttpAnswer answer)
{
  if (state_ != State::answering) return; // it has gone
  write_answer(std::move(answer), After::next);
}

void Connection::begin_head(unsigned status)
{
  std::string& out = buffers_->out;
  out.clear();
  append_status_line(out, status);
  out.append(lane_->loop->date());
}

void Connection::write_answer(HttpAnswer answer, After after)
{
  Buffers& buffers = *buffers_;
  const bool whole = after == After::next; // the request was understood, and its header with it
  if (lane_->draining()) keep_alive_ = false;
  begin_head(answer.status);
  std::string& out = buffers.out;
  const auto has_header = [&](std::string_view name) {
    return std::any_of(answer.headers.begin(), answer.headers.end(),
                       [&](const auto& header) { return same_word(header.first, name); });
  };
  bool coded = false;
  if (whole && answer.body.size() >= kCompressFrom && is_compressible(answer.content_type) && !has_header("Content-Encoding")) {
    out.append("Vary: Accept-Encoding\r\n");
    if (const Header* accepted = buffers.head.find(http::field::accept_encoding); accepted != nullptr) {
      const ContentCoding coding = choose_content_coding(accepted->value);
      if (coding != ContentCoding::identity && encode_content(coding, answer.body, answer_body_)) {
        std::swap(answer.body, answer_body_);
        out.append("Content-Encoding: ").append(to_string(coding)).append("\r\n");
        coded = true;
      }
    }
  }
  const bool bodiless = answer.status == 204 || answer.status == 304;
  if (!bodiless) {
    if (!answer.content_type.empty()) {
      out.append("Content-Type: ");
      append_value(out, answer.content_type);
      out.append("\r\n");
    }
    out.append("Content-Length: ");
    append_number(out, answer.body.size());
    out.append("\r\n");
  }
  for (const auto& [name, value] : answer.headers) {
    append_value(out, name);
    out.append(": ");
    // The same answer in two codings is not the same bytes (RFC 9110 section 8.8.3.3).
    if (coded && value.starts_with('"') && same_word(name, "ETag")) out.append("W/");
    append_value(out, value);
    out.append("\r\n");
  }
  out.append("X-Request-Id: ").append(id_).append("\r\nServer-Timing: ");
  if (!answer.server_timing.empty()) {
    append_value(out, answer.server_timing);
    out.append(", ");
  }
  out.append("total;dur=");
  append_ms(out, SteadyClock::now() - request_.begun);
  out.append(keep_alive_ ? (http_11_ ? "\r\n\r\n" : "\r\nConnection: keep-alive\r\n\r\n") : "\r\nConnection: close\r\n\r\n");

  if (bodiless || (whole && request_.method == HttpMethod::head)) {
    answer_body_.clear();
  } else if (answer.body.size() <= kGather) {
    out.append(answer.body);
    answer_body_.clear();
  } else {
    answer_body_ = std::move(answer.body);
  }
  state_ = State::writing;
  after_ = after;
  written_ = 0;
  write();
}

void Connection::write()
{
  const std::string& head = buffers_->out;
  while (written_ < head.size() + answer_body_.size()) {
    error_code ec;
    std::size_t sent = 0;
    if (answer_body_.empty()) {
      sent = socket_->write_some(asio::buffer(head.data() + written_, head.size() - written_), ec);
    } else if (written_ < head.size()) {
      sent = socket_->write_some(
          std::array{asio::buffer(head.data() + written_, head.size() - written_), asio::buffer(std::as_const(answer_body_))}, ec);
    } else {
      const std::size_t at = written_ - head.size();
      sent = socket_->write_some(asio::buffer(answer_body_.data() + at, answer_body_.size() - at), ec);
    }
    if (ec == asio::error::would_block) {
      set_deadline(Deadline::write);
      wait_writable();
      return;
    }
    if (ec) {
      close();
      return;
    }
    written_ += sent;
  }
  written();
}

void Connection::wait_writable()
{
  if (waits_writable_) return;
  waits_writable_ = true;
  socket_->async_wait(Socket::wait_write, [self = shared_from_this()](const error_code&) {
    self->waits_writable_ = false;
    self->on_writable();
  });
}

void Connection::on_writable()
{
  if (state_ == State::writing) {
    write();
  } else if (state_ == State::streaming) {
    flush_stream();
  }
}

// An answer is on its way, all of it.
void Connection::written()
{
  let_go(answer_body_);
  if (after_ == After::linger) {
    // Closing on bytes that were not read would reset the connection, and might take the answer with it.
    error_code ec;
    socket_->shutdown(tcp::socket::shutdown_send, ec);
    if (peer_done_ || ec) {
      close();
      return;
    }
    state_ = State::lingering;
    lane_->loop->give_buffers(std::move(buffers_));
    set_deadline(Deadline::linger);
    wait_readable();
  } else if (after_ == After::stream) {
    state_ = State::streaming;
    set_deadline(Deadline::none);
    parser_.reset();
    lane_->loop->give_buffers(std::move(buffers_));
    id_ = std::string();
    wait_readable();
    flush_stream();
  } else if (!keep_alive_) {
    close();
  } else {
    next_request();
    run();
  }
}

void Connection::next_request()
{
  set_deadline(Deadline::none);
  parser_.reset();
  phase_ = Phase::head;
  id_.clear();
  state_ = State::reading;
  let_go(buffers_->body);
  let_go(buffers_->inflated);
  if (next_at_ == end_) {
    started_ = false;
    begin_ = end_ = 0;
    return;
  }
  begin_ = next_at_;
  // So that behind every header there is room for chunks and their heads.
  if (begin_ > kReadAhead / 2) {
    std::memmove(buffers_->in.get(), buffers_->in.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  request_.begun = SteadyClock::now();
}

void Connection::begin_stream(std::shared_ptr<StreamState> stream, const std::vector<std::pair<std::string, std::string>>& headers)
{
  if (state_ != State::answering) {
    stream->end();
    return;
  }
  stream_ = std::move(stream);
  lane_->streams.add(1);
  keep_alive_ = false;
  begin_head(200);
  std::string& out = buffers_->out;
  out.append("Content-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n");
  bool cached = false;
  for (const auto& [name, value] : headers) {
    append_value(out, name);
    out.append(": ");
    append_value(out, value);
    out.append("\r\n");
    cached = cached || same_word(name, "Cache-Control");
  }
  if (!cached) out.append("Cache-Control: no-store\r\n");
  out.append("X-Request-Id: ").append(id_).append("\r\nServer-Timing: total;dur=");
  append_ms(out, SteadyClock::now() - request_.begun);
  out.append(http_11_ ? "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
  if (lane_->draining()) stream_->close();
  state_ = State::writing;
  after_ = request_.method == HttpMethod::head ? After::next : After::stream; // which for HEAD is the end
  written_ = 0;
  write();
}

void Connection::flush_stream()
{
  if (state_ != State::streaming) return;
  // A stream may stand still, the end of one not.
  if (deadline_ == Deadline::none && stream_->is_closing()) set_deadline(Deadline::write);
  if (waits_writable_) return;
  for (;;) {
    if (written_ >= stream_out_.size()) {
      stream_out_ = std::string();
      written_ = 0;
      if (!stream_->take(stream_out_)) {
        close();
        return;
      }
      if (stream_out_.empty()) return;
    }
    error_code ec;
    const std::size_t sent = socket_->write_some(asio::buffer(stream_out_.data() + written_, stream_out_.size() - written_), ec);
    if (ec == asio::error::would_block) {
      wait_writable();
      return;
    }
    if (ec) {
      close();
      return;
    }
    written_ += sent;
    stream_->written(sent);
  }
}

bool StreamState::send(std::string_view text)
{
  bool behind = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (text.empty()) return true;
    behind = in_flight_ + waiting_.size() + text.size() > lane_->listener->config.limits.stream_backlog;
    if (behind) {
      closed_ = true;
    } else {
      if (chunked_) {
        append_number(waiting_, text.size(), 16);
        waiting_.append("\r\n").append(text).append("\r\n");
      } else {
        waiting_.append(text);
      }
      if (std::exchange(posted_, true)) return true;
    }
  }
  if (!behind) {
    flush();
    return true;
  }
  lane_->loop->post([self = shared_from_this()] {
    if (const auto connection = self->connection_.lock()) connection->close();
  });
  return false;
}

void StreamState::close()
{
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    if (std::exchange(posted_, true)) return;
  }
  flush();
}

void StreamState::flush()
{
  if (lane_->loop->is_here()) {
    if (const auto connection = connection_.lock()) connection->flush_stream();
  } else {
    lane_->loop->post([self = shared_from_this()] {
      if (const auto connection = self->connection_.lock()) connection->flush_stream();
    });
  }
}

void StreamState::on_closed(std::function<void()> call)
{
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      call_ = std::move(call);
      return;
    }
  }
  Loop& loop = *lane_->loop;
  loop.post([&loop, call = std::move(call)] { loop.guard(call); });
}

bool StreamState::take(std::string& out)
{
  const std::lock_guard lock(mutex_);
  posted_ = false;
  if (last_) return false;
  std::swap(out, waiting_);
  if (closed_) {
    last_ = true;
    if (chunked_) out.append("0\r\n\r\n");
    if (out.empty()) return false;
  }
  in_flight_ = out.size();
  return true;
}

void StreamState::written(std::size_t bytes)
{
  const std::lock_guard lock(mutex_);
  in_flight_ -= bytes;
}

bool StreamState::is_closing()
{
  const std::lock_guard lock(mutex_);
  return closed_;
}

// The call is posted: whoever sends finds out by false, not by a call in the midst of it.
void StreamState::end()
{
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ended_ = true;
    waiting_ = std::string();
    call = std::exchange(call_, nullptr);
  }
  if (call) lane_->loop->post([&loop = *lane_->loop, call = std::move(call)] { loop.guard(call); });
}

// ---- lanes ------------------------------------------------------------------------------------------------------------------------

void Lane::accept()
{
  acceptor_->async_accept([self = shared_from_this()](const error_code& ec, Socket socket) {
    if (!ec && self->timer_) self->take(std::move(socket));
    if (!self->acceptor_ || !self->acceptor_->is_open()) return;
    if (!ec) {
      self->accept();
    } else if (ec == asio::error::no_descriptors || ec == asio::error::no_memory || ec == asio::error::no_buffer_space ||
               ec == boost::system::errc::too_many_files_open_in_system) {
      auto timer = std::make_shared<Timer>(*self->loop->context, kAcceptAgain);
      timer->async_wait([self, timer](const error_code&) {
        if (self->acceptor_ && self->acceptor_->is_open()) self->accept();
      });
    } else {
      self->accept(); // a client that went before it was here
    }
  });
}

void Lane::take(Socket socket)
{
  error_code ec;
  const tcp::endpoint from = socket.remote_endpoint(ec);
  if (ec) return; // it has gone
  const IpAddress peer = to_ip(from.address());
  socket.set_option(tcp::no_delay(true), ec);
  socket.non_blocking(true, ec);
  accepted.add(1);

  const HttpLimits& limits = listener->config.limits;
  bool refuse = listener->open.fetch_add(1) >= limits.connections;
  const bool by_address = limits.connections_per_address > 0 && !listener->trusts(peer);
  bool counted_address = false;
  {
    const std::lock_guard lock(listener->mutex);
    ++listener->present;
    if (!refuse && by_address) {
      std::size_t& count = listener->per_address[site_of(peer)];
      counted_address = count < limits.connections_per_address;
      refuse = !counted_address;
      if (counted_address) ++count;
    }
  }
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), peer);
  connection->counted_address_ = counted_address;
  if (!refuse) {
    connection->begin();
    if (draining_) connection->drain();
    return;
  }
  refused.add(1);
  listener->open.fetch_sub(1);
  const bool told = listener->lingering_refusals.fetch_add(1) < kLingeringRefusals;
  connection->begin_refused();
  if (!told) connection->close();
}

void Lane::watch(SteadyClock::time_point at)
{
  if (at >= watched_) return;
  watched_ = at;
  timer_->expires_at(at);
  timer_->async_wait([self = shared_from_this()](const error_code& ec) {
    if (!ec && self->timer_) self->expire();
  });
}

void Lane::expire()
{
  const SteadyClock::time_point now = SteadyClock::now();
  watched_ = SteadyClock::time_point::max();
  SteadyClock::time_point next = SteadyClock::time_point::max();
  for (std::size_t kind = 1; kind < kDeadlines; ++kind) {
    std::list<Connection*>& list = connections[kind];
    while (!list.empty() && list.front()->ends_ <= now) {
      const std::shared_ptr<Connection> connection = list.front()->shared_from_this();
      connection->on_deadline(static_cast<Deadline>(kind));
    }
    if (!list.empty()) next = std::min(next, list.front()->ends_);
  }
  if (next != SteadyClock::time_point::max()) watch(next);
}

std::vector<std::shared_ptr<Connection>> Lane::all() const
{
  std::vector<std::shared_ptr<Connection>> found;
  for (const auto& list : connections) {
    for (Connection* connection : list) found.push_back(connection->shared_from_this());
  }
  return found;
}

void Lane::drain()
{
  // Whoever connected before is served: they wait in the acceptor, which would reset them.
  if (acceptor_ && acceptor_->is_open()) {
    error_code ec;
    acceptor_->non_blocking(true, ec);
    while (!ec) {
      Socket socket(*loop->context);
      acceptor_->accept(socket, ec);
      if (!ec) take(std::move(socket));
    }
    acceptor_->close(ec);
  }
  draining_ = true;
  for (const auto& connection : all()) connection->drain();
}

void Lane::close_all()
{
  acceptor_.reset();
  for (const auto& connection : all()) connection->close();
  timer_.reset();
}

// ---- the server -------------------------------------------------------------------------------------------------------------------

class Server final : public HttpServer {
 public:
  explicit Server(Options options)
  {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i)
      loops_.push_back(std::make_shared<Loop>(options.say));
  }
  ~Server() override { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<std::size_t> listen(const HttpListener& config, HttpHandler handler) override;
  [[nodiscard]] std::uint16_t port(std::size_t listener) const override { return listeners_.at(listener)->port; }
  void start() override;
  bool drain(Milliseconds limit) override;
  void stop() override;
  std::size_t alive() override;
  [[nodiscard]] HttpCounts counts(std::size_t listener) const override;
  [[nodiscard]] std::size_t threads() const override { return loops_.size(); }

 private:
  void post_tick(Loop& loop);

  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::vector<std::vector<std::shared_ptr<Lane>>> lanes_; // [listener][thread]
  std::vector<std::unique_ptr<asio::executor_work_guard<Executor>>> work_;
  bool started_ = false;
  bool stopped_ = false;
};

using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// A socket that listens at `endpoint`. With `shared`, others of this process may listen there too.
error_code open_acceptor(Acceptor& acceptor, const tcp::endpoint& endpoint, bool both, bool shared)
{
  error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(Acceptor::reuse_address(true), ec);
  if (!ec && shared) acceptor.set_option(ReusePort(true), ec);
  if (!ec && endpoint.protocol() == tcp::v6()) acceptor.set_option(asio::ip::v6_only(!both), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(kBacklog, ec);
  return ec;
}

Result<std::size_t> Server::listen(const HttpListener& config, HttpHandler handler)
{
  ATTUNE_ASSERT(!started_);
  const bool any = config.address == "*";
  const std::string name = (config.address.find(':') == std::string::npos ? config.address : "[" + config.address + "]") + ":" +
                           std::to_string(config.port);
  error_code ec;
  const asio::ip::address address =
      any ? asio::ip::address(asio::ip::address_v6::any()) : asio::ip::make_address(config.address, ec);
  if (ec) return Error{Code::usage, config.address + ": no address to listen at: an address of IPv4 or IPv6, or *"};
  auto listener = std::make_shared<Listener>();
  for (const std::string& proxy : config.trusted_proxies) {
    const std::optional<IpRange> range = parse_ip_range(proxy);
    if (!range) return Error{Code::usage, proxy + ": neither an address nor a range of them (10.0.0.0/8)"};
    listener->trusted.push_back(*range);
  }
  tcp::endpoint endpoint(address, config.port);
  const auto failed = [&](const error_code& why) -> Result<std::size_t> {
    if (why == asio::error::address_in_use) return Error{Code::busy, name + ": another program listens there"};
    return Error{why == asio::error::no_permission || why == boost::system::errc::address_not_available ? Code::usage : Code::io,
                 name + ": listen: " + why.message()};
  };
  // SO_REUSEPORT lets any process of the same user join in, silently: so the first try is without it.
  {
    Acceptor probe(*loops_[0]->context);
    ec = open_acceptor(probe, endpoint, any, false);
    if (any && ec == asio::error::address_family_not_supported) { // a machine without IPv6
      endpoint.address(asio::ip::address_v4::any());
      probe.close();
      ec = open_acceptor(probe, endpoint, false, false);
    }
    if (ec) return failed(ec);
  }
  std::vector<std::shared_ptr<Lane>> lanes;
  for (const std::shared_ptr<Loop>& loop : loops_) {
    Acceptor acceptor(*loop->context);
    ec = open_acceptor(acceptor, endpoint, any, loops_.size() > 1);
    if (ec) return failed(ec);
    endpoint.port(acceptor.local_endpoint().port());
    lanes.push_back(std::make_shared<Lane>(loop, listener, std::move(acceptor)));
  }
  listener->config = config;
  listener->handler = std::move(handler);
  listener->port = endpoint.port();
  listeners_.push_back(std::move(listener));
  lanes_.push_back(std::move(lanes));
  return listeners_.size() - 1;
}

void Server::start()
{
  ATTUNE_ASSERT(!started_ && !stopped_);
  started_ = true;
  for (const auto& lanes : lanes_) {
    for (const auto& lane : lanes) {
      lane->loop->post([lane] { lane->accept(); });
    }
  }
  for (const std::shared_ptr<Loop>& loop : loops_) {
    post_tick(*loop);
    work_.push_back(std::make_unique<asio::executor_work_guard<Executor>>(loop->context->get_executor()));
    loop->thread = std::thread([loop] { loop->run(); });
  }
}

bool Server::drain(Milliseconds limit)
{
  const auto until = SteadyClock::now() + limit;
  if (!started_ || stopped_) return true;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t left = 0;
  for (const auto& lanes : lanes_) left += lanes.size();
  for (const auto& lanes : lanes_) {
    for (const auto& lane : lanes) {
      lane->loop->post([&, lane] {
        lane->drain();
        const std::lock_guard lock(mutex);
        --left;
        changed.notify_all();
      });
    }
  }
  {
    // Without a limit of time: a loop that never runs again could not be stopped either.
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return left == 0; });
  }
  bool all = true;
  for (const auto& listener : listeners_) {
    std::unique_lock lock(listener->mutex);
    all = listener->gone.wait_until(lock, until, [&] { return listener->present == 0; }) && all;
  }
  return all;
}

void Server::stop()
{
  if (std::exchange(stopped_, true)) return;
  const auto close = [this](std::size_t thread) {
    for (const auto& lanes : lanes_) lanes[thread]->close_all();
  };
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    Loop& loop = *loops_[i];
    if (!started_) {
      close(i);
      continue;
    }
    loop.post([&loop, &close, i] {
      close(i);
      loop.post([&loop] { loop.context->stop(); }); // behind what the closing of streams has called for
    });
  }
  for (const std::shared_ptr<Loop>& loop : loops_) {
    if (loop->thread.joinable()) loop->thread.join();
  }
  work_.clear();
  for (const std::shared_ptr<Loop>& loop : loops_) loop->end();
  for (const auto& listener : listeners_) listener->handler = nullptr; // and whatever it holds
}

void Server::post_tick(Loop& loop)
{
  if (loop.tick_posted.exchange(true)) return;
  loop.post([&loop] {
    loop.tick_posted = false;
    loop.ran = true;
  });
}

std::size_t Server::alive()
{
  std::size_t count = 0;
  for (const std::shared_ptr<Loop>& loop : loops_) {
    if (loop->ran.exchange(false)) ++count;
    post_tick(*loop);
  }
  return count;
}

HttpCounts Server::counts(std::size_t listener) const
{
  HttpCounts counts;
  counts.open = listeners_.at(listener)->open;
  for (const std::shared_ptr<Lane>& lane : lanes_[listener]) {
    counts.accepted += lane->accepted.get();
    counts.refused += lane->refused.get();
    counts.streams += lane->streams.get();
    counts.requests += lane->requests.get();
    counts.malformed += lane->malformed.get();
  }
  return counts;
}

} // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::open(Options options)
{
  return std::unique_ptr<HttpServer>(std::make_unique<Server>(std::move(options)));
}

} // namespace attune
