#!/usr/bin/env bash
# A real Apache Kafka for tests: one KRaft broker on free ports of 127.0.0.1, from the project's own jars, no Docker.
#
# As a library:  export ATTUNE_KAFKA_DATA=DIR; . kafka.sh
#   kafka_start     starts it and sets ATTUNE_TEST_KAFKA=host:port; again after a stop: same data, same port. Fails where it can not be.
#   kafka_stop      stops it in good order        kafka_kill  kill -9
#   kafka_pause, kafka_resume   SIGSTOP, SIGCONT: a broker that is there and silent
# As a program (the ctest fixture):  kafka.sh up FILE DIR | down DIR | start DIR | stop DIR | kill DIR | pause DIR | resume DIR
#   up writes ATTUNE_TEST_KAFKA=host:port into FILE. Is ATTUNE_TEST_KAFKA set already, that broker is used and nothing is started.
#   Where there is no broker to be had: exit 77, `skipped: …`; with ATTUNE_REQUIRE_SERVERS=1 a failure.
#
# The jars come through Maven once, into ATTUNE_KAFKA_HOME (default: attune/kafka of the user's cache).
# shellcheck shell=bash

KAFKA_VERSION=${KAFKA_VERSION:-4.4.0}
KAFKA_LOG4J_VERSION=2.25.5
KAFKA_CLUSTER=MkU3OEVBNTcwNTJENDM2Qk
KAFKA_JARS=${ATTUNE_KAFKA_HOME:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/attune/kafka}/$KAFKA_VERSION

kafka_fetch() {
  [ -f "$KAFKA_JARS/complete" ] && return 0
  command -v java >/dev/null || { echo "Kafka: there is no java" >&2 && return 1; }
  command -v mvn >/dev/null || { echo "Kafka: there is no mvn to fetch it with" >&2 && return 1; }
  mkdir -p "$KAFKA_JARS"
  ( # Several tests may come here at once.
    flock 9
    [ -f "$KAFKA_JARS/complete" ] && exit 0
    cat >"$KAFKA_JARS/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$KAFKA_LOG4J_VERSION</version></dependency>
</dependencies></project>
XML
    (cd "$KAFKA_JARS" && mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$KAFKA_JARS/jars") >"$KAFKA_JARS/fetch.log" 2>&1 || {
      echo "Kafka: Maven could not fetch it: $(tail -n 1 "$KAFKA_JARS/fetch.log")" >&2
      exit 1
    }
    cat >"$KAFKA_JARS/log4j2.properties" <<'PROPERTIES'
rootLogger.level = warn
rootLogger.appenderRef.c.ref = c
appender.c.type = Console
appender.c.name = c
appender.c.layout.type = PatternLayout
appender.c.layout.pattern = %d %p %c{1} %m%n
logger.srv.name = kafka.server
logger.srv.level = info
PROPERTIES
    touch "$KAFKA_JARS/complete"
  ) 9>"$KAFKA_JARS/lock"
}

# Two ports nobody listens on, below those the system hands out by itself (else a client of another test might take one in between).
kafka_free_ports() {
  local base port
  for _ in $(seq 100); do
    base=$((20000 + (RANDOM * 32768 + RANDOM) % 6000 * 2))
    for port in $base $((base + 1)); do
      (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue 2
    done
    echo "$base $((base + 1))"
    return 0
  done
  return 1
}

kafka_configure() {
  local port controller
  read -r port controller < <(kafka_free_ports)
  mkdir -p "$ATTUNE_KAFKA_DATA"
  cat >"$ATTUNE_KAFKA_DATA/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$ATTUNE_KAFKA_DATA/log
offsets.topic.replication.factor=1
offsets.topic.num.partitions=6
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=6
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
log.segment.bytes=268435456
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.threads=1
PROPERTIES
  echo "$port" >"$ATTUNE_KAFKA_DATA/port"
  java -cp "$KAFKA_JARS/jars/*" kafka.tools.StorageTool format -t "$KAFKA_CLUSTER" -c "$ATTUNE_KAFKA_DATA/server.properties" \
    >"$ATTUNE_KAFKA_DATA/format.log" 2>&1
}

kafka_pid() { cat "$ATTUNE_KAFKA_DATA/pid" 2>/dev/null; }
# A process that ended is gone even while nobody has waited for it.
kafka_runs() { local state; state=$(sed 's/.*) //' "/proc/$(kafka_pid || echo none)/stat" 2>/dev/null) && [[ $state != Z* ]]; }

kafka_launch() {
  : >"$ATTUNE_KAFKA_DATA/broker.log"
  # With descriptors of its own: who reads our output should not wait for the broker's end.
  setsid nohup java -Xms512m -Xmx512m -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -Djava.awt.headless=true \
    -Dlog4j2.configurationFile="$KAFKA_JARS/log4j2.properties" -cp "$KAFKA_JARS/jars/*" kafka.Kafka \
    "$ATTUNE_KAFKA_DATA/server.properties" >>"$ATTUNE_KAFKA_DATA/broker.log" 2>&1 </dev/null 9>&- &
  echo $! >"$ATTUNE_KAFKA_DATA/pid"
}

kafka_ready() {
  local deadline=$((SECONDS + 120))
  until grep -q 'Kafka Server started' "$ATTUNE_KAFKA_DATA/broker.log"; do
    kafka_runs || return 1
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

kafka_start() {
  kafka_fetch || return 1
  if [ -f "$ATTUNE_KAFKA_DATA/port" ]; then
    kafka_launch
    kafka_ready
  else # A port may be taken between the looking and the listening.
    local try
    for try in 1 2 3; do
      rm -rf "$ATTUNE_KAFKA_DATA"
      kafka_configure && kafka_launch && kafka_ready && break
      [ "$try" = 3 ] || kafka_kill
    done
  fi
  kafka_runs || {
    echo "Kafka: the broker did not start: $(tail -n 1 "$ATTUNE_KAFKA_DATA"/{format,broker}.log 2>/dev/null | tail -n 1)" >&2
    return 1
  }
  ATTUNE_TEST_KAFKA=127.0.0.1:$(cat "$ATTUNE_KAFKA_DATA/port")
  export ATTUNE_TEST_KAFKA
}

kafka_end() { # kafka_end SIGNAL
  kafka_runs || return 0
  kill "-$1" "$(kafka_pid)" 2>/dev/null || true
  local deadline=$((SECONDS + 60))
  while kafka_runs; do
    ((SECONDS < deadline)) || kill -KILL "$(kafka_pid)" 2>/dev/null || true
    sleep 0.05
  done
  rm -f "$ATTUNE_KAFKA_DATA/pid"
}
kafka_stop() { kafka_end TERM; }
kafka_kill() { kafka_end KILL; }
kafka_pause() { kill -STOP "$(kafka_pid)"; }
kafka_resume() { kill -CONT "$(kafka_pid)"; }

kafka_up() { # kafka_up FILE
  if [ -z "${ATTUNE_TEST_KAFKA-}" ]; then
    if ! kafka_start; then
      rm -f "$1"
      [ "${ATTUNE_REQUIRE_SERVERS:-0}" = 1 ] && return 1
      echo "skipped: no Kafka broker"
      return 77
    fi
  fi
  printf 'ATTUNE_TEST_KAFKA=%s\n' "$ATTUNE_TEST_KAFKA" >"$1"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -u
  case ${1-} in
    up)
      export ATTUNE_KAFKA_DATA=$3
      kafka_kill # of a run that was broken off
      rm -rf "$3"
      kafka_up "$2"
      ;;
    down)
      export ATTUNE_KAFKA_DATA=$2
      kafka_stop
      rm -rf "$2"
      ;;
    start | stop | kill | pause | resume)
      export ATTUNE_KAFKA_DATA=$2
      "kafka_$1" && echo "${ATTUNE_TEST_KAFKA-}"
      ;;
    *)
      sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
      exit 64
      ;;
  esac
fi
