#include "adapters/memory_store.h"

#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "adapters/store_names.h"
#include "base/assert.h"

namespace attune {
namespace {

constexpr std::size_t kStripes = 64;
constexpr Digest kNone{};

struct Stripe {
  std::mutex mutex;
  std::unordered_map<CustomerId, StoredProfile> profiles;
};

// The profiles of one generation.
class Table {
 public:
  void get(const CustomerId& customer, StoredProfile& out)
  {
    Stripe& stripe = stripe_of(customer);
    const std::lock_guard lock(stripe.mutex);
    const auto found = stripe.profiles.find(customer);
    if (found == stripe.profiles.end()) {
      out.bytes.clear();
      out.digest = kNone;
    } else {
      out = found->second;
    }
  }

  WriteOutcome compare_and_set(const ProfileWrite& write)
  {
    Stripe& stripe = stripe_of(*write.customer);
    const std::lock_guard lock(stripe.mutex);
    const auto found = stripe.profiles.find(*write.customer);
    const bool there = found != stripe.profiles.end();
    if (write.expected != (there ? found->second.digest : kNone)) return WriteOutcome::lost;
    if (write.bytes.empty()) {
      if (there) stripe.profiles.erase(found);
    } else if (there) {
      found->second.bytes = write.bytes;
      found->second.digest = write.digest;
    } else {
      stripe.profiles.emplace(*write.customer, StoredProfile{std::string(write.bytes), write.digest});
    }
    return WriteOutcome::written;
  }

  // Visits a copy of one stripe at a time, so that `visit` may write and nobody waits for it.
  void scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit)
  {
    for (Stripe& stripe : stripes_) {
      std::vector<std::pair<CustomerId, StoredProfile>> copy;
      {
        const std::lock_guard lock(stripe.mutex);
        copy.assign(stripe.profiles.begin(), stripe.profiles.end());
      }
      for (const auto& [customer, profile] : copy) {
        if (!visit(customer, profile)) return;
      }
    }
  }

 private:
  Stripe& stripe_of(const CustomerId& customer) { return stripes_[std::hash<CustomerId>{}(customer) % kStripes]; }
  std::array<Stripe, kStripes> stripes_;
};

// One namespace of one store. `mutex` is held shared by every call and exclusively while a generation is published.
struct Space {
  std::shared_mutex mutex;
  std::string data = random_name();
  std::shared_ptr<Table> current = std::make_shared<Table>();
};

struct Memory {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Space>> spaces;
};

std::shared_ptr<Memory> memory_named(std::string_view name)
{
  if (name.empty()) return std::make_shared<Memory>();
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Memory>, std::less<>> all;
  const std::lock_guard lock(mutex);
  std::weak_ptr<Memory>& known = all[std::string(name)];
  std::shared_ptr<Memory> memory = known.lock();
  if (!memory) known = memory = std::make_shared<Memory>();
  return memory;
}

class MemoryStore final : public ProfileStore {
 public:
  // `memory` is held so that a named store lives as long as its handles. With `fresh`, the handle stays on that generation.
  MemoryStore(std::shared_ptr<Memory> memory, std::shared_ptr<Space> space, std::shared_ptr<Table> fresh, bool read_only)
      : memory_(std::move(memory)), space_(std::move(space)), fresh_(std::move(fresh)), read_only_(read_only)
  {
    accept();
  }

  Result<std::unique_ptr<ProfileStore>> another() override
  {
    return std::unique_ptr<ProfileStore>(std::make_unique<MemoryStore>(memory_, space_, fresh_, read_only_));
  }

  Result<Incarnation> incarnation() override
  {
    accept();
    return Incarnation{accepted_, "embedded"};
  }

  Status get(std::span<const CustomerId> customers, std::vector<StoredProfile>& out) override
  {
    const std::shared_lock lock(space_->mutex);
    if (space_->data != accepted_) return replaced();
    out.resize(customers.size());
    for (std::size_t i = 0; i < customers.size(); ++i) table_->get(customers[i], out[i]);
    return {};
  }

  Status compare_and_set(std::span<const ProfileWrite> writes, std::vector<WriteOutcome>& out) override
  {
    if (read_only_) return Error{Code::usage, "memory: opened for reading only"};
    const std::shared_lock lock(space_->mutex);
    if (space_->data != accepted_) return replaced();
    out.resize(writes.size());
    for (std::size_t i = 0; i < writes.size(); ++i) out[i] = table_->compare_and_set(writes[i]);
    return {};
  }

  Status scan(const std::function<bool(const CustomerId&, const StoredProfile&)>& visit) override
  {
    {
      const std::shared_lock lock(space_->mutex);
      if (space_->data != accepted_) return replaced();
    }
    table_->scan(visit);
    return {};
  }

  Result<std::unique_ptr<ProfileStore>> fresh_generation() override
  {
    return std::unique_ptr<ProfileStore>(std::make_unique<MemoryStore>(memory_, space_, std::make_shared<Table>(), read_only_));
  }

  Status publish_generation() override
  {
    ATTUNE_ASSERT(fresh_ != nullptr);
    const std::unique_lock lock(space_->mutex);
    if (space_->data != accepted_) return replaced();
    space_->data = accepted_ = random_name();
    space_->current = fresh_;
    fresh_.reset();
    return {};
  }

 private:
  void accept()
  {
    const std::shared_lock lock(space_->mutex);
    accepted_ = space_->data;
    table_ = fresh_ ? fresh_ : space_->current;
  }

  static Error replaced() { return {Code::replaced, "memory: another generation of profiles is in use now"}; }

  std::shared_ptr<Memory> memory_;
  std::shared_ptr<Space> space_;
  std::shared_ptr<Table> fresh_;
  std::shared_ptr<Table> table_;
  std::string accepted_;
  bool read_only_;
};

} // namespace

std::unique_ptr<ProfileStore> open_memory_store(std::string_view name, const StoreOptions& options)
{
  std::shared_ptr<Memory> memory = memory_named(name);
  std::shared_ptr<Space> space;
  {
    const std::lock_guard lock(memory->mutex);
    std::shared_ptr<Space>& known = memory->spaces[options.name_space];
    if (!known) known = std::make_shared<Space>();
    space = known;
  }
  return std::make_unique<MemoryStore>(std::move(memory), std::move(space), nullptr, options.read_only);
}

} // namespace attune
