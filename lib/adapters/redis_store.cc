#include "adapters/redis_store.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <unordered_set>

#include "adapters/backoff.h"
#include "adapters/store_names.h"
#include "base/assert.h"

namespace attune {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kHeader = 32; // digest and nonce
constexpr std::size_t kScanPage = 1000;
constexpr Digest kNone{};

// ARGV: the digest expected ("" for none), the new value ("" to delete), its life in ms ("" for ever).
// 1: written, 0: lost, 2: there is none. A value with our own nonce is this very write, sent before: its reply was lost.
constexpr std::string_view kCompareAndSet = R"(
local head = redis.call('GETRANGE', KEYS[1], 0, 31)
local value = ARGV[2]
if value ~= '' and string.sub(head, 17) == string.sub(value, 17, 32) then return 1 end
if string.sub(head, 1, 16) ~= ARGV[1] then
  if head == '' then return 2 end
  return 0
end
if value == '' then redis.call('UNLINK', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], value)
else redis.call('SET', KEYS[1], value, 'PX', ARGV[3]) end
return 1
)";
constexpr std::int64_t kReplyWritten = 1;
constexpr std::int64_t kReplyAbsent = 2;

// Makes a generation current, unless another one, or other data, became so meanwhile. Safe to send twice.
constexpr std::string_view kPublish = R"(
local now = redis.call('GET', KEYS[1])
if now == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2])
  return 1
end
if now == ARGV[2] then return 1 end
return 0
)";

std::string_view bytes_of(const Digest& digest)
{
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string run_id_of(std::string_view info)
{
  constexpr std::string_view field = "run_id:";
  const std::size_t at = info.find(field);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = info.substr(at + field.size());
  return std::string(rest.substr(0, rest.find_first_of("\r\n")));
}

// 16 bytes no other write has: 8 random ones of the handle, and a count.
class NonceSource {
 public:
  NonceSource()
  {
    std::random_device device;
    handle_ = (static_cast<std::uint64_t>(device()) << 32) | device();
  }
  std::uint64_t reserve(std::size_t writes) { return std::exchange(next_, next_ + writes); }
  [[nodiscard]] std::array<char, 16> nonce(std::uint64_t number) const
  {
    std::array<char, 16> bytes;
    std::memcpy(bytes.data(), &handle_, 8);
    std::memcpy(bytes.data() + 8, &number, 8);
    return bytes;
  }

 private:
  std::uint64_t handle_ = 0;
  std::uint64_t next_ = 0;
};

struct DigestHash {
  std::size_t operator()(const Digest& digest) const
  {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
  }
};

class RedisStore final : public ProfileStore {
 public:
  // `fresh`: the unpublished generation this handle stays on; nothing: it follows the one in use.
  RedisStore(RedisPlace place, const StoreOptions& options, std::optional<std::string> fresh)
      : place_(place),
        options_(options),
        fresh_(std::move(fresh)),
        incarnation_key_(redis_incarnation_key(options.name_space)),
        life_(options.profile_ttl ? std::to_string(std::max<std::int64_t>(1, options.profile_ttl->count())) : ""),
        connection_(std::move(place))
  {
  }

  // Connects and takes what it finds for granted.
  Status open()
  {
    return patiently([] { return Status(); });
  }

  Result<std::unique_ptr<ProfileStore>> another() override
  {
    return opened(std::make_unique<RedisStore>(place_, options_, fresh_));
  }

  Result<Incarnation> incarnation() override
  {
    known_.reset();
    replaced_ = false;
    if (Status status = patiently([&] { return known_ ? Status() : look(); }); !status.ok()) return status.error();
    return *known_;
  }

  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    out.resize(customers.size());
    return patiently([&] { return read(customers, out); });
  }

  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    if (options_.read_only) return Error{Code::usage, place_.name + ": opened for reading only"};
    out.assign(writes.size(), WriteOutcome::lost);
    Unanswered unanswered{.indexes = {}, .first_nonce = nonces_.reserve(writes.size()), .again = false};
    for (std::size_t i = 0; i < writes.size(); ++i) unanswered.indexes.push_back(i);
    return patiently([&] {
      Status status = write(writes, unanswered, out);
      if (!status.ok() || unanswered.indexes.empty()) return status;
      // Only for want of the script, which somebody flushed.
      status = load_script();
      if (status.ok()) status = write(writes, unanswered, out);
      if (!status.ok() || unanswered.indexes.empty()) return status;
      return Status(Error{Code::busy, place_.name + ": EVALSHA: the script is flushed again and again"});
    });
  }

  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override
  {
    std::vector<StoredProfile> profiles;
    return scan_customers([&](const std::vector<CustomerId>& page) -> Result<bool> {
      if (Status status = get(page, profiles); !status.ok()) return status.error();
      for (std::size_t i = 0; i < page.size(); ++i) {
        if (!profiles[i].bytes.empty() && !visit(page[i], profiles[i])) return false;
      }
      return true;
    });
  }

  Result<std::unique_ptr<ProfileStore>> fresh_generation() override
  {
    return opened(std::make_unique<RedisStore>(place_, options_, random_name()));
  }

  Status publish_generation() override
  {
    ATTUNE_ASSERT(fresh_ || removing_); // a second call goes on with the removal that failed in the first
    if (fresh_) {
      const std::string old = known_->data;
      published_ = incarnation_data(random_name(), *fresh_);
      if (Status status = patiently([&] { return publish(old); }); !status.ok()) return status;
      fresh_.reset();
      removing_ = true;
    }
    Status status = remove_other_generations();
    if (status.ok()) removing_ = false;
    return status;
  }

 private:
  // The writes of a call that no reply has come for.
  struct Unanswered {
    std::vector<std::size_t> indexes;
    std::uint64_t first_nonce = 0;
    bool again = false; // some may have been sent before
  };

  static Result<std::unique_ptr<ProfileStore>> opened(std::unique_ptr<RedisStore> store)
  {
    if (Status status = store->open(); !status.ok()) return status.error();
    return std::unique_ptr<ProfileStore>(std::move(store));
  }

  // Runs `once` on a connection that stands, again and again while it fails in a way that may pass and patience lasts.
  template <class Once>
  Status patiently(const Once& once)
  {
    const auto end = SteadyClock::now() + options_.patience;
    Milliseconds limit = options_.patience.count() > 0 ? std::min(options_.timeout, options_.patience) : options_.timeout;
    for (;;) {
      connection_.set_limit(limit);
      Status status = connection_.connected() ? Status() : connect(limit);
      if (status.ok() && replaced_) status = replaced();
      if (status.ok()) status = once();
      if (status.ok()) backoff_.reset();
      if (std::exchange(moved_, false)) connection_.close();
      if (status.ok() || !worth_retry(status.error())) return status;
      const auto pause = backoff_.next();
      const auto left = std::chrono::duration_cast<Milliseconds>(end - SteadyClock::now()) - pause;
      if (left <= Milliseconds(0)) return status;
      std::this_thread::sleep_for(pause);
      limit = std::min(options_.timeout, left);
    }
  }

  // Connects, and learns who serves what before anything else is sent.
  Status connect(Milliseconds limit)
  {
    Status status = connection_.connect(limit);
    if (status.ok()) status = learn_run();
    if (status.ok() && !options_.read_only) status = load_script();
    if (status.ok()) status = look();
    if (!status.ok() && !replaced_) connection_.close();
    return status;
  }

  using Take = RedisConnection::Take;

  // One command, one reply; an error reply is an error.
  Status ask(std::initializer_list<std::string_view> command, const std::function<Status(const redisReply&)>& take)
  {
    return connection_.exchange(
        1, [&](std::size_t, RedisCommands& commands) { commands.add(command); },
        [&](std::size_t, const redisReply& reply) {
          return is_error(reply) ? Status(error(*command.begin(), reply)) : take(reply);
        });
  }

  Status learn_run()
  {
    return ask({"INFO", "server"}, [&](const redisReply& reply) -> Status {
      run_ = run_id_of(text_of(reply));
      return {};
    });
  }

  Status load_script()
  {
    return ask({"SCRIPT", "LOAD", kCompareAndSet}, [&](const redisReply& reply) -> Status {
      compare_and_set_ = text_of(reply);
      return {};
    });
  }

  // Reads which data this is, and names it when nobody has. A reader leaves an unnamed store alone.
  Status look()
  {
    std::string data;
    const auto keep = [&](const redisReply& reply) -> Status {
      data = reply.type == REDIS_REPLY_STRING ? text_of(reply) : std::string_view();
      return {};
    };
    const auto nothing = [](const redisReply&) { return Status(); };
    Status status = ask({"GET", incarnation_key_}, keep);
    if (status.ok() && data.empty() && !options_.read_only) {
      // Of two who find it empty one is first; both read who it was.
      status = ask({"SET", incarnation_key_, random_name(), "NX"}, nothing);
      if (status.ok()) status = ask({"GET", incarnation_key_}, keep);
    }
    if (!status.ok()) return status;
    return compare(std::move(data));
  }

  Status compare(std::string data)
  {
    const Incarnation found{std::move(data), run_};
    if (!known_) {
      known_ = found;
      generation_ = fresh_ ? *fresh_ : generation_of(found.data);
    }
    if (published_ && found.data == *published_) known_->data = *published_; // our own doing, whose reply was lost
    if (found != *known_) replaced_ = true;
    return replaced_ ? Status(replaced()) : Status();
  }

  Error replaced() const
  {
    return {Code::replaced, place_.name + ": the store is not the one it was (emptied, restarted or rebuilt)"};
  }

  Error error(std::string_view what, const redisReply& reply)
  {
    const std::string_view text = text_of(reply);
    // A primary that became a replica: the name may lead to its successor by now.
    if (text.starts_with("READONLY")) moved_ = true;
    return redis_error(place_.name, what, text);
  }

  Error error_of(const CustomerId& customer, const redisReply& reply)
  {
    std::string key;
    append_redis_key(options_.name_space, generation_, customer, key);
    return error(key, reply);
  }

  // Sends `count` commands behind one that asks which data this is, whose answer is the first to be looked at.
  Status batch(std::size_t count, const RedisConnection::Append& append, const Take& take)
  {
    return connection_.exchange(
        count + 1,
        [&](std::size_t i, RedisCommands& commands) {
          if (i == 0) return commands.add({"GET", incarnation_key_});
          append(i - 1, commands);
        },
        [&](std::size_t i, const redisReply& reply) -> Status {
          if (i != 0) return take(i - 1, reply);
          if (is_error(reply)) return error(incarnation_key_, reply);
          return compare(reply.type == REDIS_REPLY_STRING ? std::string(text_of(reply)) : std::string());
        });
  }

  Status read(std::span<const CustomerId> customers, std::vector<StoredProfile>& out)
  {
    return batch(
        customers.size(),
        [&](std::size_t i, RedisCommands& commands) {
          key_.clear();
          append_redis_key(options_.name_space, generation_, customers[i], key_);
          commands.add({"GET", key_});
        },
        [&](std::size_t i, const redisReply& reply) -> Status {
          if (is_error(reply)) return error_of(customers[i], reply);
          return keep(customers[i], reply, out[i]);
        });
  }

  Status keep(const CustomerId& customer, const redisReply& reply, StoredProfile& out)
  {
    out.bytes.clear();
    out.digest = kNone;
    if (reply.type == REDIS_REPLY_NIL) return {};
    const std::string_view value = text_of(reply);
    if (value.size() <= kHeader) {
      return Error{Code::config, place_.name + ": profile of " + customer.text + ": not a value of ours"};
    }
    std::memcpy(out.digest.data(), value.data(), out.digest.size());
    out.bytes = value.substr(kHeader);
    return {};
  }

  // Sends what has no answer yet. What may pass is left unanswered and its error returned once all replies are read; what lacked the
  // script is left unanswered without an error.
  Status write(std::span<const ProfileWrite> writes, Unanswered& unanswered, std::vector<WriteOutcome>& out)
  {
    std::vector<std::size_t> left;
    std::size_t taken = 0;
    Status passing;
    const Status status = batch(
        unanswered.indexes.size(),
        [&](std::size_t i, RedisCommands& commands) {
          const std::size_t index = unanswered.indexes[i];
          append_write(writes[index], nonces_.nonce(unanswered.first_nonce + index), commands);
        },
        [&](std::size_t i, const redisReply& reply) -> Status {
          const std::size_t index = unanswered.indexes[i];
          taken = i + 1;
          if (reply.type == REDIS_REPLY_INTEGER) {
            out[index] = outcome(writes[index], reply.integer, unanswered.again);
            return {};
          }
          left.push_back(index);
          if (text_of(reply).starts_with("NOSCRIPT")) return {};
          Error why = error_of(*writes[index].customer, reply);
          if (!worth_retry(why)) return why;
          if (passing.ok()) passing = std::move(why);
          return {};
        });
    left.insert(left.end(), unanswered.indexes.begin() + static_cast<std::ptrdiff_t>(taken), unanswered.indexes.end());
    unanswered.indexes = std::move(left);
    unanswered.again = true;
    return status.ok() ? passing : status;
  }

  void append_write(const ProfileWrite& one, const std::array<char, 16>& nonce, RedisCommands& commands)
  {
    key_.clear();
    append_redis_key(options_.name_space, generation_, *one.customer, key_);
    commands.begin(7);
    commands.argument({"EVALSHA"});
    commands.argument({compare_and_set_});
    commands.argument({"1"});
    commands.argument({key_});
    commands.argument({one.expected == kNone ? std::string_view() : bytes_of(one.expected)});
    if (one.bytes.empty()) {
      commands.argument({});
    } else {
      commands.argument({bytes_of(one.digest), std::string_view(nonce.data(), nonce.size()), one.bytes});
    }
    commands.argument({life_});
  }

  static WriteOutcome outcome(const ProfileWrite& one, std::int64_t reply, bool again)
  {
    if (reply == kReplyWritten) return WriteOutcome::written;
    // A delete leaves no nonce to know it by; sent again, that there is nothing is what it wanted.
    const bool deleted = reply == kReplyAbsent && one.bytes.empty() && again;
    return deleted ? WriteOutcome::written : WriteOutcome::lost;
  }

  Status publish(std::string_view old)
  {
    return ask({"EVAL", kPublish, "1", incarnation_key_, old, *published_}, [&](const redisReply& reply) -> Status {
      replaced_ = reply.integer != 1;
      if (!replaced_) known_->data = *published_;
      return replaced_ ? Status(replaced()) : Status();
    });
  }

  // Hands out the customers of this generation, each once, a page at a time; stops when `visit` says false.
  Status scan_customers(const std::function<Result<bool>(const std::vector<CustomerId>&)>& visit)
  {
    const std::string pattern = redis_key_pattern(options_.name_space, generation_);
    std::unordered_set<Digest, DigestHash> seen; // SCAN shows a key twice when the server's table shrinks; 16 bytes stand for a key
    std::string cursor = "0";
    do {
      std::vector<CustomerId> page;
      Status status = patiently([&] { return scan_page(pattern, cursor, page); });
      if (!status.ok()) return status;
      std::erase_if(page, [&](const CustomerId& customer) { return !seen.insert(digest_of(customer.text)).second; });
      Result<bool> more = visit(page);
      if (!more.ok()) return more.error();
      if (!*more) return {};
    } while (cursor != "0");
    return {};
  }

  Status scan_page(const std::string& pattern, std::string& cursor, std::vector<CustomerId>& page)
  {
    return scan_keys(pattern, cursor, [&](std::string_view key) {
      auto customer = customer_of_redis_key(options_.name_space, generation_, key);
      if (customer) page.push_back(*std::move(customer));
    });
  }

  // One page of keys, some perhaps more than once over all pages.
  template <class Take>
  Status scan_keys(const std::string& pattern, std::string& cursor, const Take& take)
  {
    return ask({"SCAN", cursor, "MATCH", pattern, "COUNT", std::to_string(kScanPage)}, [&](const redisReply& reply) -> Status {
      if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 2) return Error{Code::config, place_.name + ": SCAN: not a page"};
      cursor = text_of(*reply.element[0]);
      const redisReply& keys = *reply.element[1];
      for (std::size_t i = 0; i < keys.elements; ++i) take(text_of(*keys.element[i]));
      return {};
    });
  }

  // The one that was replaced, and those of processes that ended before they published or before they had removed.
  Status remove_other_generations()
  {
    const std::string pattern = redis_pattern_of_all(options_.name_space);
    std::string cursor = "0";
    do {
      std::vector<std::string> keys;
      Status status = patiently([&] { return scan_others(pattern, cursor, keys); });
      if (status.ok()) status = patiently([&] { return unlink(keys); });
      if (!status.ok()) return status;
    } while (cursor != "0");
    return {};
  }

  Status scan_others(const std::string& pattern, std::string& cursor, std::vector<std::string>& found)
  {
    return scan_keys(pattern, cursor, [&](std::string_view key) {
      const auto generation = generation_of_redis_key(options_.name_space, key);
      if (generation && *generation != generation_) found.emplace_back(key);
    });
  }

  Status unlink(const std::vector<std::string>& keys)
  {
    return batch(
        keys.size(),
        [&](std::size_t i, RedisCommands& commands) {
          commands.add({"UNLINK", keys[i]});
        },
        [&](std::size_t, const redisReply& reply) -> Status {
          return is_error(reply) ? Status(error("UNLINK", reply)) : Status();
        });
  }

  RedisPlace place_;
  StoreOptions options_;
  std::optional<std::string> fresh_;
  bool removing_ = false; // publish_generation() has published and has still to remove what was before
  std::string incarnation_key_;
  std::string life_;
  RedisConnection connection_;
  NonceSource nonces_;
  Backoff backoff_;

  std::string run_; // of the server we are connected to
  std::string compare_and_set_; // SHA1 of the script
  std::optional<Incarnation> known_; // what incarnation() returned last, or what was there at first
  std::string generation_; // the one read and written
  std::optional<std::string> published_; // the data this handle made, or tried to make, the one in use
  bool replaced_ = false; // until incarnation() is called
  bool moved_ = false; // this server is not the primary any more: connect anew
  std::string key_;
};

} // namespace

Result<std::unique_ptr<ProfileStore>> open_redis_store(std::string_view url, const StoreOptions& options)
{
  Result<RedisPlace> place = parse_redis_url(url);
  if (!place.ok()) return place.error();
  if (!options.password.empty()) (*place).password = options.password;
  auto store = std::make_unique<RedisStore>(*std::move(place), options, std::nullopt);
  if (Status status = store->open(); !status.ok()) return status.error();
  return std::unique_ptr<ProfileStore>(std::move(store));
}

} // namespace attune
