#!/usr/bin/env bash
# The repository speaks of the project alone: no path of somebody's machine, no host beyond those of examples, standards and papers.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
files() { find . -path ./build -prune -o -path ./.git -prune -o -name corpus -prune -o -type f ! -name LICENSE -print0; }

hosts='localhost|127\.0\.0\.1|\[::1\]|([a-z0-9-]+\.)*example(\.(com|org|net))?|www\.rfc-editor\.org|datatracker\.ietf\.org'
hosts="$hosts|www\.apache\.org|maven\.apache\.org/POM|www\.w3\.org|json-schema\.org|cloudevents\.io|segment\.com|arxiv\.org|doi\.org|github\.com"
found=$(files | xargs -0 grep -InoE 'https?://[A-Za-z0-9.-]+\.[A-Za-z]{2,}(/POM)?' | grep -vE "https?://($hosts)\$")
[ -z "$found" ] || { printf 'a host that is not in the list of check-words.sh: %s\n' "$found"; bad=1; }

found=$(files | xargs -0 grep -InE '(^|[^A-Za-z0-9_.~-])/(work|home|root|Users)/[a-zA-Z]' | grep -v '^./tests/source/check-words.sh:')
[ -z "$found" ] || { printf 'a path of one machine: %s\n' "$found"; bad=1; }

found=$(files | xargs -0 grep -InE '\b(TODO|FIXME|XXX)\b' | grep -v '^./tests/source/check-words.sh:')
[ -z "$found" ] || { printf 'an unfinished thing: %s\n' "$found"; bad=1; }
exit "$bad"
