#include "pipeline/known_profiles.h"

#include <utility>

namespace attune {

namespace {

constexpr std::size_t kEntryBytes = 400; // of an entry without its profile
constexpr int kMostAliases = 16;

} // namespace

// REQUIRES: shard.mutex is held, as of all that take a shard.
KnownProfiles::Entry& KnownProfiles::entry_of(Shard& shard, std::string_view customer)
{
  if (const auto found = shard.entries.find(customer); found != shard.entries.end()) {
    shard.by_use.splice(shard.by_use.begin(), shard.by_use, found->second.use);
    return found->second;
  }
  const auto made = shard.entries.emplace(std::string(customer), Entry()).first;
  shard.by_use.push_front(&made->first);
  made->second.use = shard.by_use.begin();
  made->second.bytes = kEntryBytes;
  made->second.changes = ++shard.changes;
  shard.bytes += kEntryBytes;
  return made->second;
}

void KnownProfiles::evict(Shard& shard)
{
  while (shard.bytes > bytes_per_shard_ && shard.by_use.size() > 1) {
    const auto found = shard.entries.find(*shard.by_use.back());
    shard.bytes -= found->second.bytes;
    shard.by_use.pop_back();
    shard.entries.erase(found);
  }
}

void KnownProfiles::put(Shard& shard, Entry& entry, ProfilePtr profile, std::size_t bytes, bool current, Timestamp now)
{
  shard.bytes += kEntryBytes + bytes - entry.bytes;
  entry.bytes = kEntryBytes + bytes;
  entry.profile = std::move(profile);
  entry.root.clear();
  entry.has = true;
  entry.current = current;
  entry.generation = generation_.load();
  entry.as_of = now;
  evict(shard);
}

std::optional<KnownProfiles::Known> KnownProfiles::find_one(std::string_view customer, Timestamp now, std::string& root)
{
  Shard& shard = shard_of(customer);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(customer);
  if (found == shard.entries.end() || !found->second.has) return {};
  Entry& entry = found->second;
  shard.by_use.splice(shard.by_use.begin(), shard.by_use, entry.use);
  if (!entry.root.empty()) {
    root = entry.root;
    return Known{nullptr, entry.current, entry.as_of};
  }
  const bool current = entry.current && entry.generation == generation_.load();
  if (current) entry.as_of = now;
  return Known{entry.profile, current, entry.as_of};
}

std::optional<KnownProfiles::Known> KnownProfiles::find(const CustomerId& customer, Timestamp now)
{
  std::string at = customer.text;
  std::string root;
  for (int step = 0; step < kMostAliases; ++step) {
    auto known = find_one(at, now, root);
    if (!known || root.empty()) return known;
    at = std::exchange(root, {});
  }
  return {};
}

KnownProfiles::Load KnownProfiles::begin_load(const CustomerId& customer)
{
  Shard& shard = shard_of(customer.text);
  const std::lock_guard lock(shard.mutex);
  return entry_of(shard, customer.text).changes + (generation_.load() << 32);
}

void KnownProfiles::loaded(const CustomerId& customer, Load load, ProfilePtr profile, std::size_t bytes, Timestamp now)
{
  if (profile && profile->customer != customer) {
    // What is known of the root itself is as good as this or better: it hears of its own changes.
    const CustomerId root = profile->customer;
    {
      Shard& shard = shard_of(root.text);
      const std::lock_guard lock(shard.mutex);
      Entry& entry = entry_of(shard, root.text);
      if (!entry.has) put(shard, entry, std::move(profile), bytes, false, now);
    }
    Shard& shard = shard_of(customer.text);
    const std::lock_guard lock(shard.mutex);
    Entry& entry = entry_of(shard, customer.text);
    put(shard, entry, nullptr, 0, true, now);
    entry.root = root.text;
    return;
  }
  Shard& shard = shard_of(customer.text);
  const std::lock_guard lock(shard.mutex);
  Entry& entry = entry_of(shard, customer.text);
  const bool current = load == entry.changes + (generation_.load() << 32);
  if (!current && entry.has && entry.current) return; // the change brought a newer one
  put(shard, entry, std::move(profile), bytes, current, now);
}

void KnownProfiles::changed(const Profile& profile, Timestamp now)
{
  for (const auto& claim : profile.aliases) changed(claim.alias);
  Shard& shard = shard_of(profile.customer.text);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(profile.customer.text);
  if (found == shard.entries.end()) return;
  found->second.changes = ++shard.changes;
  std::size_t bytes = 0;
  for (const auto& recent : profile.recent) bytes += recent.size() * 160;
  bytes += profile.summary.tiles.size() * 200;
  put(shard, found->second, std::make_shared<const Profile>(profile), bytes, true, now);
}

void KnownProfiles::changed(const CustomerId& customer)
{
  Shard& shard = shard_of(customer.text);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(customer.text);
  if (found == shard.entries.end()) return;
  found->second.changes = ++shard.changes;
  found->second.current = false;
  found->second.root.clear(); // read anew: it may lead elsewhere
}

void KnownProfiles::all_changed()
{
  generation_.fetch_add(1);
}

std::size_t KnownProfiles::size() const
{
  std::size_t size = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    size += shard.entries.size();
  }
  return size;
}

} // namespace attune
