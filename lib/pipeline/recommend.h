// From a question, the profile it speaks of, and what all customers share, to a recommendation with its id: answer_with(), the one way, for the
// tool and the daemons alike (pipeline/answer_service.h). Answering is the tool's: it reads the profile itself and waits for it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "core/recommender.h"
#include "pipeline/ports.h"

namespace attune {

using Randomness = std::function<void(std::array<std::uint8_t, 16>&)>;

// The answer, and its id: the same question about the same moment (`at`) has the same id, so that it can be asked for again and compared; any
// other a random one. `profile` may be null. What offers used up is the model's to say. Any thread that may read the model.
[[nodiscard]] Recommendation answer_with(const Model& model, const Profile* profile, const RecommendRequest& request,
                                         const Catalog& catalog, Timestamp now, const Rules& rules, const Randomness& randomness);

struct AnsweringParts {
  const Model* model = nullptr;
  const Catalog* catalog = nullptr;
  ProfileStore* store = nullptr; // null: nobody is known
  Rules rules; // default: the filters alone
  Randomness randomness;
};

// Thread rule: one per thread (as its store handle); model and catalog are shared and must outlive it.
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

// The customer's profile, read through the pointers that identify events leave behind; nothing when there is none. `reading` is told whose
// is read, before each read. ERRORS: of the store; bad_data.
[[nodiscard]] Result<std::optional<Profile>> read_profile(ProfileStore& store, const CustomerId& customer,
                                                          const std::function<void(const CustomerId&)>& reading = {});

} // namespace attune
