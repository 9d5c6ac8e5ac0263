#include "core/dialect.h"
#include "core/event_proto.h"

namespace attune {
namespace {

class ProtobufDialect final : public Dialect {
 public:
  Result<bool, Reject> parse(std::string_view bytes, Event& out) override
  {
    const auto parsed = parse_event_proto(bytes, out);
    return parsed ? Result<bool, Reject>(true) : Result<bool, Reject>(parsed.error());
  }
};

} // namespace

std::unique_ptr<Dialect> protobuf_dialect()
{
  return std::make_unique<ProtobufDialect>();
}

} // namespace attune
