#include "core/recommender.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "core/canonical_json.h"
#include "core/field_rules.h"
#include "core/json_tree.h"
#include "core/model_state.h"
#include "core/ranking.h"
#include "core/session.h"

namespace attune {

namespace {

// --- The question ----------------------------------------------------------------------------------------------------------------

void append_line_items(const Event& event, std::vector<ItemId>& out)
{
  for (auto& line : lines_of(event)) out.push_back(std::move(line.item));
}

std::vector<ItemId> items_of_profile(const Profile& profile, const std::vector<CartLine>& cart, Timestamp now)
{
  if (auto session = current_session(profile, now); session && !session->items.empty()) return std::move(session->items);
  std::vector<ItemId> items;
  for (const auto& line : cart) items.push_back(line.item);
  if (items.empty())
    if (const auto purchase = last_purchase(profile)) append_line_items(*purchase, items);
  return items;
}

// What was seen, oldest first.
std::vector<ItemId> seen_items(const Profile* profile, const std::vector<CartLine>& cart, const RecommendRequest& request,
                               Timestamp now)
{
  auto items = request.recent;
  if (items.empty() && profile) items = items_of_profile(*profile, cart, now);
  if (!request.item.empty() && (items.empty() || items.back() != request.item)) items.push_back(request.item);
  return items;
}

// What the customer did before this visit, as the model would remember it (Model::question).
void look_back(const Model& model, const Profile& profile, Timestamp now, Question& question)
{
  const auto current = current_session(profile, now);
  const auto begins = current ? current->start : now;
  const auto visits = sessions(profile);
  std::size_t looked = 0;
  for (auto visit = visits.rbegin(); visit != visits.rend() && looked < kEarlierSessions; ++visit) {
    if (visit->start >= begins) continue;
    ++looked;
    for (auto item = visit->items.rbegin(); item != visit->items.rend() && question.earlier.size() < kMaxEarlier; ++item)
      if (const auto number = model.number_of(item->text); number != kUnknownItem) question.earlier.push_back(number);
  }
  // Newest first; what was bought in this visit is in its basket too.
  Purchases purchases(now.ms, question.bought);
  const auto& orders = profile.recent[static_cast<std::size_t>(RecentList::orders_and_carts)];
  for (auto kept = orders.rbegin(); kept != orders.rend(); ++kept) {
    if (kept->time > now) continue;
    const auto event = kept->view();
    if (event.type != EventType::purchase) continue;
    for (const auto& line : event.order_lines()) {
      const auto number = model.number_of(line.item);
      if (number == kUnknownItem) continue;
      purchases.add(number, kept->time.ms);
      auto& basket = question.basket;
      if (kept->time >= begins && std::find(basket.begin(), basket.end(), number) == basket.end()) basket.push_back(number);
    }
  }
}

Question question_of(const Model& model, const Profile* profile, const RecommendRequest& request, const Slot& slot,
                     const std::vector<ItemId>& seen, const std::vector<CartLine>& in_cart, Timestamp now)
{
  Question question;
  const auto known = [&](const ItemId& item) { return model.number_of(item.text); };
  for (const auto& item : seen) {
    const auto number = known(item);
    if (question.session.empty() || question.session.back() != number) question.session.push_back(number);
  }
  for (const auto& line : in_cart)
    if (const auto number = known(line.item); number != kUnknownItem) question.basket.push_back(number);
  question.slot = model.slot_of(slot.text);
  question.now = now.ms;
  if (!request.customer.empty()) question.self = model.state().table.newest_of(session_key(request.customer, {}).customer);
  if (profile) look_back(model, *profile, now, question);
  return question;
}

// --- The answer ------------------------------------------------------------------------------------------------------------------

// An item that may be shown, by its place among the candidates of the workspace, or popular beyond them.
struct Contender {
  ItemId item;
  const CatalogItem* known = nullptr;
  double score = 0;
  std::optional<std::size_t> place;
  double popularity = 0; // the score before adjustments, when it is no candidate
  std::vector<Adjustment> adjustments;
};

constexpr std::size_t kMaxPopular = 512; // popular items that may be shown, and so many may be refused

Workspace& workspace()
{
  thread_local Workspace kept;
  return kept;
}

class Answerer {
 public:
  Answerer(const Model& model, const RecommendRequest& request, const Catalog& catalog, AppliedRules& rules)
      : model_(model), request_(request), catalog_(catalog), rules_(rules), work_(workspace())
  {
  }

  // Fills the answer's items.
  void answer(const Question& question, Recommendation& out)
  {
    if (request_.source != Source::blend && !rules_.held_out()) return answer_alone(question, out);
    const bool personal = !rules_.held_out() && propose(model_.state(), question, work_);
    out.tier = personal ? Tier::fresh : Tier::popular;
    const auto most = rules_.most(request_.n);
    if (personal) add_candidates(rules_.only_filters() ? most : work_.features.count());
    if (contenders_.size() < most) add_popular(most, personal);
    arrange(out);
    if (!request_.why_not.empty()) out.why_not = why_not(out, personal);
  }

 private:
  // By one source, and what is popular behind it.
  void answer_alone(const Question& question, Recommendation& out)
  {
    constexpr std::size_t kSpare = 64; // may be refused
    const auto most = rules_.most(request_.n);
    std::vector<Ranked> ranked;
    rank(model_, question, request_.source, most + kSpare, work_, ranked);
    out.tier = ranked.empty() ? Tier::popular : Tier::fresh;
    for (const auto& [item, score] : ranked) {
      if (rules_.only_filters() && contenders_.size() >= most) break;
      add(item, score, std::nullopt);
    }
    from_source_ = contenders_.size();
    if (contenders_.size() < most) add_popular(most, false);
    arrange(out);
    if (!request_.why_not.empty()) out.why_not = why_not(out, false);
  }

  // The best that are not refused, best first: with filters alone, most candidates are never looked at.
  void add_candidates(std::size_t wanted)
  {
    const auto items = work_.features.items();
    std::vector<std::pair<double, std::size_t>> heap;
    heap.reserve(items.size());
    for (std::size_t c = 0; c < items.size(); ++c) heap.emplace_back(work_.scores.exact(c), c);
    const auto worse = [&](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : model_.item(items[a.second]) > model_.item(items[b.second]);
    };
    std::make_heap(heap.begin(), heap.end(), worse);
    for (; contenders_.size() < wanted && !heap.empty(); heap.pop_back()) {
      std::pop_heap(heap.begin(), heap.end(), worse);
      add(items[heap.back().second], heap.back().first, heap.back().second);
    }
    std::stable_sort(contenders_.begin(), contenders_.end(), [](const Contender& a, const Contender& b) {
      return a.score != b.score ? a.score > b.score : a.item < b.item;
    });
  }

  // Popular items behind the others, their scores below the lowest of these. To whom nothing personal is shown, not even what is
  // popular with others of its segments.
  void add_popular(std::size_t most, bool personal)
  {
    if (!rules_.held_out() && model_.state().memberships.segments().size() > 0) segments_ = rules_.segments();
    std::vector<Ranked> popular;
    rank_popular(model_, segments_, kMaxPopular, popular);
    const double best = popular.empty() ? 0 : popular.front().score;
    const double ceiling = contenders_.empty() ? best : contenders_.back().score - 1;
    const auto before = contenders_.size();
    for (const auto& [item, score] : popular) {
      if (rules_.only_filters() && contenders_.size() >= most) return;
      const bool there =
          personal ? std::find(work_.chosen.begin(), work_.chosen.end(), item) != work_.chosen.end() : is_of_the_source(item);
      const bool just_seen = personal && item == work_.question.session.back();
      if (!there && !just_seen) add(item, ceiling - (best - score), std::nullopt);
    }
    std::stable_sort(
        contenders_.begin() + static_cast<std::ptrdiff_t>(before), contenders_.end(),
        [](const Contender& a, const Contender& b) { return a.score != b.score ? a.score > b.score : a.item < b.item; });
  }

  [[nodiscard]] bool is_of_the_source(ItemNumber number) const
  {
    return std::any_of(contenders_.begin(), contenders_.begin() + static_cast<std::ptrdiff_t>(from_source_),
                       [text = model_.item(number)](const Contender& each) { return each.item.text == text; });
  }

  void add(ItemNumber number, double score, std::optional<std::size_t> place)
  {
    Contender contender{ItemId(model_.item(number)), nullptr, score, place, score, {}};
    contender.known = catalog_.find(contender.item);
    if (rules_.refuses(contender.item, contender.known)) return;
    contender.score = rules_.adjusted(score, contender.item, contender.known, request_.why ? &contender.adjustments : nullptr);
    contenders_.push_back(std::move(contender));
  }

  void arrange(Recommendation& out)
  {
    std::vector<RankedItem> ranked;
    ranked.reserve(contenders_.size());
    for (const auto& contender : contenders_) ranked.push_back({&contender.item, contender.known, contender.score});
    arrangement_ = rules_.arrange(ranked, request_.n, !request_.why_not.empty());
    out.items.reserve(arrangement_.items.size());
    for (const auto& chosen : arrangement_.items) {
      auto& item = out.items.emplace_back();
      item.item = *chosen.item;
      item.score = chosen.score;
      if (chosen.offer) item.offer = chosen.rule->name;
      if (chosen.rule) item.say = chosen.rule->say;
      if (chosen.known) request_.fields.append(*chosen.known, item.fields);
      if (request_.why) item.reasons = reasons(chosen);
    }
  }

  [[nodiscard]] std::vector<Contribution> reasons(const Arranged& chosen) const
  {
    std::vector<Contribution> reasons;
    if (chosen.ranked) {
      const auto& contender = contenders_[*chosen.ranked];
      if (contender.place)
        reasons = reasons_of(model_, work_, *contender.place, catalog_);
      else if (*chosen.ranked < from_source_)
        reasons.push_back({std::string(source_name(request_.source)), contender.popularity, {}});
      else
        reasons.push_back(popular_reason(model_, {model_.number_of(contender.item.text), contender.popularity}, segments_));
      for (const auto& adjustment : contender.adjustments) reasons.push_back({"rules", adjustment.added, adjustment.sentence()});
    }
    if (chosen.rule) reasons.push_back({"rules", 0, chosen.sentence()});
    return reasons;
  }

  [[nodiscard]] WhyNot why_not(const Recommendation& out, bool personal)
  {
    const auto& item = request_.why_not;
    for (std::size_t i = 0; i < out.items.size(); ++i)
      if (out.items[i].item == item) return {item, "shown", "it is shown at place " + std::to_string(i + 1), i + 1};
    if (const auto refusal = rules_.refuses(item, catalog_.find(item)))
      return {item, std::string(refusal->name()), refusal->sentence(), std::nullopt};
    for (const auto& left_out : arrangement_.left_out)
      if (contenders_[left_out.ranked].item == item)
        return {item, std::string(left_out.refusal.name()), left_out.refusal.sentence(), left_out.ranked + 1};
    const auto number = model_.number_of(item.text);
    if (number == kUnknownItem) return {item, "never_learned", "the model has learned no click on it", std::nullopt};
    return below(number, out, personal);
  }

  // Its rank, and the source in which the lowest that is shown has most before it.
  [[nodiscard]] WhyNot below(ItemNumber number, const Recommendation& out, bool personal)
  {
    const auto& item = request_.why_not;
    const auto items = work_.features.items();
    const auto found = personal ? std::find(items.begin(), items.end(), number) : items.end();
    if (!personal || found == items.end())
      return {
          item, "no_candidate",
          personal ? "nothing that was seen leads to it, and it is not among the most popular" : "it is not among the most popular",
          std::nullopt};
    const auto place = static_cast<std::size_t>(found - items.begin());
    const double score = rules_.adjusted(work_.scores.exact(place), item, catalog_.find(item));
    std::size_t rank = 1;
    for (std::size_t c = 0; c < items.size(); ++c) {
      const ItemId other(model_.item(items[c]));
      const auto* known = catalog_.find(other);
      if (c != place && !rules_.refuses(other, known) && rules_.adjusted(work_.scores.exact(c), other, known) > score) ++rank;
    }
    std::string detail = "it ranks " + std::to_string(rank) + " among the candidates";
    if (!out.items.empty()) {
      const auto last = std::find(items.begin(), items.end(), model_.number_of(out.items.back().item.text));
      if (last != items.end()) detail += "; " + lacks(place, static_cast<std::size_t>(last - items.begin()));
    }
    return {item, "ranked_below", detail, rank};
  }

  [[nodiscard]] std::string lacks(std::size_t place, std::size_t shown) const
  {
    std::size_t most = 0;
    const auto before = [&](std::size_t g) {
      return work_.scores.part(static_cast<Group>(g), shown) - work_.scores.part(static_cast<Group>(g), place);
    };
    for (std::size_t g = 1; g < kGroups; ++g)
      if (before(g) > before(most)) most = g;
    return "the last one shown has most before it in `" + std::string(group_name(static_cast<Group>(most))) + '`';
  }

  const Model& model_;
  const RecommendRequest& request_;
  const Catalog& catalog_;
  AppliedRules& rules_;
  Workspace& work_;
  std::vector<Contender> contenders_; // best first
  std::size_t from_source_ = 0; // the first so many, where one source answers alone
  std::vector<std::string_view> segments_; // that what is popular was asked for
  Arrangement arrangement_;
};

// --- JSON ------------------------------------------------------------------------------------------------------------------------

using Outcome = Result<void, Reject>;

Outcome read_text(const JsonNode& node, std::size_t most, std::string& out)
{
  if (node.kind != JsonNode::Kind::string) return Reject{std::string(node.key), "not a string"};
  if (const auto checked = check_text(node.text, most); !checked)
    return Reject{std::string(node.key), std::string(checked.error())};
  out = node.text;
  return {};
}

Outcome read_count(const JsonNode& node, std::size_t& out)
{
  const Reject refused{"n", "not a whole number of 1 to 500"};
  if (node.kind != JsonNode::Kind::number) return refused;
  const auto* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, out);
  if (stop != end || error != std::errc{} || out < 1 || out > kMaxCount) return refused;
  return {};
}

Outcome read_recent(const JsonTree& tree, const JsonNode& node, std::vector<ItemId>& out)
{
  if (node.kind != JsonNode::Kind::array) return Reject{"recent", "not an array of items"};
  out.clear();
  for (const auto& element : tree.children(node)) {
    const auto name = "recent[" + std::to_string(out.size()) + "]";
    if (out.size() == kMaxRecent) return Reject{"recent", "over 256 items"};
    if (element.kind != JsonNode::Kind::string) return Reject{name, "not a string"};
    if (const auto checked = check_text(element.text, kMaxCustomerBytes); !checked)
      return Reject{name, std::string(checked.error())};
    out.emplace_back(element.text);
  }
  return {};
}

Outcome read_at(const JsonNode& node, std::optional<Timestamp>& out)
{
  const bool digits = node.kind == JsonNode::Kind::number;
  if (!digits && node.kind != JsonNode::Kind::string) return Reject{"at", std::string(kNotATime)};
  const auto time = digits ? read_milliseconds(node.text) : read_rfc3339(node.text);
  if (!time) return Reject{"at", std::string(time.error())};
  out = *time;
  return {};
}

Outcome read_member(const JsonTree& tree, const JsonNode& node, RecommendRequest& out)
{
  if (node.key == "customer") return read_text(node, kMaxCustomerBytes, out.customer.text);
  if (node.key == "slot") return read_text(node, kMaxStringBytes, out.slot.text);
  if (node.key == "why_not") return read_text(node, kMaxCustomerBytes, out.why_not.text);
  if (node.key == "item") return read_text(node, kMaxCustomerBytes, out.item.text);
  if (node.key == "n") return read_count(node, out.n);
  if (node.key == "recent") return read_recent(tree, node, out.recent);
  if (node.key == "at") return read_at(node, out.at);
  if (node.key == "fields") {
    if (node.kind != JsonNode::Kind::string) return Reject{"fields", "not a string"};
    auto fields = ItemFields::parse(node.text);
    if (!fields) return fields.error();
    out.fields = *fields;
    return {};
  }
  if (node.key == "why") {
    if (node.kind != JsonNode::Kind::boolean) return Reject{"why", "not true or false"};
    out.why = node.truth;
    return {};
  }
  return Reject{shown(node.key), "unknown key"};
}

void append_member(std::string_view name, std::string_view text, std::string& out)
{
  out += ",\"";
  out += name;
  out += "\":";
  append_json_string(text, out);
}

void append_member(std::string_view name, std::uint64_t number, std::string& out)
{
  out += ",\"";
  out += name;
  out += "\":";
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_reasons(const std::vector<Contribution>& reasons, std::string& out)
{
  out += ",\"reasons\":[";
  for (const auto& reason : reasons) {
    if (out.back() != '[') out += ',';
    out += "{\"source\":";
    append_json_string(reason.source, out);
    out += ",\"score\":";
    append_json_number(reason.score, out);
    if (!reason.sentence.empty()) append_member("sentence", reason.sentence, out);
    out += '}';
  }
  out += ']';
}

void append_why_not(const WhyNot& why_not, std::string& out)
{
  out += ",\"why_not\":{\"item\":";
  append_json_string(why_not.item.text, out);
  append_member("code", why_not.code, out);
  append_member("detail", why_not.detail, out);
  if (why_not.rank) append_member("rank", *why_not.rank, out);
  out += '}';
}

} // namespace

std::string_view tier_name(Tier tier)
{
  switch (tier) {
    case Tier::fresh:
      return "fresh";
    case Tier::cached:
      return "cached";
    case Tier::session:
      return "session";
    case Tier::popular:
      return "popular";
    case Tier::fallback_list:
      return "static";
  }
  return "static";
}

bool is_profile_record(std::string_view json)
{
  if (json.find("\"version\"") == std::string_view::npos) return false;
  thread_local JsonTree tree;
  constexpr int kMostNested = 64;
  return tree.parse(json, kMostNested) && tree.find(tree.root(), "version") != nullptr;
}

Result<RecommendRequest, Reject> parse_request(std::string_view json, const RecommendRequest& defaults)
{
  if (const auto fault = not_an_object(json, kMaxRequestBytes); !fault.empty()) return Reject{"", std::string(fault)};
  thread_local JsonTree tree;
  if (auto parsed = tree.parse(json, 3); !parsed) return Reject{"", std::string(parsed.error())};
  auto request = defaults;
  for (const auto& member : tree.children(tree.root()))
    if (auto read = read_member(tree, member, request); !read) return read.error();
  return request;
}

Recommendation recommend(const Model& model, const Profile* profile, const RecommendRequest& request, const Catalog& catalog,
                         Timestamp now, const Rules& rules, const OfferLedger* ledger)
{
  ATTUNE_ASSERT(request.n <= kMaxCount);
  Recommendation answer;
  answer.customer = request.customer;
  answer.slot = request.slot.empty() ? Slot("home") : request.slot;
  answer.tier = Tier::popular;
  answer.profile_version = profile ? profile->version() : 0;
  answer.model = model.name();
  if (model.state().table.click_count() == 0) {
    answer.degraded = Degraded{"empty_model", "the model has learned no click"};
    return answer;
  }

  const auto in_cart = profile ? cart(*profile) : std::vector<CartLine>{};
  const auto seen = seen_items(profile, in_cart, request, now);
  AppliedRules applied(rules, {profile, &catalog, request.customer, answer.slot, request.item, seen, now}, ledger);
  answer.holdout = applied.held_out();
  auto question = question_of(model, profile, request, answer.slot, seen, in_cart, now);
  question.remind = applied.reminds();
  Answerer(model, request, catalog, applied).answer(question, answer);
  return answer;
}

void append_recommendation_json(const Recommendation& recommendation, bool why, std::string& out)
{
  out += "{\"recommendation\":";
  append_json_string(recommendation.recommendation.text, out);
  if (!recommendation.customer.empty()) append_member("customer", recommendation.customer.text, out);
  append_member("slot", recommendation.slot.text, out);
  out += ",\"items\":[";
  for (const auto& item : recommendation.items) {
    if (out.back() != '[') out += ',';
    out += "{\"item\":";
    append_json_string(item.item.text, out);
    out += ",\"score\":";
    append_json_number(item.score, out);
    out += item.fields;
    if (!item.offer.empty()) append_member("offer", item.offer, out);
    if (!item.say.empty()) append_member("say", item.say, out);
    if (why) append_reasons(item.reasons, out);
    out += '}';
  }
  out += ']';
  append_member("tier", tier_name(recommendation.tier), out);
  append_member("age_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(0, recommendation.age_ms)), out);
  if (recommendation.degraded) {
    out += ",\"degraded\":{\"code\":";
    append_json_string(recommendation.degraded->code, out);
    append_member("detail", recommendation.degraded->detail, out);
    out += '}';
  }
  append_member("profile_version", recommendation.profile_version, out);
  append_member("model", recommendation.model, out);
  if (recommendation.holdout) out += ",\"holdout\":true";
  if (recommendation.why_not) append_why_not(*recommendation.why_not, out);
  out += '}';
}

} // namespace attune
