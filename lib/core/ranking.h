// Ranking: a question, and the items that answer it best, by the blend or by one source alone. No catalog, no rules: what may be shown
// is core/recommender.h's affair.
//
// Pure; any number of threads may ask one const Model, each with a Workspace of its own.
// Cost: some tens of microseconds, whatever the size of the catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/blend.h"
#include "core/candidates.h"
#include "core/features.h"
#include "core/model.h"
#include "core/neighbours.h"
#include "core/question.h"

namespace attune {

enum class Source : std::uint8_t {
  blend,
  vmis,
  vsknn,
  vstan,
  rec_vstan,
  follow,
  fast,
  slow,
  after,
  next,
  together,
  cosine,
  session_rules,
  popular_fast,
  popular,
  popular_slow,
  // of the question's basket
  complements,
  often, // the same, however long ago things were bought
  baskets,
  lift,
  popular_baskets,
};
inline constexpr std::size_t kSources = 21;
[[nodiscard]] std::string_view source_name(Source source);
[[nodiscard]] std::optional<Source> parse_source(std::string_view name);

struct Ranked {
  ItemNumber item = 0;
  double score = 0;
};

// What one thread keeps between answers.
struct Workspace {
  NeighbourSearch search;
  Candidates candidates;
  Candidates complements; // columns 0 and 1: for the basket, for the last item
  std::vector<ItemNumber> chosen;
  Features features;
  Blend::Scores scores;
  std::vector<float> column;
  std::vector<float> sorted;
  Question question; // the one that was asked, without unknown items at its end
};

// Finds the candidates of a question, their features and scores, into the workspace. The item just seen is no candidate.
// False, and no candidates, when no item of the session is known. Unknown items at the session's end are read over.
bool propose(const Model::State& state, const Question& question, Workspace& work);

// The best n, best first; equal scores in the order of their ids. The item just seen is never among them, nor one of the basket where that is asked for. By the blend, a question
// without a known item gets what is popular.
void rank(const Model& model, const Question& question, Source source, std::size_t n, Workspace& work, std::vector<Ranked>& out);

// The n most popular items for a customer of these segments (core/segment.h), of whom nothing else needs to be known: best first, equal
// ones in the order of their ids. What the customers of these segments click, as far as there is enough of it, leaning on what all
// click; names that the model has not met, or none at all, give what is popular with all, at most kPopularKept of it. Scores are clicks,
// decayed. Cost: some microseconds, and as many for each segment that the model knows.
void rank_popular(const Model& model, std::span<const std::string_view> segments, std::size_t n, std::vector<Ranked>& out);

} // namespace attune
