#!/usr/bin/env bash
# run.sh [TOOL[/CASE]]... - golden cases of the command line: what a program prints, says and returns, to the byte.
#
# A case is a directory tests/cli/TOOL/CASE/ with
#   args     the arguments, as a shell would read them: TOOL is run with them;        or
#   cmd      a bash script run instead (the programs are in PATH; a failing command ends it)
#   in       standard input (nothing when missing)
#   files/   what lies in the current directory, a scratch one
#   env      NAME=VALUE lines, read by the shell
#   sed      a sed script put over what was printed and said, for what can not be the same twice
#   out err  what is printed and said (nothing when missing); the scratch directory's path stands there as @SCRATCH@
#   status   the exit status (0 when missing)
# A case that prints too much to be golden belongs into a system test. UPDATE=1 writes out, err and status anew: read the diff.
# ATTUNE_BIN is the directory of the programs (build/release/tools), ATTUNE_DAEMONS that of the daemons (daemons, beside it).
set -u
cd "$(dirname "$0")" || exit 1
here=$PWD
bin=${ATTUNE_BIN:-$here/../../build/release/tools}
bin=$(cd "$bin" && pwd) || exit 1
daemons=${ATTUNE_DAEMONS:-$bin/../daemons}
unset CREDENTIALS_DIRECTORY JOURNAL_STREAM NOTIFY_SOCKET "${!ATTUNE_@}"
export PATH=$bin:$daemons:$PATH LC_ALL=C.UTF-8 TZ=UTC ATTUNE_EXAMPLES=$here/../../examples
passed=0 failed=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/attune-cli.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# Runs the case $1 of the tool $2 in $scratch/at; leaves out, err, status in $scratch.
run_case() {
  local case=$1 tool=$2 input=/dev/null
  rm -rf "${scratch:?}"/*
  mkdir "$scratch/at"
  [ -d "$case/files" ] && cp -R "$case/files/." "$scratch/at"
  [ -f "$case/in" ] && input=$case/in
  (
    cd "$scratch/at" || exit 126
    set -a
    # shellcheck disable=SC1091
    [ -f "$case/env" ] && . "$case/env"
    set +a
    if [ -f "$case/cmd" ]; then
      exec timeout 60 bash -eu "$case/cmd"
    else
      eval "exec timeout 60 $tool $(cat "$case/args" 2>/dev/null)"
    fi
  ) <"$input" >"$scratch/out" 2>"$scratch/err"
  echo $? >"$scratch/status"
  local stream
  for stream in out err; do
    sed -i "s|$scratch/at|@SCRATCH@|g" "$scratch/$stream"
    [ -f "$case/sed" ] && sed -i -E -f "$case/sed" "$scratch/$stream"
  done
}

# expected CASE NAME: the golden text, where a missing file is nothing (or status 0).
expected() {
  if [ -f "$1/$2" ]; then cat "$1/$2"; elif [ "$2" = status ]; then echo 0; fi
}

update_case() {
  local name
  for name in out err status; do
    if [ "$name" = status ] && [ "$(cat "$scratch/status")" = 0 ] || [ ! -s "$scratch/$name" ]; then
      rm -f "$1/$name"
    else
      cp "$scratch/$name" "$1/$name"
    fi
  done
}

check_case() {
  local case=$1 label=$2 name same=1
  for name in status out err; do
    expected "$case" "$name" | cmp -s - "$scratch/$name" && continue
    [ "$same" = 1 ] && echo "FAILED: $label"
    same=0
    expected "$case" "$name" | diff -u --label "$label/$name" --label "as it is" - "$scratch/$name" | head -n 40
  done
  if [ "$same" = 1 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

[ $# -gt 0 ] || set -- */
for what; do
  what=${what%/}
  case $what in */*) cases=("$here/$what") ;; *) cases=("$here/$what"/*/) ;; esac
  for case in "${cases[@]}"; do
    case=${case%/}
    tool=$(basename "$(dirname "$case")")
    [ -f "$case/args" ] || [ -f "$case/cmd" ] || {
      echo "FAILED: $tool/$(basename "$case"): neither args nor cmd"
      failed=$((failed + 1))
      continue
    }
    run_case "$case" "$tool"
    if [ "${UPDATE-}" = 1 ]; then update_case "$case"; else check_case "$case" "$tool/$(basename "$case")"; fi
  done
done
[ "${UPDATE-}" = 1 ] && exit 0
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
