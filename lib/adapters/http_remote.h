// HttpRemote: a RemoteService over HTTP (share/schemas/openapi.json). Thread rule, cost and ERRORS: those of RemoteService and HttpClient; a
// message names the URL and says what the service's problem document says.
#pragma once

#include <optional>
#include <string>

#include "adapters/http_client.h"
#include "core/customer_signature.h"
#include "pipeline/remote_service.h"

namespace attune {

struct RemotePlace {
  std::string url; // answers; and takes events where there is no collect_url
  std::string collect_url; // takes events, where that is another process
  std::string admin_url; // the operator's listener of a process that takes events; empty: nothing can be forgotten
  std::string write_key, signing_key, admin_token; // empty: none
  std::size_t n = 10; // items of an answer in one call
};

class HttpRemote final : public RemoteService {
 public:
  // ERRORS: usage: a URL that is none.
  static Result<std::unique_ptr<RemoteService>> open(const RemotePlace& place);

  Result<RemoteReceipt> send(const CustomerId& customer, std::string_view event, const ItemId& item,
                             const std::optional<Slot>& slot, std::string_view after) override;
  Result<RemoteAnswer> ask(const CustomerId& customer, const Slot& slot, std::size_t n, std::string_view after) override;
  Status forget(const CustomerId& customer) override;

 private:
  explicit HttpRemote(RemotePlace place);
  void prove(const CustomerId& customer);
  Result<const ClientReply*> send_request(unsigned wanted);

  RemotePlace place_;
  std::optional<CustomerSignature> signing_;
  HttpClient client_;
  ClientRequest request_;
};

} // namespace attune
