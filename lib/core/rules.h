// Rules: what a shop wants of every answer, read from one TOML file (attune-rules(5)): filters, segments, boosts and burials, pins,
// category caps, diversity, offers, a holdout share. And the way of one answer through them:
//
//     const Rules rules = *Rules::parse(text, "rules.toml");        // or Rules(): the filters by default and nothing else
//     AppliedRules applied(rules, {profile, &catalog, customer, slot, page, seen, now}, &ledger);
//     if (applied.held_out())  …the popular items are the candidates: nothing that the customer did
//     for each candidate:      if (applied.refuses(item, known)) skip it
//                              score = applied.adjusted(score, item, known)
//     sort by falling score (equal scores: by item)
//     answer = applied.arrange(ranked, n)
//
// A Rules is immutable, cheap to copy, and may be shared between threads; a reload makes another one and leaves this one be.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/arrangement.h"
#include "core/asker.h"
#include "core/item_filter.h"
#include "core/offer.h"

namespace attune {

struct RuleBook; // core/rule_book.h
struct SlotRules;

inline constexpr std::size_t kMaxRulesBytes = 1024 * 1024;

class Rules {
 public:
  Rules(); // no file: the filters' defaults
  // All or nothing. `name` is put into error messages: "rules.toml:12: boost[0].factor: not a number". Total on any bytes.
  // ERRORS (Code::config): not TOML; a key that is not known; a value out of its limits; a segment that is not there, or leads back to
  // itself; rules that contradict each other, with both lines. Cost: some ms for a file of a thousand rules.
  [[nodiscard]] static Result<Rules> parse(std::string_view toml, std::string_view name);

  // The segments a customer is in, sorted by name. Views into these Rules.
  [[nodiscard]] std::vector<std::string_view> segments_of(const Profile& profile, const Catalog& catalog, Timestamp now) const;
  [[nodiscard]] bool has_segments() const;
  // Whether the customer is in a segment whose answers come before others' (`priority`). Cost: nothing where the file names none.
  [[nodiscard]] bool is_priority(const Profile& profile, const Catalog& catalog, Timestamp now) const;
  // Whether the customer is of the stable share whose answers are the unpersonalised popular ones.
  [[nodiscard]] bool held_out(const CustomerId& customer) const;
  // The names of the offers, in the order of the file: the keys of an OfferLedger.
  [[nodiscard]] std::vector<std::string_view> offers() const;

  // Counts what an event uses up of the offers' budgets.
  void note_uses(const Event& event, OfferLedger& ledger) const;

  [[nodiscard]] const RuleBook& book() const { return *book_; }

 private:
  explicit Rules(std::shared_ptr<const RuleBook> book) : book_(std::move(book)) {}
  std::shared_ptr<const RuleBook> book_; // never null
};

// What a boost or burial did to a score: a contribution of its own.
struct Adjustment {
  const Rule* rule = nullptr;
  double added = 0;
  // What the rule says, or "lifted by the rule `fits-the-cart`".
  [[nodiscard]] std::string sentence() const;
};

// The rules, applied to one asker. Not synchronized; lives for one answer; all that it is given has to outlive it unchanged.
// Cost: under a microsecond to make; what a rule needs to know of the customer is found out when the rule is first asked.
class AppliedRules {
 public:
  // `ledger` may be null: no offer has used anything of its budget.
  AppliedRules(const Rules& rules, Occasion occasion, const OfferLedger* ledger = nullptr);
  AppliedRules(const AppliedRules&) = delete;
  AppliedRules& operator=(const AppliedRules&) = delete;

  // In the holdout filters, caps and pins stand; offers, and whatever else asks for something of the customer, do not.
  [[nodiscard]] bool held_out() const { return held_out_; }
  // The names of the segments the asker is in, in their order.
  [[nodiscard]] std::vector<std::string_view> segments();
  // Whether this slot may show again what the customer has looked at. Where not, refuses() leaves such items out.
  [[nodiscard]] bool reminds() const;
  // Whether nothing but filters has a say in this slot: then the list to show is the best that are not refused.
  [[nodiscard]] bool only_filters() const;
  // How many items an answer has at most, n being asked for.
  [[nodiscard]] std::size_t most(std::size_t n) const;
  // The facts, so that the caller need not read the cart again.
  [[nodiscard]] Asker& asker() { return asker_; }

  // Whether the item must not be shown. `known` is what the occasion's catalog says of it, null for nothing.
  // Cost: some tens of ns, plus that of `hide` conditions; see core/item_filter.h.
  [[nodiscard]] std::optional<Refusal> refuses(const ItemId& item, const CatalogItem* known)
  {
    return filter_.refuses(item, known);
  }

  // The score after boosts and burials, in the order of the file. The score given and what `adjustments` are appended, added up in their
  // order, are exactly the score returned. Cost: some ns a rule of this slot that is in force.
  [[nodiscard]] double adjusted(double score, const ItemId& item, const CatalogItem* known,
                                std::vector<Adjustment>* adjustments = nullptr);

  // The list to show: see core/arrangement.h. REQUIRES: `ranked` in order of falling score, each item once, none that refuses().
  [[nodiscard]] Arrangement arrange(std::span<const RankedItem> ranked, std::size_t n, bool why = false);

 private:
  const std::vector<const Boost*>& boosts();

  const RuleBook& book_;
  const SlotRules& slot_;
  const OfferLedger* ledger_;
  Asker asker_;
  bool held_out_;
  ItemFilter filter_;
  std::optional<std::vector<const Boost*>> boosts_; // in force
};

} // namespace attune
