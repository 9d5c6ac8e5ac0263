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

Question question_of(const Model& model, const Profile* profile, const RecommendRequest& request,
                     const std::vector<CartLine>& in_cart, Timestamp now)
{
  Question question;
  for (const auto& item : seen_items(profile, in_cart, request, now)) {
    const auto number = model.number_of(item.text);
    if (question.session.empty() || question.session.back() != number) question.session.push_back(number);
  }
  question.slot = model.slot_of(request.slot.text);
  if (!request.customer.empty()) question.self = model.state().table.newest_of(session_key(request.customer, {}).customer);
  if (!profile) return question;
  // The sessions of the profile, newest first, but the one that is asked from.
  const auto visits = sessions(*profile);
  for (auto visit = visits.rbegin(); visit != visits.rend(); ++visit) {
    if (visit == visits.rbegin()) continue;
    for (auto item = visit->items.rbegin(); item != visit->items.rend() && question.earlier.size() < kMaxEarlier; ++item)
      if (const auto number = model.number_of(item->text); number != kUnknownItem) question.earlier.push_back(number);
  }
  return question;
}

// --- What may be shown -----------------------------------------------------------------------------------------------------------

class Filter {
 public:
  Filter(const Model& model, const Catalog& catalog, Timestamp now) : model_(model), catalog_(catalog), now_(now) {}

  void leave_out(ItemNumber item)
  {
    if (item != kUnknownItem) left_out_.push_back(item);
  }
  [[nodiscard]] bool admits(ItemNumber item) const
  {
    if (std::find(left_out_.begin(), left_out_.end(), item) != left_out_.end()) return false;
    if (catalog_.size() == 0) return true;
    const auto* known = catalog_.find(ItemId(model_.item(item)));
    return known && !known->deleted && (!known->stock || *known->stock > 0) && (!known->expires || *known->expires > now_);
  }

 private:
  const Model& model_;
  const Catalog& catalog_;
  Timestamp now_;
  std::vector<ItemNumber> left_out_;
};

// --- The answer ------------------------------------------------------------------------------------------------------------------

// A candidate by its place in the workspace.
struct Placed {
  std::size_t place = 0;
  double score = 0;
};

Workspace& workspace()
{
  thread_local Workspace kept;
  return kept;
}

// The best that the filter admits, best first: most are never looked at.
std::vector<Placed> best_of(const Model& model, const Workspace& work, const Filter& filter, std::size_t n)
{
  const auto items = work.features.items();
  std::vector<Placed> heap;
  heap.reserve(items.size());
  for (std::size_t c = 0; c < items.size(); ++c) heap.push_back({c, work.scores.exact(c)});
  const auto worse = [&](const Placed& a, const Placed& b) {
    return a.score != b.score ? a.score < b.score : model.item(items[a.place]) > model.item(items[b.place]);
  };
  std::make_heap(heap.begin(), heap.end(), worse);
  std::vector<Placed> best;
  for (; best.size() < n && !heap.empty(); heap.pop_back()) {
    std::pop_heap(heap.begin(), heap.end(), worse);
    if (filter.admits(items[heap.back().place])) best.push_back(heap.back());
  }
  return best;
}

// Popular items behind the others, their scores below the lowest of these.
void fill_with_popular(const Model& model, const Filter& filter, const RecommendRequest& request, Recommendation& answer)
{
  const auto& popularity = model.state().popularity;
  const double most = popularity.best_value(Window::middle);
  const double ceiling = answer.items.empty() ? most : answer.items.back().score - 1;
  for (const auto item : popularity.best(Window::middle)) {
    if (answer.items.size() == request.n) return;
    const auto id = model.item(item);
    const bool there =
        std::any_of(answer.items.begin(), answer.items.end(), [id](const RecommendedItem& other) { return other.item.text == id; });
    if (there || !filter.admits(item)) continue;
    const Ranked ranked{item, ceiling - (most - popularity.value(Window::middle, item))};
    answer.items.push_back({ItemId(id), ranked.score, {}});
    if (request.why) answer.items.back().reasons.push_back(popular_reason(model, ranked));
  }
}

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
  if (node.key == "item") return read_text(node, kMaxCustomerBytes, out.item.text);
  if (node.key == "n") return read_count(node, out.n);
  if (node.key == "recent") return read_recent(tree, node, out.recent);
  if (node.key == "at") return read_at(node, out.at);
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
                         Timestamp now)
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
  const auto question = question_of(model, profile, request, in_cart, now);
  Filter filter(model, catalog, now);
  if (!question.session.empty()) filter.leave_out(question.session.back());
  for (const auto& line : in_cart) filter.leave_out(model.number_of(line.item.text));

  auto& work = workspace();
  if (propose(model.state(), question, work)) {
    answer.tier = Tier::fresh;
    for (const auto& chosen : best_of(model, work, filter, request.n)) {
      answer.items.push_back({ItemId(model.item(work.features.items()[chosen.place])), chosen.score, {}});
      if (request.why) answer.items.back().reasons = reasons_of(model, work, chosen.place, catalog);
    }
  }
  fill_with_popular(model, filter, request, answer);
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
  out += '}';
}

} // namespace attune
