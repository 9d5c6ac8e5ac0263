// The options of a program that asks a running service: where it is, and what it wants to see (DESIGN section 6). Declared once.
#pragma once

#include <string>

#include "adapters/http_remote.h"
#include "service/tool.h"

namespace attune {

struct RemoteSettings {
  RemotePlace place;

  void declare(Command& command); // --url, --signing-key, -n
  void declare_sending(Command& command); // --collect-url, --write-key, --admin-url, --admin-token

  // ERRORS: usage: a URL that is none.
  [[nodiscard]] Status check() const;
  // Handles on the service; outlived by these settings.
  [[nodiscard]] RemoteServices services() const;
};

} // namespace attune
