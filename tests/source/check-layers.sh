#!/usr/bin/env bash
# Includes point down only, and each vendor's headers stand in the one place that is meant to know them.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0

report() {
  local line
  [ -n "$2" ] || return
  while IFS= read -r line; do echo "$1: $line"; done <<<"$2"
  bad=1
}

# may LAYER 'a|b': files of lib/LAYER include "a/..." and "b/..." alone.
may() {
  report "a layer lib/$1 must not know" "$(grep -rnE '^ *# *include "' "lib/$1" --include='*.h' --include='*.cc' | grep -vE "\"($2)/")"
}
may base 'base'
may core 'base|core'
may pipeline 'base|core|pipeline'
may adapters 'base|core|pipeline|adapters'
may service 'base|service'

# only HEADER FILES...: the header pattern stands in files matching the pattern alone.
only() {
  local header=$1 places=$2
  report "a vendor's header outside its place ($places)" \
    "$(grep -rnE "^ *# *include [<\"]($header)" lib tools daemons --include='*.h' --include='*.cc' 2>/dev/null | grep -vE "^($places):")"
}
# The embedded log deals customers to partitions as Kafka does, with librdkafka's own hash.
only 'librdkafka/' 'lib/adapters/(kafka_[a-z_]*|partitioner)\.(cc|h)'
only 'hiredis/' 'lib/adapters/redis_[a-z_]*\.(cc|h)'
only 'rocksdb/' 'lib/adapters/rocksdb_[a-z_]*\.(cc|h)'
only 'CLI/' 'lib/service/tool\.cc'
only 'spdlog/' 'lib/service/log\.cc'
only 'toml\+\+/' 'lib/service/config\.cc|lib/core/(column_map|toml_fields|condition_toml|rules_toml)\.(cc|h)'
only 'nlohmann/' 'lib/[a-z]*/[a-z_]*\.cc|tools/[a-z_-]*\.cc'
only 'simdjson' 'lib/(core|adapters)/[a-z_]*\.(cc|h)'
# Beast takes a quarter of a minute to compile: once, for what serves. What asks is libcurl's.
only 'boost/' 'lib/adapters/http_server\.cc'
only 'curl/' 'lib/adapters/http_client\.cc'
only 'zlib\.h|zstd' 'lib/adapters/content_coding\.cc'
only 'prometheus/' 'lib/service/metrics\.cc'
only 'systemd/' 'lib/service/daemon\.cc'
only 'csv\.h' 'lib/core/dialect_csv\.cc'
only 'openssl/|xxhash' 'lib/(core|adapters)/[a-z0-9_]*\.cc'

# A header that shows a vendor, itself or through another, is its layer's own affair: nobody outside includes it.
vendors='librdkafka|hiredis|rocksdb|CLI|spdlog|toml\+\+|nlohmann|simdjson|rapidjson|boost|openssl|google|zlib|zstd|prometheus|systemd|curl'
for layer in core pipeline adapters service; do
  shown=$(grep -rlE "^ *# *include <($vendors)" "lib/$layer" --include='*.h')
  while [ -n "$shown" ]; do
    for header in $shown; do
      report "$header shows a vendor" \
        "$(grep -rnF "#include \"${header#lib/}\"" lib tools daemons --include='*.h' --include='*.cc' 2>/dev/null | grep -v "^lib/$layer/")"
    done
    # One step further: the layer's headers that include one of these.
    shown=$(for header in $shown; do grep -rlF "#include \"${header#lib/}\"" "lib/$layer" --include='*.h'; done | sort -u)
  done
done
exit "$bad"
