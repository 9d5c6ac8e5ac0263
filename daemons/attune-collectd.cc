// attune-collectd: take events over HTTP into a log. Its parts: daemons/service.h.
#include "service.h"

int main(int argc, char** argv)
{
  constexpr attune::Roles kRoles{true, false, false};
  return attune::run_service(argc, argv, "attune-collectd", "take events over HTTP into a log",
                             "Example:\n"
                             "  attune-collectd --log kafka://db1:9092 --spool /var/lib/attune/spool\n",
                             kRoles, false);
}
