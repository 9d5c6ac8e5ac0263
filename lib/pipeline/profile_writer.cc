#include "pipeline/profile_writer.h"

#include <algorithm>
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

// What a kept event costs in memory beyond its wire form: a string, its heap block, time and hash.
constexpr std::size_t kKeptOverhead = 80;
constexpr std::size_t kProfileOverhead = 1024;

std::size_t memory_of(const Profile& profile)
{
  std::size_t bytes = kProfileOverhead + profile.summary.tiles.size() * sizeof(Tile);
  for (const auto& list : profile.recent)
    for (const auto& kept : list) bytes += kept.wire.size() + kKeptOverhead;
  return bytes;
}

} // namespace

// One profile as this writer knows it.
struct ProfileWriter::Known {
  Profile profile;
  Digest digest{}; // of the stored bytes; zero: not stored
  std::uint64_t read_in = 0; // the apply() in which it was read or acknowledged
  std::size_t bytes = 0;
  std::string encoded; // what is about to be written
  Digest encoded_digest{};
  std::list<Known*>::iterator use;
};

// The events of one customer in a batch, by index.
struct ProfileWriter::Group {
  CustomerId customer;
  std::vector<std::uint32_t> events;
  std::vector<Outcome> outcomes;
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
  const auto found = known_.find(customer.text);
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

Status ProfileWriter::load(std::span<const CustomerId> customers)
{
  std::vector<CustomerId> missing;
  for (const auto& customer : customers)
    if (!known_.contains(customer.text)) missing.push_back(customer);
  if (missing.empty()) return {};

  std::vector<StoredProfile> stored;
  if (auto got = persist([&] { return store_.get(missing, stored); }); !got) return got;
  counts_.reads += missing.size();
  for (std::size_t i = 0; i < missing.size(); ++i) {
    auto known = std::make_unique<Known>();
    if (stored[i].bytes.empty()) {
      known->profile.customer = missing[i];
    } else {
      auto profile = decode_profile(missing[i], stored[i].bytes);
      if (!profile) return profile.error();
      known->profile = std::move(*profile);
      known->digest = stored[i].digest;
    }
    known->read_in = call_;
    known->bytes = memory_of(known->profile);
    known_bytes_ += known->bytes;
    by_use_.push_front(known.get());
    known->use = by_use_.begin();
    known_[missing[i].text] = std::move(known);
  }
  return {};
}

Result<ProfileWriter::Known*> ProfileWriter::load_one(const CustomerId& customer)
{
  if (auto loaded = load({&customer, 1}); !loaded) return loaded.error();
  auto& known = *known_.at(customer.text);
  touch(known);
  return &known;
}

// Writes one changed profile; false when somebody else was faster (then it is no longer known).
Result<bool> ProfileWriter::write_one(Known& known)
{
  encode_profile(known.profile, known.encoded);
  const ProfileWrite write{&known.profile.customer, known.digest, known.encoded, digest_of(known.encoded)};
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

// The groups, each under the root of its customer; two that meet there are one.
Result<std::vector<ProfileWriter::Group>> ProfileWriter::at_their_roots(std::vector<Group> groups)
{
  std::vector<Group> settled;
  std::unordered_map<std::string, std::size_t> moved; // root -> index in `settled`, for roots that somebody moved to
  settled.reserve(groups.size());
  bool any_moved = false;
  for (const auto& group : groups)
    if (known_.at(group.customer.text)->profile.moved_to) any_moved = true;
  if (!any_moved) return groups;

  for (auto& group : groups) {
    auto root = root_of(group.customer);
    if (!root) return root.error();
    group.customer = *root;
    const auto [at, is_new] = moved.try_emplace(root->text, settled.size());
    if (is_new) {
      settled.push_back(std::move(group));
    } else {
      auto& into = settled[at->second].events;
      into.insert(into.end(), group.events.begin(), group.events.end());
    }
  }
  return settled;
}

// Applies a group's events to the known profile; whether it has to be written (then `encoded` is ready).
bool ProfileWriter::settle(Group& group, std::span<const Event* const> events)
{
  Known& known = *known_.at(group.customer.text);
  touch(known);
  group.outcomes.assign(group.events.size(), Outcome::repeated);
  std::vector<const Event*> kept;
  std::vector<std::size_t> kept_at;
  for (std::size_t i = 0; i < group.events.size(); ++i) {
    const Event& event = *events[group.events[i]];
    if (event.type == EventType::forget) {
      group.outcomes[i] = forget(known.profile, event);
    } else if (event.type == EventType::consent) {
      group.outcomes[i] = consent(known.profile, event);
    } else {
      kept.push_back(&event);
      kept_at.push_back(i);
    }
  }
  std::vector<Outcome> outcomes(kept.size());
  attune::apply(known.profile, kept, outcomes);
  for (std::size_t i = 0; i < kept.size(); ++i) group.outcomes[kept_at[i]] = outcomes[i];

  const auto is = [&](Outcome outcome) {
    return std::find(group.outcomes.begin(), group.outcomes.end(), outcome) != group.outcomes.end();
  };
  // A repeat can change a profile too: of two events with one id the smaller stays.
  if (!is(Outcome::accepted) && !is(Outcome::repeated)) return false;
  encode_profile(known.profile, known.encoded);
  known.encoded_digest = digest_of(known.encoded);
  return is(Outcome::accepted) || (known.encoded_digest != known.digest && !known.profile.empty());
}

Status ProfileWriter::apply_groups(std::span<const Event* const> events, std::vector<Group> pending, std::vector<Verdict>& verdicts)
{
  std::vector<CustomerId> customers;
  std::vector<Group*> written;
  std::vector<ProfileWrite> writes;
  std::vector<WriteOutcome> outcomes;
  while (!pending.empty()) {
    customers.clear();
    for (const auto& group : pending) customers.push_back(group.customer);
    if (auto loaded = load(customers); !loaded) return loaded;
    auto settled = at_their_roots(std::move(pending));
    if (!settled) return settled.error();
    // Following pointers may have dropped what it found changed.
    customers.clear();
    for (const auto& group : *settled) customers.push_back(group.customer);
    if (auto loaded = load(customers); !loaded) return loaded;

    pending.clear();
    written.clear();
    writes.clear();
    const auto give_verdicts = [&](const Group& group) {
      for (std::size_t i = 0; i < group.events.size(); ++i) verdicts[group.events[i]].outcome = group.outcomes[i];
    };
    for (auto& group : *settled) {
      Known& known = *known_.at(group.customer.text);
      if (known.profile.moved_to) { // became a pointer between the two looks
        pending.push_back(std::move(group));
        continue;
      }
      if (settle(group, events)) {
        written.push_back(&group);
        writes.push_back({&known.profile.customer, known.digest, known.encoded, known.encoded_digest});
        continue;
      }
      const bool sure = known.read_in == call_;
      const bool final = std::none_of(group.outcomes.begin(), group.outcomes.end(),
                                      [](Outcome o) { return o == Outcome::late || o == Outcome::refused; });
      if (sure || final) {
        give_verdicts(group);
      } else {
        drop(group.customer);
        pending.push_back(std::move(group));
      }
    }
    if (writes.empty()) continue;

    if (auto done = persist([&] { return store_.compare_and_set(writes, outcomes); }); !done) {
      // Known profiles have been changed and may or may not be stored: know nothing of them.
      for (const auto* group : written) drop(group->customer);
      return done;
    }
    for (std::size_t i = 0; i < written.size(); ++i) {
      Group& group = *written[i];
      Known& known = *known_.at(group.customer.text);
      if (outcomes[i] == WriteOutcome::lost) {
        ++counts_.lost;
        drop(group.customer);
        pending.push_back(std::move(group));
        continue;
      }
      ++counts_.writes;
      known.digest = writes[i].digest;
      known.read_in = call_;
      std::string().swap(known.encoded);
      const auto bytes = memory_of(known.profile);
      known_bytes_ += bytes - known.bytes;
      known.bytes = bytes;
      give_verdicts(group);
      if (options_.on_changed) options_.on_changed(known.profile);
    }
  }
  return {};
}

Status ProfileWriter::apply(std::span<const Event* const> events, std::vector<Verdict>& verdicts)
{
  ++call_;
  verdicts.assign(events.size(), Verdict{});
  std::vector<std::uint32_t> identifies;
  std::vector<Group> groups;
  std::unordered_map<std::string_view, std::size_t> of_customer;
  of_customer.reserve(events.size());
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    const Event& event = *events[i];
    ATTUNE_ASSERT(event.time && !event.id.empty());
    if (event.type == EventType::identify) {
      identifies.push_back(i);
      continue;
    }
    const auto [at, is_new] = of_customer.try_emplace(event.customer.text, groups.size());
    if (is_new) groups.push_back({event.customer, {}, {}});
    groups[at->second].events.push_back(i);
  }

  std::sort(identifies.begin(), identifies.end(),
            [&](std::uint32_t a, std::uint32_t b) { return place_of(*events[a]) < place_of(*events[b]); });
  for (const auto i : identifies)
    if (auto done = identify(*events[i], verdicts[i]); !done) return done;
  auto done = apply_groups(events, std::move(groups), verdicts);
  evict();
  return done;
}

} // namespace attune
