// Probes: the questions of an evaluation, "what comes next in this session?", one for each click of a test range that has one before it.
//
// A session: the clicks that carry one session id of the site, or a customer's clicks that carry none, cut where nothing happened for longer
// than `idle`. A click that repeats the item before it in its session is no next click; a lesson that stands there twice counts once.
// Items are numbered here, by their texts, so that models with numbers of their own can be compared.
//
// Immutable once made: any thread. Memory: about 24 bytes a lesson, 16 a probe. REQUIRES: fewer than 2^32 - 1 lessons.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/lesson.h"

namespace attune {

// The lessons of an evaluation in their order: all of `train`, then all of `test`, each sorted. Both outlive it.
class LessonStream {
 public:
  explicit LessonStream(const Lessons& train) : train_(train) {}
  LessonStream(const Lessons& train, const Lessons& test) : train_(train), test_(&test) {}

  [[nodiscard]] std::size_t size() const { return train_.size() + (test_ ? test_->size() : 0); }
  [[nodiscard]] Lesson operator[](std::size_t at) const { return at < train_.size() ? train_[at] : (*test_)[at - train_.size()]; }
  // The place of the first lesson at or after this time, in a stream of one part.
  [[nodiscard]] std::size_t place_of(std::int64_t time) const;

 private:
  const Lessons& train_;
  const Lessons* test_ = nullptr;
};

struct ProbeOptions {
  std::size_t from = 0; // the test range: lessons from this place of the stream on
  std::int64_t idle_ms = 30 * 60 * 1000;
  std::int64_t min_gap_ms = 0; // a click less than this after the lesson before it in its session is not asked for
  std::uint64_t every = 1; // a sample: one in so many, chosen by the lesson's id
  std::uint64_t seed = 1; // of the sample
};

class Probes {
 public:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

  // `target`: the lesson that is the next click. `before`: the lesson right before it in its session (a repeat of the last item, or its click).
  // `place`: of the target in its session's path.
  struct Probe {
    std::uint32_t target = 0, before = 0, session = 0, place = 0;
  };
  // A click of a session's path: repeats of the item before are left out.
  struct Step {
    std::uint32_t lesson = 0, item = 0;
  };

  Probes(const LessonStream& lessons, const ProbeOptions& options);

  // In the order of their targets.
  [[nodiscard]] std::span<const Probe> list() const { return probes_; }
  // The whole path of a session, from its first lesson of the stream on.
  [[nodiscard]] std::span<const Step> path(std::uint32_t session) const;
  [[nodiscard]] std::size_t sessions() const { return begin_.size() - 1; }
  // Of a lesson; kNone for one that stands there twice.
  [[nodiscard]] std::uint32_t session_of(std::uint32_t lesson) const { return session_of_[lesson]; }

  // How many items the rest of the session has: distinct, from the target on, without the item clicked last.
  [[nodiscard]] std::uint32_t rest(std::size_t probe) const { return rest_[probe]; }
  // Whether the item is of the rest of the session.
  [[nodiscard]] bool in_rest(std::size_t probe, std::uint32_t item) const;
  // The item clicked last, and the next one.
  [[nodiscard]] std::uint32_t last_item(std::size_t probe) const;
  [[nodiscard]] std::uint32_t next_item(std::size_t probe) const;

  [[nodiscard]] std::size_t items() const { return texts_.size(); }
  [[nodiscard]] std::string_view text(std::uint32_t item) const { return texts_[item]; }
  [[nodiscard]] std::uint32_t item_of(std::string_view text) const; // kNone: in no lesson
  // Lessons of each item: of those before `to` in the stream.
  [[nodiscard]] std::vector<std::uint64_t> clicks(std::size_t to) const;

 private:
  struct LastPlace { // the last place of an item in a path
    std::uint32_t item, place;
  };
  void read(const LessonStream& lessons, const ProbeOptions& options);
  void lay_paths();
  void measure_rests();
  [[nodiscard]] bool comes_later(const Probe& probe, std::uint32_t item) const;
  std::uint32_t number(std::string_view text);

  std::vector<Probe> probes_;
  std::vector<std::uint32_t> rest_; // per probe
  std::vector<std::uint32_t> session_of_, item_of_; // per lesson
  std::vector<bool> repeat_; // per lesson: the item before it again, or a lesson that stands there twice
  std::vector<Step> steps_; // the paths, one behind the other
  std::vector<std::uint64_t> begin_{0}; // per session: of its path
  std::vector<LastPlace> last_places_; // by session, by item; of sessions that have a probe
  std::vector<std::uint64_t> last_begin_; // per session
  std::vector<std::string_view> texts_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

} // namespace attune
