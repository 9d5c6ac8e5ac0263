#!/usr/bin/env bash
# man-metrics.sh - attune-metrics(7) names every number of /metrics, with its labels, and none that is not there: a daemon of all roles is
# asked, after one event and one answer.
# ATTUNE_BIN is the directory of the programs (build/release/tools), ATTUNE_DAEMONS that of the daemons (daemons, beside it).
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=${ATTUNE_BIN:-build/release/tools}
daemons=${ATTUNE_DAEMONS:-$bin/../daemons}
daemons=$(cd "$daemons" && pwd) || exit 1
page=$PWD/man/attune-metrics.7
unset CREDENTIALS_DIRECTORY JOURNAL_STREAM NOTIFY_SOCKET "${!ATTUNE_@}"
export LC_ALL=C.UTF-8
scratch=$(mktemp -d "${TMPDIR:-/tmp}/attune-metrics.XXXXXX")
daemon=
trap '[ -z "$daemon" ] || { kill "$daemon"; wait "$daemon"; }; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

fail() {
  echo "FAILED: $1"
  cat err
  exit 1
}

"$daemons/attuned" --log file:log --store memory: --spool spool --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 2>err &
daemon=$!
for ((round = 0; round < 600; round++)); do
  grep -q ': ready$' err && break
  kill -0 $daemon 2>/dev/null || fail "attuned ended"
  sleep 0.1
done
at() { sed -n "s/^attuned: $1 at //p" err; }
curl -sf -o answer "http://$(at requests)/v1/events?slot=home" -d '{"type":"view","customer":"anon-1","item":"kettle"}' || fail "no answer"
curl -sf -o metrics "http://$(at 'admin requests')/metrics" || fail "no metrics"

# "name label label", the labels in order; a histogram's le is understood.
awk '$2 == "TYPE" { kind[$3] = $4 }
  !/^#/ {
    name = $0; sub(/[{ ].*/, "", name); labels = ""
    if (match($0, /\{.*\}/)) { labels = substr($0, RSTART + 1, RLENGTH - 2); gsub(/="[^"]*"/, "", labels) }
    base = name; sub(/_(bucket|sum|count)$/, "", base)
    if (kind[base] == "histogram") { name = base; sub(/,?le$/, "", labels) }
    gsub(/,/, " ", labels); print name " " labels
  }' metrics | sed 's/ *$//' | LC_ALL=C sort -u >exposed
awk '$1 == ".It" && $2 == "Li" {
    line = $3
    for (i = 4; i <= NF; i++) if ($i != "Pq" && $i != ",") line = line " " $i
    print line
  }' "$page" | LC_ALL=C sort -u >named
diff exposed named >difference || {
  echo "FAILED: the numbers of /metrics (<) and those of attune-metrics(7) (>) differ:"
  grep '^[<>]' difference
  exit 1
}
echo "$(wc -l <named) numbers"
