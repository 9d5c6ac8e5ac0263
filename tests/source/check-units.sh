#!/usr/bin/env bash
# check-units.sh [TOOLS] - the units of share/systemd are what systemd understands, one for each daemon, and shut in: an exposure of at most
# 1.5 by `systemd-analyze security`. share/attune/attuned.toml.example has every setting of attuned and is accepted by it, where the directory
# TOOLS holds the tools and daemons beside it the daemons. Exit 77 where systemd-analyze is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1
daemons=${1-}/../daemons
example=share/attune/attuned.toml.example
bad=0
complain() {
  echo "$*"
  bad=1
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/attune-units.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

names=$(sed -n 's/^attune_daemon(\([a-z-]*\))$/\1/p' daemons/CMakeLists.txt | LC_ALL=C sort)
[ "$names" = "$(basename -s .service share/systemd/*.service | LC_ALL=C sort)" ] || complain "share/systemd has not one unit for each daemon"

for name in $names; do
  unit=share/systemd/$name.service
  while IFS= read -r line; do
    grep -qxF -- "$line" "$unit" || complain "$unit: without $line"
  done <<END
Type=notify
ExecStart=/usr/local/bin/$name --config %E/attune/$name.toml
ExecReload=kill -HUP \$MAINPID
Restart=on-failure
RestartPreventExitStatus=64 65 78
DynamicUser=yes
StateDirectory=attune
END
  limit=$(sed -n 's/^TimeoutStopSec=//p' "$unit")
  ((limit > 20)) || complain "$unit: TimeoutStopSec is within the 20 s that a daemon takes to drain"
done

if [ -x "$daemons/attuned" ]; then
  options=$("$daemons/attuned" --help)
  # Secrets have files of their own; what a program prints about itself is no setting.
  settings=$(sed -nE 's/^  (  |-.,?)  ?--([a-z-]+).*/\2/p; s/^  -(.) .*/\1/p' <<<"$options" | LC_ALL=C sort -u |
    grep -vxE '(help|version|print-config|check-config|config|quiet)|(.*-(password|key|token)(-file)?)')
  difference=$(diff <(echo "$settings") <(sed -nE 's/^#?([A-Za-z-]+) = .*/\1/p' "$example" | LC_ALL=C sort)) ||
    complain "$example: settings of attuned (<) and of the file (>) differ:
$(grep '^[<>]' <<<"$difference")"
  sed -E 's/^#([A-Za-z-]+ = )/\1/; /^(rules|catalog) = /d' "$example" >"$scratch/all.toml"
  for file in "$example" "$scratch/all.toml"; do
    env -u CREDENTIALS_DIRECTORY "$daemons/attuned" --config "$file" --check-config || complain "$example is not accepted"
  done
fi

command -v systemd-analyze >/dev/null || {
  echo "systemd-analyze is not installed: units not checked" >&2
  [ "$bad" = 0 ] && exit 77
  exit 1
}
# Where no systemd has run yet it makes /run/systemd for itself, which root alone may: a /run of our own then.
analyze() {
  if [ -w /run ] || [ -d /run/systemd ]; then
    systemd-analyze "$@"
  else
    unshare --map-root-user --mount sh -c 'mount -t tmpfs none /run && exec systemd-analyze "$@"' - "$@"
  fi
}
for name in $names; do
  # Paths of units' programs need not be there for it to be right.
  sed "s|=/usr/local/bin/$name |=/bin/true |" "share/systemd/$name.service" >"$scratch/$name.service"
  said=$(analyze verify --man=no --recursive-errors=no "$scratch/$name.service" 2>&1)
  [ -z "$said" ] || complain "$name.service: $said"
  said=$(analyze security --offline=yes --no-pager --threshold=15 "share/systemd/$name.service" 2>&1) ||
    complain "$name.service: exposed to more than 1.5:
$(grep -v '^✓' <<<"$said")"
done
exit "$bad"
