// One connection to a Redis server: hiredis connects and parses, this sends. It bounds every wait, never raises SIGPIPE, never lets an
// endless pipeline fill either side's buffers, and says of every failure whether it may pass (redis_error).
// Thread rule: one thread. Protocol: RESP2. No password appears in a message.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct redisContext;
struct redisReply;

namespace attune {

// A server and who we are to it.
struct RedisPlace {
  std::string name; // as messages call it: "redis://db1:6379/0", "redis+unix:///run/redis.sock"; no user, no password
  std::string host;
  int port = 6379;
  std::string socket; // a path; set: host and port are not used
  std::string user;
  std::string password;
  int database = 0;
};

// redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or redis+unix://[[USER]:PASSWORD@]/PATH[?db=DB]. HOST may be [v6]; percent sequences stand
// for bytes in user, password and path. Total. ERRORS: usage.
[[nodiscard]] Result<RedisPlace> parse_redis_url(std::string_view url);

// Commands in their wire form, one after another.
class RedisCommands {
 public:
  void clear();
  void add(std::initializer_list<std::string_view> arguments);
  // The same in steps, for arguments made of pieces: begin(how many), then one argument() each.
  void begin(std::size_t arguments);
  void argument(std::initializer_list<std::string_view> pieces);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

// What an error reply means to a caller: `unreachable` or `busy` when it may pass (LOADING, MASTERDOWN, CLUSTERDOWN; BUSY, OOM, READONLY,
// TRYAGAIN, MISCONF, NOREPLICAS, "max number of clients"), else `config` (WRONGTYPE, NOAUTH, WRONGPASS, NOPERM and any other).
[[nodiscard]] Error redis_error(std::string_view place, std::string_view what, std::string_view reply);

// The bytes of a string, status or error reply; none of any other.
[[nodiscard]] std::string_view text_of(const redisReply& reply);
[[nodiscard]] bool is_error(const redisReply& reply);

class RedisConnection {
 public:
  explicit RedisConnection(RedisPlace place);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  [[nodiscard]] const std::string& name() const { return place_.name; }
  [[nodiscard]] bool connected() const { return context_ != nullptr; }

  // Connects, authenticates and selects the database; `limit` bounds the connect and every silence of the peer from now on.
  // The look-up of a host name is the system resolver's and obeys its limits.
  Status connect(Milliseconds limit);
  void set_limit(Milliseconds limit);
  void close();

  // Sends commands and hands their replies out in order. `append(i, commands)` adds exactly one command; at most about 512 KiB or 1,024
  // of them are sent beyond the last reply read, so that both sides work at once and neither has to store what the other does not take.
  // `take` sees error replies too; with an error of its own it ends the exchange (what was sent is still read, and not shown).
  // ERRORS: unreachable (the connection is closed), what `take` returned.
  using Append = std::function<void(std::size_t, RedisCommands&)>;
  using Take = std::function<Status(std::size_t, const redisReply&)>;
  Status exchange(std::size_t count, const Append& append, const Take& take);

  // --- For what a server says unasked: subscriptions. Beside exchange() only while no reply is awaited. ---
  // To be polled for reading. REQUIRES: connected().
  [[nodiscard]] int descriptor() const;
  // Sends one command and leaves its reply to take_arrived(). ERRORS: unreachable (the connection is closed).
  Status post(std::initializer_list<std::string_view> command);
  // Hands out what has arrived, about 64 KiB of it at most, without waiting for more. An error of `take` ends it.
  // ERRORS: unreachable (the connection is closed), what `take` returned.
  using Hear = std::function<Status(const redisReply&)>;
  Status take_arrived(const Hear& take);

 private:
  struct FreeContext {
    void operator()(redisContext* context) const;
  };
  struct FreeReply {
    void operator()(redisReply* reply) const;
  };
  using Reply = std::unique_ptr<redisReply, FreeReply>;

  Status open(Milliseconds limit);
  Status introduce();
  Status send(std::string_view bytes);
  Result<Reply> receive();
  Error lost(std::string_view doing, std::string_view why);

  RedisPlace place_;
  std::unique_ptr<redisContext, FreeContext> context_;
  RedisCommands outgoing_;
  Milliseconds limit_{0};
};

} // namespace attune
