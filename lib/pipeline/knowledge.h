// Knowledge: what answers are made of and all customers share: the model, the catalog, the rules. Many threads answer from it while one
// learns.
//
// The learner learns a few events at a time (some hundred microseconds); whoever asked for an answer meanwhile comes before its next turn, and
// while it waits for its own no later answer begins. So neither starves the other. Answers alone know nothing of this but one atomic: a queue
// that all stand in would hand the turn to threads that sleep.
// Who reads for long (a snapshot of the model) does so on the thread that changes: nobody waits then to change, and answers go on beside it.
//
// Thread rule: read() from any thread; change() and replace() from one thread, the learner's, once answers have begun.
#pragma once

#include <atomic>
#include <cstdint>
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
      if (knowledge.changing_.load() == 0) {
        lock_.lock();
        return;
      }
      ++knowledge.behind_;
      knowledge.changing_.wait(1);
      lock_.lock();
      if (--knowledge.behind_ == 0) knowledge.behind_.notify_all();
    }
    const Knowledge* knowledge_;
    std::shared_lock<std::shared_mutex> lock_;
  };
  [[nodiscard]] Reading read() const { return Reading(*this); }

  // Calls change_all(model, catalog, rules) while nobody reads.
  template <class Change>
  void change(const Change& change_all)
  {
    const Changing turn(*this);
    change_all(model_, catalog_, std::as_const(rules_));
  }
  // What stood is destroyed after the lock is free.
  void replace(Rules rules) { exchange(rules_, rules); }
  void replace(Catalog catalog) { exchange(catalog_, catalog); }

  // How many have asked for a turn and not had it: a change, and those who wait behind it. Who reads already does not count.
  [[nodiscard]] std::uint32_t turns_asked() const { return changing_.load() + behind_.load(); }

 private:
  // A turn of the one who changes.
  class Changing {
   public:
    explicit Changing(Knowledge& knowledge) : knowledge_(knowledge)
    {
      for (auto behind = knowledge_.behind_.load(); behind != 0; behind = knowledge_.behind_.load())
        knowledge_.behind_.wait(behind);
      knowledge_.changing_ = 1;
      knowledge_.mutex_.lock();
    }
    ~Changing()
    {
      knowledge_.mutex_.unlock();
      knowledge_.changing_ = 0;
      knowledge_.changing_.notify_all();
    }
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;

   private:
    Knowledge& knowledge_;
  };

  template <class Part>
  void exchange(Part& ours, Part& theirs)
  {
    const Changing turn(*this);
    std::swap(ours, theirs);
  }

  mutable std::shared_mutex mutex_;
  mutable std::atomic<std::uint32_t> changing_{0}; // 1: a change waits, or is made
  mutable std::atomic<std::uint32_t> behind_{0}; // readers that came meanwhile, until they have the lock
  Model model_;
  Catalog catalog_;
  Rules rules_;
};

} // namespace attune
