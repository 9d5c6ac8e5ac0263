# What every system test needs: a scratch directory, servers of its own, events of a known kind, and words for what is expected.
# Sourced; the test is run as `NAME.sh` with ATTUNE_BIN (the tools' directory) and ATTUNE_SOURCE (the repository) set, by ctest.
# shellcheck shell=bash
set -euo pipefail

: "${ATTUNE_BIN:?the directory of the tools}" "${ATTUNE_SOURCE:?the repository}"
export PATH=$ATTUNE_BIN:$PATH
export -n ATTUNE_SOURCE # --source, to a program
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/attune-system.XXXXXX")
cd "$SCRATCH"
PIDS=()
AT_EXIT=() # commands, before the scratch directory goes; a trap of a test's own would lose its exit status

clean_up() {
  local status=$? each
  trap - EXIT
  set +e
  for each in "${AT_EXIT[@]}"; do $each 2>/dev/null; done
  [ "$status" = 0 ] || [ "$status" = 77 ] || { echo "--- left in $SCRATCH:" >&2; tail -n 5 "$SCRATCH"/*.err >&2 2>/dev/null || true; }
  local pid
  for pid in "${PIDS[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  [ -f redis.pid ] && kill -9 "$(cat redis.pid)" 2>/dev/null
  rm -rf "$SCRATCH"
  exit "$status"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# A server that can not be had: a failure where servers are required (CI), a skip on a laptop without network.
skip() {
  [ "${ATTUNE_REQUIRE_SERVERS:-0}" = 1 ] && fail "$*"
  echo "skipped: $*"
  exit 77
}

# until CONDITION… : waits for a condition, not for a time; gives up after a minute.
until_true() {
  local deadline=$((SECONDS + 60))
  until "$@"; do
    ((SECONDS < deadline)) || fail "never became true: $*"
    sleep 0.05
  done
}

# --- Redis: on a unix socket in the scratch directory ---------------------------------------------------------------
command -v redis-server >/dev/null || NO_REDIS=1
STORE=redis+unix://$SCRATCH/redis.sock

start_redis() { # start_redis [redis.conf lines as options…]
  [ -z "${NO_REDIS-}" ] || skip "redis-server is not installed"
  redis-server --port 0 --unixsocket "$SCRATCH/redis.sock" --pidfile "$SCRATCH/redis.pid" --dir "$SCRATCH" --daemonize yes \
    --logfile "$SCRATCH/redis.log" --save '' "$@" >/dev/null
  until_true redis_answers
}
redis_answers() { [ "$(redis-cli -s redis.sock ping 2>/dev/null)" = PONG ]; }
kill_redis() {
  kill -9 "$(cat redis.pid)"
  until_true redis_is_gone
  rm -f redis.pid redis.sock
}
redis_is_gone() { ! redis-cli -s redis.sock ping >/dev/null 2>&1; }

# --- Kafka: the broker ctest's fixture started, with a namespace of our own ---------------------------------------------
need_kafka() {
  [ -n "${ATTUNE_TEST_KAFKA-}" ] || {
    [ -f "${ATTUNE_KAFKA_ENV:-/nonexistent}" ] || skip "no Kafka broker"
    # shellcheck disable=SC1090
    . "$ATTUNE_KAFKA_ENV"
  }
  [ -n "${ATTUNE_TEST_KAFKA-}" ] || skip "no Kafka broker"
  LOG=kafka://$ATTUNE_TEST_KAFKA
  NS=t-$$-$RANDOM
  attune-init --log "$LOG" --namespace "$NS" --partitions 3 >init.out 2>init.err || fail "attune-init: $(cat init.err)"
}

# --- Events ------------------------------------------------------------------------------------------------------------
# events COUNT CUSTOMERS [SEED] : shop events in order of time, one every second on average, customers drawn unevenly.
events() {
  awk -v n="$1" -v customers="$2" -v seed="${3:-1}" 'BEGIN {
    srand(seed); t = 1767225600000
    for (i = 0; i < n; i++) {
      t += int(rand() * 2000)
      c = int(customers * rand() * rand()); item = "item-" int(300 * rand() * rand()); r = rand()
      head = sprintf("{\"id\":\"e%d-%07d\",\"time\":%d,\"customer\":\"c%05d\"", seed, i, t, c)
      if (r < .6) printf "%s,\"type\":\"view\",\"item\":\"%s\",\"category\":\"cat-%d\"}\n", head, item, length(item)
      else if (r < .75) printf "%s,\"type\":\"click\",\"item\":\"%s\"}\n", head, item
      else if (r < .88) printf "%s,\"type\":\"cart_add\",\"item\":\"%s\",\"quantity\":%d,\"price\":\"%d.90\",\"currency\":\"EUR\"}\n", head, item, 1 + int(rand() * 3), int(rand() * 90)
      else if (r < .92) printf "%s,\"type\":\"cart_remove\",\"item\":\"%s\"}\n", head, item
      else if (r < .97) printf "%s,\"type\":\"purchase\",\"order\":\"o%07d\",\"currency\":\"EUR\",\"items\":[{\"item\":\"%s\",\"quantity\":1,\"price\":\"9.99\"}]}\n", head, i, item
      else printf "%s,\"type\":\"search\",\"query\":\"q%d\"}\n", head, i % 7
    }
  }'
}

# shuffled SEED : standard input in another order, the same for a seed.
shuffled() { awk -v seed="$1" 'BEGIN { srand(seed) } { printf "%.12f\t%s\n", rand(), $0 }' | sort | cut -f2-; }

# export_of STORE [options] : every record, sorted by customer.
export_of() { attune-profile export --sort --store "$@"; }

same() { # same A B WHAT
  cmp -s "$1" "$2" || {
    diff "$1" "$2" | head -c 2000 >&2
    fail "$3"
  }
}
