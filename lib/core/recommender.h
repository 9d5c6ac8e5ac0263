// Recommender: (model, profile, request, catalog, now) -> the ranked items of one slot, each score a sum of named contributions.
// Pure; reads shared data only, so any number of threads may ask one const Model. What answers a question best is core/ranking.h's
// affair; this file makes the question of a profile and a request, and decides what may be shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "core/item_fields.h"
#include "core/model.h"
#include "core/profile.h"
#include "core/ranking.h"
#include "core/reasons.h"
#include "core/rules.h"

namespace attune {

inline constexpr std::size_t kDefaultCount = 10;
inline constexpr std::size_t kMaxCount = 500;

// What is asked for: the parameters of GET /v1/recommendations, a request line of attune-recommend.
struct RecommendRequest {
  CustomerId customer; // empty: nobody known
  Slot slot; // empty: "home"
  std::size_t n = kDefaultCount;
  ItemId item; // the item of the page, newest of all
  std::vector<ItemId> recent; // the client's own last items, oldest first; when given, used in place of the profile's session
  std::optional<Timestamp> at; // "now"; default: given by the caller
  bool why = false;
  ItemId why_not; // an item whose absence is to be explained; empty: none
  ItemFields fields; // of the catalog, told with each item
  Source source = Source::blend; // or one alone, for comparisons: chosen by whoever serves, never by who asks
};
inline constexpr std::size_t kMaxRecent = 256;
inline constexpr std::size_t kMaxRequestBytes = 64 * 1024;
// `{"customer":"c1","slot":"home","n":5,"item":…,"recent":["a","b"],"at":…,"why":true,"fields":"name,price"}`. Unknown keys are refused by name;
// customer, slot, item and `at` have the limits of an event's fields. What it does not name is as in `defaults`. Total.
// Keeps one parser per thread.
[[nodiscard]] Result<RecommendRequest, Reject> parse_request(std::string_view json, const RecommendRequest& defaults = {});
// Whether a line is a profile record (core/profile_json.h) and no request: an object with the key `version`, which no request has.
// Total.
[[nodiscard]] bool is_profile_record(std::string_view json);

struct RecommendedItem {
  ItemId item;
  double score = 0;
  std::vector<Contribution> reasons; // filled when request.why
  std::string offer; // the name of the offer that put it here
  std::string say; // what that offer, or the pin, has a shop say
  std::string fields; // members of the answer's JSON: request.fields of it
};

enum class Tier : std::uint8_t { fresh, cached, session, popular, fallback_list };
[[nodiscard]] std::string_view tier_name(Tier tier); // "fresh" "cached" "session" "popular" "static"

// Why an item is not in an answer, or at which place it is.
struct WhyNot {
  ItemId item;
  std::string code; // "shown", a filter's name, "ranked_below", "no_candidate", "never_learned"
  std::string detail; // one sentence
  std::optional<std::size_t> rank; // among the candidates that may be shown, from 1
};

struct Degraded {
  std::string code;
  std::string detail;
};

struct Recommendation {
  RecommendationId recommendation; // given by the caller
  CustomerId customer;
  Slot slot;
  std::vector<RecommendedItem> items;
  Tier tier = Tier::fresh; // fresh: what the customer has seen counted; popular: nothing was known of it
  std::int64_t age_ms = 0;
  std::optional<Degraded> degraded;
  std::uint64_t profile_version = 0;
  std::string model; // Model::name()
  bool holdout = false; // of the share of customers whose answers are the unpersonalised popular ones
  std::optional<WhyNot> why_not; // when asked for
};

// What was seen, oldest first: `recent` when given, else the items of the profile's current session, else what is in its cart, else
// its last purchase; then `item`. What the blend holds best after that comes first; where that is too little, popular items follow
// behind. What may be shown, what is lifted and lowered and what stands where is the rules' affair (core/rules.h); the default leaves out
// the item just seen, items in the cart, and items out of stock, expired or not in a catalog that holds anything. An empty catalog
// leaves nothing out. `profile` may be null. Equal scores are ordered by item id. REQUIRES: n <= kMaxCount.
// Tier: fresh when an item that was seen is known to the model, else popular; customers in the holdout are always given the popular
// tier. A model without clicks gives no items, degraded "empty_model".
// Cost: some tens of microseconds, whatever the size of model and catalog.
[[nodiscard]] Recommendation recommend(const Model& model, const Profile* profile, const RecommendRequest& request,
                                       const Catalog& catalog, Timestamp now, const Rules& rules = Rules(),
                                       const OfferLedger* ledger = nullptr);

// The object of GET /v1/recommendations (DESIGN section 6). One line, no newline.
void append_recommendation_json(const Recommendation& recommendation, bool why, std::string& out);

} // namespace attune
