#include "core/model.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "core/model_state.h"
#include "core/ranking.h"
#include "core/session_counts.h"

namespace attune {

namespace {

bool holds(std::span<const ItemNumber> items, ItemNumber item)
{
  return std::find(items.begin(), items.end(), item) != items.end();
}

// Of a partition both have read, the smaller position. Both sorted, as is the result.
std::vector<LogPosition> merge_positions(const std::vector<LogPosition>& a, const std::vector<LogPosition>& b)
{
  std::vector<LogPosition> merged;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(merged));
  const auto same = [](const LogPosition& left, const LogPosition& right) { return left.at == right.at; };
  merged.erase(std::unique(merged.begin(), merged.end(), same), merged.end());
  return merged;
}

Workspace& workspace()
{
  thread_local Workspace kept;
  return kept;
}

constexpr std::size_t kEarlierOrders = 64; // sessions looked at for what was bought
constexpr std::int64_t kAheadMs = 24 * 3'600'000; // of what several customers say: a clock that is wrong
constexpr std::size_t kLookedBehind = 16; // sessions of such clocks

} // namespace

bool ModelOptions::valid() const
{
  using std::chrono::hours;
  const auto within = [](auto value, auto least, auto most) { return least <= value && value <= most; };
  return within(idle, Milliseconds(1), Milliseconds(hours(24 * 365))) &&
         within(max_age, Milliseconds(hours(1)), Milliseconds(hours(24 * 36'500))) &&
         within(max_clicks, std::uint64_t{1'000}, std::uint64_t{1} << 30) && within(neighbours, 1U, 100'000U) &&
         within(rate, 0.0, 10.0) && within(teach_share, 1U, 1'000'000U);
}

Model::State::State(const ModelOptions& made_with) : options(made_with), table(made_with.idle), postings(made_with.neighbours)
{
  slots.intern({});
}

Model::Model(const ModelOptions& options)
{
  ATTUNE_ASSERT(options.valid());
  state_ = std::make_unique<State>(options);
}

Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

void Model::learn(const Event& event, const Surroundings& beside)
{
  ATTUNE_ASSERT(event.time && !event.id.empty());
  if (state_->refusals.take(event)) take_back(session_key(event.customer, {}).customer);
  for_each_lesson(event, beside, [this](const Lesson& lesson) { learn(lesson); });
}

void Model::refuse(const Refusals& refusals)
{
  state_->refusals.merge(refusals);
  for (const auto& standing : refusals.all()) take_back(standing.customer);
}

void Model::learn(const Lessons& lessons, const std::function<void(std::size_t)>& progress)
{
  constexpr std::size_t kBetween = 4096;
  refuse(lessons.refusals());
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    learn(lessons[i]);
    if (progress && i % kBetween == 0) progress(i);
  }
}

// Sessions are made anew of what is still admitted.
void Model::take_back(std::uint64_t customer)
{
  auto& state = *state_;
  std::vector<SessionNumber> all;
  for (auto session = state.table.newest_of(customer); session != kNoSession; session = state.table.before(session))
    all.push_back(session);
  for (const auto session : all) {
    const auto key = state.table.key(session);
    std::vector<Click> kept;
    for (const auto& click : state.table.clicks(session))
      if (state.refusals.admits(customer, click.time)) kept.push_back(click);
    if (kept.size() == state.table.clicks(session).size()) continue;
    ItemPairs::Emptied emptied;
    SessionCounts(state.table, session).subtract(state, &emptied);
    state.table.close(session);
    if (!kept.empty()) SessionCounts(state.table, state.table.restore(key, kept)).add(state);
    state.pairs.drop_empty(emptied);
  }
  if (!state.refusals.admits(customer, state.now.time())) state.now.drop(customer);
}

void Model::grow(ItemNumber item)
{
  auto& state = *state_;
  if (item < state.items.facts.size()) return;
  state.items.facts.resize(item + 1);
  state.items.facts[item].first = state.clock;
  state.items.weights.resize(item + 1);
  state.items.is_left.resize(item + 1);
  state.items.weigh(item);
  state.postings.grow(item + 1);
  state.pairs.grow(item + 1);
  state.complements.grow(item + 1);
}

// Nothing is counted of an item of which no click is kept: no posting, no pair and no basket, here or at another item.
ItemNumber Model::take_number(std::string_view text)
{
  auto& state = *state_;
  if (const auto known = state.items.ids.find(text); known != Vocabulary::kNone) return known;
  const auto left = state.items.take_left([&state](ItemNumber item) { return state.popularity.is_best(item); });
  if (left == kUnknownItem) {
    const auto made = state.items.ids.intern(text);
    grow(made);
    return made;
  }
  state.items.ids.rename(left, text);
  state.items.facts[left] = {};
  state.items.facts[left].first = state.clock;
  state.items.weigh(left);
  state.popularity.forget(left);
  state.in_category.forget(left);
  state.in_segment.forget(left);
  state.repurchases.forget(left);
  state.postings.clear(left);
  state.pairs.clear(left);
  state.complements.clear(left);
  return left;
}

// A click before others of its session, or between two sessions that become one. Where those are too long together the newest clicks go, and it
// is none of them: a full session takes no click behind its last.
void Model::place_late(const SessionTable::Place& place, const Click& click)
{
  auto& state = *state_;
  ItemPairs::Emptied emptied;
  if (place.other == kNoSession) {
    const SessionCounts before(state.table, place.session);
    state.table.insert(place, click);
    SessionCounts(state.table, place.session).move(before, state, emptied);
  } else {
    SessionCounts(state.table, place.session).subtract(state, &emptied);
    SessionCounts(state.table, place.other).subtract(state, &emptied);
    state.table.insert(place, click);
    SessionCounts(state.table, place.session).add(state);
  }
  state.pairs.drop_empty(emptied);
}

void Model::learn(const Lesson& lesson)
{
  auto& state = *state_;
  if (!state.refusals.admits(lesson.key.customer, lesson.time)) return void(++state.refused);
  state.now.see(lesson.key.customer, lesson.time);
  if (lesson.time + state.options.max_age.count() < state.now.time()) return void(++state.ignored);
  // Its place does not depend on the item, and what is not learned is to leave nothing behind.
  Click click{lesson.time, lesson.id, kUnknownItem, lesson.kind, 0};
  const auto place = state.table.place(lesson.key, click);
  if (place.how == SessionTable::Place::How::repeated) return void(++state.repeated);
  if (place.how == SessionTable::Place::How::ignored) return void(++state.ignored);

  const auto item = take_number(lesson.item);
  click.item = item;
  click.segments = state.memberships.intern(lesson.segments);
  ++state.learned;
  if (place.how == SessionTable::Place::How::inserted) {
    ++state.late;
    const auto clicks = state.items.facts[item].clicks;
    place_late(place, click);
    // Beside a click on the same item, or the same again at another time, it is no new one.
    if (state.items.facts[item].clicks <= clicks) return forget_old();
  } else {
    const auto items = place.session == kNoSession ? std::span<const ItemNumber>() : state.table.items(place.session);
    const bool repeats = !items.empty() && items.back() == item;
    const bool is_new = !holds(items, item);
    if (!items.empty() && !repeats) teach(lesson, place.session, item);
    if (!repeats) state.pairs.add(items, item, is_new, true);
    if (joins_basket(click)) join_basket(place.session, item);
    if (click.kind == ClickKind::purchase) note_repurchase(place.session, lesson.key.customer, click);
    const auto session = state.table.append(place, lesson.key, click);
    if (repeats) return forget_old();
    auto& facts = state.items.facts[item];
    ++facts.clicks;
    if (is_new) {
      ++facts.sessions;
      state.items.weigh(item);
      state.postings.add(item, session, state.table);
    } else {
      ++facts.returns;
    }
  }
  auto& facts = state.items.facts[item];
  facts.last = state.clock;
  if (!lesson.category.empty()) name_category(lesson.category, facts);
  state.popularity.hit(item);
  if (facts.category != kNoCategory) state.in_category.hit(facts.category, item);
  each_segment(state.memberships.set(click.segments), [&](std::uint32_t segment) { state.in_segment.hit(segment, item); });
  ++state.clock;
  forget_old();
}

void Model::name_category(std::string_view category, ItemFacts& facts)
{
  auto& categories = state_->items.categories;
  if (categories.size() < kMaxCategories)
    facts.category = categories.intern(category);
  else if (const auto known = categories.find(category); known != Vocabulary::kNone)
    facts.category = known;
}

void Model::teach(const Lesson& lesson, SessionNumber session, ItemNumber clicked)
{
  auto& state = *state_;
  const auto& options = state.options;
  const bool chosen = state.blend.steps() < options.teach_first || (lesson.id >> 32) % options.teach_share == 0;
  if (!chosen || options.rate == 0) return;
  Question question;
  question.now = lesson.time;
  ask_from(session, question);
  if (!lesson.slot.empty()) {
    if (const auto known = state.slots.find(lesson.slot); known != Vocabulary::kNone)
      question.slot = known;
    else if (state.slots.size() <= kMaxSlots)
      question.slot = state.slots.intern(lesson.slot);
  }
  auto& work = workspace();
  if (!propose(state, question, work)) return;
  const auto candidates = work.features.items();
  const auto found = std::find(candidates.begin(), candidates.end(), clicked);
  if (found == candidates.end()) return;
  state.blend.learn(work.features, question.slot, work.scores, static_cast<std::size_t>(found - candidates.begin()),
                    static_cast<float>(options.rate));
}

void Model::join_basket(SessionNumber session, ItemNumber item)
{
  std::vector<ItemNumber> basket;
  if (session != kNoSession) state_->table.basket(session, basket);
  if (!holds(basket, item)) state_->complements.add(basket, item);
}

bool Model::is_old(SessionNumber session) const
{
  const auto& state = *state_;
  return state.table.clicks(session).back().time + state.options.max_age.count() < state.now.time();
}

// Sessions go in the order in which they were last used, so that one of a clock that runs ahead would keep all that are behind it for as long as
// that clock is ahead. It goes when one behind it is too old, or when as many of its kind stand behind it as are looked behind.
bool Model::holds_up(SessionNumber oldest) const
{
  const auto& state = *state_;
  const auto now = state.now.time();
  if (now == INT64_MIN) return false;
  auto session = oldest;
  for (std::size_t ahead = 0; ahead < kLookedBehind; ++ahead) {
    if (session == kNoSession) return false;
    if (state.table.clicks(session).back().time <= now + kAheadMs) return ahead > 0 && is_old(session);
    session = state.table.next_oldest(session);
  }
  return true;
}

void Model::forget_old()
{
  auto& state = *state_;
  for (;;) {
    const auto oldest = state.table.oldest();
    if (oldest == kNoSession) return;
    const bool goes = state.table.click_count() > state.options.max_clicks || is_old(oldest) || holds_up(oldest);
    if (!goes) return;
    SessionCounts(state.table, oldest).subtract(state);
    state.table.close(oldest);
  }
}

void Model::merge(const Model& other)
{
  ATTUNE_ASSERT(options() == other.options());
  Lessons lessons;
  for (const auto* each : {state_.get(), other.state_.get()}) {
    each->table.for_each([&](SessionNumber session) {
      for (const auto& click : each->table.clicks(session)) {
        const auto segments = each->memberships.names(each->memberships.set(click.segments));
        const auto category = each->items.facts[click.item].category;
        lessons.add({each->table.key(session),
                     click.time,
                     click.id,
                     each->items.ids.text(click.item),
                     category == kNoCategory ? std::string_view() : each->items.categories.text(category),
                     {},
                     click.kind,
                     segments});
      }
    });
  }
  lessons.sort();
  auto taught = options();
  taught.rate = 0;
  Model merged(taught);
  merged.refuse(state_->refusals);
  merged.refuse(other.state_->refusals);
  merged.learn(lessons);
  auto& made = *merged.state_;
  made.options = options();
  const auto sum = [&](std::uint64_t State::*count) { made.*count = (*state_).*count + (*other.state_).*count; };
  for (const auto count : {&State::learned, &State::repeated, &State::late, &State::ignored, &State::refused}) sum(count);
  for (const auto* each : {state_.get(), other.state_.get()}) made.now.merge(each->now);
  for (std::uint32_t slot = 0; slot < state_->slots.size(); ++slot) made.slots.intern(state_->slots.text(slot));
  std::vector<std::uint32_t> slots; // the other's, in our numbers; 0 for one too many
  for (std::uint32_t slot = 0; slot < other.state_->slots.size(); ++slot) {
    const auto text = other.state_->slots.text(slot);
    const bool room = made.slots.find(text) != Vocabulary::kNone || made.slots.size() <= kMaxSlots;
    slots.push_back(room ? made.slots.intern(text) : 0);
  }
  made.blend = state_->blend;
  made.blend.merge(other.state_->blend, slots);
  merged.positions = merge_positions(positions, other.positions);
  merged.offers = offers;
  for (const auto& [name, use] : other.offers) {
    merged.offers[name].impressions += use.impressions;
    merged.offers[name].redemptions += use.redemptions;
  }
  *this = std::move(merged);
}

ItemNumber Model::number_of(std::string_view item) const
{
  return state_->items.ids.find(item);
}

std::string_view Model::item(ItemNumber number) const
{
  return state_->items.ids.text(number);
}

std::uint32_t Model::slot_of(std::string_view slot) const
{
  const auto found = state_->slots.find(slot);
  return found == Vocabulary::kNone ? 0 : found;
}

Question Model::question(const SessionKey& key, std::int64_t time, std::string_view slot) const
{
  const auto& table = state_->table;
  Question question;
  question.slot = slot_of(slot);
  question.now = time;
  const auto session = table.find(key);
  const bool goes_on = session != kNoSession && (key.site != 0 || time - table.clicks(session).back().time <= table.idle().count());
  if (goes_on)
    ask_from(session, question);
  else if (const auto newest = table.newest_of(key.customer); newest != kNoSession)
    look_back(newest, false, question);
  return question;
}

void Model::ask_from(SessionNumber session, Question& question) const
{
  const auto items = state_->table.items(session);
  question.session.assign(items.begin(), items.end());
  question.self = session;
  state_->table.basket(session, question.basket);
  look_back(session, true, question);
}

// Into what the customer did in `session` and before it. `goes_on`: it is this visit.
void Model::look_back(SessionNumber session, bool goes_on, Question& question) const
{
  const auto& table = state_->table;
  Purchases purchases(question.now, question.bought);
  for (std::size_t looked = 0; session != kNoSession && looked <= kEarlierOrders; session = table.before(session), ++looked) {
    const bool this_visit = goes_on && looked == 0;
    const auto items = table.items(session);
    if (!this_visit && looked < kEarlierSessions + (goes_on ? 1 : 0))
      for (auto i = items.size(); i-- > 0 && question.earlier.size() < kMaxEarlier;) question.earlier.push_back(items[i]);
    const auto clicks = table.clicks(session);
    for (auto click = clicks.rbegin(); click != clicks.rend(); ++click)
      if (click->kind == ClickKind::purchase) purchases.add(click->item, click->time);
  }
}

// Before a purchase is put into `session`: how long ago its customer bought the item in an earlier visit.
void Model::note_repurchase(SessionNumber session, std::uint64_t customer, const Click& click)
{
  constexpr std::size_t kMostLooked = 2048; // clicks
  auto& state = *state_;
  const auto bought = [&](SessionNumber in) {
    const auto clicks = state.table.clicks(in);
    const auto found = std::find_if(clicks.rbegin(), clicks.rend(),
                                    [&](const Click& each) { return each.item == click.item && each.kind == ClickKind::purchase; });
    return found == clicks.rend() ? nullptr : &*found;
  };
  if (session != kNoSession && bought(session)) return;
  auto earlier = session == kNoSession ? state.table.newest_of(customer) : state.table.before(session);
  for (std::size_t looked = 0; earlier != kNoSession && looked < kMostLooked; earlier = state.table.before(earlier)) {
    looked += state.table.clicks(earlier).size();
    const auto* last = bought(earlier);
    if (!last) continue;
    if (last->time < click.time) state.repurchases.add(click.item, state.items.facts[click.item].category, click.time - last->time);
    return;
  }
}

void Model::set_saved(const Saved& saved)
{
  state_->saved = saved;
}

std::string Model::name() const
{
  const auto& saved = state_->saved;
  if (saved.bytes == 0) return "new";
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (int shift = 60; shift >= 0; shift -= 4) name += kDigits[saved.checksum >> shift & 0xF];
  if (const auto since = state_->learned - saved.learned; since > 0) name += '+' + std::to_string(since);
  return name;
}

Model::Holdings Model::holdings() const
{
  const auto& state = *state_;
  Holdings holdings;
  holdings.clicks = state.table.click_count();
  holdings.sessions = state.table.sessions();
  for (const auto& facts : state.items.facts) holdings.items += facts.clicks > 0 ? 1 : 0;
  holdings.pairs = state.pairs.pairs();
  holdings.complements = state.complements.pairs();
  holdings.learned = state.learned;
  holdings.repeated = state.repeated;
  holdings.late = state.late;
  holdings.ignored = state.ignored;
  holdings.refused = state.refused;
  holdings.taught = state.blend.steps();
  holdings.bytes = state.table.bytes() + state.postings.bytes() + state.pairs.bytes() + state.complements.bytes() +
                   state.popularity.bytes() + state.in_category.bytes() + state.in_segment.bytes() + state.repurchases.bytes() +
                   state.items.facts.capacity() * (sizeof(ItemFacts) + 96);
  state.table.for_each([&](SessionNumber session) {
    const Timestamp first{state.table.clicks(session).front().time};
    const Timestamp last{state.table.clicks(session).back().time};
    holdings.oldest = holdings.oldest ? std::min(*holdings.oldest, first) : first;
    holdings.newest = holdings.newest ? std::max(*holdings.newest, last) : last;
  });
  return holdings;
}

const ModelOptions& Model::options() const
{
  return state_->options;
}

} // namespace attune
