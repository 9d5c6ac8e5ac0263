// HttpClient: requests over HTTP/1.1 or HTTPS, one at a time, over connections that are kept. The URL chooses TLS, whose certificates are checked
// against the system's. Built over libcurl, whose proxy variables (http_proxy, no_proxy) hold. Redirects are not followed.
//
// Thread rule: one thread per client. Cost: some 30 us of CPU beside the request itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace attune {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers; // "Name: value"
  std::string body;
  Milliseconds limit{30'000}; // for all of it, connecting included
};

struct ClientReply {
  unsigned status = 0;
  std::vector<std::string> headers; // "Name: value", as they came
  std::string body;

  // The value of the first header of that name, in any case; empty: there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

class HttpClient {
 public:
  static constexpr std::size_t kMostBytes = 64 << 20; // of a reply

  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // A reply of any status is a reply. A request on a kept connection that turns out to be closed is sent once more on a new one, so what is sent
  // has to bear repeating. The reply lives until the next call.
  // ERRORS: unreachable: no such host, refused, cut off, or nothing within the limit; usage: a URL that is none; config: a certificate that is
  // not trusted; io: a reply beyond kMostBytes. The message begins with the URL up to its query.
  Result<const ClientReply*> send(const ClientRequest& request);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

// Text as a value of a query or a segment of a path: all but RFC 3986's unreserved characters as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

// "http://host:8080/" as what paths are put behind: "http://host:8080". ERRORS: usage: neither http:// nor https://, or with a query.
[[nodiscard]] Result<std::string> base_url(std::string_view url);

} // namespace attune
