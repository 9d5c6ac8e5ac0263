// Knowledge: what answers are made of and all customers share: the model, the catalog, the rules. Many threads answer from it while one
// learns.
//
// The learner takes turns: it learns a few events at a time (some hundred microseconds), and while it waits for its turn no new answer
// begins, so that neither starves the other. Who reads for long (a snapshot of the model) does so on the learner's own thread: nobody waits
// then to learn, and answers go on beside it.
//
// Thread rule: read() from any thread; change() and the other setters from one thread at a time, each.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "core/catalog.h"
#include "core/model.h"
#include "core/rules.h"

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
  void replace(Rules rules)
  {
    const std::lock_guard turn(turn_);
    const std::unique_lock lock(mutex_);
    rules_ = std::move(rules);
  }
  void replace(Catalog catalog)
  {
    const std::lock_guard turn(turn_);
    const std::unique_lock lock(mutex_);
    catalog_ = std::move(catalog);
  }

 private:
  mutable std::mutex turn_;
  mutable std::shared_mutex mutex_;
  Model model_;
  Catalog catalog_;
  Rules rules_;
};

} // namespace attune
