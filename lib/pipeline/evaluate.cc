#include "pipeline/evaluate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "base/assert.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint32_t kNone = Probes::kNone;
constexpr std::uint64_t kReported = 256; // pieces of work counted together
constexpr Milliseconds kGlance{100};

// Deals tasks to threads, while the caller's thread reports and watches for a stop.
class Crew {
 public:
  using Work = std::function<void(std::size_t worker, std::size_t task)>;

  Crew(const EvaluateOptions& options, std::uint64_t total) : options_(options), total_(total) {}
  [[nodiscard]] std::size_t size() const { return std::max<std::size_t>(options_.threads, 1); }

  Status run(std::size_t tasks, const Work& work)
  {
    std::atomic<std::size_t> next{0};
    std::size_t working = std::min(size(), tasks);
    std::exception_ptr failed;
    std::mutex mutex;
    std::condition_variable ended;
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < std::min(size(), tasks); ++worker)
      threads.emplace_back([&, worker] {
        std::exception_ptr mine;
        try {
          for (auto task = next++; task < tasks && !stopped_; task = next++) work(worker, task);
        } catch (...) {
          mine = std::current_exception();
          stopped_ = true;
        }
        const std::lock_guard lock(mutex);
        if (mine) failed = mine;
        --working;
        ended.notify_one();
      });
    {
      std::unique_lock lock(mutex);
      while (!ended.wait_for(lock, kGlance, [&] { return working == 0; })) {
        lock.unlock();
        if (options_.stop()) stopped_ = true;
        options_.progress(std::min(done_.load(), total_), total_);
        lock.lock();
      }
    }
    for (auto& thread : threads) thread.join();
    if (failed) std::rethrow_exception(failed);
    if (stopped_ || options_.stop()) return Error{Code::stopped, "stopped before the end"};
    return {};
  }

  // Counts the pieces of work one worker does.
  class Tally {
   public:
    explicit Tally(Crew& crew) : crew_(crew) {}
    ~Tally() { crew_.done_ += pieces_; }
    Tally(const Tally&) = delete;
    Tally& operator=(const Tally&) = delete;

    // Another piece; false: leave it.
    bool goes_on()
    {
      if (++pieces_ == kReported) {
        crew_.done_ += kReported;
        pieces_ = 0;
      }
      return !crew_.stopped_;
    }

   private:
    Crew& crew_;
    std::uint64_t pieces_ = 0;
  };

 private:
  const EvaluateOptions& options_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> stopped_{false};
};

// A model's numbers in those of the questions. What was found is kept, and checked: a model may give the number of an item it forgot to another.
template <class Catalogue>
class Names {
 public:
  Names(const Contender& contender, const Catalogue& catalogue) : contender_(contender), catalogue_(catalogue) {}

  std::uint32_t of(ItemNumber number)
  {
    if (number >= found_.size()) found_.resize(number + std::size_t{1}, kNone);
    auto& found = found_[number];
    const auto text = contender_.item(number);
    if (found == kNone || catalogue_.text(found) != text) found = catalogue_.item_of(text);
    return found;
  }

 private:
  const Contender& contender_;
  const Catalogue& catalogue_;
  std::vector<std::uint32_t> found_;
};

// A list as it is shown: without what is never in it, k at most.
template <class Left>
void cut(std::vector<std::uint32_t>& list, std::size_t k, const Left& left_out)
{
  std::erase_if(list, left_out);
  if (list.size() > k) list.resize(k);
}

// What one worker does for the entrants of one contender, kept apart from other workers' until the end.
template <class Catalogue>
struct Desk {
  Desk(const Contender& asked, const Catalogue& catalogue, std::size_t entrants)
      : contender(asked), names(asked, catalogue), shown(entrants, std::vector<std::uint64_t>(catalogue.items()))
  {
  }

  // Asks, and leaves the answer in `list`, in the numbers of the questions. Returns the microseconds of the answer.
  float ask(std::size_t way, const Question& question, std::size_t n)
  {
    const auto start = Steady::now();
    contender.answer(way, question, n, answered);
    const auto took = std::chrono::duration<float, std::micro>(Steady::now() - start);
    list.clear();
    for (const auto number : answered) list.push_back(names.of(number));
    return took.count();
  }
  // Judges what is in `list`.
  template <class Relevant>
  Scores judged(std::size_t entrant, std::uint32_t next, std::size_t rest, std::size_t k, const Relevant& is_relevant)
  {
    std::optional<std::size_t> place;
    relevant.clear();
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i] == next && !place) place = i;
      relevant.push_back(list[i] != kNone && is_relevant(list[i]));
      if (list[i] != kNone) ++shown[entrant][list[i]];
    }
    return judge(relevant, place, rest, k);
  }

  const Contender& contender;
  Names<Catalogue> names;
  std::vector<std::vector<std::uint64_t>> shown; // per entrant, per item
  std::vector<ItemNumber> answered;
  std::vector<std::uint32_t> list;
  std::vector<bool> relevant;
};

void add(const std::vector<std::uint64_t>& from, std::vector<std::uint64_t>& to)
{
  to.resize(std::max(to.size(), from.size()));
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

// Over the items that have clicks.
Exposure exposure_of(const std::vector<std::uint64_t>& shown, const std::vector<std::uint64_t>& clicks)
{
  std::vector<std::uint64_t> shown_known, clicks_known;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (clicks[i] == 0) continue;
    shown_known.push_back(shown[i]);
    clicks_known.push_back(clicks[i]);
  }
  return exposure(shown_known, clicks_known);
}

std::size_t models_of(const Lineup& lineup)
{
  std::size_t models = 0;
  for (const auto& entrant : lineup.entrants) models = std::max(models, entrant.model + 1);
  return models;
}

std::vector<Answers> blank_answers(const Lineup& lineup, std::size_t questions)
{
  Answers blank;
  blank.scores.resize(questions);
  blank.microseconds.resize(questions);
  return std::vector<Answers>(lineup.entrants.size(), blank);
}

using Contenders = std::vector<std::unique_ptr<Contender>>;

// A contender for each model, taught the first `count` lessons.
Result<Contenders> taught(const LessonStream& lessons, std::size_t count, const Lineup& lineup, Crew& crew)
{
  Contenders contenders(models_of(lineup));
  auto ran = crew.run(contenders.size(), [&](std::size_t, std::size_t model) {
    contenders[model] = lineup.make(model);
    Crew::Tally tally(crew);
    for (std::size_t i = 0; i < count && tally.goes_on(); ++i) contenders[model]->learn(lessons[i]);
  });
  if (!ran) return ran.error();
  return contenders;
}

// --- Questions dealt out in chunks over models that do not change (frozen, baskets) ----------------------------------------------

template <class Catalogue>
class DealtOut {
 public:
  using DeskOf = Desk<Catalogue>;

  DealtOut(const Contenders& contenders, const Catalogue& catalogue, const Lineup& lineup, Crew& crew)
      : lineup_(lineup), crew_(crew), desks_(crew.size())
  {
    for (auto& worker : desks_)
      for (const auto& contender : contenders) worker.emplace_back(*contender, catalogue, lineup.entrants.size());
  }

  // `ask` gets every task, once for each entrant, and its worker's desk.
  template <class Ask>
  Status run(std::size_t tasks, const Ask& ask)
  {
    constexpr std::size_t kChunk = 32;
    return crew_.run((tasks + kChunk - 1) / kChunk, [&](std::size_t worker, std::size_t chunk) {
      Crew::Tally tally(crew_);
      for (auto task = chunk * kChunk; task < std::min(tasks, (chunk + 1) * kChunk); ++task)
        for (std::size_t e = 0; e < lineup_.entrants.size() && tally.goes_on(); ++e)
          ask(desks_[worker][lineup_.entrants[e].model], e, task);
    });
  }

  void finish(const std::vector<std::uint64_t>& clicks, std::vector<Answers>& runs) const
  {
    for (std::size_t e = 0; e < lineup_.entrants.size(); ++e) {
      std::vector<std::uint64_t> shown(clicks.size());
      for (const auto& worker : desks_) add(worker[lineup_.entrants[e].model].shown[e], shown);
      runs[e].exposure = exposure_of(shown, clicks);
      runs[e].taught = desks_[0][lineup_.entrants[e].model].contender.taught();
    }
  }

 private:
  const Lineup& lineup_;
  Crew& crew_;
  std::vector<std::vector<DeskOf>> desks_; // per worker, per model
};

// --- Frozen ----------------------------------------------------------------------------------------------------------------------

// A visit of the test range as it is kept beside a frozen model: what the model knows of its beginning, and the clicks since.
class Visit {
 public:
  Visit(const LessonStream& lessons, const Probes& probes, std::size_t from) : lessons_(lessons), probes_(probes), from_(from) {}

  // The question of a probe. `numbers`: the model's, of each item of the probes.
  Question question(const Contender& contender, const std::vector<ItemNumber>& numbers, const Probes::Probe& probe) const
  {
    const auto target = lessons_[probe.target];
    const auto steps = probes_.path(probe.session);
    auto first = std::find_if(steps.begin(), steps.end(), [&](const Probes::Step& step) { return step.lesson >= from_; });
    auto question = contender.question(target.key, lessons_[first->lesson].time, target.slot);
    question.session.clear();
    for (const auto& step : steps.first(probe.place)) question.session.push_back(numbers[step.item]);
    for (const auto& step : steps.first(probe.place)) {
      if (step.lesson < from_) continue;
      const auto kind = lessons_[step.lesson].kind;
      const auto number = numbers[step.item];
      if ((kind != ClickKind::cart_add && kind != ClickKind::purchase) || number == kUnknownItem) continue;
      if (std::find(question.basket.begin(), question.basket.end(), number) == question.basket.end())
        question.basket.push_back(number);
    }
    return question;
  }

 private:
  const LessonStream& lessons_;
  const Probes& probes_;
  std::size_t from_;
};

} // namespace

Result<Evaluation> evaluate_frozen(const LessonStream& lessons, const Probes& probes, std::size_t from, const Lineup& lineup,
                                   const EvaluateOptions& options)
{
  const auto questions = probes.list();
  Crew crew(options, from * models_of(lineup) + questions.size() * lineup.entrants.size());
  auto contenders = taught(lessons, from, lineup, crew);
  if (!contenders) return contenders.error();
  std::vector<std::vector<ItemNumber>> numbers(contenders->size());
  for (std::size_t m = 0; m < contenders->size(); ++m)
    for (std::uint32_t item = 0; item < probes.items(); ++item)
      numbers[m].push_back((*contenders)[m]->number_of(probes.text(item)));

  Evaluation out;
  for (const auto& probe : questions) out.clusters.push_back(probe.session);
  out.before = blank_answers(lineup, questions.size());
  const Visit visit(lessons, probes, from);
  DealtOut<Probes> dealt(*contenders, probes, lineup, crew);
  auto ran = dealt.run(questions.size(), [&](Desk<Probes>& desk, std::size_t e, std::size_t q) {
    const auto& entrant = lineup.entrants[e];
    auto& run = out.before[e];
    run.microseconds[q] = desk.ask(entrant.way, visit.question(desk.contender, numbers[entrant.model], questions[q]), options.k);
    cut(desk.list, options.k, [&](std::uint32_t item) { return item == probes.last_item(q); });
    run.scores[q] =
        desk.judged(e, probes.next_item(q), probes.rest(q), options.k, [&](std::uint32_t item) { return probes.in_rest(q, item); });
  });
  if (!ran) return ran.error();
  dealt.finish(probes.clicks(from), out.before);
  for (std::size_t e = 0; e < lineup.entrants.size(); ++e)
    for (std::size_t q = 0; q < questions.size(); ++q)
      out.before[e].unknown += numbers[lineup.entrants[e].model][probes.next_item(q)] == kUnknownItem;
  return out;
}

// --- Prequential -----------------------------------------------------------------------------------------------------------------

namespace {

// One way of asking one entrant.
struct Seat {
  std::size_t entrant = 0;
  bool after = false;
};

// What one thread does: all lessons, and the questions of some seats of one model.
struct Replay {
  std::size_t model = 0;
  std::vector<Seat> seats;
};

std::vector<Replay> replays_of(const Lineup& lineup, const EvaluateOptions& options)
{
  const auto models = models_of(lineup);
  std::vector<Replay> out;
  for (std::size_t model = 0; model < models; ++model) {
    std::vector<Seat> seats;
    for (std::size_t e = 0; e < lineup.entrants.size(); ++e) {
      if (lineup.entrants[e].model != model) continue;
      if (options.before) seats.push_back({e, false});
      if (options.after) seats.push_back({e, true});
    }
    if (seats.empty()) continue;
    const auto parts = std::clamp<std::size_t>((options.threads + models - 1) / models, 1, seats.size());
    const auto first = out.size();
    out.resize(first + parts, {model, {}});
    for (std::size_t s = 0; s < seats.size(); ++s) out[first + s % parts].seats.push_back(seats[s]);
  }
  return out;
}

class Prequential {
 public:
  Prequential(const LessonStream& lessons, const Probes& probes, const Lineup& lineup, const EvaluateOptions& options,
              Evaluation& out)
      : lessons_(lessons), probes_(probes), lineup_(lineup), options_(options), out_(out), clicks_(probes.clicks(lessons.size()))
  {
    for (std::uint32_t q = 0; q < probes.list().size(); ++q) by_before_.push_back(q);
    std::sort(by_before_.begin(), by_before_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return probes.list()[a].before < probes.list()[b].before; });
  }

  void run(const Replay& replay, Crew& crew)
  {
    const auto contender = lineup_.make(replay.model);
    Desk<Probes> before(*contender, probes_, lineup_.entrants.size());
    Desk<Probes> after(*contender, probes_, lineup_.entrants.size());
    const auto list = probes_.list();
    std::size_t next = 0, next_after = 0;
    Crew::Tally tally(crew);
    for (std::uint32_t i = 0; i < lessons_.size() && tally.goes_on(); ++i) {
      if (probes_.session_of(i) == kNone) continue;
      const auto lesson = lessons_[i];
      if (next < list.size() && list[next].target == i) ask(replay, false, next++, lesson.time, before);
      contender->learn(lesson);
      if (next_after < list.size() && list[by_before_[next_after]].before == i)
        ask(replay, true, by_before_[next_after++], lesson.time, after);
    }
    for (const auto& seat : replay.seats) {
      auto& run = run_of(seat);
      run.exposure = exposure_of((seat.after ? after : before).shown[seat.entrant], clicks_);
      run.taught = contender->taught();
    }
  }

 private:
  Answers& run_of(const Seat& seat) { return (seat.after ? out_.after : out_.before)[seat.entrant]; }

  void ask(const Replay& replay, bool after, std::uint32_t q, std::int64_t time, Desk<Probes>& desk)
  {
    std::optional<Question> question;
    for (const auto& seat : replay.seats) {
      if (seat.after != after) continue;
      const auto target = lessons_[probes_.list()[q].target];
      if (!question) question = desk.contender.question(target.key, time, target.slot);
      auto& run = run_of(seat);
      run.microseconds[q] = desk.ask(lineup_.entrants[seat.entrant].way, *question, options_.k);
      cut(desk.list, options_.k, [&](std::uint32_t item) { return item == probes_.last_item(q); });
      run.scores[q] = desk.judged(seat.entrant, probes_.next_item(q), probes_.rest(q), options_.k,
                                  [&](std::uint32_t item) { return probes_.in_rest(q, item); });
      run.unknown += desk.contender.number_of(target.item) == kUnknownItem;
    }
  }

  const LessonStream& lessons_;
  const Probes& probes_;
  const Lineup& lineup_;
  const EvaluateOptions& options_;
  Evaluation& out_;
  std::vector<std::uint64_t> clicks_;
  std::vector<std::uint32_t> by_before_; // probes by the lesson after which they are asked
};

} // namespace

Result<Evaluation> evaluate_prequential(const LessonStream& lessons, const Probes& probes, const Lineup& lineup,
                                        const EvaluateOptions& options)
{
  ATTUNE_ASSERT(options.before || options.after);
  Evaluation out;
  for (const auto& probe : probes.list()) out.clusters.push_back(probe.session);
  if (options.before) out.before = blank_answers(lineup, probes.list().size());
  if (options.after) out.after = blank_answers(lineup, probes.list().size());
  const auto replays = replays_of(lineup, options);
  Crew crew(options, replays.size() * lessons.size());
  Prequential prequential(lessons, probes, lineup, options, out);
  auto ran = crew.run(replays.size(), [&](std::size_t, std::size_t at) { prequential.run(replays[at], crew); });
  if (!ran) return ran.error();
  return out;
}

// --- Baskets ---------------------------------------------------------------------------------------------------------------------

Result<Evaluation> evaluate_baskets(const LessonStream& lessons, const Baskets& baskets, std::size_t first, const Lineup& lineup,
                                    const EvaluateOptions& options)
{
  const auto& all = baskets.list();
  struct HeldOut {
    std::uint32_t basket, item; // places
  };
  std::vector<HeldOut> questions;
  Evaluation out;
  for (auto b = first; b < all.size(); ++b)
    for (std::size_t i = 0; i < all[b].items.size() && all[b].items.size() > 1; ++i) {
      questions.push_back({static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(i)});
      out.clusters.push_back(static_cast<std::uint32_t>(b));
    }
  const auto learned = first < all.size() ? lessons.place_of(all[first].time) : lessons.size();
  Crew crew(options, learned * models_of(lineup) + questions.size() * lineup.entrants.size());
  auto contenders = taught(lessons, learned, lineup, crew);
  if (!contenders) return contenders.error();
  // What each basket's customer bought before, as each model remembers it; the order of the basket is hidden.
  std::vector<std::vector<Question>> asked(contenders->size());
  for (std::size_t m = 0; m < contenders->size(); ++m)
    for (auto b = first; b < all.size(); ++b) {
      const auto known = (*contenders)[m]->question({all[b].customer, 0}, all[b].time, {});
      auto& question = asked[m].emplace_back();
      question.ordered = false;
      question.earlier = known.earlier;
      question.bought = known.bought;
      question.now = known.now;
    }
  std::vector<std::vector<ItemNumber>> numbers(contenders->size());
  for (std::size_t m = 0; m < contenders->size(); ++m)
    for (std::uint32_t item = 0; item < baskets.items(); ++item)
      numbers[m].push_back((*contenders)[m]->number_of(baskets.text(item)));

  out.before = blank_answers(lineup, questions.size());
  DealtOut<Baskets> dealt(*contenders, baskets, lineup, crew);
  auto ran = dealt.run(questions.size(), [&](Desk<Baskets>& desk, std::size_t e, std::size_t q) {
    const auto& entrant = lineup.entrants[e];
    const auto& items = all[questions[q].basket].items;
    const auto held_out = items[questions[q].item];
    auto question = asked[entrant.model][questions[q].basket - first];
    for (const auto item : items) {
      const auto number = numbers[entrant.model][item];
      if (item != held_out && number != kUnknownItem) question.basket.push_back(number);
    }
    auto& run = out.before[e];
    run.microseconds[q] = desk.ask(entrant.way, question, options.k + question.basket.size());
    cut(desk.list, options.k, [&](std::uint32_t item) {
      return item != held_out && item != kNone && std::find(items.begin(), items.end(), item) != items.end();
    });
    run.scores[q] = desk.judged(e, held_out, 1, options.k, [&](std::uint32_t item) { return item == held_out; });
  });
  if (!ran) return ran.error();
  std::vector<std::uint64_t> clicks(baskets.items());
  for (std::size_t b = 0; b < first; ++b)
    for (const auto item : all[b].items) ++clicks[item];
  dealt.finish(clicks, out.before);
  for (std::size_t e = 0; e < lineup.entrants.size(); ++e)
    for (const auto& question : questions)
      out.before[e].unknown += numbers[lineup.entrants[e].model][all[question.basket].items[question.item]] == kUnknownItem;
  return out;
}

} // namespace attune
