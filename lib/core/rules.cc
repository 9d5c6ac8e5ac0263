#include "core/rules.h"

#include <algorithm>

#include "core/rule_book.h"

namespace attune {

Rules::Rules()
{
  static const auto kNoFile = std::make_shared<const RuleBook>();
  book_ = kNoFile;
}

Result<Rules> Rules::parse(std::string_view toml, std::string_view name)
{
  auto book = read_rules(toml, name);
  if (!book) return book.error();
  return Rules(std::make_shared<const RuleBook>(*std::move(book)));
}

bool Rules::has_segments() const
{
  return book_->segments.size() > 0;
}

void Rules::note_uses(const Event& event, OfferLedger& ledger) const
{
  for (const auto& offer : book_->offers) {
    OfferUse use;
    note_use(offer, event, use);
    if (use == OfferUse()) continue;
    auto& all = ledger[offer.rule.name];
    all.impressions += use.impressions;
    all.redemptions += use.redemptions;
  }
}

std::vector<std::string_view> Rules::segments_of(const Profile& profile, const Catalog& catalog, Timestamp now) const
{
  Asker asker({&profile, &catalog, profile.customer, {}, {}, {}, now}, book_->segments);
  return attune::segments_of(book_->segments, asker);
}

bool Rules::is_priority(const Profile& profile, const Catalog& catalog, Timestamp now) const
{
  if (book_->priority.empty()) return false;
  const auto segments = segments_of(profile, catalog, now);
  return std::any_of(segments.begin(), segments.end(), [&](std::string_view name) {
    return std::binary_search(book_->priority.begin(), book_->priority.end(), name);
  });
}

bool Rules::held_out(const CustomerId& customer) const
{
  return book_->holdout.holds(customer);
}

std::vector<std::string_view> Rules::offers() const
{
  std::vector<std::string_view> names;
  for (const auto& offer : book_->offers) names.emplace_back(offer.rule.name);
  return names;
}

std::string Adjustment::sentence() const
{
  if (!rule->say.empty()) return rule->say;
  return (added < 0 ? "lowered by the rule `" : "lifted by the rule `") + rule->name + '`';
}

AppliedRules::AppliedRules(const Rules& rules, Occasion occasion, const OfferLedger* ledger)
    : book_(rules.book()),
      slot_(book_.of(occasion.slot.text)),
      ledger_(ledger),
      asker_(std::move(occasion), book_.segments),
      held_out_(book_.holdout.holds(asker_.occasion().customer)),
      filter_(slot_.filters, asker_)
{
}

std::vector<std::string_view> AppliedRules::segments()
{
  return segments_of(book_.segments, asker_);
}

bool AppliedRules::reminds() const
{
  return slot_.filters.reminders;
}

bool AppliedRules::only_filters() const
{
  return slot_.boosts.empty() && slot_.pins.empty() && slot_.caps.empty() && slot_.offers.empty() && slot_.lambda == 1;
}

std::size_t AppliedRules::most(std::size_t n) const
{
  return slot_.most == 0 ? n : std::min(n, slot_.most);
}

const std::vector<const Boost*>& AppliedRules::boosts()
{
  if (!boosts_) {
    boosts_.emplace();
    for (const auto number : slot_.boosts)
      if (in_force(book_.boosts[number].rule, asker_, held_out_)) boosts_->push_back(&book_.boosts[number]);
  }
  return *boosts_;
}

double AppliedRules::adjusted(double score, const ItemId& item, const CatalogItem* known, std::vector<Adjustment>* adjustments)
{
  for (const auto* boost : boosts()) {
    if (boost->item && !holds(*boost->item, asker_, {&item, known})) continue;
    const double added = amount_of(*boost, score);
    score += added;
    if (adjustments) adjustments->push_back({&boost->rule, added});
  }
  return score;
}

Arrangement AppliedRules::arrange(std::span<const RankedItem> ranked, std::size_t n, bool why)
{
  ArrangementRules rules;
  rules.lambda = slot_.lambda;
  rules.why = why;
  std::vector<NotPlaced> not_placed;
  const auto not_in_force = [&](const Rule& rule, std::string reason) {
    if (why) not_placed.push_back({&rule, std::move(reason)});
  };
  for (const auto number : slot_.pins) {
    const Pin& pin = book_.pins[number];
    if (in_force(pin.rule, asker_, held_out_))
      rules.pins.push_back(&pin);
    else
      not_in_force(pin.rule, "its dates or its conditions do not hold");
  }
  for (const auto number : slot_.offers) {
    const Offer& offer = book_.offers[number];
    if (auto reason = attune::refuses(offer, asker_, ledger_, held_out_))
      not_in_force(offer.rule, *std::move(reason));
    else
      rules.offers.push_back(&offer);
  }
  for (const auto number : slot_.caps)
    if (in_force(book_.caps[number].rule, asker_, held_out_)) rules.caps.push_back(&book_.caps[number]);

  auto arrangement = attune::arrange(ranked, most(n), rules, filter_, *asker_.occasion().catalog);
  arrangement.not_placed.insert(arrangement.not_placed.begin(), std::make_move_iterator(not_placed.begin()),
                                std::make_move_iterator(not_placed.end()));
  return arrangement;
}

} // namespace attune
