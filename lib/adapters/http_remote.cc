#include "adapters/http_remote.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "core/canonical_json.h"

namespace attune {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

constexpr std::string_view kLongestBudget = "2000"; // ms: kMostBudget of the service
constexpr Milliseconds kLimit = std::chrono::seconds(30);

// "accepted;dur=0.1, durable;dur=1.25": a metric of Server-Timing (W3C), whose durations are milliseconds.
std::optional<Nanoseconds> timing(std::string_view header, std::string_view name)
{
  while (!header.empty()) {
    const auto comma = std::min(header.find(','), header.size());
    auto metric = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    metric.remove_prefix(std::min(metric.find_first_not_of(' '), metric.size()));
    constexpr std::string_view kDuration = ";dur=";
    if (!metric.starts_with(name) || !metric.substr(name.size()).starts_with(kDuration)) continue;
    metric.remove_prefix(name.size() + kDuration.size());
    double milliseconds = 0;
    const auto [end, failed] = std::from_chars(metric.data(), metric.data() + metric.size(), milliseconds);
    if (failed != std::errc() || !(milliseconds >= 0) || milliseconds > 1e12) return {};
    return Nanoseconds(static_cast<std::int64_t>(milliseconds * 1e6));
  }
  return {};
}

std::string text_of(simdjson::simdjson_result<simdjson::dom::element> element)
{
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

// What the reply's problem document says, or its status.
std::string problem(const ClientReply& reply)
{
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string said;
  if (parser.parse(reply.body).get(document) == simdjson::SUCCESS) said = text_of(document["detail"]);
  const auto status = std::to_string(reply.status);
  return said.empty() ? status : status + ": " + said;
}

Code code_of(unsigned status)
{
  if (status == 429 || status == 503) return Code::busy;
  return status >= 500 ? Code::unreachable : Code::config;
}

Result<RemoteAnswer> answer_of(const simdjson::dom::element& document, std::string_view timings)
{
  RemoteAnswer answer;
  simdjson::dom::array items;
  if (document["profile_version"].get_uint64().get(answer.profile_version) != simdjson::SUCCESS ||
      document["items"].get_array().get(items) != simdjson::SUCCESS)
    return Error{Code::config, "not an answer"};
  for (const auto each : items) answer.items.emplace_back(text_of(each["item"]));
  answer.degraded = text_of(document["degraded"]["code"]);
  const auto profile = timing(timings, "profile");
  if (profile) answer.profile = *profile + timing(timings, "wait").value_or(Nanoseconds(0));
  return answer;
}

Error about(const ClientRequest& request, Error error)
{
  error.message = request.url.substr(0, request.url.find('?')) + ": " + error.message;
  return error;
}

} // namespace

Result<std::unique_ptr<RemoteService>> HttpRemote::open(const RemotePlace& place)
{
  auto checked = place;
  for (auto* url : {&checked.url, &checked.collect_url, &checked.admin_url}) {
    if (url->empty()) continue;
    auto base = base_url(*url);
    if (!base) return base.error();
    *url = std::move(*base);
  }
  if (checked.collect_url.empty()) checked.collect_url = checked.url;
  return std::unique_ptr<RemoteService>(new HttpRemote(std::move(checked)));
}

HttpRemote::HttpRemote(RemotePlace place) : place_(std::move(place))
{
  if (!place_.signing_key.empty()) signing_.emplace(place_.signing_key);
  request_.limit = kLimit;
}

void HttpRemote::prove(const CustomerId& customer)
{
  if (signing_ && !customer.empty()) request_.headers.push_back("X-Attune-Signature: " + signing_->sign(customer));
}

Result<const ClientReply*> HttpRemote::send_request(unsigned wanted)
{
  auto reply = client_.send(request_);
  if (!reply) return reply.error();
  if ((*reply)->status != wanted) return about(request_, {code_of((*reply)->status), problem(**reply)});
  return *reply;
}

Result<RemoteReceipt> HttpRemote::send(const CustomerId& customer, std::string_view event, const ItemId& item,
                                       const std::optional<Slot>& slot, std::string_view after)
{
  request_.method = "POST";
  request_.url = place_.collect_url + "/v1/events";
  if (slot) {
    request_.url += "?slot=" + percent_encoded(slot->text) + "&n=" + std::to_string(place_.n) + "&budget_ms=";
    request_.url += kLongestBudget;
    if (!after.empty()) request_.url += "&after=" + percent_encoded(after);
  }
  request_.headers = {"Content-Type: application/json"};
  if (!place_.write_key.empty()) request_.headers.push_back("X-Attune-Key: " + place_.write_key);
  prove(customer);
  request_.body = "{\"id\":";
  append_json_string(event, request_.body);
  request_.body += ",\"type\":\"view\",\"customer\":";
  append_json_string(customer.text, request_.body);
  request_.body += ",\"item\":";
  append_json_string(item.text, request_.body);
  request_.body += '}';
  const auto reply = send_request(202);
  if (!reply) return reply.error();

  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse((*reply)->body).get(document) != simdjson::SUCCESS)
    return about(request_, {Code::config, "the reply is not JSON"});
  RemoteReceipt receipt;
  receipt.token = text_of(document["token"]);
  if (receipt.token.empty()) return about(request_, {Code::config, "the reply has no token"});
  const auto timings = (*reply)->header("Server-Timing");
  receipt.durable = timing(timings, "durable");
  if (slot) {
    simdjson::dom::element recommendations;
    if (document["recommendations"].get(recommendations) != simdjson::SUCCESS)
      return about(request_, {Code::config, "the reply has no answer"});
    auto answer = answer_of(recommendations, timings);
    if (!answer) return about(request_, answer.error());
    receipt.answer = std::move(*answer);
  }
  return receipt;
}

Result<RemoteAnswer> HttpRemote::ask(const CustomerId& customer, const Slot& slot, std::size_t n, std::string_view after)
{
  request_.method = "GET";
  request_.url = place_.url + "/v1/recommendations?n=" + std::to_string(n) + "&budget_ms=";
  request_.url += kLongestBudget;
  if (!slot.empty()) request_.url += "&slot=" + percent_encoded(slot.text);
  if (!customer.empty()) request_.url += "&customer=" + percent_encoded(customer.text);
  if (!after.empty()) request_.url += "&after=" + percent_encoded(after);
  request_.headers.clear();
  request_.body.clear();
  prove(customer);
  const auto reply = send_request(200);
  if (!reply) return reply.error();
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse((*reply)->body).get(document) != simdjson::SUCCESS)
    return about(request_, {Code::config, "the reply is not JSON"});
  auto answer = answer_of(document, (*reply)->header("Server-Timing"));
  if (!answer) return about(request_, answer.error());
  return answer;
}

Status HttpRemote::forget(const CustomerId& customer)
{
  if (place_.admin_url.empty()) return Error{Code::config, "there is no URL of the admin listener"};
  request_.method = "DELETE";
  request_.url = place_.admin_url + "/v1/profiles/" + percent_encoded(customer.text);
  request_.headers.clear();
  request_.body.clear();
  if (!place_.admin_token.empty()) request_.headers.push_back("Authorization: Bearer " + place_.admin_token);
  const auto reply = send_request(202);
  return reply ? Status() : Status(reply.error());
}

} // namespace attune
