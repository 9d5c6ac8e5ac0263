#include "adapters/http_api.h"

#include <algorithm>
#include <charconv>

#include "adapters/http_call.h"
#include "adapters/openapi.h" // made of share/schemas/openapi.json
#include "core/canonical_json.h"
#include "core/field_rules.h"

namespace attune {

namespace {

constexpr std::string_view kProfiles = "/v1/profiles/";

using Parsed = Result<void, Reject>;

Parsed read_id(std::string_view name, const std::string* value, std::size_t most, std::string& out)
{
  if (!value || value->empty()) return {};
  if (const auto checked = check_text(*value, most); !checked) return Reject{std::string(name), std::string(checked.error())};
  out = *value;
  return {};
}

Parsed read_number(std::string_view name, const std::string* value, std::int64_t least, std::int64_t most, std::int64_t& out)
{
  if (!value) return {};
  const auto* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, out);
  if (stop == end && error == std::errc{} && out >= least && out <= most) return {};
  return Reject{std::string(name), "not a whole number of " + std::to_string(least) + " to " + std::to_string(most)};
}

// `a,b`, or a JSON array where items have commas.
Parsed read_recent(const std::string* value, std::vector<ItemId>& out)
{
  if (!value || value->empty()) return {};
  if (value->front() == '[') {
    auto parsed = parse_request("{\"recent\":" + *value + "}");
    if (!parsed) {
      const auto& error = parsed.error();
      return error.field.starts_with("recent") ? error : Reject{"recent", error.text()};
    }
    out = std::move(parsed->recent);
    return {};
  }
  for (std::size_t begin = 0; begin <= value->size();) {
    const auto end = std::min(value->find(',', begin), value->size());
    std::string item = value->substr(begin, end - begin);
    if (const auto checked = check_text(item, kMaxCustomerBytes); !checked) return Reject{"recent", std::string(checked.error())};
    if (out.size() == kMaxRecent) return Reject{"recent", "over 256 items"};
    out.emplace_back(std::move(item));
    begin = end + 1;
  }
  return {};
}

Parsed read_after(const std::string* value, Token& out)
{
  if (!value || value->empty()) return {};
  if (std::count(value->begin(), value->end(), ',') >= static_cast<std::ptrdiff_t>(kMaxTokens))
    return Reject{"after", "over " + std::to_string(kMaxTokens) + " tokens"};
  for (std::size_t begin = 0; begin <= value->size();) {
    const auto end = std::min(value->find(',', begin), value->size());
    auto token = Token::parse(std::string_view(*value).substr(begin, end - begin));
    if (!token) return token.error();
    out.add(*token);
    begin = end + 1;
  }
  return {};
}

std::int64_t now_ns()
{
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

Parsed read_fields(const std::string* value, ItemFields& out)
{
  if (!value) return {};
  auto fields = ItemFields::parse(*value);
  if (!fields) return fields.error();
  out = *fields;
  return {};
}

bool is_get(HttpMethod method)
{
  return method == HttpMethod::get || method == HttpMethod::head;
}

} // namespace

Result<void, Reject> read_truth(std::string_view name, const std::string* value, bool& out)
{
  if (!value) return {};
  out = *value == "1" || *value == "true";
  if (out || value->empty() || *value == "0" || *value == "false") return {};
  return Reject{std::string(name), "not true or false"};
}

void append_timing(std::string_view name, std::chrono::nanoseconds time, std::string& out)
{
  if (!out.empty()) out += ", ";
  out += name;
  out += ";dur=";
  char digits[32];
  out.append(
      digits,
      std::to_chars(digits, digits + sizeof digits, static_cast<double>(time.count()) / 1e6, std::chars_format::fixed, 3).ptr);
}

void append_timing(const Answered& answered, std::string& out)
{
  append_timing("profile", answered.profile, out);
  append_timing("wait", answered.wait, out);
  append_timing("rank", answered.rank, out);
}

void HttpApi::Call::answer(HttpAnswer answer) const
{
  if (!allowed_origin.empty()) {
    answer.headers.emplace_back("Access-Control-Allow-Origin", allowed_origin);
    answer.headers.emplace_back("Vary", "Origin");
    answer.headers.emplace_back("Access-Control-Expose-Headers", "Server-Timing, X-Request-Id, Retry-After");
    answer.headers.emplace_back("Timing-Allow-Origin", allowed_origin);
  }
  exchange->answer(std::move(answer));
}

void HttpApi::Call::refuse(unsigned status, std::string detail, std::string field, std::int64_t retry_after_s) const
{
  HttpProblem problem{status, std::move(detail), std::move(field), retry_after_s, {}};
  // RFC 9110 section 15.5.2. A write key has no scheme of others' making.
  if (status == 401)
    problem.headers.emplace_back("WWW-Authenticate", admin ? "Bearer realm=\"attune\"" : "Attune-Key realm=\"attune\"");
  answer(problem_answer(problem, request_id));
}

void HttpApi::Call::refuse_method(std::string allowed) const
{
  if (!admin) allowed += ", OPTIONS";
  HttpProblem problem{.status = 405, .detail = "this takes " + allowed};
  problem.headers.emplace_back("Allow", std::move(allowed));
  answer(problem_answer(problem, request_id));
}

bool HttpApi::Call::refuse_unknown(std::initializer_list<std::string_view> known) const
{
  auto unknown = query.unknown(known);
  if (unknown.empty()) return false;
  refuse(Reject{std::move(unknown), "unknown parameter"});
  return true;
}

void HttpApi::Call::answer_json(unsigned status, std::string body, std::string server_timing) const
{
  HttpAnswer made;
  made.status = status;
  made.body = std::move(body);
  made.server_timing = std::move(server_timing);
  made.headers.emplace_back("Cache-Control", "no-store");
  answer(std::move(made));
}

Result<Ask, Reject> HttpApi::Call::ask() const
{
  Ask ask;
  ask.begun = request().begun;
  auto& wanted = ask.request;
  std::int64_t n = kDefaultCount;
  std::int64_t budget = kDefaultBudget.count();
  std::string session;
  const Parsed outcomes[] = {
      read_id("customer", query.find("customer"), kMaxCustomerBytes, wanted.customer.text),
      read_id("session", query.find("session"), kMaxStringBytes, session),
      read_id("slot", query.find("slot"), kMaxStringBytes, wanted.slot.text),
      read_id("item", query.find("item"), kMaxCustomerBytes, wanted.item.text),
      read_id("why_not", query.find("why_not"), kMaxCustomerBytes, wanted.why_not.text),
      read_number("n", query.find("n"), 1, kMaxCount, n),
      read_number("budget_ms", query.find("budget_ms"), 1, kMostBudget.count(), budget),
      read_truth("why", query.find("why"), wanted.why),
      read_recent(query.find("recent"), wanted.recent),
      read_fields(query.find("fields"), wanted.fields),
      read_after(query.find("after"), ask.after),
  };
  for (const auto& outcome : outcomes)
    if (!outcome) return outcome.error();
  if (auto unknown = query.unknown({"customer", "session", "slot", "item", "why_not", "n", "budget_ms", "why", "recent", "after",
                                    "fields", "key", "signature", "alias_signature"});
      !unknown.empty())
    return Reject{unknown, "unknown parameter"};
  if (wanted.slot.empty()) wanted.slot = Slot("home");
  wanted.n = static_cast<std::size_t>(n);
  ask.budget = Milliseconds(budget);
  return ask;
}

HttpApi::HttpApi(HttpApiParts parts) : parts_(std::move(parts)) {}
HttpApi::~HttpApi() = default;

HttpHandler HttpApi::public_handler()
{
  return [this](const std::shared_ptr<HttpExchange>& exchange) { handle(exchange, false); };
}

HttpHandler HttpApi::admin_handler()
{
  return [this](const std::shared_ptr<HttpExchange>& exchange) { handle(exchange, true); };
}

void HttpApi::handle(const std::shared_ptr<HttpExchange>& exchange, bool admin)
{
  auto call = std::make_shared<Call>();
  call->exchange = exchange;
  call->admin = admin;
  call->request_id = exchange->request().id;
  const auto origin = exchange->header("Origin");
  if (!admin)
    call->allowed_origin = parts_.access->allowed_origin(origin);
  else if (parts_.demo && parts_.demo->of_the_shop(origin))
    call->allowed_origin = origin;
  else if (!HttpAccess::own_origin(origin, exchange->header("Host")))
    return call->refuse(403, "a page of another site may not ask the admin listener", "Origin");
  // Before anything is parsed: what is wrong costs as well.
  const auto& request = exchange->request();
  if (!admin && request.method != HttpMethod::options && request.path != "/healthz")
    if (const auto denied = parts_.access->address_too_often(request.remote, now_ns())) return call->refuse(*denied);
  auto query = HttpQuery::parse(request.query);
  if (!query) return call->refuse(query.error());
  call->query = std::move(*query);
  const auto credential = [&](std::string_view header, std::string_view parameter) -> std::string_view {
    const auto* given = call->query.find(parameter); // sendBeacon and EventSource set no headers
    return given ? std::string_view(*given) : exchange->header(header);
  };
  call->who.key = credential("X-Attune-Key", "key");
  call->who.signature = credential("X-Attune-Signature", "signature");
  call->who.alias_signature = credential("X-Attune-Alias-Signature", "alias_signature");
  call->who.trusted = admin;
  route(call);
}

bool HttpApi::too_often(const CallPtr& call, std::vector<std::string_view> customers)
{
  if (call->admin) return false;
  const auto denied = parts_.access->customers_too_often(std::move(customers), now_ns());
  if (denied) call->refuse(*denied);
  return denied.has_value();
}

void HttpApi::preflight(const CallPtr& call)
{
  HttpAnswer answer;
  answer.status = 204;
  answer.content_type.clear();
  if (!call->allowed_origin.empty()) {
    answer.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST");
    answer.headers.emplace_back("Access-Control-Allow-Headers",
                                "Content-Type, X-Attune-Key, X-Attune-Signature, X-Attune-Alias-Signature, X-Request-Id");
    answer.headers.emplace_back("Access-Control-Max-Age", "86400");
  }
  call->answer(std::move(answer));
}

void HttpApi::route(const CallPtr& call)
{
  const auto& request = call->request();
  const auto method = request.method;
  const auto path = request.path;
  if (!call->admin && method == HttpMethod::options) return preflight(call);
  if (path == "/healthz") {
    if (!is_get(method)) return call->refuse_method("GET, HEAD");
    return call->answer_json(200, "{\"status\":\"alive\"}\n");
  }
  if (get_demo(call)) return;
  if (call->admin) {
    if (path == "/admin" || path == "/admin.js" || path == "/admin.css") {
      if (!is_get(method)) return call->refuse_method("GET, HEAD");
      return get_carried(call);
    }
    if (path == "/readyz") {
      if (!is_get(method)) return call->refuse_method("GET, HEAD");
      const auto why = parts_.not_ready ? parts_.not_ready() : std::string();
      if (!why.empty()) return call->refuse(503, why, {}, kRetryAfterSeconds);
      return call->answer_json(200, "{\"status\":\"ready\"}\n");
    }
    if (!parts_.access->is_admin(call->exchange->header("Authorization")))
      return call->refuse(401, "the admin listener needs its token");
    if (path == "/metrics") {
      if (!is_get(method)) return call->refuse_method("GET, HEAD");
      HttpAnswer answer;
      answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
      answer.body = parts_.metrics ? parts_.metrics() : std::string();
      return call->answer(std::move(answer));
    }
    if (path == "/v1/live") {
      if (!is_get(method)) return call->refuse_method("GET, HEAD");
      return get_live(call);
    }
    if (path.starts_with(kProfiles)) {
      const auto customer = percent_decoded(path.substr(kProfiles.size()), false);
      if (!customer || customer->empty() || !check_text(*customer, kMaxCustomerBytes))
        return call->refuse(Reject{"customer", "not a customer id"});
      if (is_get(method)) return get_profile(call, CustomerId(*customer));
      if (method == HttpMethod::delete_) return delete_profile(call, CustomerId(*customer));
      return call->refuse_method("GET, HEAD, DELETE");
    }
    if (path == "/v1/refresh") {
      if (method != HttpMethod::post) return call->refuse_method("POST");
      return post_refresh(call);
    }
  }
  if (path == "/attune.js") {
    if (!is_get(method)) return call->refuse_method("GET, HEAD");
    return get_carried(call);
  }
  if (path == "/openapi.json") {
    if (!is_get(method)) return call->refuse_method("GET, HEAD");
    return call->answer_json(200, std::string(openapi_document()));
  }
  if (path == "/v1/events") {
    if (method != HttpMethod::post) return call->refuse_method("POST");
    return post_events(call);
  }
  if (path == "/v1/recommendations") {
    if (!is_get(method)) return call->refuse_method("GET, HEAD");
    return get_recommendations(call);
  }
  if (path == "/v1/stream") {
    if (method != HttpMethod::get) return call->refuse_method("GET");
    return get_stream(call);
  }
  if (!call->admin && get_site(call)) return;
  call->refuse(404, "nothing is here");
}

std::string_view openapi_document()
{
  return kOpenApi;
}

} // namespace attune
