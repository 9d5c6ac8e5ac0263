#include "pipeline/recommend.h"

#include <array>
#include <string>
#include <vector>

#include "base/hex.h"

namespace attune {

namespace {

// Claims form no cycle once all are applied; one may be met while two workers apply them.
constexpr int kMostPointers = 16;

RecommendationId id_of(const Recommendation& answer, const RecommendRequest& request, const Randomness& randomness)
{
  if (!request.at) {
    std::array<std::uint8_t, 16> bytes{};
    randomness(bytes);
    std::string id;
    append_hex(bytes, id);
    return RecommendationId(std::move(id));
  }
  std::string text = "recommendation";
  const auto add = [&text](std::string_view part) {
    text += '\0';
    text += part;
  };
  add(answer.model);
  add(request.customer.text);
  add(answer.slot.text);
  add(std::to_string(request.at->ms));
  add(std::to_string(answer.profile_version));
  add(std::to_string(request.n));
  add(request.item.text);
  for (const auto& item : request.recent) add(item.text);
  return RecommendationId(hashed_id(text).text);
}

} // namespace

Recommendation answer_with(const Model& model, const Profile* profile, const RecommendRequest& request, const Catalog& catalog,
                           Timestamp now, const Rules& rules, const Randomness& randomness)
{
  auto answer = recommend(model, profile, request, catalog, request.at.value_or(now), rules, &model.offers);
  answer.recommendation = id_of(answer, request, randomness);
  return answer;
}

Result<std::optional<Profile>> read_profile(ProfileStore& store, const CustomerId& customer,
                                            const std::function<void(const CustomerId&)>& reading)
{
  CustomerId at = customer;
  std::vector<StoredProfile> found;
  for (int step = 0; step < kMostPointers; ++step) {
    if (reading) reading(at);
    if (auto got = store.get({&at, 1}, found); !got) return got.error();
    if (found.front().bytes.empty()) return std::optional<Profile>();
    auto profile = decode_profile(at, found.front().bytes);
    if (!profile) return profile.error();
    if (!profile->moved_to) return std::optional(std::move(*profile));
    at = profile->moved_to->alias;
  }
  return std::optional<Profile>();
}

Result<Recommendation> Answering::answer(const RecommendRequest& request, Timestamp now)
{
  if (!parts_.store || request.customer.empty()) return answer(request, nullptr, now);
  auto profile = read_profile(*parts_.store, request.customer);
  if (!profile) return profile.error();
  return answer(request, *profile ? &**profile : nullptr, now);
}

Recommendation Answering::answer(const RecommendRequest& request, const Profile* profile, Timestamp now) const
{
  return answer_with(*parts_.model, profile, request, *parts_.catalog, now, parts_.rules, parts_.randomness);
}

} // namespace attune
