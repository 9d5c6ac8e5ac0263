// Model: what was learned from all sessions, one click at a time: the sessions themselves and their postings (core/session_table.h,
// core/postings.h), what follows and goes with what (core/item_pairs.h), what is popular (core/popularity.h), and how far to trust each
// (core/blend.h).
//
// It learns at every event; the next answer knows. Postings and raw counts are functions of the set of events learned, in whatever
// order and however often they came, as long as nothing was let go of; decayed quantities and weights follow the order. Offline the
// order is (time, id) (core/lesson.h), and the same log gives the same model, byte for byte, in every build.
//
// Memory is bounded: at most max_clicks clicks, sessions let go of soon after they are max_age old, at most kMaxPartners pairs an item;
// under 100 bytes a click kept and 40 a pair. An item takes some 350 bytes; items of which no click is kept are let go of when they are more
// than kLeftItems and one in eight, the longest unused first, but for those that are popular; and then their numbers stand for new items:
// an ItemNumber is good until the model learns. At most kMaxCategories categories are told apart.
//
// How old is too old is told from the time that several customers were active at (core/supported_time.h): no clock of one makes a model forget,
// and none makes it keep: a session more than a day ahead of that time goes when it stands before one that is too old.
//
// Not synchronized. All const functions, encode() and rank() (core/ranking.h) among them, may run side by side in any number of threads;
// every other function needs the model to itself. So a daemon answers and writes its snapshot under a shared lock, and learns under an
// exclusive one: while a snapshot is written answers go on, and lessons wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/position.h"
#include "core/event.h"
#include "core/lesson.h"
#include "core/offer_ledger.h"
#include "core/question.h"

namespace attune {

struct ModelOptions {
  Milliseconds idle = std::chrono::minutes(30); // clicks without a session id of the site are cut into sessions here
  Milliseconds max_age = std::chrono::hours(
      24 * 400); // sessions are let go of when their last click is this much older than the newest of several customers
  std::uint64_t max_clicks = 5'000'000; // and beyond this many clicks the longest unused go
  std::size_t neighbours = 500; // newest sessions of the last item that are looked at; fewer of earlier ones
  double rate = 0.1; // how far a click moves the weights
  std::uint64_t teach_first = 50'000; // every click teaches weights until so many have,
  std::uint64_t teach_share = 16; // then one in so many, chosen by its id

  // idle 1 ms to 365 days, max_age 1 hour to 36,500 days, max_clicks 1,000 to 2^30, neighbours 1 to 100,000, rate 0 to 10,
  // teach_share 1 to 1,000,000.
  [[nodiscard]] bool valid() const;
  friend bool operator==(const ModelOptions&, const ModelOptions&) = default;
};

inline constexpr std::size_t kMaxCategories = 65'536;

struct ItemFacts;

class Model {
 public:
  explicit Model(const ModelOptions& options = {}); // REQUIRES: options.valid()
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  // Learns views, clicks, cart_add and purchases (one click a line). Forget and consent events take back a customer's sessions and
  // refuse later clicks; what decays already stays as it is. Other types are read over. REQUIRES: the event has id and time.
  // Cost: about 3 us, and an answer's cost for a click that teaches weights. A late click moves what it stands beside, at a cost bounded by
  // kMaxSessionClicks: some 0.1 ms at worst, and 1 ms for what joins a basket of many items.
  void learn(const Event& event, const Surroundings& beside = {});
  void learn(const Lesson& lesson);
  // As learn() of the forget and consent events that made them.
  void refuse(const Refusals& refusals);
  // All of them, in their order, which sort() made. `progress(done)` is called now and then.
  void learn(const Lessons& lessons, const std::function<void(std::size_t)>& progress = {});
  // Becomes what learning both sets of clicks in order gives, with the weights of both, averaged by how much each learned.
  // Positions: of a partition both have read, the smaller stays, since reading again does no harm. REQUIRES: equal options.
  void merge(const Model& other);

  [[nodiscard]] ItemNumber number_of(std::string_view item) const; // kUnknownItem when it was never learned
  [[nodiscard]] std::string_view item(ItemNumber number) const;
  [[nodiscard]] std::uint32_t slot_of(std::string_view slot) const; // 0 when nothing was learned of it
  // What the customer of `key` asks at `time`, as far as the model knows it: this session and earlier ones.
  [[nodiscard]] Question question(const SessionKey& key, std::int64_t time, std::string_view slot = {}) const;
  // The same as of a session of the model, which is the asking one. REQUIRES: question.now.
  void ask_from(SessionNumber session, Question& question) const;

  // Up to where each partition of a log was read, sorted; kept in the file, for people and for whoever goes on from there.
  std::vector<LogPosition> positions;
  // What offers used up to there, kept beside them; not the model's own affair. Merged ones are added up.
  OfferLedger offers;

  // The file (core/model_format.h describes it): magic, version, options, positions, contents, XXH3-64 checksum, given to `sink` in order,
  // in pieces. The same model gives the same bytes. ERRORS: of the sink, which is not called again then. Cost: under 1 us for ten clicks;
  // memory: 4 bytes a session, and 32 an item.
  using Sink = std::function<Status(std::string_view piece)>;
  struct Saved {
    std::uint64_t checksum = 0;
    std::uint64_t learned = 0; // clicks the model had learned by then
    std::uint64_t bytes = 0;
  };
  [[nodiscard]] Result<Saved> encode(const Sink& sink) const;
  // Names the model after a file that encode() made of it.
  void set_saved(const Saved& saved);
  // A model that answers and learns on as the one that was encoded. ERRORS: bad_data with the reason (not a model, another version,
  // cut short, damaged). Total. Cost: under 0.1 us a click.
  static Result<Model> decode(std::string_view bytes);
  // 16 hex digits over the file it was last written to or read from, and "+N" when it learned N clicks since; "new" before that.
  [[nodiscard]] std::string name() const;

  struct Holdings {
    std::uint64_t clicks = 0, sessions = 0, items = 0, pairs = 0, complements = 0; // kept
    std::uint64_t learned = 0, repeated = 0, late = 0, ignored = 0, refused = 0, taught = 0; // since the model began
    std::uint64_t bytes = 0; // of memory, about
    std::optional<Timestamp> oldest, newest;
  };
  [[nodiscard]] Holdings holdings() const; // O(sessions + items)
  [[nodiscard]] const ModelOptions& options() const;

  struct State; // core/model_state.h
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  static Result<Model> decode_contents(std::string_view bytes); // all between the head and the checksum
  void teach(const Lesson& lesson, SessionNumber session, ItemNumber clicked);
  void look_back(SessionNumber session, bool goes_on, Question& question) const;
  void note_repurchase(SessionNumber session, std::uint64_t customer, const Click& click);
  void name_category(std::string_view category, ItemFacts& facts);
  void join_basket(SessionNumber session, ItemNumber item);
  ItemNumber take_number(std::string_view item);
  void grow(ItemNumber item);
  void place_late(const SessionTable::Place& place, const Click& click);
  void take_back(std::uint64_t customer);
  [[nodiscard]] bool is_old(SessionNumber session) const;
  [[nodiscard]] bool holds_up(SessionNumber oldest) const;
  void forget_old();

  std::unique_ptr<State> state_;
};

} // namespace attune
