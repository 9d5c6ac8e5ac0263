#!/usr/bin/env bash
# man-examples.sh [PAGE]... - runs the EXAMPLES of the manual pages (man/*.1 when none is named), so that what people copy works.
#
# In a page's EXAMPLES each line `.Dl $ COMMAND`, and each line `$ COMMAND` of a literal block (continued by a final backslash), is run; a
# page's commands one after the other, in one scratch directory with the programs in PATH and the files of examples/shop and examples/maps.
# Every command must exit 0. mdoc comments say what a reader need not see:
#   .\" $ COMMAND        run it too: what must lie there beforehand
#   .\" exits N          of the next command
#   .\" not run: REASON  the next command is only for reading; so is every one that names a server (kafka: redis: rediss: redis+...:)
# Other lines of a literal block are output, for the reader's eyes.
# ATTUNE_BIN is the directory of the programs (build/release/tools).
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
bin=${ATTUNE_BIN:-build/release/tools}
bin=$(cd "$bin" && pwd) || exit 1
[ $# -gt 0 ] || set -- man/*.1
unset CREDENTIALS_DIRECTORY JOURNAL_STREAM "${!ATTUNE_@}"
export PATH=$bin:$PATH LC_ALL=C.UTF-8 TZ=UTC
passed=0 failed=0

# The commands of a page, one a line: "STATUS<tab>COMMAND".
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
    /^\.Dl \$ / { emit(plain(substr($0, 7))); next }
    /^\.Bd .*-literal/ { literal = 1; next }
    /^\.Ed/ { literal = 0; next }
    literal && (continued || /^\$ /) {
      text = continued ? command "\n" plain($0) : plain(substr($0, 3))
      if (text ~ /\\$/) { command = substr(text, 1, length(text) - 1); continued = 1; next }
      gsub(/\n */, " ", text); continued = 0; emit(text)
    }' "$1"
}

for page; do
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/attune-man.XXXXXX")
  cp -R examples/shop/. examples/maps/. "$scratch" 2>/dev/null
  commands=$(commands_of "$page")
  [ -n "$commands" ] || {
    echo "FAILED: $page: no example that can be run"
    failed=$((failed + 1))
  }
  while IFS=$'\t' read -r status command; do
    [ -n "$command" ] || continue
    (cd "$scratch" && timeout 60 bash -o pipefail -c "$command") </dev/null >"$scratch/.out" 2>"$scratch/.err"
    got=$?
    if [ "$got" = "$status" ]; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      printf 'FAILED: %s: exit %s instead of %s: %s\n' "${page#"$root/"}" "$got" "$status" "$command"
      tail -n 5 "$scratch/.err"
    fi
  done <<<"$commands"
  rm -rf "$scratch"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
