// attune-recommender-bench: what an answer and a lesson cost, how much memory a model takes, and how long its file takes to load; over
// sessions made up with a known structure, so that no data set is needed. One core. Prints one JSON object a line.
//
//   attune-recommender-bench answers CLICKS ITEMS     a model of so many clicks; then 20,000 questions of new sessions: the blended answer
//                                                     of 20 items, and VMIS-kNN alone
//   attune-recommender-bench replay FILE              the same over real events, one JSON object a line: questions of the last tenth, each
//                                                     asked before its click is learned
//   attune-recommender-bench learn CLICKS ITEMS       lessons a second once the first have taught all weights; and the bounds of memory:
//                                                     the same again over as many clicks as are kept, with growth
//   attune-recommender-bench load CLICKS ITEMS        encode and decode
//   attune-recommender-bench events CLICKS ITEMS      the same clicks as events, one JSON object a line: for a service
//
// Sessions: lengths are geometric with mean 4; an item is followed by one of 30 others of its own, zipf-weighted, or now and then by a
// popular one.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/event_json.h"
#include "core/model.h"
#include "core/ranking.h"

namespace attune {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begin)
{
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

class Shop {
 public:
  explicit Shop(std::size_t items) : names_(items), popular_(items)
  {
    for (std::size_t i = 0; i < items; ++i) names_[i] = "item-" + std::to_string(i);
    double sum = 0;
    for (std::size_t i = 0; i < items; ++i) popular_[i] = sum += std::pow(static_cast<double>(i + 1), -0.8);
  }

  // The next click of the world: one of a few thousand sessions that run beside one another goes on, or ends for a new one.
  Lesson next()
  {
    auto& visit = visits_[random_() % visits_.size()];
    time_ += 40;
    const bool ends = visit.clicks > 0 && random_() % 4 == 0;
    if (visit.clicks == 0 || ends) visit = {++sessions_, popular_item(), 0};
    if (visit.clicks > 0) visit.item = random_() % 8 == 0 ? popular_item() : follower(visit.item);
    ++visit.clicks;
    Lesson lesson;
    lesson.key = {visit.session * 0x9E3779B97F4A7C15ULL, 1};
    lesson.time = time_;
    lesson.id = ++ids_ * 0xD1B54A32D192ED03ULL;
    lesson.item = names_[visit.item];
    lesson.kind = ClickKind::click;
    return lesson;
  }

 private:
  struct Visit {
    std::uint64_t session = 0;
    std::size_t item = 0;
    int clicks = 0;
  };

  std::size_t popular_item()
  {
    const double at = std::uniform_real_distribution<double>(0, popular_.back())(random_);
    return static_cast<std::size_t>(std::lower_bound(popular_.begin(), popular_.end(), at) - popular_.begin());
  }
  // One of 30 that are the item's own; the first are likelier.
  std::size_t follower(std::size_t item)
  {
    const auto which = static_cast<std::uint64_t>(30 * std::pow(std::uniform_real_distribution<double>(0, 1)(random_), 2.5));
    std::uint64_t mixed = (item * 64 + which + 1) * 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 29;
    return static_cast<std::size_t>(static_cast<double>(names_.size()) *
                                    std::pow(static_cast<double>(mixed % 1'000'003) / 1'000'003.0, 2.0));
  }

  std::vector<std::string> names_;
  std::vector<double> popular_;
  std::vector<Visit> visits_ = std::vector<Visit>(4000);
  std::mt19937_64 random_{7};
  std::int64_t time_ = 1'700'000'000'000;
  std::uint64_t sessions_ = 0;
  std::uint64_t ids_ = 0;
};

void print_percentiles(std::string_view name, std::vector<double> values, const Model& model)
{
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) { return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))]; };
  const auto holdings = model.holdings();
  std::printf(
      "{\"what\":\"%.*s\",\"clicks\":%llu,\"items\":%llu,\"answers\":%zu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f}\n",
      static_cast<int>(name.size()), name.data(), static_cast<unsigned long long>(holdings.clicks),
      static_cast<unsigned long long>(holdings.items), values.size(), at(0.5), at(0.9), at(0.99));
}

void ask(const Model& model, const Question& question, Workspace& work, std::vector<Ranked>& out, std::vector<double>& blended,
         std::vector<double>& vmis)
{
  auto begin = Steady::now();
  rank(model, question, Source::blend, 20, work, out);
  blended.push_back(seconds_since(begin) * 1e6);
  begin = Steady::now();
  rank(model, question, Source::vmis, 20, work, out);
  vmis.push_back(seconds_since(begin) * 1e6);
}

void answers(std::size_t clicks, std::size_t items)
{
  Shop shop(items);
  Model model;
  for (std::size_t i = 0; i < clicks; ++i) model.learn(shop.next());
  constexpr std::size_t kQuestions = 20'000;
  std::vector<double> blended;
  std::vector<double> vmis;
  Workspace work;
  std::vector<Ranked> out;
  while (blended.size() < kQuestions) {
    const auto lesson = shop.next();
    const auto question = model.question(lesson.key, lesson.time);
    if (!question.session.empty()) ask(model, question, work, out, blended, vmis);
    model.learn(lesson);
  }
  print_percentiles("answer", blended, model);
  print_percentiles("vmis", vmis, model);
}

void replay(const char* path)
{
  Lessons lessons;
  std::ifstream in(path);
  EventParser parser;
  Event event;
  for (std::string line; std::getline(in, line);)
    if (parser.parse(line, event)) lessons.add(event);
  lessons.sort();
  Model model;
  std::vector<double> blended;
  std::vector<double> vmis;
  Workspace work;
  std::vector<Ranked> out;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    const auto lesson = lessons[i];
    if (i >= lessons.size() / 10 * 9) {
      const auto question = model.question(lesson.key, lesson.time);
      if (!question.session.empty()) ask(model, question, work, out, blended, vmis);
    }
    model.learn(lesson);
  }
  print_percentiles("answer", blended, model);
  print_percentiles("vmis", vmis, model);
}

void learn(std::size_t clicks, std::size_t items)
{
  Shop shop(items);
  ModelOptions options;
  options.max_clicks = clicks;
  Model model(options);
  while (model.holdings().taught < options.teach_first)
    for (std::size_t i = 0; i < 10'000; ++i) model.learn(shop.next());
  std::vector<Lesson> lessons;
  for (std::size_t i = 0; i < clicks; ++i) lessons.push_back(shop.next());
  const auto before = model.holdings();
  const auto begin = Steady::now();
  for (const auto& lesson : lessons) model.learn(lesson);
  const double took = seconds_since(begin);
  const auto full = model.holdings();
  for (std::size_t i = 0; i < clicks; ++i) model.learn(shop.next());
  const auto again = model.holdings();
  std::printf(
      "{\"what\":\"learn\",\"lessons_per_s\":%.0f,\"taught_share\":%.4f,\"clicks\":%llu,\"pairs\":%llu,\"bytes\":%llu,"
      "\"allowed_bytes\":%llu,\"growth\":%.4f}\n",
      static_cast<double>(clicks) / took, static_cast<double>(full.taught - before.taught) / static_cast<double>(clicks),
      static_cast<unsigned long long>(full.clicks), static_cast<unsigned long long>(full.pairs),
      static_cast<unsigned long long>(full.bytes), static_cast<unsigned long long>(100 * full.clicks + 40 * full.pairs),
      static_cast<double>(again.bytes) / static_cast<double>(full.bytes));
}

void load(std::size_t clicks, std::size_t items)
{
  Shop shop(items);
  ModelOptions options;
  options.max_clicks = clicks;
  options.rate = 0;
  std::string bytes;
  double encoding = 0;
  {
    Model model(options);
    for (std::size_t i = 0; i < clicks; ++i) model.learn(shop.next());
    const auto begin = Steady::now();
    const auto saved = model.encode([&bytes](std::string_view piece) {
      bytes += piece;
      return Status();
    });
    if (!saved) std::exit(70);
    encoding = seconds_since(begin);
  }
  const auto begin = Steady::now();
  const auto model = Model::decode(bytes);
  const double decoding = seconds_since(begin);
  if (!model) std::exit(70);
  std::printf("{\"what\":\"load\",\"clicks\":%zu,\"file_bytes\":%zu,\"encode_s\":%.2f,\"decode_s\":%.2f}\n", clicks, bytes.size(),
              encoding, decoding);
}

} // namespace
} // namespace attune

namespace attune {
namespace {

void events(std::size_t clicks, std::size_t items)
{
  Shop shop(items);
  for (std::size_t i = 0; i < clicks; ++i) {
    const auto lesson = shop.next();
    std::printf("{\"id\":\"%016llx\",\"time\":%lld,\"type\":\"click\",\"customer\":\"anon-%016llx\",\"item\":\"%.*s\"}\n",
                static_cast<unsigned long long>(lesson.id), static_cast<long long>(lesson.time),
                static_cast<unsigned long long>(lesson.key.customer), static_cast<int>(lesson.item.size()), lesson.item.data());
  }
}

} // namespace
} // namespace attune

int main(int argc, char** argv)
{
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "replay" && argc == 3) {
    attune::replay(argv[2]);
    return 0;
  }
  const auto run = what == "answers"  ? attune::answers
                   : what == "learn"  ? attune::learn
                   : what == "load"   ? attune::load
                   : what == "events" ? attune::events
                                      : nullptr;
  if (!run || argc != 4) {
    std::fprintf(stderr, "usage: attune-recommender-bench answers|learn|load|events CLICKS ITEMS, or replay FILE\n");
    return 64;
  }
  run(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  return 0;
}
