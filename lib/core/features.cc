#include "core/features.h"

#include <algorithm>
#include <cmath>

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

constexpr std::array<std::string_view, kFeatures> kNames{"vmis",
                                                         "vsknn",
                                                         "vstan",
                                                         "rec_vstan",
                                                         "follow",
                                                         "follow_two",
                                                         "log_vmis",
                                                         "log_vsknn",
                                                         "log_vstan",
                                                         "log_rec_vstan",
                                                         "log_follow",
                                                         "log_follow_two",
                                                         "log_vstan_raw",
                                                         "fast",
                                                         "faster",
                                                         "slow",
                                                         "after",
                                                         "next",
                                                         "together",
                                                         "cosine",
                                                         "before",
                                                         "session",
                                                         "log_fast",
                                                         "log_faster",
                                                         "log_slow",
                                                         "log_after",
                                                         "log_next",
                                                         "log_together",
                                                         "log_cosine",
                                                         "log_before",
                                                         "log_session",
                                                         "log_next_share",
                                                         "log_session_raw",
                                                         "log_slow_share",
                                                         "log_fast_share",
                                                         "popular_fast",
                                                         "popular_middle",
                                                         "log_popular_faster",
                                                         "log_popular_fast",
                                                         "log_popular_middle",
                                                         "log_popular_slow",
                                                         "trend_faster_middle",
                                                         "trend_fast_middle",
                                                         "trend_fast_slow",
                                                         "log_clicks",
                                                         "idle",
                                                         "age",
                                                         "never_clicked",
                                                         "seen",
                                                         "seen_near",
                                                         "seen_times",
                                                         "seen_last",
                                                         "seen_returns",
                                                         "came_after",
                                                         "came_second_after",
                                                         "seen_earlier",
                                                         "same_category",
                                                         "category_share"};

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
  return Group::affinity;
}

std::string_view group_name(Group group)
{
  constexpr std::array<std::string_view, kGroups> kGroupNames{"neighbours", "sequences", "popular",
                                                              "session",    "affinity",  "complements"};
  return kGroupNames[static_cast<std::size_t>(group)];
}

std::string_view feature_name(std::size_t feature)
{
  return kNames[feature];
}

void Features::compute(const Model::State& state, const Question& question, const Candidates& candidates,
                       std::span<const ItemNumber> items)
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
  categories(state, question);

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
    const float* values = raw_.data() + column * stride_;
    float best = 1e-9F;
    for (std::size_t c = 0; c < stride_; ++c) best = std::max(best, values[c]);
    float* share = row(kShareOf[column]);
    float* logarithm = row(kLogOf[column]);
    const float by = 1.0F / best;
    for (std::size_t c = 0; c < stride_; ++c) {
      share[c] = values[c] * by;
      logarithm[c] = log_scaled(values[c]);
    }
  }
}

void Features::probabilities(const Model::State& state, ItemNumber last)
{
  const auto column = [this](Column which) { return raw_.data() + static_cast<std::size_t>(which) * stride_; };
  const float* next = column(Column::next);
  const float* session = column(Column::session);
  const float* slow = column(Column::slow);
  const float* fast = column(Column::fast);
  const float* vstan = column(Column::vstan);
  float all_slow = 1;
  float all_fast = 1;
  for (std::size_t c = 0; c < items_.size(); ++c) {
    all_slow += slow[c];
    all_fast += fast[c];
  }
  const float by_transitions = 1.0F / (static_cast<float>(state.pairs.of(last).transitions) + 1.0F);
  const float by_slow = 1.0F / all_slow;
  const float by_fast = 1.0F / all_fast;
  for (std::size_t c = 0; c < stride_; ++c) {
    row(kLogNextShare)[c] = log_of((next[c] + 0.02F) * by_transitions) * 0.2F;
    row(kLogSessionRaw)[c] = log_of(0.001F + session[c]) * 0.2F;
    row(kLogSlowShare)[c] = log_of((slow[c] + 0.02F) * by_slow) * 0.2F;
    row(kLogFastShare)[c] = log_of((fast[c] + 0.02F) * by_fast) * 0.2F;
    row(kLogVstanRaw)[c] = log_of(1e-4F + vstan[c]) * 0.2F;
  }
}

void Features::popularity(const Model::State& state)
{
  const auto& windows = state.popularity;
  const auto best = [&](Window window) {
    const auto& top = windows[window];
    return top.best().empty() ? 1.0F : static_cast<float>(top.value(top.best().front()));
  };
  const float by_fast = 1.0F / best(Window::fast);
  const float by_middle = 1.0F / best(Window::middle);
  const auto clock = state.clock;
  const float by_clock = 1.0F / log_of(2.0F + static_cast<float>(clock));
  for (std::size_t c = 0; c < items_.size(); ++c) {
    const auto item = items_[c];
    const auto& facts = state.items.facts[item];
    row(kPopularFast)[c] = static_cast<float>(windows[Window::fast].value(item));
    row(kPopularMiddle)[c] = static_cast<float>(windows[Window::middle].value(item));
    row(kLogPopularFaster)[c] = static_cast<float>(windows[Window::faster].value(item));
    row(kLogPopularSlow)[c] = static_cast<float>(windows[Window::slow].value(item));
    row(kLogClicks)[c] = static_cast<float>(facts.clicks);
    row(kIdle)[c] = static_cast<float>(clock - facts.last);
    row(kAge)[c] = static_cast<float>(clock - facts.first);
    row(kNeverClicked)[c] = facts.clicks == 0 ? 1.0F : 0.0F;
  }
  for (std::size_t c = 0; c < stride_; ++c) {
    const float fast = row(kPopularFast)[c];
    const float middle = row(kPopularMiddle)[c];
    const float log_fast = log_of(0.02F + fast);
    const float log_middle = log_of(0.05F + middle);
    const float log_slow = log_of(0.1F + row(kLogPopularSlow)[c]);
    const float log_faster = log_of(0.02F + row(kLogPopularFaster)[c]);
    row(kPopularFast)[c] = fast * by_fast;
    row(kPopularMiddle)[c] = middle * by_middle;
    row(kLogPopularFaster)[c] = log_faster * 0.2F;
    row(kLogPopularFast)[c] = log_fast * 0.2F;
    row(kLogPopularMiddle)[c] = log_middle * 0.2F;
    row(kLogPopularSlow)[c] = log_slow * 0.2F;
    row(kTrendFasterMiddle)[c] = (log_faster - log_middle) * 0.2F;
    row(kTrendFastMiddle)[c] = (log_fast - log_middle) * 0.2F;
    row(kTrendFastSlow)[c] = (log_fast - log_slow) * 0.2F;
    row(kLogClicks)[c] = log_of(1.0F + row(kLogClicks)[c]) * by_clock;
    row(kIdle)[c] = log_of(1.0F + row(kIdle)[c]) * 0.1F;
    row(kAge)[c] = log_of(1.0F + row(kAge)[c]) * 0.1F;
  }
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
    const bool earlier = std::find(question.earlier.begin(), question.earlier.end(), item) != question.earlier.end();
    row(kSeenEarlier)[c] = earlier ? 1.0F : 0.0F;
  }
}

void Features::categories(const Model::State& state, const Question& question)
{
  constexpr std::size_t kLooked = 20;
  const auto& facts = state.items.facts;
  const auto wanted = facts[question.session.back()].category;
  const auto tail = std::min(question.session.size(), kLooked);
  for (std::size_t c = 0; c < items_.size(); ++c) {
    const auto category = facts[items_[c]].category;
    if (category == kNoCategory) continue;
    row(kSameCategory)[c] = category == wanted ? 1.0F : 0.0F;
    std::size_t same = 0;
    for (std::size_t i = 0; i < tail; ++i) {
      const auto item = question.session[question.session.size() - 1 - i];
      if (item != kUnknownItem && facts[item].category == category) ++same;
    }
    row(kCategoryShare)[c] = static_cast<float>(same) / static_cast<float>(tail);
  }
}

} // namespace attune
