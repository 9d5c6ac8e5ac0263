#!/usr/bin/env bash
# /openapi.json is true: what is routed is documented and what is documented is routed; each operation answers as it says; and schemathesis,
# which makes requests of the document for a minute, finds no 5xx, no status, content type or body that is not in it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid

events 500 50 3 | attune-produce --log "file://$SCRATCH/log"
serve d attuned --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model shop.model --write-key secret --admin-token boss \
  --static gift-card
ready() { [ "$(status_of "${admin[d]}/readyz")" = 200 ]; }
until_true ready
known() { [ "$(status_of "${admin[d]}/v1/profiles/c00000" -H 'Authorization: Bearer boss')" = 200 ]; }
until_true known
get "${url[d]}/openapi.json" >document.json

# Routes are strings in one file: each stands in the document, and each of the document's there.
grep -oE '"/[a-z0-9/_.]*"' "$ATTUNE_SOURCE/lib/adapters/http_api.cc" | tr -d '"' | sed 's|/$||' | sort -u >routed
jq -r '.paths | keys[] | sub("/\\{customer\\}$"; "")' document.json | sort -u >documented
same documented routed "routes and the document"

# Every operation once, rightly asked.
asked() { # asked METHOD PATH : arguments of curl
  case "$1 $2" in
    'post /v1/events') args=("$at/v1/events?key=secret&slot=home&n=3" -H 'Content-Type: application/json' -d '{"type":"view","customer":"c00001","item":"item-1"}') ;;
    'get /v1/recommendations') args=("$at/v1/recommendations?customer=c00001&n=3") ;;
    'get /v1/profiles/{customer}') args=("$at/v1/profiles/c00000?items=1&recent=true") ;;
    'delete /v1/profiles/{customer}') args=("$at/v1/profiles/c00002") ;;
    'post /v1/refresh') args=("$at/v1/refresh?customer=c00001") ;;
    'get /openapi.json' | 'get /healthz' | 'get /readyz' | 'get /metrics' | 'get /v1/live' | 'get /attune.js' | 'get /admin' | 'get /admin.css' | 'get /admin.js') args=("$at$2") ;;
    *) fail "an operation this test does not know: $1 $2" ;;
  esac
  [ "$1" != delete ] || args+=(-X DELETE)
  [ "$2" != /v1/refresh ] || args+=(-X POST)
}
conforms() { # conforms METHOD PATH STATUS TYPE : the body, in `body`
  jq -e --arg method "$1" --arg path "$2" --arg status "$3" --arg type "${4%%;*}" --slurpfile body body.json '
    . as $document | def schema: if has("$ref") then (.["$ref"] | ltrimstr("#/") | split("/")) as $at | $document | getpath($at) else . end;
    .paths[$path][$method].responses[$status].content[$type].schema | schema |
    . as $wanted | all(.required[]?; . as $name | $body[0] | has($name)) and
      ($wanted.properties == null or ($body[0] | keys - ($wanted.properties | keys) | length == 0) or $wanted.additionalProperties != false)' \
    document.json >/dev/null || fail "$1 $2: $3 $4 is not as documented: $(head -c 500 body.json)"
}
while read -r tag method path; do
  [ "$path" != /v1/stream ] || continue
  for listener in public admin; do
    at=${url[d]}
    [ "$listener" = public ] || at=${admin[d]}
    asked "$method" "$path"
    read -r status type < <(curl -sS -o body -w '%{http_code} %{content_type}\n' -H 'Authorization: Bearer boss' "${args[@]}")
    if [ "$tag" = admin ] && [ "$listener" = public ]; then
      expect 404 "$status" "$method $path on the public listener"
      continue
    fi
    [ "${status:0:1}" = 2 ] || fail "$method $path on the $listener listener: $status $(head -c 300 body)"
    case $type in application/json*) cp body body.json ;; *) jq -Rs . body >body.json ;; esac
    conforms "$method" "$path" "$status" "$type"
    # Another method: 405, and Allow names those that are documented.
    status=$(curl -sS -D headers -o body.json -w '%{http_code}' -H 'Authorization: Bearer boss' -X PATCH "${args[0]}" -H 'Content-Length: 0')
    expect 405 "$status" "PATCH $path"
    conforms "$method" "$path" "$status" application/problem+json
    grep -i '^allow:' headers | grep -qw "${method^^}" || fail "PATCH $path: Allow: $(cat headers)"
  done
done < <(jq -r '.paths | to_entries[] | .key as $path | .value | to_entries[] | select(.key != "parameters") | "\(.value.tags[0]) \(.key) \($path)"' document.json)
# Who shows nothing is told what to show.
curl -sS -D headers -o /dev/null "${admin[d]}/metrics"
grep -qi '^www-authenticate: Bearer' headers || fail "401 of the admin listener: $(cat headers)"
curl -sS -D headers -o /dev/null "${url[d]}/v1/events" -d '{"type":"view","customer":"c00001","item":"a"}'
grep -qi '^www-authenticate: Attune-Key' headers || fail "401 of a collector: $(cat headers)"

# Schemathesis.
python3 -m venv venv >venv.out 2>&1 || skip "python3 makes no venv: $(tail -n 1 venv.out)"
venv/bin/pip install -q 'schemathesis>=4,<5' >pip.out 2>&1 || skip "schemathesis can not be fetched: $(tail -n 1 pip.out)"
# A document can not say of an event all that is wrong with it, and a batch with what is no event in it is no wrong request.
cat >schemathesis.toml <<'TOML'
[checks]
positive_data_acceptance.enabled = false
ignored_auth.enabled = false
use_after_free.enabled = false
ensure_resource_availability.enabled = false
[[operations]]
include-operation-id = "collect"
[operations.checks]
negative_data_rejection.enabled = false
TOML
fuzz() { # fuzz NAME URL [options…]
  local name=$1 at=$2
  shift 2
  venv/bin/schemathesis run document.json --url "$at" -H 'X-Attune-Key: secret' -H 'Authorization: Bearer boss' --exclude-path /v1/stream "$@" \
    --phases coverage,fuzzing --max-examples 60 --max-time 30 --seed 1 --continue-on-failure --no-color >"$name.out" 2>&1 || {
    grep -v '^$' "$name.out" | head -n 100 >&2
    fail "schemathesis on the $name listener"
  }
  grep 'Test cases:' -A 1 "$name.out"
}
fuzz public "${url[d]}" --exclude-tag admin
fuzz admin "${admin[d]}"
kill -TERM "${pid[d]}"
ended "${pid[d]}" 0 "attuned"
