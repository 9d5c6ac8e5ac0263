#!/usr/bin/env bash
# The tests in a browser: node's own runner over tests/web/NAME.test.mjs, real Chromium by playwright-core, a real attuned. What cannot be had
# is said and skipped (77), unless ATTUNE_REQUIRE_SERVERS=1. npm's packages go into ATTUNE_WEB, a directory of the build, once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${ATTUNE_BIN:?the directory of the programs}" "${ATTUNE_DAEMONS:?the directory of the daemons}" "${ATTUNE_WEB:?where npm packages go}"
skip() {
  echo "skipped: $*"
  [ "${ATTUNE_REQUIRE_SERVERS:-0}" = 0 ] || exit 1
  exit 77
}
command -v node >/dev/null || skip "no node"
command -v npm >/dev/null || skip "no npm"
ATTUNE_CHROMIUM=${ATTUNE_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
[ -n "$ATTUNE_CHROMIUM" ] || skip "no Chromium"
export ATTUNE_CHROMIUM
mkdir -p "$ATTUNE_WEB"
(
  flock 9
  cp "$here/packages.json" "$ATTUNE_WEB/package.json"
  [ -f "$ATTUNE_WEB/installed" ] && cmp -s "$ATTUNE_WEB/installed" "$ATTUNE_WEB/package.json" && exit 0
  npm install --prefix "$ATTUNE_WEB" --no-audit --no-fund --no-package-lock --loglevel=error >"$ATTUNE_WEB/npm.log" 2>&1 || exit 1
  cp "$ATTUNE_WEB/package.json" "$ATTUNE_WEB/installed"
) 9>"$ATTUNE_WEB/lock" || skip "no packages from npm: $(tail -n 3 "$ATTUNE_WEB/npm.log")"
if [ "${1-}" = --program ]; then # bench.mjs, with its arguments
  program=$2
  shift 2
  exec node "$here/$program" "$@"
fi
exec node --test --test-reporter=spec "$here/$1.test.mjs"
