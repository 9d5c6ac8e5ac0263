#include "core/segment.h"

namespace attune {

std::vector<std::string_view> segments_of(const Segments& segments, Asker& asker)
{
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (asker.in_segment(i)) names.emplace_back(segments[i].name);
  return names;
}

} // namespace attune
