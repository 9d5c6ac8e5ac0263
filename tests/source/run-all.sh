#!/usr/bin/env bash
# run-all.sh [TOOLS] - every check of the sources. They compile nothing; where the directory TOOLS has the programs, their --help is
# compared with the manual too. A check that exits 77 lacks a program, and has said so.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0
for check in tests/source/check-*.sh; do
  "$check" "$@" || [ $? = 77 ] || failed=1
done
exit "$failed"
