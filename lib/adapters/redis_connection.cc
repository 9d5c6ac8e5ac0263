#include "adapters/redis_connection.h"

#include <hiredis/hiredis.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "adapters/places.h"
#include "base/assert.h"

namespace attune {
namespace {

// Half of what may be in flight: while the server works on one such piece, the next is being made and the replies of the last are read.
constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::size_t kPieceCommands = 512;
constexpr std::size_t kArrivedBytes = 64 * 1024;

timeval to_timeval(Milliseconds limit)
{
  const auto us = std::max<std::int64_t>(1000, std::chrono::microseconds(limit).count()); // 0 would mean: for ever
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

std::optional<int> parse_number(std::string_view text, int max)
{
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > max) return std::nullopt;
  return number;
}

std::optional<std::string> percent_decoded(std::string_view text)
{
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    int byte = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (error != std::errc() || end != text.data() + i + 3 || byte < 0) return std::nullopt;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

// "user:password@rest" -> rest, with user and password filled in. False for broken percent sequences.
bool take_credentials(std::string_view& authority, RedisPlace& place)
{
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return true;
  const std::string_view credentials = authority.substr(0, at);
  authority.remove_prefix(at + 1);
  const std::size_t colon = credentials.find(':');
  std::optional<std::string> user = percent_decoded(credentials.substr(0, colon));
  std::optional<std::string> password =
      colon == std::string_view::npos ? std::string() : percent_decoded(credentials.substr(colon + 1));
  if (!user || !password) return false;
  place.user = *std::move(user);
  place.password = *std::move(password);
  return true;
}

bool take_host_and_port(std::string_view authority, RedisPlace& place)
{
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    place.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = authority.find(':');
    place.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  if (place.host.empty()) return false;
  if (port.empty()) return true;
  const std::optional<int> number = port.front() == ':' ? parse_number(port.substr(1), 65535) : std::nullopt;
  if (!number || *number == 0) return false;
  place.port = *number;
  return true;
}

bool take_database(std::string_view text, RedisPlace& place)
{
  if (text.empty()) return true;
  const std::optional<int> number = parse_number(text, 1'000'000);
  if (number) place.database = *number;
  return number.has_value();
}

void append_decimal(std::size_t number, std::string& out)
{
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

struct ReplyClass {
  std::string_view word;
  Code code;
};
constexpr std::array kPassing{
    ReplyClass{"LOADING", Code::unreachable},
    ReplyClass{"MASTERDOWN", Code::unreachable},
    ReplyClass{"CLUSTERDOWN", Code::unreachable},
    ReplyClass{"BUSY", Code::busy},
    ReplyClass{"OOM", Code::busy},
    ReplyClass{"READONLY", Code::busy},
    ReplyClass{"TRYAGAIN", Code::busy},
    ReplyClass{"MISCONF", Code::busy},
    ReplyClass{"NOREPLICAS", Code::busy},
    ReplyClass{"UNKILLABLE", Code::busy},
};

bool says(std::string_view reply, std::string_view word)
{
  if (reply.starts_with(word) && (reply.size() == word.size() || reply[word.size()] == ' ')) return true;
  // Before Redis 7 a script's own error is wrapped: "ERR Error running script (call to f_…): @user_script:1: OOM …".
  return reply.starts_with("ERR Error running script") && reply.find(": " + std::string(word) + " ") != std::string_view::npos;
}

} // namespace

Result<RedisPlace> parse_redis_url(std::string_view url)
{
  const Error wrong{Code::usage, "not a Redis URL (redis://[user:password@]host[:port][/db], redis+unix:///path[?db=n])"};
  const Result<PlaceUrl> parts = parse_place_url(url);
  if (!parts.ok()) return parts.error();
  RedisPlace place;
  std::string_view authority = parts->authority;
  if (!take_credentials(authority, place)) return wrong;
  std::string_view database = parts->path;
  if (parts->scheme == "redis") {
    if (!parts->query.empty() || !take_host_and_port(authority, place)) return wrong;
    if (!database.empty()) database.remove_prefix(1);
    place.name = "redis://" + std::string(authority);
  } else if (parts->scheme == "redis+unix") {
    if (!authority.empty() || parts->path.empty()) return wrong;
    place.socket = parts->path;
    database = parts->query;
    if (!database.empty() && !database.starts_with("db=")) return wrong;
    if (!database.empty()) database.remove_prefix(3);
    place.name = "redis+unix://" + place.socket;
  } else {
    return wrong;
  }
  if (!take_database(database, place)) return wrong;
  return place;
}

Error redis_error(std::string_view place, std::string_view what, std::string_view reply)
{
  std::string message(place);
  if (!what.empty()) message.append(": ").append(what);
  message.append(": ").append(reply);
  for (const ReplyClass& passing : kPassing) {
    if (says(reply, passing.word)) return {passing.code, std::move(message)};
  }
  if (reply.find("max number of clients") != std::string_view::npos) return {Code::busy, std::move(message)};
  return {Code::config, std::move(message)};
}

std::string_view text_of(const redisReply& reply)
{
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

bool is_error(const redisReply& reply)
{
  return reply.type == REDIS_REPLY_ERROR;
}

void RedisCommands::clear()
{
  bytes_.clear();
  count_ = 0;
}

void RedisCommands::add(std::initializer_list<std::string_view> arguments)
{
  begin(arguments.size());
  for (const std::string_view one : arguments) argument({one});
}

void RedisCommands::begin(std::size_t arguments)
{
  bytes_.push_back('*');
  append_decimal(arguments, bytes_);
  bytes_.append("\r\n");
  ++count_;
}

void RedisCommands::argument(std::initializer_list<std::string_view> pieces)
{
  std::size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  bytes_.push_back('$');
  append_decimal(size, bytes_);
  bytes_.append("\r\n");
  for (const std::string_view piece : pieces) bytes_.append(piece);
  bytes_.append("\r\n");
}

void RedisConnection::FreeContext::operator()(redisContext* context) const
{
  redisFree(context);
}

void RedisConnection::FreeReply::operator()(redisReply* reply) const
{
  freeReplyObject(reply);
}

RedisConnection::RedisConnection(RedisPlace place) : place_(std::move(place)) {}
RedisConnection::~RedisConnection() = default;

void RedisConnection::close()
{
  context_.reset();
}

Error RedisConnection::lost(std::string_view doing, std::string_view why)
{
  close();
  std::string message = place_.name;
  message.append(": ").append(doing).append(": ").append(why);
  return {Code::unreachable, std::move(message)};
}

Status RedisConnection::connect(Milliseconds limit)
{
  Status status = open(limit);
  if (status.ok()) status = introduce();
  if (!status.ok()) close();
  return status;
}

Status RedisConnection::open(Milliseconds limit)
{
  const timeval time = to_timeval(limit);
  context_.reset(place_.socket.empty() ? redisConnectWithTimeout(place_.host.c_str(), place_.port, time)
                                       : redisConnectUnixWithTimeout(place_.socket.c_str(), time));
  if (context_ == nullptr) return lost("connect", "out of memory");
  if (context_->err != 0) {
    const bool late = context_->err == REDIS_ERR_IO && (errno == ETIMEDOUT || errno == EAGAIN);
    const std::string why = late ? "timed out after " + std::to_string(limit.count()) + " ms" : std::string(context_->errstr);
    return lost("connect", why);
  }
  if (place_.socket.empty()) redisEnableKeepAlive(context_.get());
  limit_ = Milliseconds(0);
  set_limit(limit);
  return {};
}

void RedisConnection::set_limit(Milliseconds limit)
{
  if (context_ == nullptr || limit == limit_) return;
  limit_ = limit;
  redisSetTimeout(context_.get(), to_timeval(limit));
}

// AUTH and SELECT are answered one by one: after a refused AUTH nothing else is sent.
Status RedisConnection::introduce()
{
  const auto ask = [&](std::initializer_list<std::string_view> command) {
    return exchange(
        1, [&](std::size_t, RedisCommands& commands) { commands.add(command); },
        [&](std::size_t, const redisReply& reply) -> Status {
          return is_error(reply) ? Status(redis_error(place_.name, *command.begin(), text_of(reply))) : Status();
        });
  };
  Status status;
  if (!place_.password.empty()) {
    status = place_.user.empty() ? ask({"AUTH", place_.password}) : ask({"AUTH", place_.user, place_.password});
  }
  if (status.ok() && place_.database != 0) status = ask({"SELECT", std::to_string(place_.database)});
  return status;
}

Status RedisConnection::send(std::string_view bytes)
{
  while (!bytes.empty()) {
    const ssize_t sent = ::send(context_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return lost("write", "timed out after " + std::to_string(limit_.count()) + " ms");
    return lost("write", std::strerror(errno));
  }
  return {};
}

Result<RedisConnection::Reply> RedisConnection::receive()
{
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) == REDIS_OK && raw != nullptr) return Reply(static_cast<redisReply*>(raw));
  const bool late = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
  const std::string why = late ? "timed out after " + std::to_string(limit_.count()) + " ms" : std::string(context_->errstr);
  return lost("read", why);
}

Status RedisConnection::exchange(std::size_t count, const Append& append, const Take& take)
{
  ATTUNE_ASSERT(connected());
  Status result;
  std::size_t made = 0; // commands appended
  std::size_t answered = 0; // replies read
  std::size_t previous = 0; // commands sent before the newest piece
  while (answered < count) {
    if (made < count && result.ok()) {
      previous = made;
      outgoing_.clear();
      while (made < count && outgoing_.count() < kPieceCommands && outgoing_.bytes().size() < kPieceBytes)
        append(made++, outgoing_);
      ATTUNE_ASSERT(outgoing_.count() == made - previous);
      if (Status sent = send(outgoing_.bytes()); !sent.ok()) return sent;
    } else {
      previous = made;
    }
    // All before the newest piece are read; the newest stays in flight while the next one is made.
    while (answered < previous) {
      Result<Reply> reply = receive();
      if (!reply.ok()) return reply.error();
      const Reply held = *std::move(reply);
      const std::size_t index = answered++;
      if (result.ok()) result = take(index, *held);
    }
    if (!result.ok() && answered == made) return result;
  }
  return result;
}

int RedisConnection::descriptor() const
{
  ATTUNE_ASSERT(connected());
  return context_->fd;
}

Status RedisConnection::post(std::initializer_list<std::string_view> command)
{
  ATTUNE_ASSERT(connected());
  outgoing_.clear();
  outgoing_.add(command);
  return send(outgoing_.bytes());
}

Status RedisConnection::take_arrived(const Hear& take)
{
  ATTUNE_ASSERT(connected());
  std::array<char, kArrivedBytes> bytes;
  const ssize_t got = ::recv(context_->fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got == 0) return lost("read", "the server closed the connection");
  if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return lost("read", std::strerror(errno));
  redisReader* const reader = context_->reader;
  if (got > 0 && redisReaderFeed(reader, bytes.data(), static_cast<std::size_t>(got)) != REDIS_OK) {
    return lost("read", std::string(reader->errstr));
  }
  for (;;) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader, &raw) != REDIS_OK) return lost("read", std::string(reader->errstr));
    if (raw == nullptr) return {};
    const Reply reply(static_cast<redisReply*>(raw));
    if (Status status = take(*reply); !status.ok()) return status;
  }
}

} // namespace attune
