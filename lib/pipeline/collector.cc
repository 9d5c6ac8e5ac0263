#include "pipeline/collector.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/event_batch.h"
#include "core/event_json.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

EventType type_at(std::size_t number)
{
  return static_cast<EventType>(number);
}

} // namespace

CustomerId EventBatch::customer() const
{
  if (events.empty()) return {};
  for (const auto& event : events)
    if (event.customer != events.front().customer) return {};
  return events.front().customer;
}

Token EventBatch::token() const
{
  Token token;
  if (customer().empty()) return token;
  for (const auto& event : events) token.add(event);
  return token;
}

// What outlives the collector while the log holds records of it.
struct Collector::Flights {
  CollectorCounts counts;
  std::atomic<std::size_t> bytes{0}, events{0}; // being written
  std::mutex mutex;
  std::condition_variable ended;
  bool end = false;
  std::vector<std::pair<Steady::time_point, std::weak_ptr<Flight>>> open; // in order of their begin; some of them done
  Status log; // why it is at its end

  void refused_by_log(const Error& error)
  {
    // What will not pass by itself and is no fault of one record is the end; but not one's own stop.
    if (worth_retry(error) || error.code == Code::bad_data || error.code == Code::stopped) return;
    const std::lock_guard lock(mutex);
    if (log) log = error;
  }
};

// A batch on its way into the log.
struct Collector::Flight {
  std::atomic<std::size_t> waiting{1}; // records, and collect() itself
  std::mutex mutex;
  Done done; // until it was told
  Status status; // the first failure
  std::size_t events = 0;
  UnderwayEvents* underway = nullptr;
  std::vector<Event> tokens; // the events that the reply's token may be asked for

  void tell(CollectorCounts& counts, const Status& outcome)
  {
    Done telling;
    {
      const std::lock_guard lock(mutex);
      telling.swap(done);
    }
    if (!telling) return;
    (outcome ? counts.acknowledged : counts.failed) += events;
    if (outcome && !tokens.empty()) underway->put(std::move(tokens));
    telling(outcome);
  }
};

Collector::Collector(CollectorParts parts) : parts_(std::move(parts)), flights_(std::make_shared<Flights>())
{
  for (std::size_t i = 1; i < topics_.size(); ++i) topics_[i] = in_namespace(parts_.name_space, topic_of(type_at(i)));
  watching_ = std::thread([this] { watch(); });
}

Collector::~Collector()
{
  {
    const std::lock_guard lock(flights_->mutex);
    flights_->end = true;
  }
  flights_->ended.notify_all();
  watching_.join();
  for (const auto& [begun, weak] : flights_->open)
    if (const auto flight = weak.lock()) flight->tell(flights_->counts, Error{Code::stopped, "the collector ends"});
}

const CollectorCounts& Collector::counts() const
{
  return flights_->counts;
}

std::size_t Collector::bytes_in_flight() const
{
  return flights_->bytes.load();
}

Status Collector::log_ended() const
{
  const std::lock_guard lock(flights_->mutex);
  return flights_->log;
}

// Looks at what is open a few times in `patience`, so that a batch costs one more push here and no timer of its own.
void Collector::watch()
{
  constexpr int kLooks = 8;
  const auto every = std::max<Milliseconds>(parts_.patience / kLooks, Milliseconds(1));
  std::vector<std::shared_ptr<Flight>> late;
  std::unique_lock lock(flights_->mutex);
  while (!flights_->ended.wait_for(lock, every, [this] { return flights_->end; })) {
    const auto before = Steady::now() - parts_.patience;
    std::erase_if(flights_->open, [&](const auto& each) {
      auto flight = each.second.lock();
      if (!flight) return true;
      if (each.first > before) return false;
      late.push_back(std::move(flight));
      return true;
    });
    lock.unlock();
    for (const auto& flight : late)
      flight->tell(flights_->counts, Error{Code::unreachable, "the log has not taken the events within " +
                                                                  std::to_string(parts_.patience.count()) + " ms"});
    late.clear();
    lock.lock();
  }
}

Result<EventBatch, Reject> Collector::read(std::string_view body) const
{
  auto texts = cut_batch(body);
  if (!texts) return texts.error();
  thread_local EventParser parser;
  EventBatch batch;
  batch.size = texts->size();
  batch.events.reserve(texts->size());
  Entry entry;
  entry.received = parts_.clock->now();
  entry.currency = parts_.currency;
  for (std::size_t i = 0; i < texts->size(); ++i) {
    const auto text = (*texts)[i];
    Event& event = batch.events.emplace_back();
    auto understood = parser.parse(text, event);
    bool changed = true;
    if (understood) {
      if (event.id.empty() && !event.time) parts_.randomness(entry.random);
      auto completed = complete(event, entry);
      if (completed)
        changed = *completed;
      else
        understood = completed.error();
    }
    if (understood) {
      batch.texts.push_back(changed ? std::string_view() : text);
    } else {
      batch.refused.push_back({i, event.id, understood.error(), text});
      batch.events.pop_back();
    }
  }
  return batch;
}

void Collector::collect(const EventBatch& batch, std::string_view source, Done done)
{
  auto& counts = flights_->counts;
  std::size_t bytes = 0;
  thread_local std::vector<std::string> made;
  made.resize(std::max(made.size(), batch.events.size()));
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    made[i].clear();
    if (batch.texts[i].empty()) append_event_json(batch.events[i], made[i]);
    bytes += made[i].size() + batch.texts[i].size();
  }
  const auto events = batch.events.size();
  // A batch that is larger than the bound is let in when nothing else is there.
  const auto before = flights_->bytes.fetch_add(bytes);
  const auto number = flights_->events.fetch_add(events);
  if ((before > 0 && before + bytes > parts_.most_bytes) || (number > 0 && number + events > parts_.most_events)) {
    flights_->bytes -= bytes;
    flights_->events -= events;
    counts.turned_away += events;
    return done(Error{Code::busy, "the log does not take events as fast as they come"});
  }

  for (const auto& refused : batch.refused) {
    ++counts.refused;
    const auto place = std::string(source) + ":" + std::to_string(refused.index);
    if (auto buried = parts_.dead_letters->put({place, refused.why.field, refused.why.reason, refused.text, parts_.clock->now()});
        !buried) {
      flights_->refused_by_log(buried.error());
      flights_->bytes -= bytes;
      flights_->events -= events;
      return done(buried.error());
    }
  }

  auto flight = std::make_shared<Flight>();
  flight->done = std::move(done);
  flight->events = events;
  if (parts_.underway && !batch.customer().empty()) {
    flight->underway = parts_.underway;
    flight->tokens.assign(batch.events.end() - static_cast<std::ptrdiff_t>(std::min(events, UnderwayEvents::kMostOfOne)),
                          batch.events.end());
  }
  {
    const std::lock_guard lock(flights_->mutex);
    flights_->open.emplace_back(Steady::now(), flight);
  }
  const auto land = [flights = flights_, flight](const Status& status) {
    if (!status) {
      const std::lock_guard lock(flight->mutex);
      if (flight->status) flight->status = status;
    }
    if (flight->waiting.fetch_sub(1) == 1) flight->tell(flights->counts, flight->status);
  };
  for (std::size_t i = 0; i < events; ++i) {
    const std::string_view value = batch.texts[i].empty() ? std::string_view(made[i]) : batch.texts[i];
    OutgoingRecord record;
    record.topic = topics_[static_cast<std::size_t>(batch.events[i].type)];
    record.key = batch.events[i].customer.text;
    record.value = value;
    flight->waiting.fetch_add(1);
    const auto size = value.size();
    auto appended = parts_.log->append(record, [flights = flights_, land, size](const Result<Placed>& placed) {
      flights->bytes -= size;
      --flights->events;
      if (!placed) flights->refused_by_log(placed.error());
      land(placed ? Status() : Status(placed.error()));
    });
    if (!appended) {
      flights_->bytes -= size;
      --flights_->events;
      flights_->refused_by_log(appended.error());
      land(appended);
    }
  }
  land({});
}

} // namespace attune
