// Model::Index: the inside of a model, for the sources of recommendations and the model's own files.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/model.h"
#include "core/neighbours.h"
#include "core/popularity.h"
#include "core/session_table.h"

namespace attune {

struct Model::Index {
  // A click that freeze() has yet to put in its place. Numbers of items from table.items.size() on stand for new_items.
  struct Pending {
    SessionKey key;
    std::int64_t time = 0;
    std::uint64_t id = 0;
    ItemNumber item = 0;
  };

  ModelOptions options;
  SessionTable table;
  std::unordered_map<std::string_view, ItemNumber> numbers; // of table.items, whose memory the keys point into
  Neighbours neighbours;
  Popularity popularity;
  std::uint64_t name = 0; // hash of options and table

  std::vector<Pending> pending;
  std::vector<ItemId> new_items;
  std::unordered_map<std::string, ItemNumber> new_numbers;
  std::uint64_t repeated = 0;

  [[nodiscard]] bool frozen() const { return pending.empty(); }
  // kUnknownItem when it was never learned. REQUIRES: frozen.
  [[nodiscard]] ItemNumber number_of(const ItemId& item) const;

  // Makes numbers, neighbours, popularity and name anew from the table.
  void derive();
};

} // namespace attune
