#include "core/ranking.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

#include "base/assert.h"
#include "core/elementary.h"
#include "core/model_state.h"
#include "core/sequences.h"

namespace attune {

namespace {

constexpr std::array<std::string_view, kSources> kNames{"blend",   "vmis",         "vsknn",   "vstan",       "rec-vstan", "follow",
                                                        "fast",    "slow",         "after",   "next",        "together",  "cosine",
                                                        "session", "popular-fast", "popular", "popular-slow"};

constexpr std::size_t kOfEachColumn = 100; // best candidates by each column that proposes
constexpr std::size_t kPopularProposed = 50;
constexpr std::size_t kSessionProposed = 20;
constexpr std::array<Column, 6> kProposing{Column::vmis, Column::vstan, Column::rec_vstan,
                                           Column::slow, Column::after, Column::cosine};

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
  // The best by one column; of equal ones the first met.
  void best_by(Column column)
  {
    const auto& rows = work_.candidates.rows();
    auto& values = work_.column;
    values.clear();
    for (const auto& row : rows)
      if (row[column] > 0) values.push_back(row[column]);
    float least = 0;
    std::size_t equal = values.size();
    if (values.size() > kOfEachColumn) {
      std::nth_element(values.begin(), values.begin() + kOfEachColumn - 1, values.end(), std::greater<>());
      least = values[kOfEachColumn - 1];
      equal = kOfEachColumn;
      for (const auto value : std::span(values).first(kOfEachColumn)) equal -= value > least ? 1 : 0;
    }
    for (const auto& row : rows) {
      const float value = row[column];
      if (value > least || (value == least && value > 0 && equal > 0 && equal--)) take(row.item);
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
    const float idf = sessions - log_of(1.0F + static_cast<float>(state.items.facts[row.item].sessions));
    row[Column::vmis] *= std::max(idf, 0.1F);
  }
}

// Fills the columns. False when no item of the session is known.
bool gather(const Model::State& state, const Question& question, Workspace& work)
{
  auto& asked = work.question;
  asked = question;
  while (!asked.session.empty() && asked.session.back() == kUnknownItem) asked.session.pop_back();
  if (asked.session.empty()) return false;
  work.candidates.begin(state.items.facts.size());
  work.search.find(asked, state.table, state.postings, state.options.neighbours);
  work.search.add(asked, state.table, work.candidates);
  add_sequences(work.search.asked(), asked.session.back(), state.pairs, state.items, work.candidates);
  weigh_by_rarity(state, work.candidates);
  return true;
}

void choose(const Model::State& state, Workspace& work)
{
  const auto& session = work.question.session;
  Chooser chooser(work, session.back(), state.items.facts.size());
  if (work.candidates.rows().size() <= 2 * kOfEachColumn)
    for (const auto& row : work.candidates.rows()) chooser.take(row.item);
  else
    for (const auto column : kProposing) chooser.best_by(column);
  const auto popular = [&](Window window, std::size_t count) {
    const auto best = state.popularity[window].best();
    for (const auto item : best.first(std::min(count, best.size()))) chooser.take(item);
  };
  popular(Window::fast, kPopularProposed);
  popular(Window::middle, kPopularProposed);
  popular(Window::slow, kPopularProposed / 2);
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

void rank_popular(const Model::State& state, Window window, ItemNumber last, std::size_t n, std::vector<Ranked>& out)
{
  const auto& top = state.popularity[window];
  for (const auto item : top.best()) {
    if (out.size() == n) return;
    if (item != last) out.push_back({item, top.value(item)});
  }
}

void keep_best(const Vocabulary& ids, std::size_t n, std::vector<Ranked>& out)
{
  const auto kept = out.begin() + static_cast<std::ptrdiff_t>(std::min(n, out.size()));
  std::partial_sort(out.begin(), kept, out.end(), [&ids](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : ids.text(a.item) < ids.text(b.item);
  });
  out.erase(kept, out.end());
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

bool propose(const Model::State& state, const Question& question, Workspace& work)
{
  if (!gather(state, question, work)) return false;
  choose(state, work);
  work.features.compute(state, work.question, work.candidates, work.chosen);
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
  } else if (const auto column = column_of(source)) {
    if (!gather(state, question, work)) return;
    for (const auto& row : work.candidates.rows())
      if (row[*column] > 0 && row.item != last) out.push_back({row.item, static_cast<double>(row[*column])});
  } else {
    const auto window = source == Source::popular_fast ? Window::fast : source == Source::popular ? Window::middle : Window::slow;
    return rank_popular(state, window, last, n, out);
  }
  keep_best(state.items.ids, n, out);
}

} // namespace attune
