// The admin listener's: profiles, what the model holds and why inputs were refused, forgetting, refreshing.
#include "adapters/http_call.h"
#include "core/canonical_json.h"
#include "core/field_rules.h"
#include "core/model_view.h"
#include "core/profile_json.h"

namespace attune {

void HttpApi::get_profile(const CallPtr& call, const CustomerId& customer)
{
  if (!parts_.readers) return call->refuse(404, "this process keeps no profiles");
  if (call->refuse_unknown({"items", "recent"})) return;
  bool items = false, recent = false;
  if (const auto read = read_truth("items", call->query.find("items"), items); !read) return call->refuse(read.error());
  if (const auto read = read_truth("recent", call->query.find("recent"), recent); !read) return call->refuse(read.error());
  parts_.readers->read(customer, [this, call, items, recent](const Result<ProfilePtr>& result) {
    if (!result) return call->refuse(503, result.error().message, {}, kRetryAfterSeconds);
    if (!*result) return call->refuse(404, "customer: nothing is known");
    std::string body;
    const auto view = [&](const Catalog& catalog) {
      append_profile_view(**result, catalog, {parts_.clock->now(), items, recent}, body);
    };
    if (parts_.knowledge)
      view(parts_.knowledge->read().catalog());
    else
      view(Catalog());
    body += '\n';
    call->answer_json(200, std::move(body));
  });
}

void HttpApi::get_live(const CallPtr& call)
{
  if (call->refuse_unknown({})) return;
  std::string body = "{";
  if (parts_.knowledge) {
    body += "\"model\":";
    const auto reading = parts_.knowledge->read();
    append_model_view(reading.model(), reading.catalog(), body);
    body += ',';
  }
  body += "\"refused\":{";
  if (parts_.reasons)
    for (const auto& [reason, count] : parts_.reasons->counts()) {
      if (body.back() != '{') body += ',';
      append_json_string(reason, body);
      body += ':' + std::to_string(count);
    }
  body += "}}\n";
  call->answer_json(200, std::move(body));
}

void HttpApi::delete_profile(const CallPtr& call, const CustomerId& customer)
{
  if (!parts_.collector) return call->refuse(404, "this process does not collect events");
  if (call->refuse_unknown({})) return;
  std::string event = "{\"type\":\"forget\",\"customer\":";
  append_json_string(customer.text, event);
  event += '}';
  const auto batch = parts_.collector->read(event);
  if (!batch) return call->refuse(batch.error());
  if (batch->events.empty()) return call->refuse(batch->refused.front().why);
  const auto token = batch->token().text();
  parts_.collector->collect(*batch, "http admin", [call, token](const Status& status) {
    if (!status) return call->refuse(503, status.error().message, {}, kRetryAfterSeconds);
    call->answer_json(202, "{\"accepted\":1,\"rejected\":[],\"token\":\"" + token + "\"}\n");
  });
}

void HttpApi::post_refresh(const CallPtr& call)
{
  if (!parts_.known) return call->refuse(404, "this process does not answer");
  if (call->refuse_unknown({"customer"})) return;
  const auto* customer = call->query.find("customer");
  if (customer) {
    if (const auto checked = check_text(*customer, kMaxCustomerBytes); !checked)
      return call->refuse(Reject{"customer", std::string(checked.error())});
    parts_.known->changed(CustomerId(*customer));
    parts_.watchers->changed(CustomerId(*customer));
  } else {
    parts_.known->all_changed();
    parts_.watchers->all_changed();
  }
  call->answer_json(202, "{\"refreshed\":" + std::string(customer ? "1" : "\"all\"") + "}\n");
}

} // namespace attune
