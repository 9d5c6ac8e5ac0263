#!/usr/bin/env bash
# man-examples.sh [PAGE]... - runs the EXAMPLES of the manual pages (man/*.[178] when none is named), so that what people copy works.
#
# In a page's EXAMPLES each line `.Dl $ COMMAND`, and each line `$ COMMAND` of a literal block (continued by a final backslash), is run; a
# page's commands one after the other, in one scratch directory with the programs in PATH and the files of examples/shop and examples/maps.
# Every command must exit 0. mdoc comments say what a reader need not see:
#   .\" $ COMMAND        run it too: what must lie there beforehand
#   .\" exits N          of the next command
#   .\" not run: REASON  the next command is only for reading; so is every one that names a server (kafka: redis: rediss: redis+...:)
#   .\" daemon           the next command stays: it is awaited until it is ready, and runs beside those that follow
#   .\" stop             the daemon is stopped, and has to end with 0; the end of the page does the same
# Other lines of a literal block are output, for the reader's eyes. The ports 8080 and 8081 of 127.0.0.1, the daemons' own, are free ones
# when a page is run, and the daemons listen there.
# ATTUNE_BIN is the directory of the programs (build/release/tools), ATTUNE_DAEMONS that of the daemons (daemons, beside it).
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
bin=${ATTUNE_BIN:-build/release/tools}
bin=$(cd "$bin" && pwd) || exit 1
daemons=${ATTUNE_DAEMONS:-$bin/../daemons}
[ $# -gt 0 ] || set -- man/*.[178]
unset CREDENTIALS_DIRECTORY JOURNAL_STREAM NOTIFY_SOCKET "${!ATTUNE_@}"
export PATH=$bin:$daemons:$PATH LC_ALL=C.UTF-8 TZ=UTC
passed=0 failed=0

# The commands of a page, one a line: "STATUS<tab>COMMAND"; STATUS is "daemon" for one that stays, and a line "stop" ends it.
commands_of() {
  awk '
    function plain(text) {
      gsub(/\\e/, "\\", text); gsub(/\\-/, "-", text); gsub(/\\&/, "", text); gsub(/\\\(aq/, "\x27", text)
      gsub(/\\\(dq/, "\"", text); gsub(/\\\(ti/, "~", text); gsub(/\\\(ha/, "^", text); gsub(/\\\(ga/, "`", text)
      return text
    }
    function emit(text) {
      if (!skip && text !~ /(kafka|redis|rediss|redis\+[a-z]+):/) print status "\t" text
      status = 0; skip = 0
    }
    BEGIN { status = 0 }
    /^\.Sh / { in_examples = ($0 == ".Sh EXAMPLES") }
    !in_examples { next }
    /^\.\\" \$ / { print "0\t" substr($0, 7); next }
    /^\.\\" exits / { status = $3; next }
    /^\.\\" not run:/ { skip = 1; next }
    /^\.\\" daemon$/ { status = "daemon"; next }
    /^\.\\" stop$/ { print "stop\t-"; next }
    /^\.Dl \$ / { emit(plain(substr($0, 7))); next }
    /^\.Bd .*-literal/ { literal = 1; next }
    /^\.Ed/ { literal = 0; next }
    literal && (continued || /^\$ /) {
      text = continued ? command "\n" plain($0) : plain(substr($0, 3))
      if (text ~ /\\$/) { command = substr(text, 1, length(text) - 1); continued = 1; next }
      gsub(/\n */, " ", text); continued = 0; emit(text)
    }' "$1"
}

failed() { # failed PAGE WHAT FILE : the end of FILE says more
  failed=$((failed + 1))
  printf 'FAILED: %s: %s\n' "${1#"$root/"}" "$2"
  tail -n 5 "$3"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { # one whose next is free too
  local port
  while :; do
    port=$((20000 + RANDOM % 6000 * 2))
    listens $port || listens $((port + 1)) || break
  done
  echo $port
}

# The daemon of a page: its process in $daemon, what it says in $scratch/.daemon.
daemon=
start_daemon() { # start_daemon COMMAND : whether it became ready
  : >"$scratch/.daemon"
  (cd "$scratch" && ATTUNE_LISTEN=127.0.0.1:$port ATTUNE_ADMIN_LISTEN=127.0.0.1:$((port + 1)) exec bash -c "exec env $1") \
    </dev/null >"$scratch/.out" 2>>"$scratch/.daemon" &
  daemon=$!
  local round
  for ((round = 0; round < 600; round++)); do
    grep -q ': ready$' "$scratch/.daemon" && return 0
    kill -0 "$daemon" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}
stop_daemon() { # whether it ended well, within a minute
  local pid=$daemon round
  daemon=
  kill "$pid" 2>/dev/null
  for ((round = 0; round < 600; round++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
  wait "$pid"
}
trap '[ -z "$daemon" ] || kill -9 "$daemon"' EXIT

for page; do
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/attune-man.XXXXXX")
  cp -R examples/shop/. examples/maps/. "$scratch" 2>/dev/null
  port=$(free_port)
  commands=$(commands_of "$page" | sed "s/127\.0\.0\.1:8080/127.0.0.1:$port/g; s/127\.0\.0\.1:8081/127.0.0.1:$((port + 1))/g")
  [ -n "$commands" ] || {
    echo "FAILED: $page: no example that can be run"
    failed=$((failed + 1))
  }
  while IFS=$'\t' read -r status command; do
    [ -n "$command" ] || continue
    case $status in
      daemon) if start_daemon "$command"; then passed=$((passed + 1)); else failed "$page" "never ready: $command" "$scratch/.daemon"; fi ;;
      stop) stop_daemon || failed "$page" "a daemon ended badly" "$scratch/.daemon" ;;
      *)
        (cd "$scratch" && timeout 60 bash -o pipefail -c "$command") </dev/null >"$scratch/.out" 2>"$scratch/.err"
        got=$?
        if [ "$got" = "$status" ]; then
          passed=$((passed + 1))
        else
          failed "$page" "exit $got instead of $status: $command" "$scratch/.err"
        fi
        ;;
    esac
  done <<<"$commands"
  [ -z "$daemon" ] || stop_daemon || failed "$page" "a daemon ended badly" "$scratch/.daemon"
  rm -rf "$scratch"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
