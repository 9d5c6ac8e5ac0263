#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/assert.h"
#include "core/model_state.h"
#include "core/recommender.h"
#include "support/clicks.h"

using namespace attune;
using namespace attune::testing;

// The checksum is mended, so that what stands behind it is reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  std::string bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(Model::decode(bytes).ok());
  if (size < 8) return 0;
  const auto checksum = XXH3_64bits(bytes.data(), size - 8);
  std::memcpy(bytes.data() + size - 8, &checksum, 8);
  auto model = Model::decode(bytes);
  if (!model) return 0;

  ATTUNE_ASSERT(bytes_of(*model) == bytes);
  const Catalog catalog;
  RecommendRequest request;
  request.why = true;
  const auto& ids = model->state().items.ids;
  for (std::uint32_t item = 0; item < ids.size() && request.recent.size() < 12; ++item) request.recent.emplace_back(ids.text(item));
  const auto ask = [&] {
    std::string json;
    append_recommendation_json(recommend(*model, nullptr, request, catalog, Timestamp{0}), true, json);
    ATTUNE_ASSERT(!json.empty());
  };
  ask();

  // It learns on: of customers it knows, in order and late; it forgets them; and its file is a model again.
  std::vector<SessionKey> keys{{1, 0}, {1, 2}};
  model->state().table.for_each([&](SessionNumber session) {
    if (keys.size() < 8) keys.push_back(model->state().table.key(session));
  });
  std::uint64_t id = 1;
  for (const auto& key : keys)
    for (const std::int64_t time : {1'700'000'000'000LL, 1'600'000'000'000LL, 1'600'000'001'000LL})
      for (const auto& item : {request.recent.empty() ? std::string("new") : request.recent.front().text, std::string("other")})
        model->learn(Lesson{key, time, id++, item, "kind", "home", ClickKind::purchase});
  Refusals refusals;
  refusals.restore({{keys.back().customer, kMaxTime.ms, INT64_MIN, 1}});
  model->refuse(refusals);
  ask();
  ATTUNE_ASSERT(Model::decode(bytes_of(*model)).ok());
  return 0;
}
