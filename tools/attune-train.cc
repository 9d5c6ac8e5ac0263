// attune-train: events, from a pipe or a log, into a model file; and model files into one.
#include "adapters/dead_letter_place.h"
#include "adapters/model_file.h"
#include "core/canonical_json.h"
#include "core/rule_book.h"
#include "core/segment_finder.h"
#include "event_source.h"
#include "knowledge_files.h"
#include "model_settings.h"
#include "service/progress.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-train -o shop.model < events.ndjson\n"
    "  attune-train --log file:///var/lib/attune/log -o shop.model\n"
    "  attune-train --format csv --map rsc15.toml -o rsc15.model train.tsv\n"
    "  attune-train --merge monday.model tuesday.model -o week.model\n";

struct Settings {
  EventSource events;
  std::string output;
  bool merge = false;
  bool show = false;
  ModelOptions model;
  std::optional<std::string> rules, catalog;
  std::vector<std::string> files;
};

void append_number(std::string_view name, std::int64_t number, std::string& out)
{
  out += ",\"";
  out += name;
  out += "\":" + std::to_string(number);
}

// What a model holds, as one line of JSON.
std::string summary(const Model& model)
{
  const auto holdings = model.holdings();
  std::string out = "{\"model\":\"" + model.name() + '"';
  append_number("clicks", static_cast<std::int64_t>(holdings.clicks), out);
  append_number("sessions", static_cast<std::int64_t>(holdings.sessions), out);
  append_number("items", static_cast<std::int64_t>(holdings.items), out);
  append_number("pairs", static_cast<std::int64_t>(holdings.pairs), out);
  append_number("complements", static_cast<std::int64_t>(holdings.complements), out);
  append_number("bytes", static_cast<std::int64_t>(holdings.bytes), out);
  append_number("learned", static_cast<std::int64_t>(holdings.learned), out);
  append_number("taught", static_cast<std::int64_t>(holdings.taught), out);
  append_number("repeated", static_cast<std::int64_t>(holdings.repeated), out);
  append_number("late", static_cast<std::int64_t>(holdings.late), out);
  append_number("ignored", static_cast<std::int64_t>(holdings.ignored), out);
  append_number("refused", static_cast<std::int64_t>(holdings.refused), out);
  if (holdings.oldest) append_number("oldest", holdings.oldest->ms, out);
  if (holdings.newest) append_number("newest", holdings.newest->ms, out);
  out += ",\"positions\":[";
  for (const auto& position : model.positions) {
    if (out.back() != '[') out += ',';
    out += "{\"topic\":";
    append_json_string(position.at.topic, out);
    append_number("partition", position.at.partition, out);
    append_number("offset", position.offset, out);
    out += '}';
  }
  return out + "]}";
}

Result<ExitStatus> finish(Tool& tool, const Settings& settings, Model& model, bool all_good)
{
  if (model.holdings().clicks == 0) tool.warn("no views, clicks, cart_adds or purchases: the model is empty");
  const auto written = write_model_file(settings.output, model);
  if (!written) return written.error();
  model.set_saved(*written);
  if (auto told = tool.out().line(summary(model)); !told) return told.error();
  return all_good ? ExitStatus::done : ExitStatus::bad_data;
}

// What is no item stands in the dead letters of the events.
Status read_catalog(Tool& tool, const Settings& settings, Catalog& catalog, std::uint64_t& rejected)
{
  const auto& events = settings.events;
  std::unique_ptr<LogWriter> writer;
  if (events.dead_letters == "topic" && !events.log.url.empty()) {
    auto opened = open_log_writer(events.log.url, events.log.options());
    if (!opened) return opened.error();
    writer = std::move(*opened);
  }
  auto letters = open_dead_letters({events.dead_letters, tool.name(), events.log.name_space, writer.get(), events.log.options()});
  if (!letters) return letters.error();
  if (auto loaded = read_catalog_file(*settings.catalog, catalog, **letters, rejected); !loaded) return loaded;
  return (*letters)->flush(events.give_up);
}

Result<ExitStatus> learn(Tool& tool, const Settings& settings)
{
  if (!settings.model.valid()) return Error{Code::usage, "the model's options: --idle, --max-age or --max-clicks out of range"};
  std::uint64_t rejected = 0;
  Catalog catalog;
  if (settings.catalog)
    if (auto loaded = read_catalog(tool, settings, catalog, rejected); !loaded) return loaded.error();
  Rules rules;
  if (settings.rules) {
    auto loaded = read_rules_file(*settings.rules);
    if (!loaded) return loaded.error();
    rules = std::move(*loaded);
  }
  Lessons lessons;
  SegmentFinder segments(rules, catalog);
  const bool any_segments = rules.book().segments.size() > 0;
  const auto read = settings.events.read(tool, settings.files, [&](const Event& event) {
    lessons.add(event, {any_segments ? segments.take(event) : std::span<const std::string_view>(), &catalog});
  });
  if (!read) return read.error();
  lessons.sort();
  Model model(settings.model);
  Progress progress("lessons", !tool.quiet());
  model.learn(lessons, [&](std::size_t done) { progress.update(done, double(done) / double(lessons.size())); });
  model.positions = read->positions;
  return finish(tool, settings, model, rejected + read->rejected == 0);
}

Result<ExitStatus> merge(Tool& tool, const Settings& settings)
{
  std::optional<Model> merged;
  for (const auto& file : settings.files) {
    auto model = read_model_file(file);
    if (!model) return model.error();
    if (!merged) {
      merged = std::move(*model);
      continue;
    }
    if (!(merged->options() == model->options()))
      return Error{Code::bad_data, file + ": was trained with other options than " + settings.files.front()};
    merged->merge(*model);
  }
  return finish(tool, settings, *merged, true);
}

Result<ExitStatus> show(Tool& tool, const Settings& settings)
{
  for (const auto& file : settings.files) {
    auto model = read_model_file(file);
    if (!model) return model.error();
    if (auto told = tool.out().line(summary(*model)); !told) return told.error();
  }
  return ExitStatus::done;
}

Result<ExitStatus> train(Tool& tool, const Settings& settings)
{
  if (settings.merge && settings.show) return Error{Code::usage, "--merge and --show exclude each other"};
  const bool from_models = settings.merge || settings.show;
  if (from_models && settings.files.empty()) return Error{Code::usage, "no model files named"};
  if (from_models && (settings.rules || settings.catalog))
    return Error{Code::usage, "--rules, --catalog: not with --merge or --show"};
  if (from_models && !settings.events.log.url.empty()) return Error{Code::usage, "--log: not with --merge or --show"};
  if (from_models && !settings.events.map.empty()) return Error{Code::usage, "--map: not with --merge or --show"};
  if (settings.show) return show(tool, settings);
  if (settings.output.empty()) return Error{Code::usage, "-o FILE is required"};
  return settings.merge ? merge(tool, settings) : learn(tool, settings);
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-train", "learn a model from events", std::string(kExamples));
  Settings settings;
  settings.events.declare(tool);
  tool.option("-o,--output", settings.output, "FILE", "the model file to write");
  tool.flag("--merge", settings.merge, "the operands are model files: write what all of them learned");
  tool.flag("--show", settings.show, "the operands are model files: check them and say what they hold");
  declare_model_options(tool, settings.model);
  tool.option("--rules", settings.rules, "FILE", "learn what is popular in each of its segments: attune-rules(5)");
  tool.option("--catalog", settings.catalog, "FILE", "catalog lines: the categories of items");
  tool.operands("FILE", settings.files, "events, instead of standard input; with --merge and --show, model files");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return train(tool, settings); });
}
