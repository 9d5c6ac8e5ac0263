// A demonstration's own calls (`--demo`): where the panel of the shop's pages finds the admin listener, what runs, and its stopping and starting.
#include "adapters/http_call.h"
#include "core/canonical_json.h"

namespace attune {

// Whether it was one.
bool HttpApi::get_demo(const CallPtr& call)
{
  if (!parts_.demo) return false;
  const auto& demo = *parts_.demo;
  const auto path = call->request().path;
  if (call->admin && call->request().method == HttpMethod::options) {
    preflight(call);
    return true;
  }
  if (!call->admin && path == "/demo.json") {
    std::string body = "{\"admin\":";
    append_json_string(demo.admin(), body);
    call->answer_json(200, body + "}\n");
    return true;
  }
  if (!call->admin || path != "/v1/demo") return false;
  if (!parts_.access->is_admin(call->exchange->header("Authorization"))) {
    call->refuse(401, "the admin listener needs its token");
    return true;
  }
  if (call->request().method != HttpMethod::post) {
    call->answer_json(200, demo.parts());
    return true;
  }
  const auto* part = call->query.find("part");
  const auto* what = call->query.find("do");
  if (!part || !demo.has_part(*part))
    call->refuse(404, "part: there is no such part", "part");
  else if (!what || (*what != "stop" && *what != "start"))
    call->refuse(Reject{"do", "not stop or start"});
  else if (const auto told = demo.tell(*what + ' ' + *part); !told)
    call->refuse(503, told.error().message, {}, kRetryAfterSeconds);
  else
    call->answer_json(202, "{\"told\":true}\n");
  return true;
}

} // namespace attune
