// GET /v1/recommendations: an answer. GET /v1/stream: one after the other, whenever it changes (server-sent events).
#include <utility>

#include "adapters/http_call.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kHeartbeat{15}; // keeps proxies and NATs from closing a quiet stream
constexpr Milliseconds kStreamBudget{500}; // for each answer of a stream
constexpr std::chrono::milliseconds kCoalesce{2}; // changes this close together are one

} // namespace

void HttpApi::get_recommendations(const CallPtr& call)
{
  if (!parts_.answers) return call->refuse(404, "this process does not answer");
  auto ask = call->ask();
  if (!ask) return call->refuse(ask.error());
  const auto& wanted = ask->request;
  if (const auto denied = parts_.access->may_read(call->who, wanted.customer, wanted.why || !wanted.why_not.empty()))
    return call->refuse(*denied);
  ask->root_allowed = parts_.access->may_read_root(call->who, wanted.customer);
  if (too_often(call, {wanted.customer.text})) return;
  const bool why = wanted.why;
  parts_.answers->answer(call->exchange, std::move(*ask), [this, call, why](const Answered& answered) {
    parts_.times->took(Stage::profile, answered.profile);
    if (answered.wait.count() > 0) parts_.times->took(Stage::wait, answered.wait);
    parts_.times->took(Stage::rank, answered.rank);
    std::string body;
    body.reserve(1024);
    append_recommendation_json(answered.recommendation, why, body);
    body += '\n';
    parts_.times->took(Stage::answer, Steady::now() - call->request().begun);
    std::string timing;
    append_timing(answered, timing);
    call->answer_json(200, std::move(body), std::move(timing));
  });
}

// One open stream. On its connection's thread. It lives while it is watched for: in the call that its watch holds.
class HttpApi::Streaming : public std::enable_shared_from_this<Streaming> {
 public:
  Streaming(HttpApi& api, std::shared_ptr<HttpExchange> exchange, std::shared_ptr<HttpStream> stream, Ask ask)
      : api_(api), thread_(std::move(exchange)), stream_(std::move(stream)), ask_(std::move(ask))
  {
    ask_.budget = kStreamBudget;
  }

  // False: there are too many watchers.
  bool begin()
  {
    const auto& customer = ask_.request.customer;
    if (!customer.empty()) {
      ticket_ =
          api_.parts_.watchers->watch(customer, [self = shared_from_this()] { self->thread_->post([self] { self->changed(); }); });
      if (!ticket_) return false;
    }
    stream_->on_closed([self = shared_from_this()] { self->close(); });
    answer();
    beat();
    return true;
  }

 private:
  void close()
  {
    if (std::exchange(closed_, true)) return;
    if (ticket_) api_.parts_.watchers->unwatch(ask_.request.customer, *ticket_);
    --api_.streams_;
  }

  // Changes that come while an answer is made, or shortly after another, are one.
  void changed()
  {
    if (closed_ || std::exchange(due_, true) || answering_) return;
    thread_->after(kCoalesce, [self = shared_from_this()] {
      if (!self->answering_ && self->due_) self->answer();
    });
  }

  void answer()
  {
    if (closed_) return;
    due_ = false;
    answering_ = true;
    auto ask = ask_;
    ask.begun = Steady::now();
    ask_.after = Token(); // waited for once
    api_.parts_.answers->answer(thread_, std::move(ask),
                                [self = shared_from_this()](const Answered& answered) { self->tell(answered); });
  }

  void tell(const Answered& answered)
  {
    answering_ = false;
    const auto& recommendation = answered.recommendation;
    std::string items;
    for (const auto& item : recommendation.items) {
      items += item.item.text;
      items += '\n';
    }
    items += tier_name(recommendation.tier);
    if (items != shown_ && !closed_) {
      shown_ = std::move(items);
      std::string text = "event: recommendations\ndata: ";
      append_recommendation_json(recommendation, ask_.request.why, text);
      text += "\n\n";
      stream_->send(std::move(text));
      api_.parts_.times->took(Stage::rank, answered.rank);
    }
    if (due_) answer();
  }

  void beat()
  {
    thread_->after(kHeartbeat, [self = weak_from_this()] {
      const auto streaming = self.lock();
      if (!streaming || streaming->closed_) return;
      streaming->stream_->send(":\n\n");
      streaming->beat();
    });
  }

  HttpApi& api_;
  std::shared_ptr<RequestThread> thread_;
  std::shared_ptr<HttpStream> stream_;
  Ask ask_;
  std::optional<Watchers::Ticket> ticket_;
  std::string shown_;
  bool due_ = false, answering_ = false, closed_ = false;
};

void HttpApi::get_stream(const CallPtr& call)
{
  if (!parts_.answers) return call->refuse(404, "this process does not answer");
  auto ask = call->ask();
  if (!ask) return call->refuse(ask.error());
  const auto& wanted = ask->request;
  if (const auto denied = parts_.access->may_read(call->who, wanted.customer, wanted.why || !wanted.why_not.empty()))
    return call->refuse(*denied);
  ask->root_allowed = parts_.access->may_read_root(call->who, wanted.customer);
  if (too_often(call, {wanted.customer.text})) return;
  if (streams_.fetch_add(1) >= parts_.most_streams) {
    --streams_;
    return call->refuse(503, "there are too many streams", {}, kRetryAfterSeconds);
  }
  std::vector<std::pair<std::string, std::string>> headers{{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  if (!call->allowed_origin.empty()) {
    headers.emplace_back("Access-Control-Allow-Origin", call->allowed_origin);
    headers.emplace_back("Vary", "Origin");
  }
  auto stream = call->exchange->stream(std::move(headers));
  auto streaming = std::make_shared<Streaming>(*this, call->exchange, stream, std::move(*ask));
  if (!streaming->begin()) {
    --streams_;
    stream->close();
  }
}

} // namespace attune
