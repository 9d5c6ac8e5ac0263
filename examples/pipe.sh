#!/usr/bin/env bash
# The main job as a pipe: a small shop's events become profiles and recommendations, and one event changes the next answer. Everything is
# embedded: no Kafka, no Redis. Run by `make demo-pipe`; ATTUNE_BIN is where the programs are.
set -euo pipefail
examples=$(cd "$(dirname "$0")" && pwd)
export PATH=${ATTUNE_BIN:?the directory of the programs}:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/attune-pipe.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

bold="" plain=""
[ -t 1 ] && bold=$'\e[1m' plain=$'\e[0m'
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
run() {
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
  eval "$*"
}
# An answer, an item a line, its reasons below it.
readable() { sed -e 's/,"items":\[/\n/' -e 's/{"item"/\n  {"item"/g' -e 's/{"source"/\n      {"source"/g' -e 's/\],"tier/\n],"tier/'; }

export ATTUNE_LOG=file:$work/log ATTUNE_STORE=rocksdb:$work/profiles ATTUNE_MODEL=$work/model
update="attune-profile-update --group shop --until-end --emit none"

say "1. The shop's events so far go into a log, and from there into profiles and a model."
run "attune-produce $examples/shop/events.ndjson"
run "$update"
run "attune-train -o \$ATTUNE_MODEL"

ask="attune-recommend --customer ana --slot home -n 4 --catalog $examples/shop/catalog.ndjson --at 2026-01-10T01:01:00Z"
say "2. Ana has looked at a kettle. What her homepage shows, and why:"
run "$ask --why" | readable

say "3. She puts a phone into her cart. One event:"
run "echo '{\"type\":\"cart_add\",\"customer\":\"ana\",\"item\":\"aurora-5\",\"quantity\":1,\"price\":\"549.00\",\"currency\":\"EUR\",\"session\":\"s900\",\"time\":\"2026-01-10T01:00:40Z\"}' | attune-produce"
run "$update"

say "4. The same question again: the case and the glass that fit it, and who says so."
run "$ask --why" | readable

say "5. What is kept of her:"
run "attune-profile get ana"

say "All of it stood in $work, which is removed now. With other URLs (kafka://…, redis://…) the same commands run on Kafka and Redis."
