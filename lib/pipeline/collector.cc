#include "pipeline/collector.h"

#include <algorithm>
#include <mutex>

#include "core/event_batch.h"
#include "core/event_json.h"

namespace attune {

namespace {

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

// A batch on its way into the log.
struct Collector::Flight {
  Done done;
  std::atomic<std::size_t> waiting{1}; // records, and collect() itself
  std::mutex mutex;
  Status status; // the first failure
  std::size_t events = 0;
};

Collector::Collector(CollectorParts parts) : parts_(std::move(parts))
{
  for (std::size_t i = 1; i < topics_.size(); ++i) topics_[i] = in_namespace(parts_.name_space, topic_of(type_at(i)));
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

// What will not pass by itself and is no fault of one record is the end; but not one's own stop.
void Collector::look_at(const Status& status) const
{
  if (status || !parts_.ended || worth_retry(status.error())) return;
  const auto code = status.error().code;
  if (code != Code::bad_data && code != Code::stopped) parts_.ended(status.error());
}

void Collector::collect(const EventBatch& batch, std::string_view source, Done done)
{
  std::size_t bytes = 0;
  for (const auto& refused : batch.refused) {
    ++counts_.refused;
    const auto place = std::string(source) + ":" + std::to_string(refused.index);
    if (auto buried = parts_.dead_letters->put({place, refused.why.field, refused.why.reason, refused.text, parts_.clock->now()});
        !buried) {
      look_at(buried);
      return done(buried.error());
    }
  }
  thread_local std::vector<std::string> made;
  made.resize(std::max(made.size(), batch.events.size()));
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    made[i].clear();
    if (batch.texts[i].empty()) append_event_json(batch.events[i], made[i]);
    bytes += made[i].size() + batch.texts[i].size();
  }
  const auto events = batch.events.size();
  // A batch that is larger than the bound is let in when nothing else is there.
  const auto before = bytes_.fetch_add(bytes);
  const auto number = events_.fetch_add(events);
  if ((before > 0 && before + bytes > parts_.most_bytes) || (number > 0 && number + events > parts_.most_events)) {
    bytes_ -= bytes;
    events_ -= events;
    counts_.turned_away += events;
    return done(Error{Code::busy, "the log does not take events as fast as they come"});
  }

  auto flight = std::make_shared<Flight>();
  flight->done = std::move(done);
  flight->events = events;
  const auto land = [this, flight](const Status& status) {
    if (!status) {
      look_at(status);
      const std::lock_guard lock(flight->mutex);
      if (flight->status) flight->status = status;
    }
    if (flight->waiting.fetch_sub(1) != 1) return;
    if (flight->status)
      counts_.acknowledged += flight->events;
    else
      counts_.failed += flight->events;
    flight->done(flight->status);
  };
  for (std::size_t i = 0; i < events; ++i) {
    const std::string_view value = batch.texts[i].empty() ? std::string_view(made[i]) : batch.texts[i];
    OutgoingRecord record;
    record.topic = topics_[static_cast<std::size_t>(batch.events[i].type)];
    record.key = batch.events[i].customer.text;
    record.value = value;
    flight->waiting.fetch_add(1);
    const auto size = value.size();
    auto appended = parts_.log->append(record, [this, land, size](const Result<Placed>& placed) {
      bytes_ -= size;
      --events_;
      land(placed ? Status() : Status(placed.error()));
    });
    if (!appended) {
      bytes_ -= size;
      --events_;
      land(appended);
    }
  }
  land({});
}

} // namespace attune
