#!/usr/bin/env bash
# run-all.sh [TOOLS] - every check of the sources. They compile nothing; where the directory TOOLS has the programs, their --help is
# compared with the manual too.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0
for check in tests/source/check-*.sh; do
  "$check" "$@" || failed=1
done
exit "$failed"
