// GET /v1/recommendations: an answer. GET /v1/stream: one after the other, whenever it changes (server-sent events).
#include <random>
#include <utility>

#include "adapters/http_call.h"

namespace attune {

namespace {

using Steady = std::chrono::steady_clock;
using Microseconds = std::chrono::microseconds;

constexpr std::chrono::seconds kHeartbeat{15}; // keeps proxies and NATs from closing a quiet stream
constexpr Milliseconds kStreamBudget{500}; // for each answer of a stream
constexpr Microseconds kCoalesce{2000}; // changes this close together are one
constexpr Microseconds kAgain{1'000'000}; // to the next answer where nobody tells of changes, or while an answer is degraded
constexpr Microseconds kSpread{1'000'000}; // over which answers of many streams are spread
constexpr std::size_t kCrowd = 256; // streams woken and not answered yet: more are spread

Microseconds jitter()
{
  thread_local std::minstd_rand random{std::random_device{}()};
  return Microseconds(std::uniform_int_distribution<std::int64_t>(0, kSpread.count())(random));
}

} // namespace

// What a GET asks for, when its sender may; nothing when it was refused.
std::optional<Ask> HttpApi::admitted(const CallPtr& call)
{
  const auto refuse = [&](const auto&... why) {
    call->refuse(why...);
    return std::nullopt;
  };
  if (!parts_.answers) return refuse(404, "this process does not answer");
  auto ask = call->ask();
  if (!ask) return refuse(ask.error());
  const auto& wanted = ask->request;
  if (const auto denied = parts_.access->may_read(call->who, wanted.customer, wanted.why || !wanted.why_not.empty()))
    return refuse(*denied);
  if (too_often(call, {wanted.customer.text})) return {};
  ask->root_allowed = parts_.access->may_read_root(call->who, wanted.customer);
  return std::move(*ask);
}

void HttpApi::note(const Answered& answered)
{
  parts_.times->took(Stage::profile, answered.profile);
  if (answered.wait.count() > 0) parts_.times->took(Stage::wait, answered.wait);
  parts_.times->took(Stage::rank, answered.rank);
}

void HttpApi::get_recommendations(const CallPtr& call)
{
  auto ask = admitted(call);
  if (!ask) return;
  const bool why = ask->request.why;
  parts_.answers->answer(call->exchange, std::move(*ask), [this, call, why](const Answered& answered) {
    note(answered);
    std::string body;
    body.reserve(2048);
    append_recommendation_json(answered.recommendation, why, body);
    body += '\n';
    parts_.times->took(Stage::answer, Steady::now() - call->request().begun);
    std::string timing;
    append_timing(answered, timing);
    call->answer_json(200, std::move(body), std::move(timing));
  });
}

// One open stream. On its connection's thread. It lives while it is watched for: in the calls that its watches hold.
class HttpApi::Streaming : public std::enable_shared_from_this<Streaming> {
 public:
  Streaming(HttpApi& api, std::shared_ptr<HttpExchange> exchange, Ask ask)
      : api_(api), thread_(std::move(exchange)), ask_(std::move(ask))
  {
    ask_.budget = kStreamBudget;
  }

  // To be called before begin(). False: there are too many watchers.
  [[nodiscard]] bool watch() { return watch(ticket_, ask_.request.customer); }

  void begin(std::shared_ptr<HttpStream> stream)
  {
    stream_ = std::move(stream);
    stream_->on_closed([self = shared_from_this()] { self->close(); });
    answer();
    beat();
  }

 private:
  using Ticket = std::optional<std::pair<CustomerId, Watchers::Ticket>>;

  bool watch(Ticket& ticket, const CustomerId& customer)
  {
    if (customer.empty()) return true;
    const auto made =
        api_.parts_.watchers->watch(customer, [self = shared_from_this()] { self->thread_->post([self] { self->changed(); }); });
    if (made) ticket.emplace(customer, *made);
    return made.has_value();
  }

  void unwatch(Ticket& ticket)
  {
    if (ticket) api_.parts_.watchers->unwatch(ticket->first, ticket->second);
    ticket.reset();
  }

  // Where changes are told by name, those of whoever the customer became come by that name alone.
  void watch_root(const CustomerId& root)
  {
    const bool other = !root.empty() && root != ask_.request.customer;
    if (root_ticket_ && (!other || root_ticket_->first != root)) unwatch(root_ticket_);
    if (other && !root_ticket_) static_cast<void>(watch(root_ticket_, root)); // too many watchers: its own changes are still told
  }

  void close()
  {
    if (std::exchange(closed_, true)) return;
    unwatch(ticket_);
    unwatch(root_ticket_);
    settle();
    --api_.streams_;
  }

  // Changes that come while an answer is made, or shortly after another, are one. When everybody is woken at once, the answers are spread, behind
  // those of a priority segment.
  void changed()
  {
    if (closed_ || std::exchange(due_, true) || answering_) return;
    const bool crowd = api_.woken_.fetch_add(1) >= kCrowd && !priority_;
    woken_ = true;
    thread_->after(crowd ? kCoalesce + jitter() : kCoalesce, [self = shared_from_this()] {
      if (!self->answering_ && self->due_) self->answer();
    });
  }

  // Answers again after a while, though nobody told of a change.
  void again()
  {
    if (std::exchange(again_, true)) return;
    thread_->after(kAgain + jitter(), [self = shared_from_this()] {
      self->again_ = false;
      if (!self->answering_) self->answer();
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
    settle();
    if (closed_) return;
    watch_root(answered.root);
    priority_ = answered.priority;
    const auto& recommendation = answered.recommendation;
    std::string shown;
    for (const auto& item : recommendation.items) {
      shown += item.item.text;
      shown += '\n';
    }
    shown += tier_name(recommendation.tier);
    if (recommendation.degraded) shown += '\n' + recommendation.degraded->code;
    if (shown != shown_) {
      shown_ = std::move(shown);
      std::string text = "event: recommendations\ndata: ";
      append_recommendation_json(recommendation, ask_.request.why, text);
      text += "\n\n";
      stream_->send(std::move(text));
      api_.parts_.times->took(Stage::rank, answered.rank);
    }
    if (due_) return answer();
    if (recommendation.degraded || !told()) again();
  }

  // Whether whoever watches hears of every change.
  [[nodiscard]] bool told() const { return ask_.request.customer.empty() || api_.parts_.answers->changes_are_told(); }

  void settle()
  {
    if (std::exchange(woken_, false)) --api_.woken_;
  }

  void beat()
  {
    thread_->after(kHeartbeat, [self = weak_from_this()] {
      const auto streaming = self.lock();
      if (!streaming || streaming->closed_) return;
      streaming->stream_->send(":\n\n");
      if (!streaming->told()) streaming->again(); // it was told when it answered last
      streaming->beat();
    });
  }

  HttpApi& api_;
  std::shared_ptr<RequestThread> thread_;
  std::shared_ptr<HttpStream> stream_;
  Ask ask_;
  Ticket ticket_, root_ticket_;
  std::string shown_;
  bool due_ = false, answering_ = false, closed_ = false;
  bool again_ = false; // it will answer again
  bool woken_ = false; // it is one of api_.woken_
  bool priority_ = false; // as the last answer found
};

void HttpApi::get_stream(const CallPtr& call)
{
  auto ask = admitted(call);
  if (!ask) return;
  if (streams_.fetch_add(1) >= parts_.most_streams) {
    --streams_;
    return call->refuse(503, "there are too many streams", {}, kRetryAfterSeconds);
  }
  auto streaming = std::make_shared<Streaming>(*this, call->exchange, std::move(*ask));
  if (!streaming->watch()) {
    --streams_;
    return call->refuse(503, "there are too many who wait for changes", {}, kRetryAfterSeconds);
  }
  std::vector<std::pair<std::string, std::string>> headers{{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  if (!call->allowed_origin.empty()) {
    headers.emplace_back("Access-Control-Allow-Origin", call->allowed_origin);
    headers.emplace_back("Vary", "Origin");
  }
  streaming->begin(call->exchange->stream(std::move(headers)));
}

} // namespace attune
