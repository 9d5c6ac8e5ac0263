#include "pipeline/known_profiles.h"

#include <utility>

namespace attune {

namespace {

constexpr std::size_t kEntryBytes = 400; // of an entry without its profile
constexpr int kMostAliases = 16; // on one way

// About: of an event that is kept, of a tile, with what they point to.
std::size_t bytes_of(const Profile* profile)
{
  if (!profile) return 0;
  std::size_t bytes = profile->summary.tiles.size() * 200;
  for (const auto& recent : profile->recent) bytes += recent.size() * 160;
  return bytes;
}

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

void KnownProfiles::put(Shard& shard, Entry& entry, ProfilePtr profile, Timestamp now)
{
  const auto bytes = bytes_of(profile.get());
  shard.bytes += kEntryBytes + bytes - entry.bytes;
  entry.bytes = kEntryBytes + bytes;
  entry.profile = std::move(profile);
  entry.root.clear();
  entry.has = true;
  entry.as_of = now;
  evict(shard);
}

// Whether nothing has changed since the load began. What it is of is compared, so that a change between this look and another finds it old.
bool KnownProfiles::stands(const Entry& entry, Load load) const
{
  return load.change == entry.changes && load.generation == generation_.load();
}

std::optional<KnownProfiles::Known> KnownProfiles::find(const CustomerId& customer, Timestamp now, bool told)
{
  std::string at = customer.text;
  bool led_well = true; // every pointer that was followed is current
  for (int step = 0; step < kMostAliases; ++step) {
    Shard& shard = shard_of(at);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.entries.find(std::string_view(at));
    if (found == shard.entries.end() || !found->second.has) return {};
    Entry& entry = found->second;
    shard.by_use.splice(shard.by_use.begin(), shard.by_use, entry.use);
    const bool current = told && entry.current && entry.generation == generation_.load();
    if (current) entry.as_of = now;
    if (entry.root.empty()) return Known{entry.profile, current && led_well, entry.as_of};
    led_well = led_well && current;
    at = entry.root;
  }
  return {};
}

KnownProfiles::Load KnownProfiles::begin_load(const CustomerId& customer)
{
  Shard& shard = shard_of(customer.text);
  const std::lock_guard lock(shard.mutex);
  return {entry_of(shard, customer.text).changes, generation_.load()};
}

void KnownProfiles::loaded(const CustomerId& customer, Load load, ProfilePtr profile, Timestamp begun)
{
  Shard& shard = shard_of(customer.text);
  const std::lock_guard lock(shard.mutex);
  Entry& entry = entry_of(shard, customer.text);
  const bool current = stands(entry, load);
  if (!current && entry.has && entry.current && entry.generation == generation_.load()) return; // the change brought a newer one
  entry.current = current;
  entry.generation = load.generation;
  put(shard, entry, std::move(profile), begun);
}

void KnownProfiles::leads_to(const CustomerId& alias, Load load, const CustomerId& root, Timestamp begun)
{
  Shard& shard = shard_of(alias.text);
  const std::lock_guard lock(shard.mutex);
  Entry& entry = entry_of(shard, alias.text);
  entry.current = stands(entry, load);
  entry.generation = load.generation;
  put(shard, entry, nullptr, begun);
  entry.root = root.text;
}

void KnownProfiles::changed(const Profile& profile, Timestamp now)
{
  for (const auto& claim : profile.aliases) changed(claim.alias);
  Shard& shard = shard_of(profile.customer.text);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(profile.customer.text);
  if (found == shard.entries.end()) return;
  found->second.changes = ++shard.changes;
  found->second.current = true;
  found->second.generation = generation_.load();
  put(shard, found->second, std::make_shared<const Profile>(profile), now);
}

bool KnownProfiles::changed(const CustomerId& customer)
{
  Shard& shard = shard_of(customer.text);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.entries.find(customer.text);
  if (found == shard.entries.end()) return false;
  found->second.changes = ++shard.changes;
  found->second.current = false;
  return true;
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
