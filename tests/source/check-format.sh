#!/usr/bin/env bash
# Every C++ source stands as .clang-format says. --fix rewrites those that do not.
set -u
cd "$(dirname "$0")/../.." || exit 1
mode=(--dry-run -Werror)
[ "${1-}" = --fix ] && mode=(-i)
command -v clang-format >/dev/null || {
  echo "clang-format is not installed: formatting not checked" >&2
  exit 0
}
find lib tools daemons tests \( -name '*.cc' -o -name '*.h' \) -print0 2>/dev/null | sort -z |
  xargs -0 -n 8 -P "$(nproc)" clang-format "${mode[@]}" 2>&1 | grep -E 'error|warning' | head -n 40
[ "${PIPESTATUS[2]}" = 0 ]
