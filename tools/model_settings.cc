#include "model_settings.h"

#include "service/config.h"

namespace attune {

namespace {

// A set of options that stands for no command line.
class Declared : public Command {
 public:
  explicit Declared(ModelOptions& options) : Command("model", "", "") { declare_model_options(*this, options); }
};

Result<ModelOptions> checked(const ModelOptions& options)
{
  if (!options.valid()) return Error{Code::config, "the model's options: a time out of range"};
  return options;
}

} // namespace

void declare_model_options(Command& command, ModelOptions& options)
{
  command.option("--idle", options.idle, "TIME", "a pause this long ends a session that has no id of its own");
  command.option("--max-age", options.max_age, "TIME", "sessions this much older than the newest click are let go of");
  command.option("--max-clicks", options.max_clicks, "N", "beyond this many clicks the sessions longest unused are let go of")
      .range(1'000, 1U << 30);
  command.option("--neighbours", options.neighbours, "N", "newest similar sessions an answer looks at").range(1, 100'000);
  command.option("--learning-rate", options.rate, "X", "how far a click moves the weights; 0: not at all");
  command.option("--teach-first", options.teach_first, "N", "every click teaches the weights until so many have")
      .range(0, 1'000'000'000);
  command.option("--teach-share", options.teach_share, "N", "after the first ones, one click in N teaches the weights")
      .range(1, 1'000'000);
}

Result<ModelOptions> read_model_options(const std::string& path, const std::string& program, ModelOptions options)
{
  Declared declared(options);
  std::vector<std::string> keys;
  for (const auto& option : declared.options()) keys.push_back(option.key());
  auto values = read_config(path, program, keys);
  if (!values) return values.error();
  for (const auto& [key, value] : *values) {
    auto* option = declared.find(key);
    if (option == nullptr) continue;
    if (auto set = option->assign(value.texts, value.place); !set)
      return Error{Code::config, value.place + ": " + key + ": " + set.error().message};
  }
  return checked(options);
}

Result<ModelOptions> with_settings(ModelOptions options, const TrialSettings& settings)
{
  Declared declared(options);
  for (const auto& [key, text] : settings) {
    auto* option = declared.find(key);
    if (option == nullptr) return Error{Code::config, key + ": not an option of a model"};
    if (auto set = option->assign({text}, "setting"); !set) return Error{Code::config, key + ": " + set.error().message};
  }
  return checked(options);
}

// Times that end a session and bounds of memory are the owner's to choose: they change what is asked, not how well.
std::vector<TrialAxis> tunable_settings()
{
  return {{"neighbours", {"100", "200", "300", "500", "800", "1200", "2000"}},
          {"learning-rate", {"0.02", "0.05", "0.1", "0.15", "0.2", "0.3"}},
          {"teach-first", {"5000", "20000", "50000", "200000"}},
          {"teach-share", {"1", "4", "16", "64"}}};
}

TrialSettings tuned_settings(ModelOptions options)
{
  Declared declared(options);
  TrialSettings settings;
  for (const auto& axis : tunable_settings()) settings.emplace_back(axis.key, declared.find(axis.key)->binding().show().front());
  return settings;
}

} // namespace attune
