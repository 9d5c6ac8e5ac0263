#include "adapters/rocksdb_database.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <tuple>

#include "base/assert.h"

namespace attune {
namespace {

constexpr std::size_t kHeadSlots = std::size_t{1} << 17; // 5 MiB

// "rocksdb:///dir", or "rocksdb:dir" for a directory relative to the working one.
std::string url_of(const std::string& directory)
{
  return (directory.starts_with('/') ? "rocksdb://" : "rocksdb:") + directory;
}

class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  const char* Name() const override { return "attune.expiry"; }
  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*, bool*) const override
  {
    return key.starts_with("p") && !ProfileHead::of({value.data(), value.size()}).live(SystemClock().now().ms);
  }
};

rocksdb::Options database_options(const StoreOptions& options, const rocksdb::CompactionFilter* expiry)
{
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::Options made;
  made.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  made.compaction_filter = expiry;
  made.compression = rocksdb::kLZ4Compression;
  // A profile that is written often is soon written again: what lies above the base level is not worth compressing.
  made.compression_per_level = {rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  made.write_buffer_size = 32 << 20;
  made.max_write_buffer_number = 3;
  made.memtable_whole_key_filtering = true; // most keys are not in a given buffer: no search for them
  made.memtable_prefix_bloom_size_ratio = 0.02;
  made.target_file_size_base = 32 << 20;
  made.max_bytes_for_level_base = 128 << 20;
  made.level_compaction_dynamic_level_bytes = true;
  made.max_background_jobs = 2;
  made.bytes_per_sync = 1 << 20;
  made.keep_log_file_num = 2;
  made.max_log_file_size = 4 << 20;
  made.info_log_level = rocksdb::WARN_LEVEL;
  made.create_if_missing = !options.read_only;
  made.max_open_files = options.read_only ? -1 : 512; // a secondary must hold what the primary may remove
  return made;
}

// "attune-profiled (process 4711)": who holds the lock of a database. RocksDB's lock is one of fcntl(2), which names its owner and can
// not be stale. Opening the file here is safe only because this process does not hold that lock (closing it would let go of it).
std::optional<std::string> holder_of(const std::string& directory)
{
  const int fd = ::open((directory + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int asked = ::fcntl(fd, F_GETLK, &lock);
  ::close(fd);
  if (asked != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  if (lock.l_pid <= 0) return "another process";
  const std::string pid = std::to_string(lock.l_pid);
  std::string program;
  std::getline(std::ifstream("/proc/" + pid + "/cmdline"), program, '\0');
  program = std::filesystem::path(program).filename();
  return program.empty() ? "process " + pid : program + " (process " + pid + ")";
}

Result<std::unique_ptr<RocksdbDatabase>> open_primary(const std::string& directory, const rocksdb::Options& options)
{
  auto database = std::make_unique<RocksdbDatabase>();
  database->name = url_of(directory);
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, directory, &raw);
  database->db.reset(raw);
  if (status.ok()) return database;
  if (const auto holder = holder_of(directory)) return Error{Code::busy, database->name + ": held by " + *holder};
  return database->error("open", status);
}

Result<std::unique_ptr<RocksdbDatabase>> open_secondary(const std::string& directory, const rocksdb::Options& options)
{
  auto database = std::make_unique<RocksdbDatabase>();
  database->name = url_of(directory);
  database->secondary = true;
  const char* temporary = std::getenv("TMPDIR");
  std::string logs = std::string(temporary != nullptr ? temporary : "/tmp") + "/attune-reader-XXXXXX";
  if (::mkdtemp(logs.data()) == nullptr) return Error{Code::io, logs + ": " + std::strerror(errno)};
  database->secondary_logs = logs;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = rocksdb::DB::OpenAsSecondary(options, directory, logs, &raw);
  database->db.reset(raw);
  if (status.ok()) return database;
  // Its files may change while they are being opened: worth another try.
  return Error{Code::unreachable, database->name + ": open beside the writer: " + status.ToString()};
}

// All databases this process has open, by directory (device and inode, so that two ways to one directory meet) and manner.
class Registry {
 public:
  static Registry& instance()
  {
    static Registry registry;
    return registry;
  }

  Result<std::shared_ptr<RocksdbDatabase>> open(const std::string& directory, const StoreOptions& options)
  {
    struct stat found = {};
    if (::stat(directory.c_str(), &found) != 0) {
      return Error{options.read_only ? Code::unreachable : Code::io, url_of(directory) + ": " + std::strerror(errno)};
    }
    const Key key{found.st_dev, found.st_ino, options.read_only};
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto known = open_.find(key);
      if (known == open_.end()) break;
      if (std::shared_ptr<RocksdbDatabase> database = known->second.lock()) return database;
      closed_.wait(lock); // its last handle has gone and it is being closed
    }
    const rocksdb::Options made = database_options(options, &expiry_);
    auto opened = options.read_only ? open_secondary(directory, made) : open_primary(directory, made);
    if (!opened.ok()) return opened.error();
    std::shared_ptr<RocksdbDatabase> shared((*opened).release(), [this, key](RocksdbDatabase* database) { close(key, database); });
    open_[key] = shared;
    return shared;
  }

 private:
  using Key = std::tuple<dev_t, ino_t, bool>;

  void close(const Key& key, RocksdbDatabase* database)
  {
    delete database;
    {
      const std::lock_guard lock(mutex_);
      open_.erase(key);
    }
    closed_.notify_all();
  }

  ExpiryFilter expiry_;
  std::mutex mutex_;
  std::condition_variable closed_;
  std::map<Key, std::weak_ptr<RocksdbDatabase>> open_;
};

} // namespace

ProfileHead ProfileHead::of(std::string_view value)
{
  ProfileHead head;
  if (value.size() < kBytes) return head;
  std::memcpy(head.digest.data(), value.data(), head.digest.size());
  std::memcpy(&head.expiry, value.data() + head.digest.size(), sizeof head.expiry);
  return head;
}

// All or nothing, so that two calls never wait for each other. Hashes stand for customers: to take two for one costs a wait.
void CustomersInFlight::acquire(std::span<const ProfileWrite> writes, std::vector<std::size_t>& held)
{
  held.reserve(writes.size());
  std::unique_lock lock(mutex_);
  while (!try_acquire(writes, held)) {
    for (const std::size_t hash : held) owners_.erase(hash);
    held.clear();
    released_.wait(lock);
  }
}

// False when another call holds one of them.
bool CustomersInFlight::try_acquire(std::span<const ProfileWrite> writes, std::vector<std::size_t>& held)
{
  for (const ProfileWrite& write : writes) {
    const std::size_t hash = std::hash<CustomerId>{}(*write.customer);
    const auto [at, inserted] = owners_.emplace(hash, &held);
    if (!inserted) return at->second == &held;
    held.push_back(hash);
  }
  return true;
}

void CustomersInFlight::release(const std::vector<std::size_t>& held)
{
  {
    const std::lock_guard lock(mutex_);
    for (const std::size_t hash : held) owners_.erase(hash);
  }
  released_.notify_all();
}

NewestHeads::NewestHeads() : entries_(kHeadSlots) {}

NewestHeads::Entry& NewestHeads::slot_of(const Digest& key)
{
  std::size_t bits = 0;
  std::memcpy(&bits, key.data(), sizeof bits);
  return entries_[bits % kHeadSlots];
}

void NewestHeads::find(std::span<const Digest> keys, std::span<ProfileHead> heads, std::vector<std::size_t>& unknown)
{
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Entry& entry = slot_of(keys[i]);
    if (entry.key == keys[i]) {
      heads[i] = entry.head;
    } else {
      unknown.push_back(i);
    }
  }
}

void NewestHeads::put(std::span<const Digest> keys, std::span<const ProfileHead> heads)
{
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) slot_of(keys[i]) = {keys[i], heads[i]};
}

void NewestHeads::drop(std::span<const Digest> keys)
{
  const std::lock_guard lock(mutex_);
  for (const Digest& key : keys) {
    Entry& entry = slot_of(key);
    if (entry.key == key) entry = {};
  }
}

RocksdbDatabase::~RocksdbDatabase()
{
  db.reset();
  std::error_code ignored;
  if (!secondary_logs.empty()) std::filesystem::remove_all(secondary_logs, ignored);
}

Error RocksdbDatabase::error(std::string_view doing, const rocksdb::Status& status) const
{
  const bool passing = status.IsBusy() || status.IsTimedOut() || status.IsTryAgain();
  return {passing ? Code::busy : Code::io, name + ": " + std::string(doing) + ": " + status.ToString()};
}

Result<std::shared_ptr<RocksdbDatabase>> open_rocksdb_database(const std::string& directory, const StoreOptions& options)
{
  if (!options.read_only) {
    std::error_code failed;
    std::filesystem::create_directories(directory, failed);
    if (failed) return Error{Code::io, url_of(directory) + ": " + failed.message()};
  }
  return Registry::instance().open(directory, options);
}

} // namespace attune
