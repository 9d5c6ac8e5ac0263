// Features: what is known of each candidate of one answer, as numbers of about the same size, for a linear score (core/blend.h).
// The design and its figures: each column of the candidates as a share of the best one and by its logarithm, log probabilities,
// popularity in four windows and how it changes, the item's own history, and its place in the asking session.
//
// Feature-major, so that a feature is computed, scored and learned for all candidates side by side.
// Thread rule: one thread per object. Cost: about 15 us for 200 candidates.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/candidates.h"
#include "core/model.h"
#include "core/question.h"

namespace attune {

// What a feature speaks of: the contributions of an answer's reasons are sums by group.
enum class Group : std::uint8_t { neighbours, sequences, popular, session, affinity, complements };
inline constexpr std::size_t kGroups = 6;
[[nodiscard]] std::string_view group_name(Group group);

// Features of one group stand side by side, in the order of the groups.
enum Feature : std::uint8_t {
  // neighbours: shares of the best, then logarithms
  kVmis,
  kVsknn,
  kVstan,
  kRecVstan,
  kFollow,
  kFollowTwo,
  kLogVmis,
  kLogVsknn,
  kLogVstan,
  kLogRecVstan,
  kLogFollow,
  kLogFollowTwo,
  kLogVstanRaw,
  // sequences
  kFast,
  kFaster,
  kSlow,
  kAfter,
  kNext,
  kTogether,
  kCosine,
  kBefore,
  kSession,
  kLogFast,
  kLogFaster,
  kLogSlow,
  kLogAfter,
  kLogNext,
  kLogTogether,
  kLogCosine,
  kLogBefore,
  kLogSession,
  kLogNextShare,
  kLogSessionRaw,
  kLogSlowShare,
  kLogFastShare,
  // popular
  kPopularFast,
  kPopularMiddle,
  kLogPopularFaster,
  kLogPopularFast,
  kLogPopularMiddle,
  kLogPopularSlow,
  kTrendFasterMiddle,
  kTrendFastMiddle,
  kTrendFastSlow,
  kLogClicks,
  kIdle,
  kAge,
  kNeverClicked,
  // session
  kSeen,
  kSeenNear,
  kSeenTimes,
  kSeenLast,
  kSeenReturns,
  kCameAfter,
  kCameSecondAfter,
  // affinity
  kSeenEarlier,
  kSameCategory,
  kCategoryShare,
  kBought,
  kBoughtTimes,
  kDue,
  // complements, of the basket and of the last item
  kComplement,
  kComplementOfLast,
  kLogComplement,
  kLogComplementOfLast,
  kSubstitute,
  kFeatures,
};
[[nodiscard]] Group group_of(std::size_t feature);

// Which of a blend's buckets a question falls into: 3 lengths of the session x 3 supports of its last item.
inline constexpr std::size_t kBuckets = 9;

class Features {
 public:
  // For `items`, each once. REQUIRES: question.session ends in a known item.
  // `complements`: columns 0 and 1 are the scores for the basket and for the last item (core/complements.h).
  void compute(const Model::State& state, const Question& question, const Candidates& candidates, const Candidates& complements,
               std::span<const ItemNumber> items);

  [[nodiscard]] std::size_t count() const { return items_.size(); } // of candidates
  [[nodiscard]] std::size_t stride() const { return stride_; } // count() rounded up to 8; the rest is padding
  [[nodiscard]] std::span<const ItemNumber> items() const { return items_; }
  [[nodiscard]] const float* of(std::size_t feature) const { return values_.data() + feature * stride_; }
  [[nodiscard]] std::size_t bucket() const { return bucket_; }

 private:
  float* row(std::size_t feature) { return values_.data() + feature * stride_; }
  // feature = function(values), for all candidates side by side. `values` may be the feature's own.
  template <class Of>
  void derive(std::size_t feature, const float* values, Of function)
  {
    float* out = row(feature);
    for (std::size_t c = 0; c < stride_; ++c) out[c] = function(values[c]);
  }
  void difference(std::size_t feature, std::size_t a, std::size_t b)
  {
    float* out = row(feature);
    const float* left = row(a);
    const float* right = row(b);
    for (std::size_t c = 0; c < stride_; ++c) out[c] = left[c] - right[c];
  }
  void columns(const Candidates& candidates);
  void share_and_log(const float* values, Feature share, Feature logarithm);
  void probabilities(const Model::State& state, ItemNumber last);
  void popularity(const Model::State& state);
  void in_session(const Model::State& state, const Question& question);
  void affinity(const Model::State& state, const Question& question);
  void complements(const Model::State& state, const Question& question, const Candidates& complements);

  std::vector<ItemNumber> items_;
  std::vector<float> values_;
  std::vector<float> raw_; // the columns, column-major
  std::vector<char> flags_; // per item; all false between calls
  std::size_t stride_ = 0;
  std::size_t bucket_ = 0;
};

} // namespace attune
