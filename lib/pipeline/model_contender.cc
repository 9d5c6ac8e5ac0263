#include "pipeline/model_contender.h"

#include <algorithm>

namespace attune {

namespace {

class ModelContender final : public Contender {
 public:
  ModelContender(const ModelOptions& options, std::vector<Source> sources) : model_(options), sources_(std::move(sources)) {}

  void learn(const Lesson& lesson) override { model_.learn(lesson); }
  [[nodiscard]] Question question(const SessionKey& key, std::int64_t time, std::string_view slot) const override
  {
    return model_.question(key, time, slot);
  }
  [[nodiscard]] ItemNumber number_of(std::string_view item) const override { return model_.number_of(item); }
  [[nodiscard]] std::string_view item(ItemNumber number) const override { return model_.item(number); }
  void answer(std::size_t way, const Question& question, std::size_t n, std::vector<ItemNumber>& out) const override
  {
    thread_local Workspace work;
    thread_local std::vector<Ranked> ranked;
    rank(model_, question, sources_[way], n, work, ranked);
    out.clear();
    for (const auto& each : ranked) out.push_back(each.item);
  }
  [[nodiscard]] double taught() const override
  {
    const auto holdings = model_.holdings();
    return holdings.learned == 0 ? 0 : static_cast<double>(holdings.taught) / static_cast<double>(holdings.learned);
  }

 private:
  Model model_;
  std::vector<Source> sources_;
};

} // namespace

Lineup model_lineup(const std::vector<ModelEntry>& entries)
{
  Lineup lineup;
  std::vector<ModelOptions> options;
  std::vector<std::vector<Source>> sources;
  for (const auto& entry : entries) {
    const auto model = static_cast<std::size_t>(std::find(options.begin(), options.end(), entry.options) - options.begin());
    if (model == options.size()) {
      options.push_back(entry.options);
      sources.emplace_back();
    }
    lineup.entrants.push_back({entry.name, model, sources[model].size()});
    sources[model].push_back(entry.source);
  }
  lineup.make = [options, sources](std::size_t model) { return std::make_unique<ModelContender>(options[model], sources[model]); };
  return lineup;
}

} // namespace attune
