// attune-recommend: profile records and request lines, or one question on the command line, into recommendations.
#include <algorithm>

#include "adapters/dead_letter_place.h"
#include "adapters/model_file.h"
#include "core/field_rules.h"
#include "core/profile_json.h"
#include "knowledge_files.h"
#include "pipeline/recommend.h"
#include "places_options.h"
#include "service/progress.h"
#include "service/random.h"
#include "service/tool.h"

namespace attune {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  attune-profile-update --store memory: < events.ndjson | attune-recommend --model shop.model\n"
    "  attune-recommend --model shop.model --store rocksdb:profiles --customer c13 --slot home -n 5 --why\n"
    "  attune-recommend --model shop.model --recent aurora-5,aurora-5-case\n";

struct Settings {
  std::string model;
  std::optional<std::string> catalog;
  std::optional<std::string> rules;
  StorePlace store;
  std::string name_space;
  RecommendRequest defaults;
  std::optional<std::string> customer, recent;
  std::string dead_letters = "stderr";
  std::vector<std::string> files;
};

// A customer as an event may name one, an item likewise.
Status check_id(std::string_view flag, std::string_view text)
{
  if (const auto checked = check_text(text, kMaxCustomerBytes); !checked)
    return Error{Code::usage, std::string(flag) + ": " + std::string(checked.error())};
  return {};
}

Status split_items(const std::string& list, std::vector<ItemId>& out)
{
  for (std::size_t begin = 0; begin <= list.size();) {
    const auto end = std::min(list.find(',', begin), list.size());
    const auto item = list.substr(begin, end - begin);
    if (auto checked = check_id("--recent", item); !checked) return checked;
    out.emplace_back(item);
    begin = end + 1;
  }
  if (out.size() > kMaxRecent) return Error{Code::usage, "--recent: over 256 items"};
  return {};
}

class Program {
 public:
  Program(Tool& tool, const Settings& settings, Answering& answering, DeadLetterSink& dead_letters)
      : tool_(tool), settings_(settings), answering_(answering), dead_letters_(dead_letters)
  {
  }

  // The question of the command line.
  Status ask_once()
  {
    auto request = settings_.defaults;
    if (settings_.customer) request.customer = CustomerId(*settings_.customer);
    if (settings_.recent)
      if (auto split = split_items(*settings_.recent, request.recent); !split) return split;
    return ask(request);
  }

  Status ask_lines()
  {
    LineReader lines(settings_.files);
    lines.on_quiet([this] { return tool_.out().flush(); });
    Progress progress("answers", !tool_.quiet());
    for (std::uint64_t answered = 0;;) {
      auto line = lines.next();
      if (!line) return line.error();
      if (!*line) return {};
      if (auto taken = take(**line); !taken) return taken;
      const auto total = lines.bytes_total();
      progress.update(++answered, total && *total > 0 ? std::optional(double(lines.bytes_read()) / double(*total)) : std::nullopt);
    }
  }

  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

 private:
  Status take(const TextLine& line)
  {
    if (!is_profile_record(line.text)) {
      auto request = parse_request(line.text, settings_.defaults);
      return request ? ask(*request) : bury(line, request.error());
    }
    auto profile = parse_profile_record(line.text);
    if (!profile) return bury(line, profile.error());
    auto request = settings_.defaults;
    request.customer = profile->customer;
    return tell(request, answering_.answer(request, &*profile, clock_.now()));
  }

  Status ask(const RecommendRequest& request)
  {
    auto answer = answering_.answer(request, clock_.now());
    if (!answer) return answer.error();
    return tell(request, *answer);
  }

  Status tell(const RecommendRequest& request, const Recommendation& answer)
  {
    text_.clear();
    append_recommendation_json(answer, request.why, text_);
    return tool_.out().line(text_);
  }

  Status bury(const TextLine& line, const Reject& reject)
  {
    ++rejected_;
    return dead_letters_.put({line.place(), reject.field, reject.reason, line.text, clock_.now()});
  }

  Tool& tool_;
  const Settings& settings_;
  Answering& answering_;
  DeadLetterSink& dead_letters_;
  SystemClock clock_;
  std::string text_;
  std::uint64_t rejected_ = 0;
};

Status check(const Settings& settings, bool one_question)
{
  if (one_question && !settings.files.empty()) return Error{Code::usage, "files are read without --customer and --recent"};
  if (!settings.name_space.empty() && !valid_namespace(settings.name_space))
    return Error{Code::usage, "--namespace: not [a-z0-9-]+: " + settings.name_space};
  if (settings.customer)
    if (auto checked = check_id("--customer", *settings.customer); !checked) return checked;
  if (!settings.defaults.why_not.empty())
    if (auto checked = check_id("--why-not", settings.defaults.why_not.text); !checked) return checked;
  if (!settings.defaults.item.empty()) return check_id("--item", settings.defaults.item.text);
  return {};
}

Result<ExitStatus> run(Tool& tool, Settings& settings)
{
  const bool one_question = settings.customer || settings.recent;
  if (auto checked = check(settings, one_question); !checked) return checked.error();
  auto model = read_model_file(settings.model);
  if (!model) return model.error();
  auto dead_letters = open_dead_letters({settings.dead_letters, tool.name(), settings.name_space});
  if (!dead_letters) return dead_letters.error();
  std::uint64_t rejected = 0;
  Catalog catalog;
  if (settings.catalog)
    if (auto loaded = read_catalog_file(*settings.catalog, catalog, **dead_letters, rejected); !loaded) return loaded.error();
  Rules rules;
  if (settings.rules) {
    auto parsed = read_rules_file(*settings.rules);
    if (!parsed) return parsed.error();
    rules = std::move(*parsed);
  }
  std::unique_ptr<ProfileStore> store;
  if (!settings.store.url.empty()) {
    auto opened = settings.store.open(settings.name_space, true);
    if (!opened) return opened.error();
    store = std::move(*opened);
  }

  Answering answering({&*model, &catalog, store.get(), rules,
                       [](std::array<std::uint8_t, 16>& bytes) { random_bytes(std::as_writable_bytes(std::span(bytes))); }});
  Program program(tool, settings, answering, **dead_letters);
  if (auto answered = one_question ? program.ask_once() : program.ask_lines(); !answered) return answered.error();
  constexpr Milliseconds kFlushLimit = std::chrono::seconds(60);
  if (auto flushed = (*dead_letters)->flush(kFlushLimit); !flushed) return flushed.error();
  return rejected + program.rejected() == 0 ? ExitStatus::done : ExitStatus::bad_data;
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  using namespace attune;
  Tool tool("attune-recommend", "say what a customer should see next", std::string(kExamples));
  Settings settings;
  auto& request = settings.defaults;
  request.slot = Slot("home");
  tool.option("--model", settings.model, "FILE", "what attune-train learned").required();
  tool.option("--catalog", settings.catalog, "FILE", "catalog lines: names, and what may be shown");
  tool.option("--rules", settings.rules, "FILE", "filters, boosts, pins, offers and segments: attune-rules(5)");
  settings.store.declare(tool, "the profiles of the customers asked for: redis://…, rocksdb:///DIR");
  tool.option("--namespace", settings.name_space, "NAME", "prefix of the store's keys: [a-z0-9-]+");
  tool.option("--customer", settings.customer, "ID", "one question, of this customer; standard input is not read");
  tool.option("--recent", settings.recent, "ITEM,…", "one question, after these items, oldest first; standard input is not read");
  tool.option("--slot", request.slot.text, "NAME", "the place on the page");
  tool.option("-n,--count", request.n, "N", "how many items").range(1, kMaxCount);
  tool.option("--item", request.item.text, "ITEM", "the item of the page, newest of all");
  tool.parsed("--at", "TIME", "answer as of this moment: RFC 3339, or ms since 1970; answers then have the same id each time",
              [&](const std::string& text) { return parse_time(text, request.at); });
  tool.flag("--why", request.why, "say what speaks for each item");
  tool.option("--why-not", request.why_not.text, "ITEM", "say why this item is not shown: the filter that removed it, or its rank");
  tool.parsed("--fields", "NAME,…",
              "of the catalog, told with each item: name, categories, price, stock, tags, image, url, accessories",
              [&](const std::string& text) -> Status {
                auto fields = ItemFields::parse(text);
                if (!fields) return Error{Code::usage, fields.error().text()};
                request.fields = *fields;
                return {};
              });
  tool.option("--dead-letters", settings.dead_letters, "PLACE",
              "where lines that can not be understood go: stderr, a log's URL, or a file");
  tool.operands("FILE", settings.files, "read these instead of standard input; - is standard input");
  declare_libraries(tool);
  return tool.run(argc, argv, [&] { return run(tool, settings); });
}
