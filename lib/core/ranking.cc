#include "core/ranking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <span>

#include "core/elementary.h"
#include "core/model_state.h"
#include "core/sequences.h"

namespace attune {

namespace {

constexpr std::array<std::string_view, kSources> kNames{
    "blend",   "vmis",         "vsknn",       "vstan",    "rec-vstan", "follow",  "fast",
    "slow",    "after",        "next",        "together", "cosine",    "session", "popular-fast",
    "popular", "popular-slow", "complements", "often",    "baskets",   "lift",    "popular-baskets"};

constexpr std::size_t kProposed = 160; // candidates that the neighbours and the sequences propose
constexpr std::size_t kPopularProposed = 50;
constexpr std::size_t kOfKindProposed = 20; // popular ones of a category, in each window
constexpr std::size_t kKindsProposed = 4;
constexpr float kDueProposed = 0.6F; // of what was bought, that which is due (core/repurchases.h)
constexpr std::size_t kComplements = 40;
constexpr std::size_t kSessionProposed = 20;
constexpr std::array<Column, 4> kProposing{Column::vmis, Column::rec_vstan, Column::slow, Column::session};

// Chooses candidates into work.chosen, each once.
class Chooser {
 public:
  Chooser(Workspace& work, ItemNumber last, std::size_t items) : work_(work), last_(last)
  {
    work.chosen.clear();
    marks().resize(std::max(marks().size(), items));
    if (++now() == 0) {
      std::fill(marks().begin(), marks().end(), 0);
      now() = 1;
    }
  }
  void take(ItemNumber item)
  {
    if (item == last_ || item == kUnknownItem || marks()[item] == now()) return;
    marks()[item] = now();
    work_.chosen.push_back(item);
  }
  // The best by the sum of the proposing columns, each as a share of its best; of equal ones the first met.
  void best_of_all()
  {
    const auto& rows = work_.candidates.rows();
    std::array<float, kProposing.size()> by{};
    for (const auto& row : rows)
      for (std::size_t i = 0; i < by.size(); ++i) by[i] = std::max(by[i], row[kProposing[i]]);
    for (auto& best : by) best = best > 0 ? 1.0F / best : 0.0F;
    auto& sums = work_.column;
    sums.clear();
    for (const auto& row : rows) {
      float sum = 0;
      for (std::size_t i = 0; i < by.size(); ++i) sum += row[kProposing[i]] * by[i];
      sums.push_back(sum);
    }
    auto& sorted = work_.sorted;
    sorted = sums;
    std::nth_element(sorted.begin(), sorted.begin() + kProposed - 1, sorted.end(), std::greater<>());
    const float least = sorted[kProposed - 1];
    auto equal = kProposed;
    for (const auto sum : std::span(sorted).first(kProposed)) equal -= sum > least ? 1 : 0;
    for (std::size_t i = 0; i < sums.size(); ++i)
      if (sums[i] > least || (sums[i] == least && equal > 0 && equal--)) take(rows[i].item);
  }

  // The best for the basket and for the last item.
  void complements()
  {
    const auto& rows = work_.complements.rows();
    for (const std::size_t column : {0U, 1U}) {
      auto& sorted = work_.sorted;
      sorted.clear();
      for (const auto& row : rows) sorted.push_back(row.columns[column]);
      float least = 0;
      if (sorted.size() > kComplements) {
        std::nth_element(sorted.begin(), sorted.begin() + kComplements, sorted.end(), std::greater<>());
        least = sorted[kComplements];
      }
      for (const auto& row : rows)
        if (row.columns[column] > least) take(row.item);
    }
  }

 private:
  static std::vector<std::uint32_t>& marks()
  {
    thread_local std::vector<std::uint32_t> kept;
    return kept;
  }
  static std::uint32_t& now()
  {
    thread_local std::uint32_t kept = 0;
    return kept;
  }

  Workspace& work_;
  ItemNumber last_;
};

void weigh_by_rarity(const Model::State& state, Candidates& candidates)
{
  const float sessions = log_of(1.0F + static_cast<float>(state.table.sessions()));
  for (auto& row : candidates.rows()) {
    if (row[Column::vmis] == 0) continue;
    const float idf = sessions - state.items.weights[row.item].log_support;
    row[Column::vmis] *= std::max(idf, 0.1F);
  }
}

// Takes the question, without unknown items at its end, into an empty workspace. False when no item of the session is known.
bool begin(const Model::State& state, const Question& question, Workspace& work)
{
  work.question = question;
  auto& session = work.question.session;
  while (!session.empty() && session.back() == kUnknownItem) session.pop_back();
  work.candidates.begin(state.items.facts.size());
  return !session.empty();
}

// Fills the vmis column alone, as published. False as begin().
bool gather_vmis(const Model::State& state, const Question& question, Workspace& work)
{
  if (!begin(state, question, work)) return false;
  const auto& asked = work.question;
  work.search.find_newest(asked, state.postings, state.options.neighbours);
  work.search.add_vmis(asked, state.table, state.items, work.candidates);
  return true;
}

// Fills the columns. False as begin().
bool gather(const Model::State& state, const Question& question, Workspace& work)
{
  if (!begin(state, question, work)) return false;
  const auto& asked = work.question;
  work.search.find(asked, state.table, state.postings, state.options.neighbours);
  work.search.add(asked, state.table, work.candidates);
  add_sequences(work.search.asked(), asked.session.back(), state.pairs, state.items, work.candidates);
  weigh_by_rarity(state, work.candidates);
  work.complements.begin(state.items.facts.size());
  const auto last = asked.session.back();
  if (state.complements.total() > 0) {
    if (!asked.basket.empty()) state.complements.score(asked.basket, asked.ordered, 0, work.complements);
    state.complements.score(std::span(&last, 1), true, 1, work.complements);
  }
  return true;
}

// Where the neighbours and the sequences know little: what is popular in the category of the item just seen, and in those of items of
// earlier visits, the newest first.
void popular_of_kinds(const Model::State& state, const Question& question, Chooser& chooser)
{
  std::array<std::uint32_t, kKindsProposed> kinds{};
  std::size_t count = 0;
  const auto propose_kind = [&](ItemNumber item) {
    const auto kind = state.items.facts[item].category;
    const auto end = kinds.begin() + static_cast<std::ptrdiff_t>(count);
    if (kind == kNoCategory || std::find(kinds.begin(), end, kind) != end) return;
    kinds[count++] = kind;
    for (const auto window : {GroupWindow::fast, GroupWindow::slow}) {
      const auto best = state.in_category.best(window, kind);
      for (const auto& each : best.first(std::min(kOfKindProposed, best.size()))) chooser.take(each.item);
    }
  };
  propose_kind(question.session.back());
  for (const auto item : question.earlier) {
    if (count == kKindsProposed) return;
    propose_kind(item);
  }
}

void choose(const Model::State& state, Workspace& work)
{
  const auto& session = work.question.session;
  Chooser chooser(work, session.back(), state.items.facts.size());
  if (work.candidates.rows().size() <= kProposed)
    for (const auto& row : work.candidates.rows()) chooser.take(row.item);
  else
    chooser.best_of_all();
  chooser.complements();
  const auto popular = [&](Window window, std::size_t count) {
    const auto best = state.popularity.best(window);
    for (const auto item : best.first(std::min(count, best.size()))) chooser.take(item);
  };
  popular(Window::fast, kPopularProposed);
  popular(Window::middle, kPopularProposed);
  popular(Window::slow, kPopularProposed / 2);
  if (work.candidates.rows().size() < kProposed) popular_of_kinds(state, work.question, chooser);
  for (const auto& bought : work.question.bought)
    if (state.repurchases.due(bought, state.items.facts[bought.item].category, work.question.now) > kDueProposed)
      chooser.take(bought.item);
  for (std::size_t i = 0; i < session.size() && i < kSessionProposed; ++i) chooser.take(session[session.size() - 1 - i]);
  if (work.question.remind) return;
  std::erase_if(work.chosen, [&](ItemNumber item) { return std::find(session.begin(), session.end(), item) != session.end(); });
}

std::optional<Column> column_of(Source source)
{
  switch (source) {
    case Source::vmis:
      return Column::vmis;
    case Source::vsknn:
      return Column::vsknn;
    case Source::vstan:
      return Column::vstan;
    case Source::rec_vstan:
      return Column::rec_vstan;
    case Source::follow:
      return Column::follow;
    case Source::fast:
      return Column::fast;
    case Source::slow:
      return Column::slow;
    case Source::after:
      return Column::after;
    case Source::next:
      return Column::next;
    case Source::together:
      return Column::together;
    case Source::cosine:
      return Column::cosine;
    case Source::session_rules:
      return Column::session;
    default:
      return std::nullopt;
  }
}

constexpr double kLean = 20; // clicks of all that a segment's are counted with

// All clicks, as the middle window of the popularity counts them.
double clicks_of_all(const Model::State& state)
{
  constexpr float kHalfLife = 5'000;
  constexpr double kFading = 0.00013861982628; // of one click, 1 - 2^(-1 / kHalfLife)
  return (1 - static_cast<double>(exp_of(-0.693147181F * static_cast<float>(state.clock) / kHalfLife))) / kFading;
}

// Of the items that all or these segments click.
void add_popular_of(const Model::State& state, Memberships::SegmentSet segments, std::vector<Ranked>& out)
{
  thread_local Candidates rows; // their first column: clicks of the segments
  rows.begin(state.items.facts.size());
  for (const auto item : state.popularity.best(Window::middle)) rows[item];
  double all = kLean;
  each_segment(segments, [&](std::uint32_t segment) {
    if (segment >= state.in_segment.groups()) return;
    const auto& items = state.in_segment.content(segment).items;
    const auto scale = state.in_segment.scale(GroupWindow::slow, segment);
    for (std::size_t i = 0; i < items.size(); ++i)
      rows[items.items[i]].columns[0] += static_cast<float>(items.counts[i][static_cast<std::size_t>(GroupWindow::slow)] * scale);
    all += state.in_segment.total(GroupWindow::slow, segment);
  });
  const double by = clicks_of_all(state) / all;
  for (const auto& row : rows.rows()) {
    const double popular = state.popularity.value(Window::middle, row.item);
    out.push_back({row.item, by * static_cast<double>(row.columns[0]) + popular * kLean / all});
  }
}

void rank_popular(const Model::State& state, Window window, ItemNumber last, std::size_t n, std::vector<Ranked>& out)
{
  for (const auto item : state.popularity.best(window)) {
    if (out.size() == n) return;
    if (item != last) out.push_back({item, state.popularity.value(window, item)});
  }
}

// What goes with the basket, by its complements and what was bought before, or by one of their rivals.
void rank_with_basket(const Model::State& state, const Question& question, Source source, Workspace& work, std::vector<Ranked>& out)
{
  const auto add = [&](ItemNumber item, double score) {
    const auto& basket = question.basket;
    if (score > 0 && std::find(basket.begin(), basket.end(), item) == basket.end()) out.push_back({item, score});
  };
  const auto baskets = [&](ItemNumber item) { return static_cast<float>(state.complements.of(item).baskets); };
  if (source == Source::popular_baskets) {
    for (ItemNumber item = 0; item < state.complements.items(); ++item) add(item, static_cast<double>(baskets(item)));
    return;
  }
  work.complements.begin(state.items.facts.size());
  const bool timed = source == Source::complements;
  if (timed || source == Source::often) {
    state.complements.score(question.basket, question.ordered, 0, work.complements);
    for (const auto& bought : question.bought) work.complements[bought.item];
    float most = 0;
    for (const auto& row : work.complements.rows()) most = std::max(most, row.columns[0]);
    for (const auto& bought : question.bought) {
      auto& value = work.complements[bought.item].columns[0];
      float root = std::sqrt(static_cast<float>(bought.times));
      if (timed) root *= state.repurchases.due(bought, state.items.facts[bought.item].category, question.now);
      value = value * (1 + root) + 0.05F * most * root;
    }
  } else {
    for (const auto item : question.basket) {
      const auto& row = state.complements.of(item);
      for (std::size_t p = 0; p < row.size(); ++p) {
        const auto together = static_cast<float>(row.counts[p].together);
        work.complements[row.items[p]].columns[0] +=
            source == Source::lift ? together / (baskets(item) * std::max(baskets(row.items[p]), 1.0F)) : together;
      }
    }
  }
  for (const auto& row : work.complements.rows()) add(row.item, static_cast<double>(row.columns[0]));
}

void keep_best(const Vocabulary& ids, std::size_t n, std::vector<Ranked>& out)
{
  const auto better = [&ids](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : ids.text(a.item) < ids.text(b.item);
  };
  if (std::is_sorted(out.begin(), out.end(), better)) { // what is popular is
    out.resize(std::min(n, out.size()));
    return;
  }
  if (n < out.size()) {
    const auto kept = out.begin() + static_cast<std::ptrdiff_t>(n);
    std::nth_element(out.begin(), kept, out.end(), better);
    out.erase(kept, out.end());
  }
  std::sort(out.begin(), out.end(), better);
}

} // namespace

std::string_view source_name(Source source)
{
  return kNames[static_cast<std::size_t>(source)];
}

std::optional<Source> parse_source(std::string_view name)
{
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Source>(found - kNames.begin());
}

void rank_popular(const Model& model, std::span<const std::string_view> segments, std::size_t n, std::vector<Ranked>& out)
{
  out.clear();
  const auto& state = model.state();
  const auto known = state.memberships.known(segments);
  if (known == 0)
    rank_popular(state, Window::middle, kUnknownItem, kPopularKept, out);
  else
    add_popular_of(state, known, out);
  keep_best(state.items.ids, n, out);
}

bool propose(const Model::State& state, const Question& question, Workspace& work)
{
  if (!gather(state, question, work)) return false;
  choose(state, work);
  work.features.compute(state, work.question, work.candidates, work.complements, work.chosen);
  state.blend.score(work.features, question.slot, work.scores);
  return true;
}

void rank(const Model& model, const Question& question, Source source, std::size_t n, Workspace& work, std::vector<Ranked>& out)
{
  out.clear();
  const auto& state = model.state();
  const auto last = question.session.empty() ? kUnknownItem : question.session.back();
  if (source == Source::blend) {
    if (!propose(state, question, work)) return rank_popular(state, Window::middle, last, n, out);
    for (std::size_t c = 0; c < work.features.count(); ++c) out.push_back({work.features.items()[c], work.scores.exact(c)});
  } else if (source >= Source::complements) {
    rank_with_basket(state, question, source, work, out);
  } else if (const auto column = column_of(source)) {
    const bool known = source == Source::vmis ? gather_vmis(state, question, work) : gather(state, question, work);
    if (!known) return;
    for (const auto& row : work.candidates.rows())
      if (row[*column] > 0 && row.item != last) out.push_back({row.item, static_cast<double>(row[*column])});
  } else {
    const auto window = source == Source::popular_fast ? Window::fast : source == Source::popular ? Window::middle : Window::slow;
    return rank_popular(state, window, last, n, out);
  }
  keep_best(state.items.ids, n, out);
}

} // namespace attune
