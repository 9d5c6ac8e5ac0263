// What of a model is a function of the set of clicks it learned: sessions, postings and raw counts, by ids in place of numbers; and the
// same counted naively from sessions alone.
#pragma once

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/model.h"
#include "core/model_state.h"

namespace attune::testing {

struct HeldClick {
  std::int64_t time = 0;
  std::uint64_t id = 0;
  std::string item;
  ClickKind kind = ClickKind::view;
  friend auto operator<=>(const HeldClick&, const HeldClick&) = default;
};

struct HeldSession {
  SessionKey key;
  std::vector<HeldClick> clicks;
  friend auto operator<=>(const HeldSession&, const HeldSession&) = default;
};

struct HeldPair {
  std::uint32_t after = 0, before = 0, next = 0, together = 0;
  friend bool operator==(const HeldPair&, const HeldPair&) = default;
};

struct HeldComplement {
  std::uint32_t together = 0, mass = 0;
  friend bool operator==(const HeldComplement&, const HeldComplement&) = default;
};

struct HeldItem {
  std::uint32_t sessions = 0, clicks = 0, returns = 0, transitions = 0, baskets = 0;
  std::vector<std::tuple<std::int64_t, SessionKey>> postings; // first click of the item, and whose
  std::map<std::string, HeldPair> pairs;
  std::map<std::string, HeldComplement> complements;
  friend bool operator==(const HeldItem&, const HeldItem&) = default;
};

struct Contents {
  std::multiset<HeldSession> sessions;
  std::map<std::string, HeldItem> items; // of which something is counted
  friend bool operator==(const Contents&, const Contents&) = default;
};

inline std::multiset<HeldSession> sessions_of(const Model& model)
{
  const auto& table = model.state().table;
  std::multiset<HeldSession> sessions;
  table.for_each([&](SessionNumber session) {
    HeldSession held{table.key(session), {}};
    for (const auto& click : table.clicks(session))
      held.clicks.push_back({click.time, click.id, std::string(model.item(click.item)), click.kind});
    sessions.insert(std::move(held));
  });
  return sessions;
}

inline Contents contents_of(const Model& model)
{
  const auto& state = model.state();
  Contents contents{sessions_of(model), {}};
  for (ItemNumber item = 0; item < state.items.facts.size(); ++item) {
    const auto& facts = state.items.facts[item];
    const auto& partners = state.pairs.of(item);
    const auto& basket = state.complements.of(item);
    HeldItem held{facts.sessions, facts.clicks, facts.returns, partners.transitions, basket.baskets, {}, {}, {}};
    for (std::size_t i = 0; i < basket.size(); ++i)
      held.complements[std::string(model.item(basket.items[i]))] = {basket.counts[i].together, basket.counts[i].mass};
    for (const auto& entry : state.postings.of(item)) {
      const auto clicks = state.table.clicks(entry.session);
      const auto first = std::find_if(clicks.begin(), clicks.end(), [item](const Click& click) { return click.item == item; });
      held.postings.emplace_back(first == clicks.end() ? -1 : first->time, state.table.key(entry.session));
    }
    for (std::size_t i = 0; i < partners.items.size(); ++i) {
      const auto& counts = partners.counts[i];
      held.pairs[std::string(model.item(partners.items[i]))] = {counts.after, counts.before, counts.next, counts.together};
    }
    if (held != HeldItem{}) contents.items[std::string(model.item(item))] = std::move(held);
  }
  return contents;
}

// What sessions count for, as the headers of lib/core define it.
inline Contents counted(const std::multiset<HeldSession>& sessions)
{
  Contents contents{sessions, {}};
  for (const auto& session : sessions) {
    std::vector<std::string> items;
    for (const auto& click : session.clicks) {
      if (!items.empty() && items.back() == click.item) continue;
      auto& held = contents.items[click.item];
      const bool is_new = std::find(items.begin(), items.end(), click.item) == items.end();
      ++held.clicks;
      ++(is_new ? held.sessions : held.returns);
      if (is_new) held.postings.emplace_back(click.time, session.key);
      if (!items.empty()) ++contents.items[items.back()].transitions;
      std::set<std::string> met;
      for (std::size_t distance = 1; distance <= kLags && distance <= items.size(); ++distance) {
        const auto& earlier = items[items.size() - distance];
        if (earlier == click.item || !met.insert(earlier).second) continue;
        auto& after = contents.items[earlier].pairs[click.item];
        auto& before = held.pairs[earlier];
        after.after += kPairUnit / distance;
        before.before += kPairUnit / distance;
        after.next += distance == 1 ? 1 : 0;
        after.together += is_new ? 1 : 0;
        before.together += is_new ? 1 : 0;
      }
      items.push_back(click.item);
    }
  }
  for (const auto& session : sessions) {
    std::vector<std::string> basket;
    for (const auto& click : session.clicks) {
      const bool joins = click.kind == ClickKind::cart_add || click.kind == ClickKind::purchase;
      if (!joins || std::find(basket.begin(), basket.end(), click.item) != basket.end()) continue;
      ++contents.items[click.item].baskets;
      const auto others = std::min(basket.size(), kBasketLooked);
      double all = 0;
      for (std::size_t distance = 1; distance <= others; ++distance) all += 1.0 / static_cast<double>(distance);
      for (std::size_t distance = 1; distance <= others; ++distance) {
        const auto& other = basket[basket.size() - distance];
        const auto mass = static_cast<std::uint32_t>(kMassUnit / (static_cast<double>(distance) * all) + 0.5);
        for (auto* counts : {&contents.items[click.item].complements[other], &contents.items[other].complements[click.item]}) {
          ++counts->together;
          counts->mass += mass;
        }
      }
      basket.push_back(click.item);
    }
  }
  for (auto& [item, held] : contents.items) std::sort(held.postings.begin(), held.postings.end());
  return contents;
}

// The sessions that a set of clicks is, taken by hand: of a site's session each id once, at its earliest; the others cut where the gap
// is over the idle limit. REQUIRES: a click without a session id comes at one time; no session is over kMaxSessionClicks.
inline std::multiset<HeldSession> sessions_of(const std::vector<Event>& events, const ModelOptions& options = {},
                                              const Refusals& refusals = {})
{
  std::map<SessionKey, std::map<std::uint64_t, HeldClick>> by_key;
  for (const auto& event : events) {
    for_each_lesson(event, [&](const Lesson& lesson) {
      if (!refusals.admits(lesson.key.customer, lesson.time)) return;
      const HeldClick click{lesson.time, lesson.id, std::string(lesson.item), lesson.kind};
      const auto [known, first] = by_key[lesson.key].try_emplace(lesson.id, click);
      if (!first && click.time < known->second.time) known->second = click;
    });
  }
  std::multiset<HeldSession> sessions;
  for (const auto& [key, by_id] : by_key) {
    std::vector<HeldClick> clicks;
    for (const auto& [id, click] : by_id) clicks.push_back(click);
    std::sort(clicks.begin(), clicks.end());
    HeldSession session{key, {}};
    for (const auto& click : clicks) {
      if (key.site == 0 && !session.clicks.empty() && click.time - session.clicks.back().time > options.idle.count()) {
        sessions.insert(session);
        session.clicks.clear();
      }
      session.clicks.push_back(click);
    }
    sessions.insert(session);
  }
  return sessions;
}

} // namespace attune::testing
