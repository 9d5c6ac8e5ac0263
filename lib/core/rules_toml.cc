// Reads a rules file into a RuleBook. Everything is judged here, so that an answer never meets a rule that makes no sense.

#include <algorithm>
#include <unordered_set>

#include "core/condition_toml.h"
#include "core/rule_book.h"
#include "core/rule_conflicts.h"
#include "core/rules.h"
#include "core/toml_fields.h"

namespace attune {
namespace {

// They bound what reading a file and asking it can cost.
constexpr std::size_t kMaxRulesOfAKind = 1000;
constexpr std::size_t kMaxSlots = 100;
constexpr std::size_t kMaxSegmentDepth = 16;
constexpr std::int64_t kMaxPlace = 500; // the most an answer may be asked for
constexpr double kMostFactor = 1000;
constexpr double kMostAdded = 1e6;
constexpr std::int64_t kMaxBudget = 1'000'000'000'000;
constexpr std::int64_t kMaxTimes = 10'000;

// One slot's settings as the file has them: those of [default] and of [slot.NAME] over them.
struct SlotDraft {
  SlotRules rules;
  SlotLines lines;
};

class RulesReader {
 public:
  RuleBook read(const toml::table& root)
  {
    TomlFields fields(root, "");
    if (const auto value = fields.take("segment")) read_segments(*value);
    if (const auto value = fields.take("priority")) read_priority(*value);
    if (const auto value = fields.take("holdout")) read_holdout(*value);
    if (const auto value = fields.take("default")) read_slot(*value, other_slots_);
    if (const auto value = fields.take("slot")) read_slots(*value);
    const auto boosts = fields.take("boost");
    const auto burials = fields.take("bury");
    if (boosts) read_boosts(*boosts, false);
    if (burials) read_boosts(*burials, true);
    std::stable_sort(book_.boosts.begin(), book_.boosts.end(),
                     [](const Boost& a, const Boost& b) { return a.rule.line < b.rule.line; });
    if (const auto value = fields.take("pin")) read_pins(*value);
    if (const auto value = fields.take("cap")) read_caps(*value);
    if (const auto value = fields.take("offer")) read_offers(*value);
    fields.done();
    deal_to_slots();
    return std::move(book_);
  }

 private:
  // --- Segments ------------------------------------------------------------------------------------------------------------------

  void read_segments(const TomlValue& value)
  {
    const auto& table = value.table();
    limit(value, table.size(), "segments");
    // Named first, so that one may ask another wherever it stands. A TOML table is sorted by name.
    for (const auto& [key, node] : table) segments_.emplace(key.str(), segments_.size());
    std::vector<Segment> all;
    std::vector<std::size_t> lines;
    TomlFields fields(value);
    for (const auto& [key, node] : table) {
      const auto segment = *fields.take(key.str());
      const ConditionPlace place{{FactScope::customer}, "a segment, which asks for the customer alone"};
      all.push_back({std::string(key.str()), read_condition(segment, place, segments_)});
      lines.push_back(segment.line());
    }
    refuse_cycles(all, lines);
    book_.segments = Segments(std::move(all));
  }

  static void collect_segments(const Condition& condition, std::vector<std::size_t>& out)
  {
    out.insert(out.end(), condition.test.segments.begin(), condition.test.segments.end());
    for (const auto& part : condition.parts) collect_segments(part, out);
  }

  // How many segments deep the asking goes from each; 0: not visited. kOpen: being visited.
  static constexpr std::size_t kOpen = kMaxSegmentDepth + 1;

  struct Walk {
    const std::vector<Segment>& all;
    const std::vector<std::size_t>& lines;
    std::vector<std::size_t> depths;
    std::vector<std::size_t> path; // those that are open
  };

  // Depth first. The depth is bounded whichever segment it begins with, as is the stack.
  static std::size_t visit(Walk& walk, std::size_t at)
  {
    const auto too_deep = [&] {
      return TomlFault{walk.lines[at], "segment." + walk.all[at].name + ": segments that ask segments, over 16 deep"};
    };
    walk.depths[at] = kOpen;
    walk.path.push_back(at);
    if (walk.path.size() > kMaxSegmentDepth) throw too_deep();
    std::vector<std::size_t> asked;
    collect_segments(walk.all[at].when, asked);
    std::size_t depth = 1;
    for (const auto next : asked) {
      if (walk.depths[next] == kOpen) throw TomlFault{walk.lines[next], cycle(walk.all, walk.lines, walk.path, next)};
      depth = std::max(depth, 1 + (walk.depths[next] > 0 ? walk.depths[next] : visit(walk, next)));
    }
    if (depth > kMaxSegmentDepth) throw too_deep();
    walk.path.pop_back();
    walk.depths[at] = depth;
    return depth;
  }

  static std::string cycle(const std::vector<Segment>& all, const std::vector<std::size_t>& lines,
                           const std::vector<std::size_t>& path, std::size_t back)
  {
    std::string reason = "segment." + all[back].name + ": leads back to itself";
    for (auto at = std::find(path.begin(), path.end(), back) + 1; at != path.end(); ++at)
      reason += ", by `" + all[*at].name + "` in line " + std::to_string(lines[*at]);
    return reason;
  }

  static void refuse_cycles(const std::vector<Segment>& all, const std::vector<std::size_t>& lines)
  {
    Walk walk{all, lines, std::vector<std::size_t>(all.size(), 0), {}};
    for (std::size_t i = 0; i < all.size(); ++i)
      if (walk.depths[i] == 0) visit(walk, i);
  }

  // --- Slots ---------------------------------------------------------------------------------------------------------------------

  void read_slots(const TomlValue& value)
  {
    const auto& table = value.table();
    TomlFields fields(value);
    for (const auto& [key, node] : table) {
      auto& draft = slots_.emplace(key.str(), other_slots_).first->second;
      if (slots_.size() > kMaxSlots) value.fail("over 100 slots");
      read_slot(*fields.take(key.str()), draft);
    }
  }

  void read_slot(const TomlValue& value, SlotDraft& draft)
  {
    TomlFields fields(value);
    auto& filters = draft.rules.filters;
    if (const auto most = fields.take("n")) {
      draft.rules.most = static_cast<std::size_t>(most->whole(1, kMaxPlace));
      draft.lines.most = most->line();
    }
    if (const auto lambda = fields.take("lambda")) draft.rules.lambda = lambda->number(0, 1);
    if (const auto remind = fields.take("remind")) filters.reminders = remind->flag();
    if (const auto exclude = fields.take("exclude")) read_exclude(*exclude, draft);
    if (const auto hide = fields.take("hide")) {
      filters.hidden.push_back(std::make_shared<const Condition>(item_condition(*hide)));
      draft.lines.hidden.push_back(hide->line());
    }
    if (const auto filter = fields.take("filter")) read_filters(*filter, filters);
    fields.done();
  }

  static void read_exclude(const TomlValue& value, SlotDraft& draft)
  {
    ExcludeList items;
    for (const auto& element : value.elements()) items.emplace(item_id(element), element.line());
    draft.rules.filters.excluded.push_back(std::make_shared<const ExcludeList>(std::move(items)));
  }

  static void read_filters(const TomlValue& value, FilterSettings& settings)
  {
    TomlFields fields(value);
    for (const auto& [key, flag] : {std::pair{"unlisted", &settings.unlisted},
                                    {"stock", &settings.stock},
                                    {"expired", &settings.expired},
                                    {"in_cart", &settings.in_cart},
                                    {"just_seen", &settings.just_seen}})
      if (const auto on = fields.take(key)) *flag = on->flag();
    if (const auto within = fields.take("purchased_within")) {
      settings.purchased_within.reset();
      if (!is_off(*within)) settings.purchased_within = within->duration();
    }
    if (const auto seen = fields.take("seen")) settings.seen = times_within(*seen);
    if (const auto shown = fields.take("shown")) settings.shown = times_within(*shown);
    fields.done();
  }

  // `false` turns off what [default] turned on.
  static bool is_off(const TomlValue& value) { return value.node.is_boolean() && !value.flag(); }

  static std::optional<TimesWithin> times_within(const TomlValue& value)
  {
    if (is_off(value)) return std::nullopt;
    TomlFields fields(value);
    TimesWithin limit;
    limit.times = static_cast<std::uint32_t>(fields.need("times").whole(1, kMaxTimes));
    limit.within = fields.need("within").duration();
    fields.done();
    return limit;
  }

  // --- Rules ---------------------------------------------------------------------------------------------------------------------

  void read_priority(const TomlValue& value)
  {
    book_.priority = value.texts();
    std::sort(book_.priority.begin(), book_.priority.end());
    for (const auto& name : book_.priority)
      if (!segments_.contains(name)) value.fail("no [segment." + name + "] in this file");
  }

  void read_holdout(const TomlValue& value)
  {
    TomlFields fields(value);
    const double share = fields.need("share").number(0, 1);
    const auto salt = fields.take("salt");
    holdout_salt_ = salt ? salt->text() : "";
    book_.holdout = Holdout(share, holdout_salt_);
    fields.done();
  }

  static ItemId item_id(const TomlValue& value)
  {
    auto text = value.text();
    if (text.size() > kMaxCustomerBytes) value.fail("over 128 bytes");
    return ItemId(std::move(text));
  }

  [[nodiscard]] Condition item_condition(const TomlValue& value) const
  {
    return read_condition(value, {{FactScope::item}, "an item; what asks for the customer stands under `when`"}, segments_);
  }

  static void limit(const TomlValue& value, std::size_t count, std::string_view what)
  {
    if (count > kMaxRulesOfAKind) value.fail("over 1000 " + std::string(what));
  }

  // Every [[kind]] of the file.
  template <class Read>
  void read_each(const TomlValue& value, const Read& read)
  {
    const auto tables = value.tables();
    limit(value, tables.size(), "of a kind");
    for (const auto& table : tables) {
      TomlFields fields(table);
      read(fields, table);
      fields.done();
    }
  }

  // What all rules have. A name is unique among `names`.
  Rule head(TomlFields& fields, const TomlValue& value, std::map<std::string, std::size_t>& names)
  {
    Rule rule;
    rule.line = value.line();
    const auto name = fields.take("name");
    rule.name = name ? name->text() : value.path;
    const auto [at, is_new] = names.emplace(rule.name, rule.line);
    if (!is_new) (name ? *name : value).fail("the name `" + rule.name + "` again, after line " + std::to_string(at->second));
    if (const auto slots = fields.take("slot")) rule.slots = slot_names(*slots);
    if (const auto when = fields.take("when")) {
      rule.when = read_condition(
          *when, {{FactScope::customer, FactScope::request}, "customer or request; what asks for the item stands under `item`"},
          segments_);
      rule.reads_customer = reads_customer(*rule.when);
    }
    const auto from = fields.take("from");
    const auto until = fields.take("until");
    if (from) rule.from = from->time(false);
    if (until) rule.until = until->time(true);
    if (from && until && *rule.from >= *rule.until) until->fail("not after `from` in line " + std::to_string(from->line()));
    if (const auto say = fields.take("say")) rule.say = say->text();
    return rule;
  }

  std::vector<std::string> slot_names(const TomlValue& value)
  {
    auto names = value.texts();
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const auto& name : names) {
      slots_.emplace(name, other_slots_);
      if (slots_.size() > kMaxSlots) value.fail("over 100 slots");
    }
    return names;
  }

  void read_boosts(const TomlValue& value, bool burials)
  {
    read_each(value, [&](TomlFields& fields, const TomlValue& where) {
      Boost boost;
      boost.rule = head(fields, where, boost_names_);
      if (const auto item = fields.take("item")) {
        boost.item = item_condition(*item);
        boost.rule.reads_customer = boost.rule.reads_customer || reads_customer(*boost.item);
      }
      const auto factor = fields.take("factor");
      const auto amount = fields.take(burials ? "subtract" : "add");
      if (factor.has_value() == amount.has_value())
        fields.fail(burials ? "needs one of factor and subtract" : "needs one of factor and add");
      if (factor) boost.factor = burials ? factor->number(0, 1) : factor->number(1, kMostFactor);
      if (amount) boost.add = amount->number(0, kMostAdded) * (burials ? -1 : 1);
      book_.boosts.push_back(std::move(boost));
    });
  }

  static std::size_t place_of(TomlFields& fields) { return static_cast<std::size_t>(fields.need("place").whole(1, kMaxPlace)); }

  void read_pins(const TomlValue& value)
  {
    read_each(value, [this](TomlFields& fields, const TomlValue& where) {
      Pin pin;
      pin.rule = head(fields, where, pin_names_);
      pin.item = item_id(fields.need("item"));
      pin.place = place_of(fields);
      book_.pins.push_back(std::move(pin));
    });
  }

  void read_caps(const TomlValue& value)
  {
    read_each(value, [this](TomlFields& fields, const TomlValue& where) {
      CategoryCap cap;
      cap.rule = head(fields, where, cap_names_);
      const auto category = fields.take("category");
      const auto tag = fields.take("tag");
      if (category && tag) tag->fail("beside `category` in line " + std::to_string(category->line()));
      if (category) cap.category = category->text();
      if (tag) cap.tag = tag->text();
      cap.most = static_cast<std::size_t>(fields.need("most").whole(0, kMaxPlace));
      book_.caps.push_back(std::move(cap));
    });
  }

  template <class Number>
  static void read_count(TomlFields& fields, std::string_view key, std::int64_t least, std::int64_t most,
                         std::optional<Number>& out)
  {
    if (const auto value = fields.take(key)) out = static_cast<Number>(value->whole(least, most));
  }

  void read_offers(const TomlValue& value)
  {
    read_each(value, [this](TomlFields& fields, const TomlValue& where) {
      // Its name stands in ledgers and answers, and deals its holdout: it must not change with its place in the file.
      if (!fields.has("name")) fields.fail("needs `name`");
      Offer offer;
      offer.rule = head(fields, where, offer_names_);
      offer.items = items_of(fields.need("item"));
      offer.place = fields.has("place") ? place_of(fields) : 1;
      if (const auto budget = fields.take("budget")) {
        TomlFields parts(*budget);
        read_count(parts, "impressions", 0, kMaxBudget, offer.impressions);
        read_count(parts, "redemptions", 0, kMaxBudget, offer.redemptions);
        parts.done();
        if (!offer.impressions && !offer.redemptions) budget->fail("needs impressions or redemptions");
      }
      const auto per_customer = fields.take("per_customer");
      if (per_customer) offer.per_customer = static_cast<std::uint32_t>(per_customer->whole(1, kMaxTimes));
      if (const auto per_day = fields.take("per_day")) {
        offer.per_day = static_cast<std::uint32_t>(per_day->whole(1, kMaxTimes));
        if (per_customer && *offer.per_day > *offer.per_customer)
          per_day->fail("over per_customer in line " + std::to_string(per_customer->line()));
      }
      if (const auto share = fields.take("holdout"))
        offer.holdout = Holdout(share->number(0, 1), holdout_salt_ + "/offer/" + offer.rule.name);
      book_.offers.push_back(std::move(offer));
    });
  }

  static std::vector<ItemId> items_of(const TomlValue& value)
  {
    std::vector<ItemId> items;
    if (!value.node.is_array()) {
      items.push_back(item_id(value));
      return items;
    }
    std::unordered_set<ItemId> known;
    for (const auto& element : value.elements()) {
      items.push_back(item_id(element));
      if (!known.insert(items.back()).second) element.fail("`" + items.back().text + "` again");
      if (items.size() > kMaxRulesOfAKind) value.fail("over 1000 items");
    }
    return items;
  }

  // --- What of it is for each slot -----------------------------------------------------------------------------------------------

  template <class Of>
  static std::vector<std::uint32_t> numbers_for(const std::vector<Of>& rules, const std::optional<std::string_view>& slot)
  {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t i = 0; i < rules.size(); ++i)
      if (slot ? is_for(rules[i].rule, *slot) : rules[i].rule.slots.empty()) numbers.push_back(i);
    return numbers;
  }

  // `slot`: nothing for those that the file does not name.
  SlotRules dealt(SlotDraft& draft, const std::optional<std::string_view>& slot) const
  {
    SlotRules rules = std::move(draft.rules);
    rules.boosts = numbers_for(book_.boosts, slot);
    rules.pins = numbers_for(book_.pins, slot);
    rules.caps = numbers_for(book_.caps, slot);
    rules.offers = numbers_for(book_.offers, slot);
    if (auto conflict = conflict_in(book_, rules, draft.lines)) {
      if (slot) conflict->reason += " (slot `" + std::string(*slot) + "`)";
      throw TomlFault{conflict->line, std::move(conflict->reason)};
    }
    return rules;
  }

  void deal_to_slots()
  {
    book_.other_slots = dealt(other_slots_, std::nullopt);
    for (auto& [name, draft] : slots_) book_.slots.emplace(name, dealt(draft, name));
  }

  RuleBook book_;
  SegmentNumbers segments_;
  SlotDraft other_slots_;
  std::map<std::string, SlotDraft, std::less<>> slots_;
  std::string holdout_salt_;
  std::map<std::string, std::size_t> boost_names_; // and lines
  std::map<std::string, std::size_t> pin_names_;
  std::map<std::string, std::size_t> cap_names_;
  std::map<std::string, std::size_t> offer_names_;
};

// One line, whatever stood in the file.
Error rules_error(std::string_view name, std::size_t line, std::string_view reason)
{
  std::string message = std::string(name) + ':' + std::to_string(std::max<std::size_t>(line, 1)) + ": " + std::string(reason);
  std::replace_if(
      message.begin(), message.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }, ' ');
  return Error{Code::config, std::move(message)};
}

// " (first in line 3)" when the text of this line has stood before: of a table that is defined twice the parser names the second alone.
std::string first_in(std::string_view toml, std::size_t line)
{
  std::vector<std::string_view> lines;
  while (lines.size() < line && !toml.empty()) {
    const auto end = std::min(toml.find('\n'), toml.size());
    lines.push_back(toml.substr(0, end));
    toml.remove_prefix(std::min(end + 1, toml.size()));
  }
  if (lines.size() < line) return "";
  const auto first = std::find(lines.begin(), lines.end(), lines.back());
  const auto number = static_cast<std::size_t>(first - lines.begin()) + 1;
  return number == line ? "" : " (first in line " + std::to_string(number) + ')';
}

} // namespace

Result<RuleBook> read_rules(std::string_view toml, std::string_view name)
{
  if (toml.size() > kMaxRulesBytes) return rules_error(name, 1, "over 1 MiB");
  try {
    const toml::table root = toml::parse(toml);
    return RulesReader().read(root);
  } catch (const toml::parse_error& error) {
    const std::size_t line = error.source().begin.line;
    const bool twice = error.description().find("redefine") != std::string_view::npos;
    return rules_error(name, line, std::string(error.description()) + (twice ? first_in(toml, line) : ""));
  } catch (const TomlFault& fault) {
    return rules_error(name, fault.line, fault.reason);
  }
}

} // namespace attune
