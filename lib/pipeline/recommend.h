// Answering: a question, the profile it speaks of, a model and a catalog into a recommendation: the one way from a request to an
// answer, for the tool and the daemon alike.
//
// Thread rule: one per thread (as its store handle); model and catalog are shared and must outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "core/recommender.h"
#include "pipeline/ports.h"

namespace attune {

struct AnsweringParts {
  const Model* model = nullptr;
  const Catalog* catalog = nullptr;
  ProfileStore* store = nullptr; // null: nobody is known
  Rules rules; // default: the filters alone
  std::function<void(std::array<std::uint8_t, 16>&)> randomness;
};

class Answering {
 public:
  explicit Answering(AnsweringParts parts) : parts_(std::move(parts)) {}

  // With the profile the store keeps of request.customer, if any. ERRORS: of the store; bad_data: the profile can not be read.
  Result<Recommendation> answer(const RecommendRequest& request, Timestamp now);
  // With this profile, which may be null.
  [[nodiscard]] Recommendation answer(const RecommendRequest& request, const Profile* profile, Timestamp now) const;

 private:
  AnsweringParts parts_;
};

// Gives an answer its id. The same question about the same moment (`at`) has the same id, so that an answer can be asked for again and
// compared; any other a random one.
void name_answer(const RecommendRequest& request, const std::function<void(std::array<std::uint8_t, 16>&)>& randomness,
                 Recommendation& answer);

// The customer's profile, read through the pointers that identify events leave behind; nothing when there is none.
// ERRORS: of the store; bad_data.
[[nodiscard]] Result<std::optional<Profile>> read_profile(ProfileStore& store, const CustomerId& customer);

} // namespace attune
