#include "core/features.h"

#include <algorithm>

#include "base/assert.h"
#include "core/elementary.h"
#include "core/model_state.h"

namespace attune {

namespace {

// Where each column's two features stand.
constexpr std::array<Feature, kColumns> kShareOf{kVmis, kVsknn, kVstan, kRecVstan, kFollow, kFollowTwo, kFast,   kFaster,
                                                 kSlow, kAfter, kNext,  kTogether, kCosine, kBefore,    kSession};
constexpr std::array<Feature, kColumns> kLogOf{kLogVmis,      kLogVsknn,    kLogVstan,  kLogRecVstan, kLogFollow,
                                               kLogFollowTwo, kLogFast,     kLogFaster, kLogSlow,     kLogAfter,
                                               kLogNext,      kLogTogether, kLogCosine, kLogBefore,   kLogSession};

// 0 for 0, 1 for 1.
float log_scaled(float x)
{
  return log_of(1.0F + 1000.0F * x) * 0.14475F;
}

constexpr std::size_t kSessionTail = 60; // clicks of the asking session that are looked at

} // namespace

Group group_of(std::size_t feature)
{
  if (feature < kFast) return Group::neighbours;
  if (feature < kPopularFast) return Group::sequences;
  if (feature < kSeen) return Group::popular;
  if (feature < kSeenEarlier) return Group::session;
  if (feature < kComplement) return Group::affinity;
  return Group::complements;
}

std::string_view group_name(Group group)
{
  constexpr std::array<std::string_view, kGroups> kGroupNames{"neighbours", "sequences", "popular",
                                                              "session",    "affinity",  "complements"};
  return kGroupNames[static_cast<std::size_t>(group)];
}

void Features::compute(const Model::State& state, const Question& question, const Candidates& candidates,
                       const Candidates& complement_scores, std::span<const ItemNumber> items)
{
  ATTUNE_ASSERT(!question.session.empty() && question.session.back() != kUnknownItem);
  items_.assign(items.begin(), items.end());
  stride_ = (items_.size() + 7) / 8 * 8;
  values_.assign(kFeatures * stride_, 0.0F);
  columns(candidates);
  const auto last = question.session.back();
  probabilities(state, last);
  popularity(state);
  in_session(state, question);
  affinity(state, question);
  complements(state, question, complement_scores);

  const auto length = question.session.size();
  const auto support = state.pairs.of(last).transitions;
  bucket_ = (length == 1 ? 0 : length <= 3 ? 1 : 2) * 3 + (support < 10 ? 0 : support < 100 ? 1 : 2);
}

void Features::columns(const Candidates& candidates)
{
  raw_.assign(kColumns * stride_, 0.0F);
  for (std::size_t c = 0; c < items_.size(); ++c) {
    if (!candidates.holds(items_[c])) continue;
    const auto& row = candidates.rows()[candidates.place_of(items_[c])].columns;
    for (std::size_t column = 0; column < kColumns; ++column) raw_[column * stride_ + c] = row[column];
  }
  for (std::size_t column = 0; column < kColumns; ++column) {
    share_and_log(raw_.data() + column * stride_, kShareOf[column], kLogOf[column]);
  }
}

void Features::share_and_log(const float* values, Feature share, Feature logarithm)
{
  float best = 1e-9F;
  for (std::size_t c = 0; c < stride_; ++c) best = values[c] > best ? values[c] : best;
  derive(share, values, [by = 1.0F / best](float x) { return x * by; });
  derive(logarithm, values, log_scaled);
}

void Features::probabilities(const Model::State& state, ItemNumber last)
{
  const auto column = [this](Column which) { return raw_.data() + static_cast<std::size_t>(which) * stride_; };
  const float* slow = column(Column::slow);
  const float* fast = column(Column::fast);
  float all_slow = 1;
  float all_fast = 1;
  for (std::size_t c = 0; c < items_.size(); ++c) {
    all_slow += slow[c];
    all_fast += fast[c];
  }
  const auto log_share = [](float all) { return [by = 1.0F / all](float x) { return log_of((x + 0.02F) * by) * 0.2F; }; };
  derive(kLogNextShare, column(Column::next), log_share(static_cast<float>(state.pairs.of(last).transitions) + 1.0F));
  derive(kLogSlowShare, slow, log_share(all_slow));
  derive(kLogFastShare, fast, log_share(all_fast));
  derive(kLogSessionRaw, column(Column::session), [](float x) { return log_of(0.001F + x) * 0.2F; });
  derive(kLogVstanRaw, column(Column::vstan), [](float x) { return log_of(1e-4F + x) * 0.2F; });
}

void Features::popularity(const Model::State& state)
{
  const auto scales = state.popularity.scales();
  const auto clock = state.clock;
  for (std::size_t c = 0; c < items_.size(); ++c) {
    const auto item = items_[c];
    const auto& facts = state.items.facts[item];
    const auto& values = state.popularity.values(item);
    row(kLogPopularFaster)[c] = static_cast<float>(values[0] * scales[0]);
    row(kPopularFast)[c] = static_cast<float>(values[1] * scales[1]);
    row(kPopularMiddle)[c] = static_cast<float>(values[2] * scales[2]);
    row(kLogPopularSlow)[c] = static_cast<float>(values[3] * scales[3]);
    row(kLogClicks)[c] = static_cast<float>(facts.clicks);
    row(kIdle)[c] = static_cast<float>(clock - facts.last);
    row(kAge)[c] = static_cast<float>(clock - facts.first);
    row(kNeverClicked)[c] = facts.clicks == 0 ? 1.0F : 0.0F;
  }
  const auto log_above = [](float floor) { return [floor](float x) { return log_of(floor + x) * 0.2F; }; };
  derive(kLogPopularFaster, row(kLogPopularFaster), log_above(0.02F));
  derive(kLogPopularFast, row(kPopularFast), log_above(0.02F));
  derive(kLogPopularMiddle, row(kPopularMiddle), log_above(0.05F));
  derive(kLogPopularSlow, row(kLogPopularSlow), log_above(0.1F));
  const auto share = [&](Feature feature, Window window) {
    const auto best = state.popularity.best_value(window);
    derive(feature, row(feature), [by = best > 0 ? static_cast<float>(1 / best) : 1.0F](float x) { return x * by; });
  };
  share(kPopularFast, Window::fast);
  share(kPopularMiddle, Window::middle);
  difference(kTrendFasterMiddle, kLogPopularFaster, kLogPopularMiddle);
  difference(kTrendFastMiddle, kLogPopularFast, kLogPopularMiddle);
  difference(kTrendFastSlow, kLogPopularFast, kLogPopularSlow);
  derive(kLogClicks, row(kLogClicks),
         [by = 1.0F / log_of(2.0F + static_cast<float>(clock))](float x) { return log_of(1.0F + x) * by; });
  const auto log_age = [](float x) { return log_of(1.0F + x) * 0.1F; };
  derive(kIdle, row(kIdle), log_age);
  derive(kAge, row(kAge), log_age);
}

void Features::in_session(const Model::State& state, const Question& question)
{
  const auto& session = question.session;
  const auto back = [&](std::size_t i) { return session[session.size() - 1 - i]; };
  const auto last = session.back();
  const auto tail = std::min(session.size(), kSessionTail);
  for (std::size_t c = 0; c < items_.size(); ++c) {
    const auto item = items_[c];
    std::size_t nearest = 0;
    float times = 0;
    for (std::size_t i = 1; i < tail; ++i) {
      if (back(i) != item) continue;
      if (nearest == 0) nearest = i;
      times += 1;
    }
    if (nearest > 0) {
      const auto& facts = state.items.facts[item];
      row(kSeen)[c] = 1;
      row(kSeenNear)[c] = 1.0F / static_cast<float>(nearest);
      row(kSeenTimes)[c] = std::min(times, 3.0F);
      row(kSeenLast)[c] = nearest == 1 ? 1.0F : 0.0F;
      row(kSeenReturns)[c] = (static_cast<float>(facts.returns) + 1.0F) / (static_cast<float>(facts.clicks) + 5.0F);
      // Earlier in this session the last item was followed by it, or by another and then it.
      for (std::size_t i = 2; i < tail; ++i) {
        if (back(i) != last) continue;
        if (back(i - 1) == item) {
          row(kCameAfter)[c] = 1;
          break;
        }
        if (i >= 3 && back(i - 2) == item) row(kCameSecondAfter)[c] = 1;
      }
    }
  }
}

void Features::affinity(const Model::State& state, const Question& question)
{
  constexpr std::size_t kLooked = 20;
  const auto& facts = state.items.facts;
  const auto wanted = facts[question.session.back()].category;
  const auto tail = std::min(question.session.size(), kLooked);
  for (std::size_t c = 0; c < items_.size(); ++c) {
    const auto item = items_[c];
    const bool earlier = std::find(question.earlier.begin(), question.earlier.end(), item) != question.earlier.end();
    row(kSeenEarlier)[c] = earlier ? 1.0F : 0.0F;
    for (const auto& bought : question.bought) {
      if (bought.item != item) continue;
      row(kBought)[c] = 1;
      row(kBoughtTimes)[c] = 0.5F * log_of(static_cast<float>(bought.times));
      row(kDue)[c] = state.repurchases.due(bought, facts[item].category, question.now);
    }
    const auto category = facts[item].category;
    if (category == kNoCategory) continue;
    row(kSameCategory)[c] = category == wanted ? 1.0F : 0.0F;
    std::size_t same = 0;
    for (std::size_t i = 0; i < tail; ++i) {
      const auto seen = question.session[question.session.size() - 1 - i];
      if (seen != kUnknownItem && facts[seen].category == category) ++same;
    }
    row(kCategoryShare)[c] = static_cast<float>(same) / static_cast<float>(tail);
  }
}

void Features::complements(const Model::State& state, const Question& question, const Candidates& scores)
{
  if (scores.rows().empty()) return;
  raw_.assign(2 * stride_, 0.0F);
  for (std::size_t c = 0; c < items_.size(); ++c) {
    if (!scores.holds(items_[c])) continue;
    const auto& columns = scores.rows()[scores.place_of(items_[c])].columns;
    raw_[c] = columns[0];
    raw_[stride_ + c] = columns[1];
  }
  share_and_log(raw_.data(), kComplement, kLogComplement);
  share_and_log(raw_.data() + stride_, kComplementOfLast, kLogComplementOfLast);
  if (question.basket.empty()) return;
  // Looked at beside what was put into the cart, and never bought with it: another of its kind.
  constexpr std::uint32_t kSessionsTogether = 3;
  const auto newest = question.basket.back();
  const auto& views = state.pairs.of(newest);
  const auto& baskets = state.complements.of(newest);
  flags_.resize(std::max(flags_.size(), state.items.facts.size()));
  for (std::size_t p = 0; p < views.size(); ++p) flags_[views.items[p]] = views.counts[p].together >= kSessionsTogether;
  for (const auto bought : baskets.items) flags_[bought] = false;
  for (std::size_t c = 0; c < items_.size(); ++c) row(kSubstitute)[c] = flags_[items_[c]] ? 1.0F : 0.0F;
  for (const auto viewed : views.items) flags_[viewed] = false;
}

} // namespace attune
