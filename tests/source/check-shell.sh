#!/usr/bin/env bash
# Every shell script is accepted by shellcheck.
set -u
cd "$(dirname "$0")/../.." || exit 1
command -v shellcheck >/dev/null || {
  echo "shellcheck is not installed: shell scripts not checked" >&2
  exit 0
}
# SC2034: a library's variables are used by who sources it.
find . -path ./build -prune -o -path ./.git -prune -o \( -name '*.sh' -o -path './.ci/*' \) -type f -print0 |
  xargs -0 shellcheck --severity=warning --external-sources --exclude=SC2034
