#include "pipeline/profile_writer.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <thread>

#include "base/assert.h"
#include "core/profile_proto.h"

namespace attune {

namespace {

constexpr Milliseconds kFirstPause{20};
constexpr Milliseconds kLongestPause{2000};

Place place_of(const Event& event)
{
  return {*event.time, event.id};
}

// What a kept event costs in memory beyond its wire form: its place in the list, and now and then a block of its own.
constexpr std::size_t kKeptOverhead = 48;
constexpr std::size_t kProfileOverhead = 1024;

// Profiles are written when so many bytes of them are ready, at the latest at the end of a batch.
constexpr std::size_t kWriteBytes = 4u << 20;

// So many profiles are read at a time: enough to keep a pipe full, few enough that their stored bytes are still in the cache, and not all
// in memory, when they are decoded.
constexpr std::size_t kReadProfiles = 1024;

constexpr std::uint32_t kNobody = UINT32_MAX;

// `stored`: the size of its stored form, which holds the wire form of all that is kept.
std::size_t memory_of(const Profile& profile, std::size_t stored)
{
  std::size_t bytes = kProfileOverhead + stored + profile.summary.tiles.size() * sizeof(Tile);
  for (const auto& list : profile.recent) bytes += list.size() * kKeptOverhead;
  return bytes;
}

} // namespace

// One profile as this writer knows it.
struct ProfileWriter::Known {
  Profile profile;
  Digest digest{}; // of the stored bytes; zero: not stored
  std::uint64_t read_in = 0; // the apply() in which it was read or acknowledged
  std::size_t bytes = 0;
  std::list<Known*>::iterator use;
};

ProfileWriter::ProfileWriter(ProfileStore& store, ProfileWriterOptions options) : store_(store), options_(std::move(options)) {}
ProfileWriter::~ProfileWriter() = default;

// Repeats a store call while its failure may pass by itself.
template <class Call>
Status ProfileWriter::persist(const Call& call)
{
  const auto started = std::chrono::steady_clock::now();
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    Status done = call();
    if (done || !worth_retry(done.error())) return done;
    if (options_.keep_trying && !options_.keep_trying()) return Error{Code::stopped, done.error().message};
    if (options_.give_up && std::chrono::steady_clock::now() - started >= *options_.give_up)
      return Error{Code::busy, done.error().message + " (given up)"};
    std::this_thread::sleep_for(pause);
  }
}

void ProfileWriter::touch(Known& known)
{
  by_use_.splice(by_use_.begin(), by_use_, known.use);
}

void ProfileWriter::drop(const CustomerId& customer)
{
  const auto found = known_.find(std::string_view(customer.text));
  if (found == known_.end()) return;
  known_bytes_ -= found->second->bytes;
  by_use_.erase(found->second->use);
  known_.erase(found);
}

void ProfileWriter::forget_what_is_known()
{
  known_.clear();
  by_use_.clear();
  known_bytes_ = 0;
}

void ProfileWriter::evict()
{
  while (known_bytes_ > options_.cache_bytes && !by_use_.empty()) drop(CustomerId(by_use_.back()->profile.customer));
}

ProfileWriter::Known* ProfileWriter::find(const CustomerId& customer)
{
  const auto found = known_.find(std::string_view(customer.text));
  return found == known_.end() ? nullptr : found->second.get();
}

// Reads what is not known of these customers, each of whom stands here once.
Status ProfileWriter::load(std::span<const CustomerId> missing)
{
  for (; !missing.empty(); missing = missing.subspan(std::min(missing.size(), kReadProfiles)))
    if (auto loaded = load_some(missing.first(std::min(missing.size(), kReadProfiles))); !loaded) return loaded;
  return {};
}

Status ProfileWriter::load_some(std::span<const CustomerId> missing)
{
  if (auto got = persist([&] { return store_.get(missing, stored_); }); !got) return got;
  counts_.reads += missing.size();
  for (std::size_t i = 0; i < missing.size(); ++i) {
    auto known = std::make_unique<Known>();
    if (stored_[i].bytes.empty()) {
      known->profile.customer = missing[i];
    } else {
      auto profile = decode_profile(missing[i], stored_[i].bytes);
      if (!profile) return profile.error();
      known->profile = std::move(*profile);
      known->digest = stored_[i].digest;
    }
    known->read_in = call_;
    known->bytes = memory_of(known->profile, stored_[i].bytes.size());
    known_bytes_ += known->bytes;
    by_use_.push_front(known.get());
    known->use = by_use_.begin();
    known_.emplace(missing[i].text, std::move(known));
  }
  return {};
}

Result<ProfileWriter::Known*> ProfileWriter::load_one(const CustomerId& customer)
{
  if (find(customer) == nullptr)
    if (auto loaded = load({&customer, 1}); !loaded) return loaded.error();
  auto* known = find(customer);
  touch(*known);
  return known;
}

// Writes one changed profile; false when somebody else was faster (then it is no longer known).
Result<bool> ProfileWriter::write_one(Known& known)
{
  std::string encoded;
  encode_profile(known.profile, encoded);
  const ProfileWrite write{&known.profile.customer, known.digest, encoded, digest_of(encoded)};
  std::vector<WriteOutcome> outcome;
  if (auto written = persist([&] { return store_.compare_and_set({&write, 1}, outcome); }); !written) {
    drop(CustomerId(known.profile.customer));
    return written.error();
  }
  if (outcome[0] == WriteOutcome::lost) {
    ++counts_.lost;
    drop(CustomerId(known.profile.customer));
    return false;
  }
  ++counts_.writes;
  known.digest = write.digest;
  known.read_in = call_;
  return true;
}

// The customer whose profile takes what is addressed to `customer`: the end of its pointers. In a cycle, which two identify
// events that claim each other at once can leave, the smallest id is root and loses its pointer.
Result<CustomerId> ProfileWriter::root_of(const CustomerId& customer)
{
  for (;;) {
    std::vector<CustomerId> way{customer};
    for (;;) {
      auto known = load_one(way.back());
      if (!known) return known.error();
      const auto& pointer = (*known)->profile.moved_to;
      if (!pointer) return way.back();
      const auto met = std::find(way.begin(), way.end(), pointer->alias);
      if (met == way.end()) {
        way.push_back(pointer->alias);
        continue;
      }
      const CustomerId root = *std::min_element(met, way.end());
      for (const auto& id : way) drop(id); // what is known may be an old cycle: look again before cutting it
      auto fresh = load_one(root);
      if (!fresh) return fresh.error();
      if (!(*fresh)->profile.moved_to) break;
      (*fresh)->profile.moved_to.reset();
      auto written = write_one(**fresh);
      if (!written) return written.error();
      break;
    }
  }
}

Status ProfileWriter::identify(const Event& event, Verdict& verdict)
{
  for (;;) {
    drop(event.alias);
    drop(event.customer);
    auto loaded = load_one(event.alias);
    if (!loaded) return loaded.error();
    auto root = root_of(event.customer);
    if (!root) return root.error();
    loaded = load_one(event.alias); // root_of may have dropped it
    if (!loaded) return loaded.error();
    Known* alias = *loaded;

    if (!alias->profile.moved_to) {
      if (*root == event.alias) return {}; // they are one already, the other way round
      alias->profile.moved_to = AliasClaim{event.customer, place_of(event)};
      auto pointed = write_one(*alias);
      if (!pointed) return pointed.error();
      if (!*pointed) continue;
      verdict.outcome = Outcome::accepted;
      // The pointer may have closed a cycle with one that was set at the same moment.
      root = root_of(event.customer);
      if (!root) return root.error();
      loaded = load_one(event.alias);
      if (!loaded) return loaded.error();
      alias = *loaded;
      if (!alias->profile.moved_to) continue;
    } else if (alias->profile.moved_to->alias != event.customer) {
      auto winner = root_of(alias->profile.moved_to->alias);
      if (!winner) return winner.error();
      if (*winner != *root) verdict.conflict = "alias: belongs to " + winner->text + " already";
      return {};
    }

    if (*root != event.alias) {
      auto target = load_one(*root);
      if (!target) return target.error();
      if (!has_alias((*target)->profile, event.alias)) {
        absorb((*target)->profile, alias->profile, AliasClaim{event.alias, alias->profile.moved_to->by});
        auto absorbed = write_one(**target);
        if (!absorbed) return absorbed.error();
        if (!*absorbed) continue;
        if (options_.on_changed) options_.on_changed((*target)->profile);
      }
      const Profile before = alias->profile;
      drop_content(alias->profile);
      if (alias->profile != before) {
        auto dropped = write_one(*alias);
        if (!dropped) return dropped.error();
        if (!*dropped) continue;
      }
    }
    return {};
  }
}

// Deals the pending events into groups by whom they are addressed to, in the order in which customers first come.
void ProfileWriter::group()
{
  groups_.clear();
  group_of_.clear();
  const auto slots = std::bit_ceil(std::max<std::size_t>(pending_.size(), 8) * 2);
  slots_.assign(slots, kNobody);
  for (const auto event : pending_) {
    const CustomerId& customer = *to_[event];
    auto slot = BytesHash{}(customer.text) & (slots - 1);
    while (slots_[slot] != kNobody && *groups_[slots_[slot]].customer != customer) slot = (slot + 1) & (slots - 1);
    if (slots_[slot] == kNobody) {
      slots_[slot] = static_cast<std::uint32_t>(groups_.size());
      groups_.push_back({&customer, nullptr, 0, 0});
    }
    group_of_.push_back(slots_[slot]);
    ++groups_[slots_[slot]].count;
  }
  std::uint32_t first = 0;
  for (auto& group : groups_) first = (group.first = first) + std::exchange(group.count, 0);
  order_.resize(pending_.size());
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    auto& group = groups_[group_of_[i]];
    order_[group.first + group.count++] = pending_[i];
  }
}

// Each group gets its customer's profile, known or read.
Status ProfileWriter::load_groups()
{
  missing_.clear();
  for (auto& group : groups_) {
    group.known = find(*group.customer);
    if (group.known == nullptr) missing_.push_back(*group.customer);
  }
  if (auto loaded = load(missing_); !loaded) return loaded;
  for (auto& group : groups_) {
    if (group.known == nullptr) group.known = find(*group.customer);
    touch(*group.known);
  }
  return {};
}

// Groups by who is meant: the root of whom each event is addressed to. Events that meet at a root are one group, so that they are merged
// before anything is folded.
Status ProfileWriter::group_at_roots()
{
  group();
  if (auto loaded = load_groups(); !loaded) return loaded;
  if (std::none_of(groups_.begin(), groups_.end(), [](const Group& group) { return group.known->profile.moved_to; })) return {};
  for (const auto& group : groups_) {
    auto root = root_of(*group.customer);
    if (!root) return root.error();
    if (*root == *group.customer) continue;
    roots_.push_back(std::move(*root));
    for (std::uint32_t i = 0; i < group.count; ++i) to_[order_[group.first + i]] = &roots_.back();
  }
  group();
  return load_groups(); // following pointers may have dropped what it found changed
}

// Applies a group's events to its profile.
ProfileWriter::Settled ProfileWriter::settle(const Group& group, std::span<const Event* const> events,
                                             std::vector<Verdict>& verdicts)
{
  Known& known = *group.known;
  const auto indexes = std::span(order_).subspan(group.first, group.count);
  kept_.clear();
  for (const auto index : indexes) {
    const Event& event = *events[index];
    if (event.type == EventType::forget)
      verdicts[index].outcome = forget(known.profile, event);
    else if (event.type == EventType::consent)
      verdicts[index].outcome = consent(known.profile, event);
    else
      kept_.push_back(&event);
  }
  outcomes_.resize(kept_.size());
  attune::apply(known.profile, kept_, outcomes_);
  bool accepted = false;
  bool repeated = false;
  bool left_out = false;
  std::size_t next = 0;
  for (const auto index : indexes) {
    auto& outcome = verdicts[index].outcome;
    if (next < kept_.size() && kept_[next] == events[index]) outcome = outcomes_[next++];
    accepted = accepted || outcome == Outcome::accepted;
    repeated = repeated || outcome == Outcome::repeated;
    left_out = left_out || outcome == Outcome::late || outcome == Outcome::refused;
  }
  // A repeat can change a profile too: of two events with one id the smaller stays.
  if (accepted || repeated) {
    const auto begin = encoded_.size();
    append_profile(known.profile, encoded_);
    const auto size = encoded_.size() - begin;
    const auto digest = digest_of(std::string_view(encoded_).substr(begin));
    if (accepted || (digest != known.digest && !known.profile.empty())) {
      ready_.push_back({&group, begin, size, digest});
      return Settled::ready;
    }
    encoded_.resize(begin);
  }
  return left_out && known.read_in != call_ ? Settled::unsure : Settled::unchanged;
}

void ProfileWriter::again(const Group& group)
{
  drop(*group.customer);
  const auto indexes = std::span(order_).subspan(group.first, group.count);
  again_.insert(again_.end(), indexes.begin(), indexes.end());
}

// Writes what is ready; what is lost to somebody else is applied again.
Status ProfileWriter::write_ready()
{
  writes_.clear();
  for (const auto& one : ready_)
    writes_.push_back({&one.group->known->profile.customer, one.group->known->digest,
                       std::string_view(encoded_).substr(one.begin, one.size), one.digest});
  auto done = writes_.empty() ? Status() : persist([&] { return store_.compare_and_set(writes_, written_); });
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    const Group& group = *ready_[i].group;
    if (!done) {
      // Known profiles have been changed and may or may not be stored: know nothing of them.
      drop(*group.customer);
      continue;
    }
    if (written_[i] == WriteOutcome::lost) {
      ++counts_.lost;
      again(group);
      continue;
    }
    Known& known = *group.known;
    ++counts_.writes;
    known.digest = ready_[i].digest;
    known.read_in = call_;
    const auto bytes = memory_of(known.profile, ready_[i].size);
    known_bytes_ += bytes - known.bytes;
    known.bytes = bytes;
    if (options_.on_changed) options_.on_changed(known.profile);
  }
  ready_.clear();
  encoded_.clear();
  return done;
}

// One round over the pending events; what has to be applied again is pending afterwards.
Status ProfileWriter::apply_pending(std::span<const Event* const> events, std::vector<Verdict>& verdicts)
{
  if (auto grouped = group_at_roots(); !grouped) return grouped;
  again_.clear();
  for (const auto& group : groups_) {
    // It became a pointer between the two looks, or what is known of it may be too old for a verdict that changes nothing.
    if (group.known->profile.moved_to || settle(group, events, verdicts) == Settled::unsure) again(group);
    if (encoded_.size() >= kWriteBytes)
      if (auto written = write_ready(); !written) return written;
  }
  if (auto written = write_ready(); !written) return written;
  std::swap(pending_, again_);
  return {};
}

Status ProfileWriter::apply(std::span<const Event* const> events, std::vector<Verdict>& verdicts)
{
  ++call_;
  verdicts.resize(events.size());
  to_.clear();
  roots_.clear();
  pending_.clear();
  std::vector<std::uint32_t> identifies;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    const Event& event = *events[i];
    ATTUNE_ASSERT(event.time && !event.id.empty());
    verdicts[i] = {};
    to_.push_back(&event.customer);
    (event.type == EventType::identify ? identifies : pending_).push_back(i);
  }

  std::sort(identifies.begin(), identifies.end(),
            [&](std::uint32_t a, std::uint32_t b) { return place_of(*events[a]) < place_of(*events[b]); });
  for (const auto i : identifies)
    if (auto done = identify(*events[i], verdicts[i]); !done) return done;
  Status done;
  while (done && !pending_.empty()) done = apply_pending(events, verdicts);
  evict();
  return done;
}

} // namespace attune
