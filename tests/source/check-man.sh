#!/usr/bin/env bash
# check-man.sh [TOOLS] - every program has a manual page that mandoc accepts, with the sections all of them have. Where the directory
# TOOLS holds the tools, and daemons beside it the daemons, the options of the page are those of --help, both ways, and
# lib/service/known_names.cc knows them all.
set -u
cd "$(dirname "$0")/../.." || exit 1
tools=${1-}
bad=0
complain() {
  echo "$*"
  bad=1
}
# The words of a list (kPrograms, kKeys) of known_names.cc.
names_in() { sed -n "/ $1 =/,/;/p" lib/service/known_names.cc | grep -o '"[^"]*"' | tr -d '"' | tr ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u; }

daemons=$(sed -n 's/^attune_daemon(\([a-z-]*\))$/\1/p' daemons/CMakeLists.txt | LC_ALL=C sort)
programs=$( (sed -n 's/^attune_tool(\([a-z-]*\))$/\1/p' tools/CMakeLists.txt && echo "$daemons") | LC_ALL=C sort)
[ "$programs" = "$(names_in kPrograms)" ] ||
  complain "kPrograms of lib/service/known_names.cc is not: $(echo "$programs" | tr '\n' ' ')"

# The options a page lists, as "--name" or "-x": the words behind Fl in the items of its lists (".It Fl q , -quiet"), up to the next macro.
page_options() {
  awk '$1 == ".It" {
    flags = 0
    for (i = 2; i <= NF; i++)
      if ($i == "Fl") flags = 1
      else if ($i ~ /^[A-Z][a-z]$/) flags = 0
      else if (flags && $i ~ /^-?[A-Za-z]/) print "-" $i
  }' "$1" | LC_ALL=C sort -u
}
help_options() { sed -nE 's/^  (  |-(.)(,?))  ?(--([a-z-]+))?.*/\2 \5/p' | awk '{ for (i = 1; i <= NF; i++) print (length($i) == 1 ? "-" : "--") $i }' | LC_ALL=C sort -u; }

for page in man/*; do
  if command -v mandoc >/dev/null; then mandoc -T lint -W warning "$page" || bad=1; fi
done

all_keys=''
unbuilt=''
for program in $programs; do
  page=man/$program.1 binary=$tools/$program sections=(NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES)
  grep -qxF -- "$program" <<<"$daemons" && {
    page=man/$program.8 binary=$tools/../daemons/$program
    sections+=(SIGNALS HTTP SECURITY FILES)
  }
  [ -f "$page" ] || {
    complain "$page is missing"
    continue
  }
  for section in "${sections[@]}"; do
    grep -qx "\.Sh $section" "$page" || complain "$page: no section $section"
  done
  [ -x "$binary" ] || {
    unbuilt=1
    continue
  }
  help=$("$binary" --help)
  for command in $(sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' <<<"$help"); do
    help="$help
$("$binary" "$command" --help)"
  done
  options=$(help_options <<<"$help")
  difference=$(diff <(echo "$options") <(page_options "$page")) ||
    complain "$page: options of --help (<) and of the page (>) differ:
$(grep '^[<>]' <<<"$difference")"
  # Where an option has two names, the long one is the key.
  all_keys="$all_keys
$(sed -nE 's/^  (  |-.,?)  ?--([a-z-]+).*/\2/p; s/^  -(.) .*/\1/p' <<<"$help")"
  summary=$("$binary" --help | sed -n '1s/^[^ ]* - //p')
  [ "$summary" = "$(sed -n 's/^\.Nd //p' "$page")" ] || complain "$page: its .Nd is not the summary of --help: $summary"
done

if [ -z "$unbuilt" ]; then
  # What a program prints about itself is no setting.
  used=$(sed '/^$/d; /^help$/d; /^version$/d; /^print-config$/d' <<<"$all_keys" | LC_ALL=C sort -u)
  difference=$(diff <(echo "$used") <(names_in kKeys)) ||
    complain "kKeys of lib/service/known_names.cc: missing (<) or of no program (>):
$(grep '^[<>]' <<<"$difference")"
fi
exit "$bad"
