#include "adapters/http_client.h"

#include <curl/curl.h>

#include <algorithm>

#include "adapters/header_words.h"
#include "base/assert.h"

namespace attune {

namespace {

// libcurl takes the callbacks of C: nothing is thrown in them but std::bad_alloc, which ends the program as anywhere.
std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* reply)
{
  auto& body = static_cast<ClientReply*>(reply)->body;
  if (body.size() + count > HttpClient::kMostBytes) return 0;
  body.append(bytes, count);
  return count;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* reply)
{
  auto& headers = static_cast<ClientReply*>(reply)->headers;
  std::string_view line(bytes, count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    headers.clear(); // of a 100 Continue
  } else if (!line.empty()) {
    headers.emplace_back(line);
  }
  return count;
}

Code code_of(CURLcode failed)
{
  switch (failed) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Code::usage;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Code::config;
    case CURLE_WRITE_ERROR: // take_body() refused more
      return Code::io;
    default:
      return Code::unreachable;
  }
}

// A handle can not be had without memory: there is nobody to tell.
void set_up_library()
{
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  ATTUNE_ASSERT(done == CURLE_OK);
}

} // namespace

std::string_view ClientReply::header(std::string_view name) const
{
  for (const std::string_view line : headers) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !same_word(line.substr(0, colon), name)) continue;
    const auto begin = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    return line.substr(begin);
  }
  return {};
}

struct HttpClient::Handle {
  CURL* curl = nullptr;
  ClientReply reply;
  char trouble[CURL_ERROR_SIZE] = {};

  template <class Value>
  void set(CURLoption option, Value value)
  {
    const auto done = curl_easy_setopt(curl, option, value);
    ATTUNE_ASSERT(done == CURLE_OK);
  }
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>())
{
  set_up_library();
  handle_->curl = curl_easy_init();
  ATTUNE_ASSERT(handle_->curl != nullptr);
  auto& handle = *handle_;
  handle.set(CURLOPT_NOSIGNAL, 1L);
  handle.set(CURLOPT_PROTOCOLS_STR, "http,https");
  handle.set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  handle.set(CURLOPT_ERRORBUFFER, handle.trouble);
  handle.set(CURLOPT_WRITEFUNCTION, take_body);
  handle.set(CURLOPT_WRITEDATA, &handle.reply);
  handle.set(CURLOPT_HEADERFUNCTION, take_header);
  handle.set(CURLOPT_HEADERDATA, &handle.reply);
}

HttpClient::~HttpClient()
{
  curl_easy_cleanup(handle_->curl);
}

Result<const ClientReply*> HttpClient::send(const ClientRequest& request)
{
  auto& handle = *handle_;
  handle.reply.status = 0;
  handle.reply.headers.clear();
  handle.reply.body.clear();
  handle.trouble[0] = '\0';

  curl_slist* headers = nullptr;
  const auto add = [&headers](const char* line) {
    auto* longer = curl_slist_append(headers, line);
    ATTUNE_ASSERT(longer != nullptr);
    headers = longer;
  };
  for (const auto& line : request.headers) add(line.c_str());
  add("Expect:"); // no waiting for a 100 Continue before a long body
  handle.set(CURLOPT_URL, request.url.c_str());
  handle.set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
  handle.set(CURLOPT_HTTPGET, 1L);
  if (!request.body.empty() || request.method == "POST") {
    handle.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    handle.set(CURLOPT_POSTFIELDS, request.body.c_str());
  }
  handle.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  handle.set(CURLOPT_HTTPHEADER, headers);
  const auto done = curl_easy_perform(handle.curl);
  handle.set<curl_slist*>(CURLOPT_HTTPHEADER, nullptr);
  curl_slist_free_all(headers);

  if (done != CURLE_OK) {
    const std::string reason = handle.trouble[0] != '\0' ? handle.trouble : curl_easy_strerror(done);
    return Error{code_of(done), request.url.substr(0, request.url.find('?')) + ": " + reason};
  }
  long status = 0;
  curl_easy_getinfo(handle.curl, CURLINFO_RESPONSE_CODE, &status);
  handle.reply.status = static_cast<unsigned>(status);
  return &handle.reply;
}

std::string percent_encoded(std::string_view text)
{
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

Result<std::string> base_url(std::string_view url)
{
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return Error{Code::usage, "neither http:// nor https://: " + std::string(url)};
  if (url.find_first_of("?#") != std::string_view::npos) return Error{Code::usage, "with a query: " + std::string(url)};
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.ends_with(':')) return Error{Code::usage, "without a host: " + std::string(url)};
  return std::string(url);
}

} // namespace attune
