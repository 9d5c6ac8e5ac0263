// POST /v1/events: events in, acknowledged once durable; with `slot`, the changed answer in the same reply.
#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/header_words.h"
#include "adapters/http_call.h"
#include "core/canonical_json.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

// JSON by any name that senders have for it: sendBeacon says text/plain, `curl -d` says it is a form.
bool takes(std::string_view type)
{
  const auto media = trimmed(type.substr(0, type.find(';')));
  for (const std::string_view known :
       {"", "application/json", "application/x-ndjson", "application/ndjson", "text/plain", "application/x-www-form-urlencoded"})
    if (same_word(media, known)) return true;
  return false;
}

void append_rejected(const std::vector<Refused>& refused, std::string& out)
{
  out += ",\"rejected\":[";
  for (const auto& each : refused) {
    if (out.back() != '[') out += ',';
    out += "{\"index\":" + std::to_string(each.index);
    const auto member = [&out](std::string_view name, std::string_view text) {
      out += ",\"";
      out += name;
      out += "\":";
      append_json_string(text, out);
    };
    if (!each.id.empty()) member("id", each.id.text);
    if (!each.why.field.empty()) member("field", each.why.field);
    member("reason", each.why.reason);
    out += '}';
  }
  out += ']';
}

// What a reply waits for, all of it on the connection's thread.
struct Reply {
  bool durable = false;
  Status status;
  std::chrono::nanoseconds accepted{0}, durable_after{0};
  bool wants_answer = false;
  std::optional<Answered> answered;
  std::string body; // up to the recommendations

  [[nodiscard]] bool done() const { return durable && (!wants_answer || answered); }
};

} // namespace

void HttpApi::post_events(const CallPtr& call)
{
  if (!parts_.collector) return call->refuse(404, "this process does not collect events");
  if (const auto denied = parts_.access->may_collect(call->who)) return call->refuse(*denied);
  const auto& request = call->request();
  if (const auto type = call->exchange->header("Content-Type"); !takes(type))
    return call->refuse(415, "Content-Type: not JSON", "Content-Type"); // not as it came: a header may hold any bytes
  auto ask = call->ask();
  if (!ask) return call->refuse(ask.error());

  auto read = parts_.collector->read(request.body);
  if (!read) return call->refuse(read.error());
  auto batch = std::make_shared<EventBatch>(std::move(*read));
  if (batch->events.empty() && batch->size == 1) {
    // The one event there was. It still stands in the dead letters.
    parts_.collector->collect(*batch, "http " + std::string(request.remote), [](const Status&) {});
    return call->refuse(batch->refused.front().why);
  }
  for (std::size_t i = 0; i < batch->events.size(); ++i)
    if (auto denied = parts_.access->may_send(call->who, batch->events[i])) return call->refuse(*denied);
  const auto customer = batch->customer();
  const auto now = Steady::now();
  if (parts_.access->limits_customers()) {
    std::vector<std::string_view> customers;
    customers.reserve(batch->events.size());
    for (const auto& event : batch->events) customers.emplace_back(event.customer.text);
    if (too_often(call, std::move(customers))) return;
  }

  auto reply = std::make_shared<Reply>();
  reply->wants_answer = call->query.find("slot") != nullptr;
  if (reply->wants_answer) {
    if (!parts_.answers) return call->refuse(Reject{"slot", "this process does not answer"});
    if (customer.empty()) return call->refuse(Reject{"slot", "the events are of several customers"});
    if (!ask->request.customer.empty() && ask->request.customer != customer)
      return call->refuse(Reject{"customer", "not the events' customer"});
    if (const auto denied = parts_.access->may_read(call->who, customer, ask->request.why || !ask->request.why_not.empty()))
      return call->refuse(*denied);
  }
  const bool why = ask->request.why;
  reply->body = "{\"accepted\":" + std::to_string(batch->events.size());
  append_rejected(batch->refused, reply->body);
  if (const auto token = batch->token(); !token.empty()) reply->body += ",\"token\":\"" + token.text() + '"';
  reply->accepted = now - request.begun;
  parts_.times->took(Stage::accepted, reply->accepted);

  const auto finish = [this, call, reply, why] {
    if (!reply->done()) return;
    if (!reply->status) {
      const bool busy = worth_retry(reply->status.error());
      return call->refuse(503, busy ? reply->status.error().message : "the log does not take events now", {}, kRetryAfterSeconds);
    }
    std::string timing;
    append_timing("accepted", reply->accepted, timing);
    append_timing("durable", reply->durable_after, timing);
    auto body = std::move(reply->body);
    if (reply->answered) {
      append_timing(*reply->answered, timing);
      body += ",\"recommendations\":";
      append_recommendation_json(reply->answered->recommendation, why, body);
      parts_.times->took(Stage::answer, Steady::now() - call->request().begun);
    }
    body += "}\n";
    call->answer_json(202, std::move(body), std::move(timing));
  };

  // The log first: ranking runs while the disk or the broker does.
  const auto source = "http " + std::string(request.remote);
  const std::shared_ptr<RequestThread> thread = call->exchange;
  parts_.collector->collect(*batch, source, [this, thread, reply, finish, begun = now](const Status& status) {
    const auto took = Steady::now() - begun;
    thread->post([this, reply, finish, status, took] {
      reply->durable = true;
      reply->status = status;
      reply->durable_after = took;
      if (status) parts_.times->took(Stage::durable, took);
      finish();
    });
  });
  if (!reply->wants_answer) return;
  ask->request.customer = customer;
  ask->root_allowed = parts_.access->may_read_root(call->who, customer);
  ask->events = std::move(batch->events);
  parts_.answers->answer(thread, std::move(*ask), [this, reply, finish](Answered answered) {
    note(answered);
    reply->answered = std::move(answered);
    finish();
  });
}

} // namespace attune
