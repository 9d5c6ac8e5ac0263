// ModelView: a model as its owner sees it: what is clicked most lately, what rises, and which sources the blend has learned to trust, in each
// slot. Pure. Cost: some 100 us, whatever the size of the model.
#pragma once

#include <cstddef>
#include <string>

#include "core/catalog.h"
#include "core/model.h"

namespace attune {

inline constexpr std::size_t kViewItems = 10;

// {"name","clicks","items",
//  "top":[{"item","name","clicks"}]        by clicks, halved every 5,000 clicks of all customers
//  "rising":[{"item","name","times"}]      its share of the last 500 clicks or so over that of the last 50,000; of items with 5 clicks at least
//  "trust":[{"slot","clicks","sources":{"neighbours":0.41,…}}]}    the share of each source's weights among all, by their size; the first of all slots
// `name` where the catalog has one.
void append_model_view(const Model& model, const Catalog& catalog, std::string& out);

} // namespace attune
