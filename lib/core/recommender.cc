#include "core/recommender.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"
#include "core/canonical_json.h"
#include "core/field_rules.h"
#include "core/json_tree.h"
#include "core/model_index.h"
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

// --- What may be shown -----------------------------------------------------------------------------------------------------------

class Filter {
 public:
  Filter(const SessionTable& table, const Catalog& catalog, Timestamp now) : table_(table), catalog_(catalog), now_(now) {}

  void leave_out(ItemNumber item)
  {
    if (item != kUnknownItem) left_out_.push_back(item);
  }
  [[nodiscard]] bool admits(ItemNumber item) const
  {
    if (std::find(left_out_.begin(), left_out_.end(), item) != left_out_.end()) return false;
    if (catalog_.size() == 0) return true;
    const auto* known = catalog_.find(table_.items[item]);
    return known && !known->deleted && (!known->stock || *known->stock > 0) && (!known->expires || *known->expires > now_);
  }

 private:
  const SessionTable& table_;
  const Catalog& catalog_;
  Timestamp now_;
  std::vector<ItemNumber> left_out_;
};

// Takes the best candidates that the filter admits off the list, best first: most are never looked at.
std::vector<Candidate> best_of(std::vector<Candidate>& list, std::size_t n, const Filter& filter)
{
  const auto worse = [](const Candidate& a, const Candidate& b) {
    const double left = a.score();
    const double right = b.score();
    return left != right ? left < right : a.item > b.item;
  };
  std::make_heap(list.begin(), list.end(), worse);
  std::vector<Candidate> best;
  best.reserve(n);
  while (best.size() < n && !list.empty()) {
    std::pop_heap(list.begin(), list.end(), worse);
    if (list.back().score() > 0 && filter.admits(list.back().item)) best.push_back(list.back());
    list.pop_back();
  }
  return best;
}

// --- Why -------------------------------------------------------------------------------------------------------------------------

std::string_view shown_name(const ItemId& item, const Catalog& catalog)
{
  const auto* known = catalog.find(item);
  return known && !known->name.empty() ? std::string_view(known->name) : std::string_view(item.text);
}

std::string days_or_hours(Milliseconds length)
{
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(length).count();
  const bool days = hours % 24 == 0;
  const auto count = days ? hours / 24 : hours;
  if (count == 1) return days ? "day" : "hour";
  return std::to_string(count) + (days ? " days" : " hours");
}

std::string popular_sentence(const Popularity::Evidence& evidence, Milliseconds half_life)
{
  std::size_t among = 10;
  while (among < evidence.rank) among *= 10;
  std::string sentence = evidence.rank == 1 ? "the most popular of all" : "among the " + std::to_string(among) + " most popular";
  if (evidence.recent_clicks == 1) sentence += ", seen once in the last " + days_or_hours(half_life);
  if (evidence.recent_clicks > 1)
    sentence += ", seen " + std::to_string(evidence.recent_clicks) + " times in the last " + days_or_hours(half_life);
  return sentence;
}

std::string neighbour_sentence(const Neighbours::Evidence& evidence, ItemNumber item, const SessionTable& table,
                               const Catalog& catalog)
{
  const auto of = std::to_string(evidence.of) + (evidence.of == 1 ? " similar session" : " similar sessions");
  if (evidence.beside == item) return "seen in this visit, as in " + of;
  return "seen next to " + std::string(shown_name(table.items[evidence.beside], catalog)) + " in " + std::to_string(evidence.with) +
         " of " + of;
}

// --- The answer ------------------------------------------------------------------------------------------------------------------

// What one thread keeps between answers.
struct Scratch {
  Candidates candidates;
  std::vector<Neighbour> neighbours;
};

Scratch& scratch()
{
  thread_local Scratch kept;
  return kept;
}

std::vector<Candidate> rank(const Model::Index& index, const NeighbourQuestion& question, const Filter& filter, std::size_t n,
                            Scratch& work)
{
  work.candidates.begin(index.table.items.size());
  index.neighbours.find(question, index.options, work.neighbours);
  index.neighbours.add(question, work.neighbours, work.candidates);
  auto ranked = best_of(work.candidates.list(), n, filter);
  if (ranked.size() == n) return ranked;

  // All that the neighbours speak for has been taken off the list; the popular come behind the last of them.
  const double ceiling = ranked.empty() ? 1 : ranked.back().score() / 2;
  index.popularity.fill(
      n - ranked.size(), ceiling, [&](ItemNumber item) { return filter.admits(item); }, work.candidates);
  for (auto& candidate : best_of(work.candidates.list(), n - ranked.size(), filter)) ranked.push_back(candidate);
  return ranked;
}

std::vector<Contribution> reasons(const Candidate& candidate, const Model::Index& index, const NeighbourQuestion& question,
                                  const std::vector<Neighbour>& neighbours, const Catalog& catalog)
{
  std::vector<Contribution> reasons;
  for (std::size_t i = 0; i < kSources; ++i) {
    if (candidate.columns[i] == 0) continue;
    std::string sentence;
    switch (static_cast<Source>(i)) {
      case Source::neighbours:
        sentence =
            neighbour_sentence(index.neighbours.why(question, neighbours, candidate.item), candidate.item, index.table, catalog);
        break;
      case Source::popular:
        sentence = popular_sentence(index.popularity.why(candidate.item), index.options.popular_half_life);
        break;
    }
    reasons.push_back({std::string(kSourceNames[i]), candidate.columns[i], std::move(sentence)});
  }
  return reasons;
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
    append_member("sentence", reason.sentence, out);
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
  const auto& index = model.index();
  ATTUNE_ASSERT(index.frozen() && request.n <= kMaxCount);
  Recommendation answer;
  answer.customer = request.customer;
  answer.slot = request.slot.empty() ? Slot("home") : request.slot;
  answer.tier = Tier::popular;
  answer.profile_version = profile ? profile->version() : 0;
  answer.model = model.name();
  if (index.table.clicks() == 0) {
    answer.degraded = Degraded{"empty_model", "the model has learned no click"};
    return answer;
  }

  const auto in_cart = profile ? cart(*profile) : std::vector<CartLine>{};
  const auto seen = seen_items(profile, in_cart, request, now);
  std::vector<ItemNumber> session;
  for (const auto& item : seen) session.push_back(index.number_of(item));
  const NeighbourQuestion question(session, index.options.last_items);
  Filter filter(index.table, catalog, now);
  if (!session.empty()) filter.leave_out(session.back());
  for (const auto& line : in_cart) filter.leave_out(index.number_of(line.item));

  auto& work = scratch();
  const auto ranked = rank(index, question, filter, request.n, work);
  answer.items.reserve(ranked.size());
  for (const auto& candidate : ranked) {
    if (candidate.column(Source::neighbours) > 0) answer.tier = Tier::fresh;
    answer.items.push_back({index.table.items[candidate.item], candidate.score(), {}});
    if (request.why) answer.items.back().reasons = reasons(candidate, index, question, work.neighbours, catalog);
  }
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
