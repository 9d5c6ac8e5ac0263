#!/usr/bin/env bash
# What attuned serves beside its calls: a site's files and no others, the SDK, the owner's page; fields of the catalog in answers; and a
# demonstration's calls, for its own pages alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/service_lib.sh"
declare -A url admin pid

mkdir -p www/sub/deep www/.git demo outside
echo '<p>home' >www/index.html
echo '<p>cart' >www/cart.html
echo '<p>deep' >www/sub/deep/index.html
echo 'a { }' >'www/a b.css'
echo hidden | tee www/.env www/.git/config >outside/secret
ln -s ../outside/secret www/leads-out.txt
ln -s ../outside www/dir-out
ln -s cart.html www/basket.html
printf '%s\n' '{"item":"item-0","name":"Nought","price":"5.50","currency":"EUR","image":"/nought.svg","accessories":["item-1"]}' \
  '{"item":"item-1","name":"One"}' '{"item":"gift-card","name":"Gift card","price":"20","currency":"EUR"}' >catalog.ndjson
printf '%s\n' '[[offer]]' 'name = "gift"' 'item = "gift-card"' 'slot = "home"' 'place = 2' 'say = "for you"' >rules.toml
events 500 50 3 | attune-produce --log "file://$SCRATCH/log"
serve d attuned --log "file://$SCRATCH/log" --store "rocksdb://$SCRATCH/profiles" --model shop.model --catalog catalog.ndjson --rules rules.toml \
  --admin-token boss --www www --www-header "Content-Security-Policy: default-src 'self'" --www-header 'X-Shop: yes'
ready() { [ "$(status_of "${admin[d]}/readyz")" = 200 ]; }
until_true ready

# Files.
expect '<p>home' "$(get "${url[d]}/")" "/"
expect '<p>home' "$(get "${url[d]}/index.html?utm=1")" "a query behind a file"
expect '<p>cart' "$(get "${url[d]}/cart")" "/cart"
expect '<p>cart' "$(get "${url[d]}/basket")" "a link within the site"
expect 'a { }' "$(get "${url[d]}/a%20b.css")" "a name with a space"
expect 301 "$(status_of "${url[d]}/sub/deep")" "a directory without its slash"
expect '<p>deep' "$(get -L "${url[d]}/sub/deep")" "a directory"
for path in /nothing /sub/ /.env /.git/config /leads-out.txt /dir-out/secret /../outside/secret /%2e%2e/outside/secret /..%2foutside%2fsecret \
  '/cart.html%00.txt' '/%ff' /cart.html/ //cart.html; do
  expect 404 "$(status_of --path-as-is "${url[d]}$path")" "$path"
done
expect 405 "$(status_of -X POST "${url[d]}/cart.html" -d x)" "POST to a file"
expect 404 "$(status_of "${admin[d]}/cart.html" -H 'Authorization: Bearer boss')" "a file on the admin listener"
curl -sS -D headers -o /dev/null "${url[d]}/a%20b.css"
for wanted in 'content-type: text/css; charset=utf-8' "content-security-policy: default-src 'self'" 'x-shop: yes' 'x-content-type-options: nosniff' \
  'cache-control: no-cache'; do
  grep -qi "^$wanted" headers || fail "no $wanted: $(cat headers)"
done
etag=$(sed -n 's/^ETag: //Ip' headers | tr -d '\r')
expect 304 "$(status_of "${url[d]}/a%20b.css" -H "If-None-Match: \"other\", $etag")" "what the client has"
expect 200 "$(status_of "${url[d]}/a%20b.css" -H 'If-None-Match: "other"')" "what it has not"
expect 0 "$(curl -sS -I "${url[d]}/cart" -o headers -w '%{size_download}')" "HEAD"
# Read again at SIGHUP; a directory that is gone is told, and what stood stands.
echo '<p>cart 2' >www/cart.html
expect '<p>cart' "$(get "${url[d]}/cart")" "before SIGHUP"
kill -HUP "${pid[d]}"
renewed() { [ "$(get "${url[d]}/cart")" = '<p>cart 2' ]; }
until_true renewed
mv www gone
kill -HUP "${pid[d]}"
told() { grep -q 'www: No such file' d.err; }
until_true told
expect '<p>cart 2' "$(get "${url[d]}/cart")" "after a reload that failed"
mv gone www
echo '<p>cart 3' >www/cart.html
cp rules.toml rules.good
echo 'offer = 7' >rules.toml
kill -HUP "${pid[d]}"
told() { grep -q 'rules.toml:1: offer' d.err; }
until_true told
expect '<p>cart 2' "$(get "${url[d]}/cart")" "files beside rules that can not be read"
mv rules.good rules.toml

# What the program carries.
curl -sS -D headers -o attune.js "${url[d]}/attune.js"
same "$ATTUNE_SOURCE/share/web/attune.js" attune.js "/attune.js"
grep -qi '^content-type: text/javascript' headers || fail "/attune.js: $(cat headers)"
for file in admin admin.js admin.css; do expect 200 "$(status_of "${admin[d]}/$file")" "/$file without a token"; done
expect 404 "$(status_of "${url[d]}/admin")" "/admin on the public listener"
expect 401 "$(status_of "${admin[d]}/v1/live")" "/v1/live without a token"
get "${admin[d]}/v1/live" -H 'Authorization: Bearer boss' >live
jq -e '.model | .clicks > 300 and (.top | length) == 10 and .trust[0].slot == "" and
  ([.trust[0].sources[]] | add | . > 0.98 and . < 1.02)' live >/dev/null || fail "/v1/live: $(cat live)"
post "${url[d]}/v1/events" '[{"type":"view","customer":"anon-1","item":"item-0","price":"x"},{"type":"view","customer":"anon-1","item":"item-0"}]' >/dev/null
refused() { [ "$(get "${admin[d]}/v1/live" -H 'Authorization: Bearer boss' | jq '.refused["price: not a decimal"]')" = 1 ]; }
until_true refused

# Fields, and the offer.
get "${url[d]}/v1/recommendations?customer=anon-1&n=3&fields=name,price,accessories,image" >answer
jq -e '.items[1] | .item == "gift-card" and .offer == "gift" and .say == "for you" and .name == "Gift card" and .price == "20" and .currency == "EUR" and
  (has("image") | not)' answer >/dev/null || fail "an offer with fields: $(cat answer)"
get "${url[d]}/v1/recommendations?customer=anon-1&n=3" | jq -e '[.items[] | has("name")] | any | not' >/dev/null || fail "fields that nobody asked for"
expect 'fields: unknown: colour' "$(get "${url[d]}/v1/recommendations?fields=name,colour" | jq -r .detail)" "an unknown field"
post "${url[d]}/v1/events?slot=home&fields=name" '{"type":"view","customer":"anon-2","item":"item-1"}' | jq -e '.recommendations.items[0].name' >/dev/null ||
  fail "fields in the reply to an event"
events 500 50 3 | attune-train -o trained >/dev/null
attune-recommend --model trained --catalog catalog.ndjson --recent item-1 --fields name 2>/dev/null | jq -e '.items[0].name == "Nought"' >/dev/null ||
  fail "attune-recommend --fields"

# Without --demo there is none, and pages of another origin are refused.
expect 404 "$(status_of "${url[d]}/demo.json")" "/demo.json without --demo"
expect 404 "$(status_of "${admin[d]}/v1/demo" -H 'Authorization: Bearer boss')" "/v1/demo without --demo"
shop=${url[d]}
expect 403 "$(status_of "${admin[d]}/v1/live" -H "Origin: $shop" -H 'Authorization: Bearer boss')" "the shop's page without --demo"

serve e attuned --log "file://$SCRATCH/log2" --store "rocksdb://$SCRATCH/profiles2" --demo "$SCRATCH/demo"
shop=${url[e]}
expect "${admin[e]}" "$(get "$shop/demo.json" | jq -r .admin)" "/demo.json"
expect '{"parts":[]}' "$(get "${admin[e]}/v1/demo")" "no parts yet"
echo '{"parts":[{"name":"redis","up":true}]}' >demo/parts.json
curl -sS -D headers "${admin[e]}/v1/demo" -H "Origin: $shop" >parts
expect redis "$(jq -r '.parts[0].name' parts)" "/v1/demo"
grep -qi "^access-control-allow-origin: $shop" headers || fail "no CORS for the shop: $(cat headers)"
expect 403 "$(status_of "${admin[e]}/v1/demo" -H 'Origin: http://evil.example')" "another site's page with --demo"
expect 503 "$(status_of -X POST "${admin[e]}/v1/demo?part=redis&do=stop")" "nobody reads the FIFO"
mkfifo demo/control
cat demo/control >told &
PIDS+=($!)
taken() { [ "$(status_of -X POST "${admin[e]}/v1/demo?part=redis&do=stop" -H "Origin: $shop")" = 202 ]; }
until_true taken
arrived() { [ "$(cat told)" = 'stop redis' ]; }
until_true arrived
expect 404 "$(status_of -X POST "${admin[e]}/v1/demo?part=kafka&do=stop")" "a part it has not"
expect 400 "$(status_of -X POST "${admin[e]}/v1/demo?part=redis&do=harm")" "what it does not do"
serve f attuned --log "file://$SCRATCH/log4" --store memory: --demo "$SCRATCH/demo" --admin-token boss
expect 401 "$(status_of "${admin[f]}/v1/demo")" "/v1/demo without the token"
expect 200 "$(status_of "${admin[f]}/v1/demo" -H 'Authorization: Bearer boss')" "/v1/demo with the token"
status=0
attuned --log "file://$SCRATCH/log3" --store memory: --demo demo --admin-listen '*:0' --admin-token x 2>err || status=$?
expect 64 "$status" "--demo where others come"
grep -q -- '--demo: the admin listener is not of this machine alone' err || fail "--demo where others come: $(cat err)"
status=0
attuned --log "file://$SCRATCH/log3" --store memory: --www-header 'Content-Length: 3' 2>err || status=$?
expect 64 "$status" "a header of the server's own"
