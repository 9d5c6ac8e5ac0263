#!/usr/bin/env bash
# The units under a real systemd: readiness, credentials, reload, the watchdog, what is restarted and what is not, a stop that drains; then
# the three daemons side by side over one log.
#
# It installs into /usr/local, writes /etc/attune and /var/lib/attune and stops and starts services: only on a machine that is thrown away,
# which ATTUNE_UNITS=1 says; else exit 77. It needs root, curl and a systemd that was booted.
# ATTUNE_ROOT is what `make install DESTDIR=…` made; without it `make install` is run.
set -euo pipefail
if [ "${ATTUNE_UNITS-}" != 1 ] || [ ! -d /run/systemd/system ] || [ "$(id -u)" != 0 ]; then
  echo "skipped: not on a machine of its own with a booted systemd (ATTUNE_UNITS=1)"
  exit 77
fi
cd "$(dirname "$0")/../.."
public=http://127.0.0.1:8080 admin=http://127.0.0.1:8081

fail() {
  echo "FAILED: $*" >&2
  systemctl --no-pager --full status 'attune*' >&2 || true
  journalctl --no-pager -n 40 -u 'attune*' >&2 || true
  exit 1
}
trap 'fail "line $LINENO"' ERR
step() { echo "-- $*"; }
# show PROPERTY [UNIT]
show() { systemctl show -P "$1" "${2:-attuned}"; }
until_true() {
  local deadline=$((SECONDS + 60))
  until "$@"; do
    ((SECONDS < deadline)) || fail "never became true: $*"
    sleep 0.1
  done
}
is() { [ "$(show "$1" "${3:-attuned}")" = "$2" ]; }
event() { printf '{"type":"view","customer":"%s","item":"%s"}' "$1" "$2"; }

# Credentials come over a shared mount. A systemd in a root that somebody else mounted need not have made it one.
mount --make-rshared /
if [ -n "${ATTUNE_ROOT-}" ]; then cp -a "$ATTUNE_ROOT/." /; else make install; fi
systemctl daemon-reload

step "a file of settings that is not there is a wrong configuration, and is not tried again"
systemctl start attuned 2>/dev/null && fail "it started without settings"
is ExecMainStatus 78 || fail "exit $(show ExecMainStatus) without settings"
sleep 3
is ActiveState failed || fail "it was started again without settings"
is NRestarts 0 || fail "it was started again without settings"

step "start returns once it is ready"
mkdir -p /etc/attune
cp /usr/local/share/attune/attuned.toml.example /etc/attune/attuned.toml
systemctl reset-failed attuned
systemctl start attuned
is ActiveState active || fail "not active after start"
curl -sf "$admin/healthz" >/dev/null
until_true curl -sf -o /dev/null "$admin/readyz"

step "an event over HTTP, and the changed answer in its reply"
for customer in anon-2 anon-3 anon-4; do
  for item in kettle grinder scale; do event $customer $item; echo; done
done | curl -sf --data-binary @- "$public/v1/events" | grep -q '"accepted":9'
event anon-1 kettle | curl -sf -d @- "$public/v1/events?slot=home&n=3" | grep -q '"recommendations":{"recommendation"'
profile_is_there() { curl -sf "$admin/v1/profiles/anon-1" | grep -q kettle; }
until_true profile_is_there
status_is_told() { show StatusText | grep -q '^10 events acknowledged'; }
until_true status_is_told

step "it is a user of its own, and may write to its state alone"
user=$(stat -c %u "/proc/$(show MainPID)")
((user >= 61184 && user <= 65519)) || fail "it runs as the user $user, not one of systemd's dynamic ones"
[ "$(stat -c %u /var/lib/attune/)" = "$user" ] || fail "its state is not its own"
[ -d /var/lib/attune/log ] || fail "no log in /var/lib/attune"

step "a credential is used where it is there"
install -d -m 700 /etc/credstore
printf sesame | install -m 600 /dev/stdin /etc/credstore/attune.admin-token
systemctl restart attuned
[ "$(curl -s -o /dev/null -w '%{http_code}' "$admin/metrics")" = 401 ] || fail "/metrics is open in spite of a token"
curl -sf -o /dev/null -H 'Authorization: Bearer sesame' "$admin/metrics"
rm /etc/credstore/attune.admin-token
systemctl restart attuned
profile_is_there || fail "a profile is gone after a restart"

step "reload reads the rules again, and tells a fault"
echo 'rules = "/etc/attune/rules.toml"' >>/etc/attune/attuned.toml
printf '[default.filter]\npurchased_within = "60d"\n' >/etc/attune/rules.toml
systemctl restart attuned
pid=$(show MainPID)
systemctl reload attuned
reloaded() { journalctl --no-pager -o cat "_PID=$pid" | grep -q 'attuned: reloaded$'; }
until_true reloaded
echo 'lambda = 1' >/etc/attune/rules.toml
systemctl reload attuned 2>/dev/null && fail "a reload with wrong rules went well"
is ActiveState active || fail "wrong rules ended it"
is MainPID "$pid" || fail "a reload made another process of it"
rm /etc/attune/rules.toml
cp /usr/local/share/attune/attuned.toml.example /etc/attune/attuned.toml

step "the watchdog starts a daemon again that stands still"
systemctl restart attuned
pid=$(show MainPID)
kill -STOP "$pid"
restarted() { [ "$(show NRestarts)" = "$1" ] && is ActiveState active; }
until_true restarted 1
is MainPID "$pid" && fail "the same process after a watchdog"
journalctl -u attuned --no-pager -o cat | grep -qi 'watchdog timeout' || fail "no word of the watchdog"
until_true profile_is_there

step "kill -9 after a 202: it is started again, and the event is there"
event anon-9 teapot | curl -sf -d @- "$public/v1/events" | grep -q '"accepted":1'
kill -9 "$(show MainPID)"
until_true restarted 2
killed_event_is_there() { curl -sf "$admin/v1/profiles/anon-9" | grep -q teapot; }
until_true killed_event_is_there

step "a wrong configuration is not tried again"
echo 'listen = "nowhere"' | cat - <(grep -v '^listen' /etc/attune/attuned.toml) >/etc/attune/wrong.toml
mv /etc/attune/wrong.toml /etc/attune/attuned.toml
systemctl restart attuned 2>/dev/null && fail "it started with a wrong configuration"
is ExecMainStatus 64 || fail "exit $(show ExecMainStatus) with a wrong address"
echo 'lisen = "127.0.0.1:8080"' | cat - <(grep -v '^listen' /etc/attune/attuned.toml) >/etc/attune/wrong.toml
mv /etc/attune/wrong.toml /etc/attune/attuned.toml
systemctl reset-failed attuned
systemctl start attuned 2>/dev/null && fail "it started with an unknown setting"
is ExecMainStatus 78 || fail "exit $(show ExecMainStatus) with an unknown setting"
sleep 3
is ActiveState failed || fail "it was started again with an unknown setting"
is NRestarts 0 || fail "it was started again with an unknown setting"

step "a stop answers what is in flight"
cp /usr/local/share/attune/attuned.toml.example /etc/attune/attuned.toml
systemctl reset-failed attuned
systemctl start attuned
for n in $(seq 10000); do event anon-8 "item-$n"; echo; done >/tmp/events
curl -sf --limit-rate 100k -H 'Expect:' --data-binary @/tmp/events "$public/v1/events" >/tmp/reply &
curl=$!
sleep 1
kill -0 $curl || fail "the request was over before the stop"
begun=$SECONDS
systemctl stop attuned
((SECONDS - begun >= 2)) || fail "the stop did not wait for the request in flight"
wait $curl || fail "a request in flight was dropped"
grep -q '"accepted":10000' /tmp/reply || fail "a request in flight got $(head -c 200 /tmp/reply)"
is Result success || fail "a stop ended with $(show Result)"
is ExecMainStatus 0 || fail "a stop ended with $(show ExecMainStatus)"

step "the three daemons side by side"
cat >/etc/attune/attune-collectd.toml <<'T'
log = "file:///var/lib/attune/log"
T
cat >/etc/attune/attune-profiled.toml <<'T'
log = "file:///var/lib/attune/log"
store = "rocksdb:///var/lib/attune/profiles"
listen = ""
admin-listen = "127.0.0.1:8083"
T
cat >/etc/attune/attune-recommendd.toml <<'T'
log = "file:///var/lib/attune/log"
store = "rocksdb:///var/lib/attune/profiles"
model = "/var/lib/attune/shop.model"
listen = "127.0.0.1:8084"
admin-listen = "127.0.0.1:8085"
T
systemctl start attune-profiled attune-collectd attune-recommendd
for unit in attune-profiled attune-collectd attune-recommendd; do is ActiveState active $unit || fail "$unit is not active"; done
event anon-5 kettle | curl -sf -d @- "$public/v1/events" | grep -q '"accepted":1'
answered() { curl -sf "http://127.0.0.1:8084/v1/recommendations?customer=anon-5&n=2" | grep -q '"tier":"fresh"'; }
until_true answered
systemctl stop attune-profiled attune-collectd attune-recommendd
for unit in attune-profiled attune-collectd attune-recommendd; do is Result success $unit || fail "$unit ended with $(show Result $unit)"; done
echo "all as it should be"
