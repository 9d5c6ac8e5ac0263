// The Protobuf form of an event: share/schemas/event.proto (package attune.v1, message Event). The same limits and the same
// reasons as the JSON form. Used on a log when a record's header `content-type` is kProtobufContentType.
#pragma once

#include <string>
#include <string_view>

#include "core/event.h"

namespace attune {

inline constexpr std::string_view kContentTypeHeader = "content-type";
inline constexpr std::string_view kProtobufContentType = "application/x-protobuf";

void append_event_proto(const Event& event, std::string& out);
[[nodiscard]] Result<void, Reject> parse_event_proto(std::string_view bytes, Event& out);

} // namespace attune
