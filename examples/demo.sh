#!/usr/bin/env bash
# The living shop: examples/shop served by attuned, its model taught by a crowd, and the crowd still shopping. `make demo`: one process, everything
# embedded. `make demo-cluster` (demo.sh cluster): the same shop on real Kafka and Redis and separate daemons, each of which can be stopped and
# started from the page's panel. Ctrl-C ends it, and nothing is left behind.
# ATTUNE_BIN and ATTUNE_DAEMONS: where the programs are. ATTUNE_DEMO_PORT: where the shop is (8080, or the next that is free).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
shop=$here/shop
export PATH=${ATTUNE_BIN:?the directory of the programs}:${ATTUNE_DAEMONS:?the directory of the daemons}:$PATH
port=${ATTUNE_DEMO_PORT:-8080} kind=${1:-embedded}
unset "${!ATTUNE_@}" # they would be options
work=$(mktemp -d "${TMPDIR:-/tmp}/attune-demo.XXXXXX")
declare -A pid=() title=([attuned]="attuned" [crowd]="The crowd")
parts=(crowd)

finish() {
  trap - EXIT
  trap '' INT TERM
  [ -z "${pid[crowd]-}" ] || kill "${pid[crowd]}" 2>/dev/null || true
  for name in attuned profiled; do [ -z "${pid[$name]-}" ] || kill "${pid[$name]}" 2>/dev/null || true; done
  [ -z "${pid[control]-}" ] || kill "${pid[control]}" 2>/dev/null || true
  wait "${pid[@]}" 2>/dev/null || true # Kafka is a child too, and ends after those who use it
  if [ "$kind" = cluster ]; then
    [ ! -f "$work/redis.pid" ] || kill "$(cat "$work/redis.pid")" 2>/dev/null || true
    kafka_stop 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'printf "\n"; exit 0' INT TERM

free_port() { # free_port FROM : the first from there on that nobody listens on
  local at=$1
  while (: <"/dev/tcp/127.0.0.1/$at") 2>/dev/null; do at=$((at + 1)); done
  echo "$at"
}
fail() {
  echo "demo: $*" >&2
  exit 1
}
ready() { # ready NAME : waits until the daemon says so
  until grep -qs ': ready$' "$work/$1.err"; do
    kill -0 "${pid[$1]}" 2>/dev/null || fail "$1 ended: $(cat "$work/$1.err")"
    sleep 0.05
  done
}

# --- What runs ---
# A process that ended is gone even while nobody has waited for it.
alive() { local state; state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) && [[ $state != Z* ]]; }
runs() { [ -n "${pid[$1]-}" ] && alive "${pid[$1]}"; }
start_crowd() {
  attune-simulate --catalog "$shop/catalog.ndjson" --customers 300 --seed 2 --live --rate 8 --url "http://127.0.0.1:$port" --give-up 1d --quiet \
    >"$work/crowd.out" 2>&1 &
  pid[crowd]=$!
}
start_profiled() {
  attune-profiled --log "$log" --store "$store" --listen '' --admin-listen '' 2>"$work/profiled.err" &
  pid[profiled]=$!
}
start_redis() {
  redis-server --port 0 --unixsocket "$work/redis.sock" --save "" --appendonly yes --dir "$work" --daemonize yes --pidfile "$work/redis.pid" \
    >"$work/redis.out"
  until redis-cli -s "$work/redis.sock" ping >/dev/null 2>&1; do sleep 0.05; done
}
up() { # up NAME
  case $1 in
    kafka) kafka_runs ;;
    redis) alive "$(cat "$work/redis.pid" 2>/dev/null || echo none)" ;;
    *) runs "$1" ;;
  esac
}
tell_parts() {
  local name separator="" text='{"parts":['
  for name in "${parts[@]}"; do
    text+="$separator{\"name\":\"$name\",\"title\":\"${title[$name]}\",\"up\":$(up "$name" && echo true || echo false)}"
    separator=,
  done
  echo "$text]}" >"$work/demo/parts.new"
  mv "$work/demo/parts.new" "$work/demo/parts.json"
}
obey() { # obey start|stop NAME : as the panel asks; a stop is a kill
  case "$1 $2" in
    'stop kafka') kafka_kill ;;
    'start kafka') kafka_runs || kafka_start >/dev/null & ;;
    'stop redis') kill -KILL "$(cat "$work/redis.pid")" 2>/dev/null || true ;;
    'start redis') up redis || start_redis ;;
    'stop '*) kill -KILL "${pid[$2]}" 2>/dev/null || true ;;
    'start '*) runs "$2" || "start_$2" ;;
  esac
}

log=file:$work/log store=rocksdb:$work/profiles roles=collect,profile,recommend
if [ "$kind" = cluster ]; then
  echo "Kafka and Redis …"
  export ATTUNE_KAFKA_DATA=$work/kafka
  # shellcheck disable=SC1091
  . "$here/../tests/support/kafka.sh"
  kafka_start || fail "no Kafka"
  log=kafka://$ATTUNE_TEST_KAFKA store=redis+unix://$work/redis.sock roles=collect,recommend
  unset ATTUNE_TEST_KAFKA
  command -v redis-server >/dev/null || fail "no redis-server"
  start_redis
  attune-init --log "$log" --partitions 3 >/dev/null
  title+=([kafka]="Kafka" [redis]="Redis" [profiled]="attune-profiled")
  parts=(kafka redis profiled crowd)
fi

echo "A fortnight of a crowd in the shop, and a model taught by it …"
mkdir "$work/demo"
mkfifo "$work/demo/control"
fortnight=$(($(date +%s) - 14 * 86400))000
attune-simulate --catalog "$shop/catalog.ndjson" --customers 1000 --days 14 --start "$fortnight" --quiet | attune-produce --log "$log"
attune-train --log "$log" --rules "$shop/rules.toml" -o "$work/model" --quiet >/dev/null

port=$(free_port "$port")
admin=$(free_port $((port + 1)))
[ "$kind" = embedded ] || { start_profiled && ready profiled; }
attuned --roles "$roles" --listen "127.0.0.1:$port" --admin-listen "127.0.0.1:$admin" --log "$log" --store "$store" --spool "$work/spool" \
  --model "$work/model" --catalog "$shop/catalog.ndjson" --rules "$shop/rules.toml" --static aurora-5,headphones,desk-lamp,kettle,backpack,grinder \
  --www "$shop" --www-header "Content-Security-Policy: default-src 'self'; connect-src 'self' http://127.0.0.1:$admin" --demo "$work/demo" \
  2>"$work/attuned.err" &
pid[attuned]=$!
ready attuned
until curl -sf -o /dev/null "http://127.0.0.1:$admin/readyz"; do
  runs attuned || fail "attuned ended: $(cat "$work/attuned.err")"
  sleep 0.05
done
start_crowd
tell_parts

cat <<TEXT

  The shop        http://127.0.0.1:$port
  Its owner's     http://127.0.0.1:$admin/admin

  Three things to try:
    1. Open the shop twice. Put the Aurora 5 phone into the cart in one tab, and look at the homepage in the other.
    2. "What happened?", at the bottom: how the last event got onto the screen, in milliseconds, and why each thing is there.
TEXT
if [ "$kind" = cluster ]; then
  echo '    3. In the same panel, stop Redis, or Kafka: the shop goes on, and says what its answers are made of meanwhile.'
else
  echo "    3. curl 'http://127.0.0.1:$port/v1/recommendations?customer=c-1&n=4&fields=name,price'"
fi
printf '\n  Ctrl-C ends it.\n\n'

# The panel's wishes, and what runs, looked at each half second. Both ends of the FIFO are held, so that it is never at its end.
exec 8<>"$work/demo/control"
while runs attuned; do
  if read -r -t 0.5 -u 8 what name; then
    for known in "${parts[@]}"; do [ "$known" != "$name" ] || obey "$what" "$name" || true; done
  fi
  tell_parts
done
fail "attuned ended: $(tail -n 3 "$work/attuned.err")"
