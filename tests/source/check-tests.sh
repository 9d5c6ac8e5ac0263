#!/usr/bin/env bash
# Every test on disk is built and run: a *_test.cc, *_suite.cc, *_fuzz.cc, *.test.mjs and every script of tests/system but its libraries stand in a
# .cmake file. A test that is not listed rots.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
listed=$(cat tests/CMakeLists.txt tests/*/*.cmake tests/*/CMakeLists.txt 2>/dev/null)
while IFS= read -r file; do
  name=${file#tests/}
  case $file in tests/system/*.sh) name=$(basename "$file" .sh) ;; tests/web/*.mjs) name="attune_web_test($(basename "$file" .test.mjs))" ;; esac
  grep -qwF -- "$name" <<<"$listed" || grep -qwF -- "$(basename "$name" .cc)" <<<"$listed" || {
    echo "not in any .cmake file: $file"
    bad=1
  }
done < <(find tests \( -name '*_test.cc' -o -name '*_suite.cc' -o -name '*_fuzz.cc' -o -name '*.test.mjs' -o -path 'tests/system/*.sh' ! -name '*lib.sh' \) | sort)
exit "$bad"
