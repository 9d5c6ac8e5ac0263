#include "core/model_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "core/canonical_json.h"
#include "core/features.h"
#include "core/model_state.h"

namespace attune {

namespace {

using Ranked = std::pair<double, ItemNumber>;

constexpr double kRisingClicks = 5;

// Numbers for people: three decimals.
double rounded(double number)
{
  return std::round(number * 1000) / 1000;
}

void append_items(const char* name, const char* number, const std::vector<Ranked>& items, const Model& model,
                  const Catalog& catalog, std::string& out)
{
  out += std::string(",\"") + name + "\":[";
  for (const auto& [value, item] : items) {
    if (out.back() != '[') out += ',';
    out += "{\"item\":";
    append_json_string(model.item(item), out);
    if (const auto* known = catalog.find(ItemId(model.item(item))); known && !known->name.empty()) {
      out += ",\"name\":";
      append_json_string(known->name, out);
    }
    out += std::string(",\"") + number + "\":";
    append_json_number(rounded(value), out);
    out += '}';
  }
  out += ']';
}

void keep_best(std::vector<Ranked>& items)
{
  std::stable_sort(items.begin(), items.end(), [](const Ranked& a, const Ranked& b) { return a.first > b.first; });
  if (items.size() > kViewItems) items.resize(kViewItems);
}

std::vector<Ranked> top(const Popularity& popularity)
{
  std::vector<Ranked> items;
  for (const auto item : popularity.best(Window::middle)) items.emplace_back(popularity.value(Window::middle, item), item);
  keep_best(items);
  return items;
}

// What all items of a window sum up to after so many clicks.
double all_of(double half_life, double clicks)
{
  return half_life / std::numbers::ln2 * (1 - std::exp2(-clicks / half_life));
}

std::vector<Ranked> rising(const Popularity& popularity, double clicks)
{
  std::vector<Ranked> items;
  const double slow_over_fast = all_of(50'000, clicks) / all_of(500, clicks);
  for (const auto item : popularity.best(Window::fast)) {
    const double lately = popularity.value(Window::fast, item), before = popularity.value(Window::slow, item);
    if (lately < kRisingClicks || before <= 0) continue;
    if (const double times = lately * slow_over_fast / before; times > 1) items.emplace_back(times, item);
  }
  keep_best(items);
  return items;
}

void append_trust(std::string_view slot, const Blend::Weights& weights, std::string& out)
{
  if (out.back() != '[') out += ',';
  out += "{\"slot\":";
  append_json_string(slot, out);
  out += ",\"clicks\":" + std::to_string(weights.steps) + ",\"sources\":{";
  std::array<double, kGroups> sizes{};
  double all = 0;
  for (std::size_t feature = 0; feature < kFeatures; ++feature) {
    const double size = std::abs(static_cast<double>(weights.weight[feature]));
    sizes[static_cast<std::size_t>(group_of(feature))] += size;
    all += size;
  }
  for (std::size_t group = 0; group < kGroups; ++group) {
    if (out.back() != '{') out += ',';
    append_json_string(group_name(static_cast<Group>(group)), out);
    out += ':';
    append_json_number(all > 0 ? rounded(sizes[group] / all) : 0, out);
  }
  out += "}}";
}

} // namespace

void append_model_view(const Model& model, const Catalog& catalog, std::string& out)
{
  const auto& state = model.state();
  out += "{\"name\":";
  append_json_string(model.name(), out);
  out += ",\"clicks\":" + std::to_string(state.table.click_count()) + ",\"items\":" + std::to_string(state.items.ids.size());
  append_items("top", "clicks", top(state.popularity), model, catalog, out);
  append_items("rising", "times", rising(state.popularity, static_cast<double>(state.clock)), model, catalog, out);
  out += ",\"trust\":[";
  append_trust("", state.blend.sets().front(), out);
  for (std::uint32_t slot = 1; slot < state.slots.size(); ++slot)
    if (const auto* weights = state.blend.of_slot(slot)) append_trust(state.slots.text(slot), *weights, out);
  out += "]}";
}

} // namespace attune
