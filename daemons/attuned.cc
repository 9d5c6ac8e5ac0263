// attuned: run the whole service in one process. Its parts: daemons/service.h.
#include "service.h"

int main(int argc, char** argv)
{
  constexpr attune::Roles kRoles{true, true, true};
  return attune::run_service(
      argc, argv, "attuned", "run the whole service in one process",
      "Example:\n"
      "  attuned --log file:///var/lib/attune/log --store rocksdb:///var/lib/attune/profiles --model /var/lib/attune/shop.model\n",
      kRoles, true);
}
