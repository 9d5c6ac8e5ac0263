// Knowledge: what answers are made of and all customers share: the model, the catalog, the rules. Many threads answer from it while one
// learns.
//
// Turns are taken in the order they were asked for: the learner learns a few events at a time (some hundred microseconds), whoever asked
// for an answer meanwhile comes before its next turn, and while it waits for its own no later answer begins. So neither starves the other.
// Who reads for long (a snapshot of the model) does so on the thread that changes: nobody waits then to change, and answers go on beside it.
//
// Thread rule: read() from any thread; change() and replace() from one thread, the learner's, once answers have begun.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "core/catalog.h"
#include "core/model.h"
#include "core/rules.h"
#include "pipeline/turn.h"

namespace attune {

class Knowledge {
 public:
  Knowledge(Model model, Catalog catalog, Rules rules)
      : model_(std::move(model)), catalog_(std::move(catalog)), rules_(std::move(rules))
  {
  }

  // What stands while this object lives. Hold it for one answer; never two at a time in one thread.
  class Reading {
   public:
    [[nodiscard]] const Model& model() const { return knowledge_->model_; }
    [[nodiscard]] const Catalog& catalog() const { return knowledge_->catalog_; }
    [[nodiscard]] const Rules& rules() const { return knowledge_->rules_; }

   private:
    friend class Knowledge;
    explicit Reading(const Knowledge& knowledge) : knowledge_(&knowledge), lock_(knowledge.mutex_, std::defer_lock)
    {
      const std::lock_guard turn(knowledge.turn_);
      lock_.lock();
    }
    const Knowledge* knowledge_;
    std::shared_lock<std::shared_mutex> lock_;
  };
  [[nodiscard]] Reading read() const { return Reading(*this); }

  // Calls change_all(model, catalog, rules) while nobody reads.
  template <class Change>
  void change(const Change& change_all)
  {
    const std::lock_guard turn(turn_);
    const std::unique_lock lock(mutex_);
    change_all(model_, catalog_, std::as_const(rules_));
  }
  // What stood is destroyed after the lock is free.
  void replace(Rules rules) { exchange(rules_, rules); }
  void replace(Catalog catalog) { exchange(catalog_, catalog); }

  // How many have asked for a turn and not had it: a change, and those who wait behind it. Who reads already does not count.
  [[nodiscard]] std::uint32_t turns_asked() const { return turn_.asked(); }

 private:
  template <class Part>
  void exchange(Part& ours, Part& theirs)
  {
    const std::lock_guard turn(turn_);
    const std::unique_lock lock(mutex_);
    std::swap(ours, theirs);
  }

  mutable Turn turn_;
  mutable std::shared_mutex mutex_;
  Model model_;
  Catalog catalog_;
  Rules rules_;
};

} // namespace attune
