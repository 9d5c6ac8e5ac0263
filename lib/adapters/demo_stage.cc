#include "adapters/demo_stage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

namespace attune {

bool DemoStage::of_the_shop(std::string_view origin) const
{
  return std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

std::string DemoStage::parts() const
{
  std::ifstream in(directory_ + "/parts.json", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  return in && nlohmann::json::accept(text) ? text : "{\"parts\":[]}\n";
}

bool DemoStage::has_part(std::string_view name) const
{
  const auto known = nlohmann::json::parse(parts(), nullptr, false);
  const auto list = known.is_object() ? known.find("parts") : known.end();
  return known.is_object() && list != known.end() && std::any_of(list->begin(), list->end(), [&](const nlohmann::json& each) {
           return each.is_object() && each.value("name", "") == name;
         });
}

Status DemoStage::tell(const std::string& line) const
{
  const auto path = directory_ + "/control";
  const int fifo = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fifo < 0) return Error{errno == ENXIO || errno == ENOENT ? Code::unreachable : Code::io, path + ": nobody reads it"};
  const auto text = line + '\n'; // shorter than PIPE_BUF: whole or not at all
  const auto written = ::write(fifo, text.data(), text.size());
  ::close(fifo);
  if (written != static_cast<ssize_t>(text.size())) return Error{Code::unreachable, path + ": is full"};
  return {};
}

} // namespace attune
