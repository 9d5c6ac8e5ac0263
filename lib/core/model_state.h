// Model::State: the inside of a model, for the files of lib/core that read it.
#pragma once

#include <cstdint>

#include "core/blend.h"
#include "core/complements.h"
#include "core/group_popularity.h"
#include "core/item_pairs.h"
#include "core/item_table.h"
#include "core/membership.h"
#include "core/model.h"
#include "core/popularity.h"
#include "core/postings.h"
#include "core/repurchases.h"
#include "core/session_table.h"
#include "core/supported_time.h"

namespace attune {

struct Model::State {
  explicit State(const ModelOptions& made_with);

  ModelOptions options;
  ItemTable items;
  SessionTable table;
  Postings postings;
  ItemPairs pairs;
  Complements complements;
  Popularity popularity;
  GroupPopularity in_category; // by the category of the item
  GroupPopularity in_segment; // by the segments of the customer
  Memberships memberships;
  Repurchases repurchases;
  Vocabulary slots; // number 0 is none
  Blend blend;
  Refusals refusals;
  std::uint32_t clock = 0; // clicks learned, repeats dropped
  SupportedTime now;
  Saved saved; // the file it was last written to or read from; of 0 bytes: none
  std::uint64_t learned = 0, repeated = 0, late = 0, ignored = 0, refused = 0;
};

} // namespace attune
