#include "knowledge_files.h"

#include "service/lines.h"

namespace attune {

Status read_catalog_file(const std::string& path, Catalog& catalog, DeadLetterSink& dead_letters, std::uint64_t& rejected)
{
  LineReader lines({path});
  const SystemClock clock;
  for (;;) {
    auto line = lines.next();
    if (!line) return line.error();
    if (!*line) return {};
    if (auto item = parse_catalog_item((*line)->text)) {
      catalog.put(std::move(*item));
      continue;
    } else if (auto buried = dead_letters.put(
                   {(*line)->place(), item.error().field, item.error().reason, (*line)->text, clock.now(), "catalog"});
               !buried) {
      return buried;
    }
    ++rejected;
  }
}

Result<Rules> read_rules_file(const std::string& path)
{
  auto text = read_whole(path);
  if (!text) return text.error();
  return Rules::parse(*text, path);
}

} // namespace attune
