#include "core/crowd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <queue>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "core/elementary.h"

namespace attune {

namespace {

constexpr std::int64_t kSecond = 1000, kHour = 3600 * kSecond, kDay = 24 * kHour;
constexpr std::uint32_t kNone = 0xFFFF'FFFFU;
constexpr std::size_t kFavourites = 3;

// What a look is at, by what is known of the visit; the rest goes by taste.
constexpr double kAccessory = 0.35, kAccessoryOfOwned = 0.62; // where there are any left to look at
constexpr double kSameDepartment = 0.2;
constexpr double kTaste[kFavourites] = {0.5, 0.25, 0.15}; // what is left is of all departments alike
constexpr double kGoesOn = 0.8, kBotGoesOn = 0.985;
constexpr double kIntoCart = 0.1, kMainIntoCart = 0.16, kNeededIntoCart = 0.4, kOutAgain = 0.06;
constexpr double kBuys = 0.6, kSendsBack = 0.03, kComesForNeed = 0.5;

// Visits by the hour, of 24: few at night, most in the evening.
constexpr std::array<double, 24> kHours = {.3,  .2,  .1, .1, .1,  .2,  .4,  .7,  1,   1.1, 1.1, 1.2,
                                           1.4, 1.2, 1,  1,  1.1, 1.3, 1.6, 1.9, 2.1, 2,   1.4, .7};

// splitmix64 (Steele, Lea, Flood, OOPSLA 2014): the same numbers on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits()
  {
    state_ += 0x9E37'79B9'7F4A'7C15U;
    return mixed(state_);
  }
  static std::uint64_t mixed(std::uint64_t z)
  {
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9U;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBU;
    return z ^ (z >> 31);
  }
  double share() { return static_cast<double>(bits() >> 11) * 0x1p-53; } // [0, 1)
  bool chance(double of) { return share() < of; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(share() * static_cast<double>(n)); }
  // Of an exponential distribution.
  double wait(double mean) { return -mean * static_cast<double>(log_of(static_cast<float>(1 - share()) + 1e-9F)); }

 private:
  std::uint64_t state_;
};

double share_of(std::uint64_t hash)
{
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

std::string base36(std::uint64_t number)
{
  std::string text;
  do {
    text += "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
    number /= 36;
  } while (number != 0);
  std::reverse(text.begin(), text.end());
  return text;
}

enum class Step : std::uint8_t { look, consider, buy, send_back };

struct Taken {
  std::uint32_t item;
  std::int64_t quantity;
};

struct Visit {
  std::int64_t at = 0; // of the next step
  std::uint64_t number = 0;
  std::uint32_t customer = 0;
  bool bot = false;
  Step step = Step::look;
  std::uint32_t current = kNone; // looked at last
  std::uint32_t focus = kNone; // what the visit is about: the last thing with accessories
  std::vector<std::uint32_t> seen; // accessories of the focus
  std::vector<Taken> cart;
  std::uint64_t order = 0; // to be sent back from

  [[nodiscard]] bool in_cart(std::uint32_t item) const
  {
    return std::any_of(cart.begin(), cart.end(), [item](const Taken& line) { return line.item == item; });
  }
};

struct Later {
  bool operator()(const Visit& a, const Visit& b) const { return a.at != b.at ? a.at > b.at : a.number > b.number; }
};

} // namespace

struct Crowd::State {
  State(std::vector<CatalogItem> items, CrowdOptions wanted);

  struct Department {
    std::vector<std::uint32_t> items; // those of most interest first, once an hour
    std::vector<double> sums; // of interest, up to and with each
    [[nodiscard]] double all() const { return sums.back(); }
  };
  struct Customer {
    std::uint32_t owned = kNone; // the last thing with accessories that was bought
  };
  // How a look is chosen: an accessory of `of`, of one department, by taste.
  struct Mixture {
    std::uint32_t of = kNone;
    std::vector<std::uint32_t> accessories;
    double accessory = 0, same = 0, taste = 1;
  };

  void arrive();
  void draw_interest(std::int64_t hour);
  [[nodiscard]] Mixture mixture(const Visit& visit) const;
  [[nodiscard]] double taste(std::uint32_t customer, std::size_t department) const;
  [[nodiscard]] std::array<std::size_t, kFavourites> favourites(std::uint32_t customer) const;
  [[nodiscard]] double likelihood(const Visit& visit, const Mixture& mixture, std::uint32_t item) const;
  std::uint32_t of_department(std::size_t department);
  std::uint32_t choose(const Visit& visit, const Mixture& mixture);
  void judge(const Visit& visit, const Mixture& mixture, std::uint32_t chosen);

  bool act(Visit& visit, Event& event); // false: nothing to tell of this step
  void look(Visit& visit, Event& event);
  bool consider(Visit& visit, Event& event);
  void buy(Visit& visit, Event& event);
  void send_back(Visit& visit, Event& event);
  void name(const Visit& visit, Event& event, EventType type);
  void price(std::uint32_t item, Event& event) const;

  CrowdOptions options;
  std::string prefix; // of event, session and order ids, of seed and start, so that two crowds may share a log
  std::vector<CatalogItem> items;
  Random random;
  std::vector<Department> departments;
  std::vector<std::size_t> department; // of each item
  std::vector<std::vector<std::uint32_t>> accessories; // of each item
  std::vector<double> charm, interest; // of each item: for good; in this hour
  std::vector<Customer> customers;
  std::priority_queue<Visit, std::vector<Visit>, Later> visits;
  std::int64_t next_visit = 0, hour = -1;
  std::uint64_t visits_made = 0, events_made = 0;
  std::optional<CrowdTruth> truth;
};

Crowd::State::State(std::vector<CatalogItem> given, CrowdOptions wanted)
    : options(wanted),
      prefix(base36(options.seed) + '-' + base36(static_cast<std::uint64_t>(options.start.ms)) + '-'),
      items(std::move(given)),
      random(options.seed)
{
  ATTUNE_ASSERT(items.size() >= 2 && options.customers >= 1);
  std::map<std::string, std::uint32_t, std::less<>> places;
  std::map<std::string, std::size_t, std::less<>> names;
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    places.emplace(items[i].item.text, i);
    const auto& categories = items[i].categories;
    const auto [found, added] = names.emplace(categories.empty() ? std::string() : categories.back(), departments.size());
    if (added) departments.emplace_back();
    department.push_back(found->second);
    departments[found->second].items.push_back(i);
  }
  accessories.resize(items.size());
  std::vector<bool> needed(items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i)
    for (const auto& accessory : items[i].accessories)
      if (const auto found = places.find(accessory.text); found != places.end() && found->second != i) {
        accessories[i].push_back(found->second);
        needed[found->second] = true;
      }
  // Interest falls with the rank, and the ranks are dealt by the seed; for what only goes with something else it is less.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> ranks;
  for (std::uint32_t i = 0; i < items.size(); ++i)
    ranks.emplace_back(Random::mixed(options.seed ^ (i + 1) * 0x9E37'79B9'7F4A'7C15U), i);
  std::sort(ranks.begin(), ranks.end());
  charm.resize(items.size());
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto item = ranks[rank].second;
    charm[item] = (needed[item] ? 0.3 : 1.0) / (static_cast<double>(rank) + 6);
  }
  interest = charm;
  customers.resize(options.customers);
  next_visit = options.start.ms;
}

// Trends: a rise over a day and a half and a fall over three, again every 8 to 24 days.
void Crowd::State::draw_interest(std::int64_t at)
{
  hour = at;
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    interest[i] = charm[i];
    const auto hash = Random::mixed(options.seed + 0x51ED'270BU * (i + 1));
    if (hash % 8 != 0) continue;
    const double every = 8 + 16 * share_of(Random::mixed(hash));
    const double days = static_cast<double>(at) / 24 + every * share_of(Random::mixed(hash + 1));
    const double since = std::fmod(days, every);
    const double height = since < 1.5 ? since / 1.5 : since < 4.5 ? (4.5 - since) / 3 : 0;
    interest[i] = charm[i] * (1 + 4 * height);
  }
  for (auto& each : departments) {
    std::sort(each.items.begin(), each.items.end(),
              [&](std::uint32_t a, std::uint32_t b) { return interest[a] != interest[b] ? interest[a] > interest[b] : a < b; });
    each.sums.clear();
    double sum = 0;
    for (const auto item : each.items) each.sums.push_back(sum += interest[item]);
  }
}

std::array<std::size_t, kFavourites> Crowd::State::favourites(std::uint32_t customer) const
{
  std::array<std::size_t, kFavourites> all{};
  const auto hash = Random::mixed(options.seed ^ 0xC0FF'EE00'0000'0000U ^ customer);
  for (std::size_t i = 0; i < kFavourites; ++i) all[i] = Random::mixed(hash + i) % departments.size();
  return all;
}

double Crowd::State::taste(std::uint32_t customer, std::size_t of) const
{
  double share = 1, weight = 0;
  const auto all = favourites(customer);
  for (std::size_t i = 0; i < kFavourites; ++i) {
    share -= kTaste[i];
    if (all[i] == of) weight += kTaste[i];
  }
  return weight + share / static_cast<double>(departments.size());
}

Crowd::State::Mixture Crowd::State::mixture(const Visit& visit) const
{
  Mixture made;
  if (visit.focus != kNone) {
    for (const auto each : accessories[visit.focus])
      if (each != visit.current && std::find(visit.seen.begin(), visit.seen.end(), each) == visit.seen.end())
        made.accessories.push_back(each);
    const bool owned = visit.in_cart(visit.focus) || customers[visit.customer].owned == visit.focus;
    if (!made.accessories.empty()) made.accessory = owned ? kAccessoryOfOwned : kAccessory;
  }
  made.same = visit.current == kNone ? 0 : kSameDepartment;
  made.taste = 1 - made.accessory - made.same;
  return made;
}

// Of an item, before it is said that the one looked at last is not looked at again.
double Crowd::State::likelihood(const Visit& visit, const Mixture& mixture, std::uint32_t item) const
{
  const auto in = department[item];
  const double within = interest[item] / departments[in].all();
  double sum = mixture.taste * taste(visit.customer, in) * within;
  if (visit.current != kNone && in == department[visit.current]) sum += mixture.same * within;
  if (std::find(mixture.accessories.begin(), mixture.accessories.end(), item) != mixture.accessories.end())
    sum += mixture.accessory / static_cast<double>(mixture.accessories.size());
  return sum;
}

std::uint32_t Crowd::State::of_department(std::size_t which)
{
  const auto& from = departments[which];
  const double point = random.share() * from.all();
  const auto found = std::upper_bound(from.sums.begin(), from.sums.end(), point);
  return from.items[std::min(static_cast<std::size_t>(found - from.sums.begin()), from.items.size() - 1)];
}

std::uint32_t Crowd::State::choose(const Visit& visit, const Mixture& mixture)
{
  for (;;) {
    std::uint32_t item = 0;
    double point = random.share();
    if (visit.bot) {
      item = static_cast<std::uint32_t>(random.below(items.size()));
    } else if (point < mixture.accessory) {
      item = mixture.accessories[random.below(mixture.accessories.size())];
    } else if (point < mixture.accessory + mixture.same) {
      item = of_department(department[visit.current]);
    } else {
      point = random.share();
      std::size_t which = 0;
      const auto all = favourites(visit.customer);
      while (which < kFavourites && point >= kTaste[which]) point -= kTaste[which++];
      item = of_department(which < kFavourites ? all[which] : random.below(departments.size()));
    }
    if (item != visit.current) return item;
  }
}

void Crowd::State::judge(const Visit& visit, const Mixture& mixture, std::uint32_t chosen)
{
  auto& found = truth.emplace();
  const auto add = [&](std::uint32_t item, double probability) {
    if (item != visit.current) found.best.push_back({item, probability});
  };
  if (visit.bot) {
    const double each = 1 / static_cast<double>(items.size() - 1);
    for (std::uint32_t i = 0; i < items.size() && i <= CrowdTruth::kMost; ++i) add(i, each);
    found.probability = each;
  } else {
    const double others = 1 - likelihood(visit, mixture, visit.current);
    // Within a department the order is that of interest, but for accessories.
    std::vector<std::uint32_t> candidates = mixture.accessories;
    for (const auto& each : departments)
      for (std::size_t i = 0; i < each.items.size() && i < CrowdTruth::kMost + 1; ++i) candidates.push_back(each.items[i]);
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    for (const auto item : candidates) add(item, likelihood(visit, mixture, item) / others);
    found.probability = likelihood(visit, mixture, chosen) / others;
  }
  std::stable_sort(found.best.begin(), found.best.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  if (found.best.size() > CrowdTruth::kMost) found.best.resize(CrowdTruth::kMost);
  for (std::size_t i = 0; i < found.best.size(); ++i)
    if (found.best[i].item == chosen) found.rank = i + 1;
}

void Crowd::State::arrive()
{
  Visit visit;
  visit.at = next_visit;
  visit.number = ++visits_made;
  visit.bot = random.chance(options.bots);
  // The square: some come often.
  const double point = random.share();
  visit.customer = static_cast<std::uint32_t>(point * point * static_cast<double>(customers.size()));
  if (visit.bot) visit.customer %= 100;
  if (const auto& customer = customers[visit.customer]; !visit.bot && customer.owned != kNone && random.chance(kComesForNeed))
    visit.focus = customer.owned;
  visits.push(std::move(visit));
  const double per_hour = static_cast<double>(customers.size()) * options.visits / 24;
  const auto of_day = static_cast<std::size_t>((next_visit % kDay + kDay) % kDay / kHour);
  next_visit += 1 + static_cast<std::int64_t>(random.wait(static_cast<double>(kHour) / (per_hour * kHours[of_day])));
}

void Crowd::State::name(const Visit& visit, Event& event, EventType type)
{
  event.clear();
  event.type = type;
  event.time = Timestamp{visit.at};
  event.id = EventId(prefix + base36(++events_made));
  event.customer = CustomerId((visit.bot ? "bot-" : "c-") + std::to_string(visit.customer + 1));
  event.session = SessionId(prefix + 's' + base36(visit.number));
}

void Crowd::State::price(std::uint32_t item, Event& event) const
{
  if (!items[item].price) return;
  event.price = items[item].price;
  event.currency = items[item].currency;
}

void Crowd::State::look(Visit& visit, Event& event)
{
  const auto how = mixture(visit);
  const auto item = choose(visit, how);
  if (options.truth && visit.current != kNone) judge(visit, how, item);
  name(visit, event, EventType::view);
  event.item = items[item].item;
  if (!items[item].categories.empty()) event.category = items[item].categories.front();
  const bool needed = visit.focus != kNone && std::find(accessories[visit.focus].begin(), accessories[visit.focus].end(), item) !=
                                                  accessories[visit.focus].end();
  if (needed) {
    visit.seen.push_back(item);
  } else if (!accessories[item].empty()) {
    visit.focus = item;
    visit.seen.clear();
  }
  visit.current = item;
  visit.step = visit.bot ? Step::look : Step::consider;
  if (visit.bot && !random.chance(kBotGoesOn)) visit.step = Step::buy;
  visit.at +=
      visit.bot ? 300 + static_cast<std::int64_t>(random.wait(700)) : 3 * kSecond + static_cast<std::int64_t>(random.wait(25'000));
}

// After a look: into the cart, perhaps out of it again; then on, or to the end.
bool Crowd::State::consider(Visit& visit, Event& event)
{
  const auto item = visit.current;
  const bool needed = visit.focus != kNone && visit.focus != item;
  const bool wanted = (needed && (visit.in_cart(visit.focus) || customers[visit.customer].owned == visit.focus)) &&
                      std::find(visit.seen.begin(), visit.seen.end(), item) != visit.seen.end();
  visit.step = random.chance(kGoesOn) ? Step::look : Step::buy;
  if (visit.in_cart(item)) {
    if (!random.chance(kOutAgain)) return false;
    std::erase_if(visit.cart, [item](const Taken& line) { return line.item == item; });
    name(visit, event, EventType::cart_remove);
  } else if (random.chance(wanted ? kNeededIntoCart : accessories[item].empty() ? kIntoCart : kMainIntoCart)) {
    const std::int64_t quantity = random.chance(0.08) ? 2 : 1;
    visit.cart.push_back({item, quantity});
    name(visit, event, EventType::cart_add);
    event.quantity = quantity;
    price(item, event);
  } else {
    return false;
  }
  event.item = items[item].item;
  visit.at += 2 * kSecond + static_cast<std::int64_t>(random.wait(6'000));
  return true;
}

void Crowd::State::buy(Visit& visit, Event& event)
{
  name(visit, event, EventType::purchase);
  event.order = OrderId(prefix + 'o' + base36(visit.number));
  auto& customer = customers[visit.customer];
  for (const auto& [item, quantity] : visit.cart) {
    event.items.push_back({items[item].item, quantity, items[item].price});
    if (event.currency.empty()) event.currency = items[item].currency;
    if (!accessories[item].empty()) customer.owned = item;
  }
  if (!random.chance(kSendsBack)) return;
  Visit back;
  back.at = visit.at + kDay + static_cast<std::int64_t>(random.wait(4.0 * kDay));
  back.number = ++visits_made;
  back.customer = visit.customer;
  back.order = visit.number;
  back.cart = {visit.cart[random.below(visit.cart.size())]};
  back.step = Step::send_back;
  visits.push(std::move(back));
}

void Crowd::State::send_back(Visit& visit, Event& event)
{
  name(visit, event, EventType::refund);
  event.order = OrderId(prefix + 'o' + base36(visit.order));
  const auto& [item, quantity] = visit.cart.front();
  event.items.push_back({items[item].item, quantity, items[item].price});
  event.currency = items[item].currency;
}

bool Crowd::State::act(Visit& visit, Event& event)
{
  switch (visit.step) {
    case Step::look:
      look(visit, event);
      visits.push(std::move(visit));
      return true;
    case Step::consider: {
      const bool told = consider(visit, event);
      visits.push(std::move(visit));
      return told;
    }
    case Step::buy:
      if (visit.cart.empty() || !random.chance(kBuys)) return false;
      buy(visit, event);
      return true;
    case Step::send_back:
      send_back(visit, event);
      return true;
  }
  return false;
}

Crowd::Crowd(std::vector<CatalogItem> catalog, CrowdOptions options) : state_(std::make_unique<State>(std::move(catalog), options))
{
}

Crowd::~Crowd() = default;

void Crowd::next(Event& event)
{
  auto& state = *state_;
  for (;;) {
    while (state.visits.empty() || state.visits.top().at > state.next_visit) state.arrive();
    auto visit = state.visits.top();
    state.visits.pop();
    const auto hour = visit.at / kHour;
    if (hour != state.hour) state.draw_interest(hour);
    state.truth.reset();
    if (state.act(visit, event)) return;
  }
}

const CrowdTruth* Crowd::truth() const
{
  return state_->truth ? &*state_->truth : nullptr;
}

const std::vector<CatalogItem>& Crowd::catalog() const
{
  return state_->items;
}

double CrowdTruth::expected_hit() const
{
  double sum = 0;
  for (const auto& each : best) sum += each.probability;
  return sum;
}

double CrowdTruth::expected_reciprocal_rank() const
{
  double sum = 0;
  for (std::size_t i = 0; i < best.size(); ++i) sum += best[i].probability / static_cast<double>(i + 1);
  return sum;
}

} // namespace attune
