#include "core/dialect.h"
#include "core/event_json.h"

namespace attune {
namespace {

class AttuneDialect final : public Dialect {
 public:
  Result<bool, Reject> parse(std::string_view line, Event& out) override
  {
    const auto parsed = parser_.parse(line, out);
    return parsed ? Result<bool, Reject>(true) : Result<bool, Reject>(parsed.error());
  }

 private:
  EventParser parser_;
};

} // namespace

std::unique_ptr<Dialect> attune_dialect()
{
  return std::make_unique<AttuneDialect>();
}

} // namespace attune
