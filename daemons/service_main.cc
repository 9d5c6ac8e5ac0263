// The main of every daemon: settings, checks, a Service between its start and its drain.
#include "adapters/dead_letter_place.h"
#include "knowledge_files.h"
#include "service.h"

namespace attune {

namespace {

// Of --check-config: what the next reload would read. Bad lines of the catalog are told, and no reason not to start.
Status check_files(const ServiceSettings& settings, const std::string& program)
{
  if (settings.rules)
    if (auto rules = read_rules_file(*settings.rules); !rules) return rules.error();
  if (!settings.catalog) return {};
  const auto told = open_dead_letters({"stderr", program, {}, nullptr});
  if (!told) return told.error();
  Catalog catalog;
  std::uint64_t rejected = 0;
  return read_catalog_file(*settings.catalog, catalog, **told, rejected);
}

} // namespace

int run_service(int argc, char** argv, const std::string& name, const std::string& summary, const std::string& examples,
                const Roles& roles, bool choose)
{
  Tool tool(name, summary, examples);
  ServiceSettings settings(roles);
  settings.declare(tool, choose);
  return tool.run(argc, argv, [&]() -> Result<ExitStatus> {
    if (auto checked = settings.check(); !checked) return checked.error();
    set_log({name, LogLevel::info, settings.log_format});
    if (settings.check_config) {
      if (auto checked = check_files(settings, name); !checked) return checked.error();
      return ExitStatus::done;
    }
    Daemon daemon;
    auto service = Service::open(settings, name);
    if (!service) return service.error();
    (*service)->start();
    auto ran = daemon.run({
        .alive = [&] { return (*service)->alive(); },
        .reload = [&] { return (*service)->reload(); },
        .status = [&] { return (*service)->status(); },
        .failure = [&] { return (*service)->failure(); },
    });
    auto drained = (*service)->drain();
    if (!ran) return ran.error();
    if (!drained) return drained.error();
    return ExitStatus::done;
  });
}

} // namespace attune
