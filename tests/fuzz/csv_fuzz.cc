#include <cstdint>
#include <string_view>
#include <vector>

#include "core/column_map.h"
#include "core/dialect.h"
#include "fuzz/round_trip.h"

using namespace attune;

namespace {

constexpr std::string_view kMap = R"(
id = ["id", "at"]
properties = ["note", "kind"]
[fields]
type = { column = "kind", values = { v = "view", a = "cart_add", p = "purchase", x = "x.y" } }
customer = { column = ["user", "id"], drop_suffix = ".0" }
session = { join = ["user", "id"], with = "/" }
item = "item"
time = { column = "at", format = "s" }
quantity = "n"
price = "price"
[[rule]]
if = { column = "kind", is = "v" }
time = { column = "at", format = "%Y-%m-%d %H:%M:%S" }
[[rule]]
if = [{ column = "n", prefix = "-" }, { column = "kind", is = ["a", "p"] }]
quantity = { column = "n", negate = true }
[[rule]]
if = { column = "item", empty = true }
skip = true
)";

std::vector<std::string> records(std::string_view text, std::size_t piece)
{
  CsvRecords splitter;
  std::vector<std::string> all;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    splitter.feed(text.substr(0, piece));
    while (auto record = splitter.next()) {
      all.push_back(std::move(*record));
    }
  }
  while (auto record = splitter.finish()) {
    all.push_back(std::move(*record));
  }
  return all;
}

} // namespace

// The first byte says in which pieces the text comes, which must not matter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  static const auto map = ColumnMap::parse(kMap, "fuzz.toml");
  ATTUNE_ASSERT(map.ok());
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::vector<std::string> whole = records(text, text.size());
  ATTUNE_ASSERT(whole == records(text, data[0] + std::size_t{1}));
  const auto dialect = csv_dialect(*map);
  Event event;
  for (const std::string& record : whole) {
    ATTUNE_ASSERT(record.size() <= kMaxEventBytes + 1);
    const auto parsed = dialect->parse(record, event);
    if (parsed && *parsed) {
      fuzz::check_event(event);
    }
  }
  return 0;
}
