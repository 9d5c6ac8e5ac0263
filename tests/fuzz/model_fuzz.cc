#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "base/assert.h"
#include "core/model_index.h"
#include "core/recommender.h"

using namespace attune;

// The checksum is mended, so that what stands behind it is reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  std::string bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(Model::decode(bytes).ok());
  if (size < 8) return 0;
  const auto checksum = XXH3_64bits(bytes.data(), size - 8);
  std::memcpy(bytes.data() + size - 8, &checksum, 8);
  const auto model = Model::decode(bytes);
  if (!model) return 0;

  std::string again;
  model->encode(again);
  ATTUNE_ASSERT(again == bytes);
  const Catalog catalog;
  RecommendRequest request;
  request.why = true;
  for (const auto& item : model->index().table.items) {
    if (request.recent.size() == 12) break;
    request.recent.push_back(item);
  }
  const auto answer = recommend(*model, nullptr, request, catalog, Timestamp{0});
  std::string json;
  append_recommendation_json(answer, true, json);
  ATTUNE_ASSERT(!json.empty());
  return 0;
}
