// attune-recommendd: answer over HTTP what customers should see next. Its parts: daemons/service.h.
#include "service.h"

int main(int argc, char** argv)
{
  constexpr attune::Roles kRoles{false, false, true};
  return attune::run_service(argc, argv, "attune-recommendd", "answer over HTTP what customers should see next",
                             "Example:\n"
                             "  attune-recommendd --log kafka://db1:9092 --store redis://db2 --model /var/lib/attune/shop.model\n",
                             kRoles, false);
}
