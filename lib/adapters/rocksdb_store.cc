#include "adapters/rocksdb_store.h"

#include <rocksdb/write_batch.h>

#include <numeric>

#include "adapters/rocksdb_database.h"
#include "adapters/store_names.h"
#include "base/assert.h"

namespace attune {
namespace {

rocksdb::Slice slice(std::string_view text)
{
  return {text.data(), text.size()};
}

std::string_view view(const rocksdb::Slice& text)
{
  return {text.data(), text.size()};
}

std::int64_t now_ms()
{
  return SystemClock().now().ms;
}

std::string incarnation_key(std::string_view name_space)
{
  return "i" + std::string(name_space);
}

// All profiles of a generation begin with this. '/' is smaller than any character of a generation's name, '0' is the one after it.
std::string generation_prefix(std::string_view name_space, std::string_view generation)
{
  std::string prefix = "p";
  prefix.append(name_space).append("/").append(generation).append("/");
  return prefix;
}

std::string end_of(std::string prefix)
{
  ATTUNE_ASSERT(prefix.back() == '/');
  prefix.back() = '0';
  return prefix;
}

class RocksdbStore final : public ProfileStore {
 public:
  // `fresh`: the unpublished generation this handle stays on; nothing: it follows the one in use.
  RocksdbStore(std::shared_ptr<RocksdbDatabase> database, StoreOptions options, std::optional<std::string> fresh)
      : database_(std::move(database)), options_(std::move(options)), fresh_(std::move(fresh)), db_(*database_->db)
  {
  }

  Status open()
  {
    if (!database_->secondary) {
      const std::unique_lock lock(database_->publishing);
      if (Status status = name_data(); !status.ok()) return status;
    }
    const Result<Incarnation> found = incarnation();
    return found.ok() ? Status() : found.error();
  }

  Result<std::unique_ptr<ProfileStore>> another() override
  {
    return opened(std::make_unique<RocksdbStore>(database_, options_, fresh_));
  }

  Result<Incarnation> incarnation() override
  {
    if (Status status = catch_up(); !status.ok()) return status.error();
    const std::shared_lock lock(database_->publishing);
    Result<std::string> data = current_data();
    if (!data.ok()) return data.error();
    known_ = *std::move(data);
    prefix_ = generation_prefix(options_.name_space, fresh_ ? *fresh_ : generation_of(known_));
    return Incarnation{known_, "embedded"};
  }

  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    if (Status status = catch_up(); !status.ok()) return status;
    const std::shared_lock lock(database_->publishing);
    if (Status status = check(); !status.ok()) return status;
    out.resize(customers.size());
    make_keys(customers.size(), [&](std::size_t i) -> const CustomerId& { return customers[i]; });
    indexes_.resize(customers.size());
    std::iota(indexes_.begin(), indexes_.end(), std::size_t{0});
    if (Status status = look_up(indexes_); !status.ok()) return status;
    const std::int64_t now = now_ms();
    for (std::size_t i = 0; i < customers.size(); ++i) fill(view(values_[i]), now, out[i]);
    return {};
  }

  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    if (options_.read_only) return Error{Code::usage, database_->name + ": opened for reading only"};
    out.assign(writes.size(), WriteOutcome::lost);
    bool wrote = false;
    for (std::size_t done = 0; done < writes.size();) {
      const Result<std::size_t> more = write_some(writes.subspan(done), std::span(out).subspan(done), wrote);
      if (!more.ok()) return more.error();
      done += *more;
    }
    return wrote && options_.sync ? sync() : Status();
  }

  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override
  {
    if (Status status = catch_up(); !status.ok()) return status;
    std::unique_ptr<rocksdb::Iterator> at;
    const std::string end = end_of(prefix_);
    const rocksdb::Slice bound = slice(end);
    {
      const std::shared_lock lock(database_->publishing);
      if (Status status = check(); !status.ok()) return status;
      rocksdb::ReadOptions reading;
      reading.iterate_upper_bound = &bound;
      reading.fill_cache = false;
      at.reset(db_.NewIterator(reading));
    }
    const std::size_t prefix = prefix_.size();
    const std::int64_t now = now_ms();
    StoredProfile profile;
    for (at->Seek(slice(prefix_)); at->Valid(); at->Next()) {
      fill(view(at->value()), now, profile);
      if (profile.bytes.empty()) continue;
      if (!visit(CustomerId(view(at->key()).substr(prefix)), profile)) return {};
    }
    return at->status().ok() ? Status() : Status(database_->error("scan", at->status()));
  }

  Result<std::unique_ptr<ProfileStore>> fresh_generation() override
  {
    return opened(std::make_unique<RocksdbStore>(database_, options_, random_name()));
  }

  Status publish_generation() override
  {
    ATTUNE_ASSERT(fresh_.has_value());
    const std::unique_lock lock(database_->publishing);
    if (Status status = check(); !status.ok()) return status;
    const std::string data = incarnation_data(random_name(), *fresh_);
    const std::string old = generation_prefix(options_.name_space, generation_of(known_));
    rocksdb::WriteBatch batch;
    batch.Put(slice(incarnation_key(options_.name_space)), slice(data));
    batch.DeleteRange(slice(old), slice(end_of(old)));
    if (Status status = write(batch, true); !status.ok()) return status;
    database_->data[options_.name_space] = known_ = data;
    fresh_.reset();
    return {};
  }

 private:
  static Result<std::unique_ptr<ProfileStore>> opened(std::unique_ptr<RocksdbStore> store)
  {
    if (Status status = store->open(); !status.ok()) return status.error();
    return std::unique_ptr<ProfileStore>(std::move(store));
  }

  // Once per process and namespace: reads what the data is called, names it when it is new, and drops generations that a process which
  // ended before it could publish them has left behind (no other process writes, and in this one nobody has begun).
  Status name_data()
  {
    if (database_->data.contains(options_.name_space)) return {};
    std::string data;
    const std::string key = incarnation_key(options_.name_space);
    const rocksdb::Status found = db_.Get({}, slice(key), &data);
    if (!found.ok() && !found.IsNotFound()) return database_->error("read", found);
    rocksdb::WriteBatch batch;
    if (found.IsNotFound()) {
      data = random_name();
      batch.Put(slice(key), slice(data));
    }
    const std::string all = "p" + options_.name_space + "/";
    const std::string current = generation_prefix(options_.name_space, generation_of(data));
    drop_range(all, current, batch);
    drop_range(end_of(current), end_of(all), batch);
    if (batch.Count() > 0) {
      if (Status status = write(batch, true); !status.ok()) return status;
    }
    database_->data.emplace(options_.name_space, std::move(data));
    return {};
  }

  // Range tombstones cost every later read something: none for a range that holds nothing.
  void drop_range(const std::string& from, const std::string& to, rocksdb::WriteBatch& batch)
  {
    const rocksdb::Slice bound = slice(to);
    rocksdb::ReadOptions reading;
    reading.iterate_upper_bound = &bound;
    const std::unique_ptr<rocksdb::Iterator> at(db_.NewIterator(reading));
    at->Seek(slice(from));
    if (at->Valid()) batch.DeleteRange(slice(from), slice(to));
  }

  // The primary may remove a file between two steps of a secondary's catching up; then the next try meets the newer state.
  Status catch_up()
  {
    if (!database_->secondary) return {};
    rocksdb::Status status;
    for (int tries = 0; tries < 3; ++tries) {
      status = db_.TryCatchUpWithPrimary();
      if (status.ok()) return {};
    }
    return Error{Code::unreachable, database_->name + ": catch up with the writer: " + status.ToString()};
  }

  // REQUIRES: `publishing` held.
  Result<std::string> current_data()
  {
    if (!database_->secondary) return database_->data.find(options_.name_space)->second;
    std::string data;
    const rocksdb::Status status = db_.Get({}, slice(incarnation_key(options_.name_space)), &data);
    if (!status.ok() && !status.IsNotFound()) return database_->error("read", status);
    return data;
  }

  // REQUIRES: `publishing` held.
  Status check()
  {
    const Result<std::string> data = current_data();
    if (!data.ok()) return data.error();
    if (*data == known_) return {};
    return Error{Code::replaced, database_->name + ": another generation of profiles is in use now"};
  }

  template <class CustomerAt>
  void make_keys(std::size_t count, const CustomerAt& customer_at)
  {
    keys_.resize(count);
    for (std::size_t i = 0; i < count; ++i) keys_[i].assign(prefix_).append(customer_at(i).text);
  }

  // values_[i] is that of keys_[indexes[i]]; empty: there is none.
  Status look_up(std::span<const std::size_t> indexes)
  {
    slices_.clear();
    for (const std::size_t index : indexes) slices_.push_back(slice(keys_[index]));
    values_.clear(); // lets go of the blocks the last values were pinned in
    values_.resize(indexes.size());
    found_.resize(indexes.size());
    db_.MultiGet({}, db_.DefaultColumnFamily(), indexes.size(), slices_.data(), values_.data(), found_.data());
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      if (found_[i].ok() || found_[i].IsNotFound()) continue;
      return database_->error("read " + keys_[indexes[i]].substr(prefix_.size()), found_[i]);
    }
    return {};
  }

  static void fill(std::string_view value, std::int64_t now, StoredProfile& out)
  {
    const ProfileHead head = ProfileHead::of(value);
    const bool live = head.live(now);
    out.digest = live ? head.digest : Digest{};
    out.bytes = live ? value.substr(ProfileHead::kBytes) : std::string_view();
  }

  // Decides and writes the longest beginning of `writes` that names no customer twice; returns its length. What it wrote outlives this
  // process but not yet a loss of power: the log is synced after the customers are free again, so that others need not wait for the disk.
  Result<std::size_t> write_some(std::span<const ProfileWrite> writes, std::span<WriteOutcome> out, bool& wrote)
  {
    const CustomersInFlight::Hold hold(database_->in_flight, writes);
    const std::shared_lock lock(database_->publishing);
    if (Status status = check(); !status.ok()) return status.error();
    const std::size_t count = hold.count();
    make_keys(count, [&](std::size_t i) -> const CustomerId& { return *writes[i].customer; });
    if (Status status = read_heads(); !status.ok()) return status.error();
    const std::int64_t now = now_ms();
    rocksdb::WriteBatch batch;
    for (std::size_t i = 0; i < count; ++i) {
      const Digest current = heads_[i].live(now) ? heads_[i].digest : Digest{};
      if (current != writes[i].expected) continue;
      heads_[i] = append(writes[i], slice(keys_[i]), now, batch);
      out[i] = WriteOutcome::written;
    }
    if (batch.Count() > 0) {
      if (Status status = write(batch, false); !status.ok()) {
        database_->newest.drop(key_digests_);
        return status.error();
      }
      wrote = true;
    }
    database_->newest.put(key_digests_, heads_);
    return count;
  }

  // heads_[i] is what stands under keys_[i] now.
  Status read_heads()
  {
    key_digests_.clear();
    for (const std::string& key : keys_) key_digests_.push_back(digest_of(key));
    heads_.assign(keys_.size(), {});
    indexes_.clear();
    database_->newest.find(key_digests_, heads_, indexes_);
    if (Status status = look_up(indexes_); !status.ok()) return status;
    for (std::size_t i = 0; i < indexes_.size(); ++i) heads_[indexes_[i]] = ProfileHead::of(view(values_[i]));
    return {};
  }

  // Returns what will stand there.
  ProfileHead append(const ProfileWrite& one, const rocksdb::Slice& key, std::int64_t now, rocksdb::WriteBatch& batch) const
  {
    if (one.bytes.empty()) {
      batch.Delete(key);
      return {};
    }
    const ProfileHead head{one.digest, options_.profile_ttl ? now + options_.profile_ttl->count() : 0};
    const std::array<rocksdb::Slice, 3> value{rocksdb::Slice(reinterpret_cast<const char*>(head.digest.data()), head.digest.size()),
                                              rocksdb::Slice(reinterpret_cast<const char*>(&head.expiry), sizeof head.expiry),
                                              slice(one.bytes)};
    batch.Put(rocksdb::SliceParts(&key, 1), rocksdb::SliceParts(value.data(), static_cast<int>(value.size())));
    return head;
  }

  Status write(rocksdb::WriteBatch& batch, bool synced)
  {
    if (database_->failed) return failed();
    rocksdb::WriteOptions writing;
    writing.sync = synced;
    const rocksdb::Status status = db_.Write(writing, &batch);
    return status.ok() ? Status() : Status(database_->error("write", status));
  }

  // After a failed sync nobody knows what the disk holds, and the kernel says so only once: no later sync is trusted.
  Status sync()
  {
    const rocksdb::Status status = db_.SyncWAL();
    if (!status.ok()) {
      database_->failed = true;
      return database_->error("sync", status);
    }
    return database_->failed ? Status(failed()) : Status();
  }

  Error failed() const { return {Code::io, database_->name + ": an earlier write could not be made durable"}; }

  std::shared_ptr<RocksdbDatabase> database_;
  StoreOptions options_;
  std::optional<std::string> fresh_;
  rocksdb::DB& db_;
  std::string known_; // what incarnation() returned last
  std::string prefix_; // of the keys of the generation read and written

  // Of the call in progress; kept for their memory.
  std::vector<std::string> keys_;
  std::vector<Digest> key_digests_;
  std::vector<ProfileHead> heads_;
  std::vector<std::size_t> indexes_;
  std::vector<rocksdb::Slice> slices_;
  std::vector<rocksdb::PinnableSlice> values_;
  std::vector<rocksdb::Status> found_;
};

} // namespace

Result<std::unique_ptr<ProfileStore>> open_rocksdb_store(const std::string& directory, const StoreOptions& options)
{
  Result<std::shared_ptr<RocksdbDatabase>> database = open_rocksdb_database(directory, options);
  if (!database.ok()) return database.error();
  auto store = std::make_unique<RocksdbStore>(*std::move(database), options, std::nullopt);
  if (Status status = store->open(); !status.ok()) return status.error();
  return std::unique_ptr<ProfileStore>(std::move(store));
}

} // namespace attune
