# Words for tests of the daemons. Sourced after lib.sh; needs curl and jq.
# shellcheck shell=bash
: "${ATTUNE_DAEMONS:?the directory of the daemons}"
export PATH=$ATTUNE_DAEMONS:$PATH

# serve NAME DAEMON [options…] : starts a daemon on ports of its own and waits until it is ready. Sets url[NAME], admin[NAME] and pid[NAME]
# (`declare -A url admin pid` stands in the test).
serve() {
  local name=$1 daemon=$2
  shift 2
  : >"$name.err" # what an earlier one said is not read again
  "$daemon" --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 "$@" 2>"$name.err" &
  pid[$name]=$!
  PIDS+=($!)
  until_true serving "$name" "${pid[$name]}"
  url[$name]=http://$(sed -n 's/.*: requests at //p' "$name.err")
  admin[$name]=http://$(sed -n 's/.*: admin requests at //p' "$name.err")
}
serving() {
  kill -0 "$2" 2>/dev/null || fail "$1 ended: $(cat "$1.err")"
  grep -q ': ready$' "$1.err"
}

# ended PID STATUS WHAT : waits for a process and compares its exit status.
ended() {
  local status=0
  wait "$1" || status=$?
  [ "$status" = "$2" ] || fail "$3 ended with $status, not $2: $(cat ./*.err)"
}

# get URL… / post URL BODY : the body; fails the test at an error of the connection, not at a status.
get() { curl -sS --max-time 30 "$@"; }
post() { curl -sS --max-time 30 -X POST "$1" -H 'Content-Type: application/json' --data-binary "$2"; }
status_of() { curl -sS --max-time 30 -o /dev/null -w '%{http_code}' "$@"; }

# expect WANTED GOT WHAT
expect() { [ "$1" = "$2" ] || fail "$3: wanted: $1 got: $2"; }
metric() { get "$1/metrics" | awk -v name="$2" '$1 == name { print $2 }'; }
