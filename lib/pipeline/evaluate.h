// Evaluation: the order in which models are taught and asked so that their figures compare (core/probes.h says what is asked,
// core/metrics.h what an answer is worth).
//
//   frozen       all lessons before the test range are learned; then every question of it is asked, and nothing of it learned. The visit is
//                kept beside the model, as a service with --learn off does.
//   prequential  lesson by lesson: ask what comes next, then learn it ("test, then train"; Gama, Sebastião and Rodrigues, "On evaluating
//                stream learning algorithms", Machine Learning 90, 2013). Asked `before`: just before the click is learned. Asked `after`:
//                the list asked for right after the lesson before it in its session, which is what a page shows.
//   baskets      lessons before the test range are learned; then of each basket of it every item is held out once, and asked for, given
//                the others.
//
// Several entrants answer the same questions in one run. What is asked and found does not depend on the number of threads: frozen questions and
// baskets are shared out; a prequential run replays all lessons in every thread, and shares out entrants and ways of asking.
//
// Thread rule: call from one thread; `progress` and `stop` are called from that one. ERRORS: stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/baskets.h"
#include "core/metrics.h"
#include "core/probes.h"
#include "core/question.h"

namespace attune {

// What is taught and asked: a model, in one or several ways. Its const functions are called by several threads at a time.
class Contender {
 public:
  virtual ~Contender() = default;
  virtual void learn(const Lesson& lesson) = 0;
  // As Model::question, number_of and item (core/model.h).
  [[nodiscard]] virtual Question question(const SessionKey& key, std::int64_t time, std::string_view slot) const = 0;
  [[nodiscard]] virtual ItemNumber number_of(std::string_view item) const = 0;
  [[nodiscard]] virtual std::string_view item(ItemNumber number) const = 0;
  // The best n, best first, in place of what `out` holds.
  virtual void answer(std::size_t way, const Question& question, std::size_t n, std::vector<ItemNumber>& out) const = 0;
  // Share of the clicks learned that taught weights.
  [[nodiscard]] virtual double taught() const = 0;
};

struct Entrant {
  std::string name;
  std::size_t model = 0; // those of one number share a contender
  std::size_t way = 0;
};

struct Lineup {
  std::vector<Entrant> entrants;
  // A new contender; called again for every replay, and from several threads.
  std::function<std::unique_ptr<Contender>(std::size_t model)> make;
};

struct EvaluateOptions {
  std::size_t k = 20; // length of a list
  bool before = true, after = true; // prequential
  std::size_t threads = 1;
  std::function<bool()> stop = [] { return false; };
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = [](std::uint64_t, std::uint64_t) {}; // of all the work
};

// One entrant's answers to all questions.
struct Answers {
  std::vector<Scores> scores; // per question
  std::vector<float> microseconds; // per question: of the answer alone, as they came on a machine that did other work beside it
  Exposure exposure; // over the items that were learned by the end
  std::uint64_t unknown = 0; // questions whose answer the model had never learned when it was asked
  double taught = 0;
};

struct Evaluation {
  std::vector<std::uint32_t> clusters; // per question: its session or basket
  // In the order of the entrants; `after` where it was asked for, `before` for everything else.
  std::vector<Answers> before, after;
};

[[nodiscard]] Result<Evaluation> evaluate_frozen(const LessonStream& lessons, const Probes& probes, std::size_t from,
                                                 const Lineup& lineup, const EvaluateOptions& options);

[[nodiscard]] Result<Evaluation> evaluate_prequential(const LessonStream& lessons, const Probes& probes, const Lineup& lineup,
                                                      const EvaluateOptions& options);

// `first`: the place in the sorted baskets where the test range begins; lessons before the time of that basket are learned. Items of the basket
// that is given are taken out of every list. Asked with Question::basket alone.
[[nodiscard]] Result<Evaluation> evaluate_baskets(const LessonStream& lessons, const Baskets& baskets, std::size_t first,
                                                  const Lineup& lineup, const EvaluateOptions& options);

} // namespace attune
