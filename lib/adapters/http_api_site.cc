// What is no call of the service's: the SDK and the owner's page, which the program carries in itself, and a site's files (`--www`).
#include "adapters/http_call.h"
#include "adapters/site_files.h"
#include "adapters/web_files.h" // made of share/web

namespace attune {

namespace {

// A page of ours runs nothing but what comes from where it comes from; `images` may be of anywhere, since a catalog's are.
constexpr const char* kPolicy = "default-src 'self'; img-src * data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

// Those of share/web that are asked for by name.
const SiteFile* carried(std::string_view path)
{
  static const SiteFile kSdk = site_file("attune.js", std::string(kAttuneJs));
  static const SiteFile kAdmin = site_file("admin.html", std::string(kAdminHtml));
  static const SiteFile kAdminScript = site_file("admin.js", std::string(kAdminJs));
  static const SiteFile kAdminStyle = site_file("admin.css", std::string(kAdminCss));
  if (path == "/attune.js") return &kSdk;
  if (path == "/admin") return &kAdmin;
  if (path == "/admin.js") return &kAdminScript;
  return &kAdminStyle;
}

} // namespace

void HttpApi::get_carried(const CallPtr& call)
{
  auto answer = site_answer(*carried(call->request().path), call->exchange->header("If-None-Match"));
  if (call->admin) {
    answer.headers.emplace_back("Content-Security-Policy", kPolicy);
    answer.headers.emplace_back("Referrer-Policy", "no-referrer");
  }
  call->answer(std::move(answer));
}

// Whether the site has an answer to it.
bool HttpApi::get_site(const CallPtr& call)
{
  const auto site = site_.load();
  if (!site) return false;
  const auto path = call->request().path;
  const auto* file = site->find(path);
  if (!file && !site->wants_slash(path)) return false;
  if (const auto method = call->request().method; method != HttpMethod::get && method != HttpMethod::head) {
    call->refuse_method("GET, HEAD");
    return true;
  }
  HttpAnswer answer;
  if (file) {
    answer = site_answer(*file, call->exchange->header("If-None-Match"));
  } else {
    answer.status = 301;
    answer.content_type.clear();
    answer.headers.emplace_back("Location", std::string(path) + '/');
  }
  answer.headers.insert(answer.headers.end(), parts_.site_headers.begin(), parts_.site_headers.end());
  call->answer(std::move(answer));
  return true;
}

} // namespace attune
