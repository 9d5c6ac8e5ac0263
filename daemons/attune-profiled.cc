// attune-profiled: keep profiles up to date with a log. Its parts: daemons/service.h.
#include "service.h"

int main(int argc, char** argv)
{
  constexpr attune::Roles kRoles{false, true, false};
  return attune::run_service(argc, argv, "attune-profiled", "keep profiles up to date with a log",
                             "Example:\n"
                             "  attune-profiled --log kafka://db1:9092 --store redis://db2\n",
                             kRoles, false);
}
