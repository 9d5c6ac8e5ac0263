# The front door. CMake (CMakeLists.txt, CMakePresets.json) is the build truth; see HACKING.md.
#
#   make            build into build/release         make check          install what tests need, build, run every test
#   make demo       the living shop                  make check-source   layers, manual pages, formatting: seconds
#   make demo-cluster  the same on Kafka and Redis   make demo-pipe      the main job as a pipe, in a minute
#   make deps       install what the build needs     make check-asan     tests under address and undefined sanitizers
#   make install    DESTDIR= PREFIX=/usr/local       make check-tsan     tests under the thread sanitizer
#   make format     clang-format over everything     make fuzz           FUZZ_SECONDS=60 for each parser
#   make clean      remove build/                    make bench          the figures of README.md

BUILD_PACKAGES = g++ cmake ninja-build pkg-config ccache mold \
  libboost-dev libcli11-dev libcsv-dev libcurl4-openssl-dev libhiredis-dev libhowardhinnant-date-dev libjemalloc-dev libprotobuf-dev librdkafka-dev \
  librocksdb-dev libsimdjson-dev libspdlog-dev libssl-dev libsystemd-dev libtomlplusplus-dev libxxhash-dev libzstd-dev \
  nlohmann-json3-dev prometheus-cpp-dev protobuf-compiler rapidjson-dev robin-map-dev zlib1g-dev
# Node from elsewhere brings an npm of its own, which Debian's can not stand beside.
NODE_PACKAGES = $(if $(shell command -v npm),,nodejs npm)
TEST_PACKAGES = $(BUILD_PACKAGES) $(NODE_PACKAGES) \
  bats chromium clang-format curl jq kcat libboost-test-dev librapidcheck-dev mandoc maven openssl openjdk-17-jre-headless procps \
  python3-venv redis-server redis-tools shellcheck strace systemd util-linux wrk xz-utils
FUZZ_PACKAGES = $(TEST_PACKAGES) clang

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60

# ctest's output is what CI reads: one line a test, everything of a test that failed.
CTEST = ctest --output-on-failure --no-tests=error --parallel 2

.PHONY: all deps test-deps check demo demo-cluster demo-pipe install format check-source check-asan check-tsan bench fuzz clean

all: deps build/release/build.ninja
	@cmake --build build/release --parallel $(JOBS) --target tools/all daemons/all

build/release/build.ninja:
	@mkdir -p build
	@cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

deps:
	@.ci/install $(BUILD_PACKAGES)

test-deps:
	@.ci/install $(TEST_PACKAGES)

check: test-deps
	cmake --preset release -DATTUNE_TESTS=ON
	cmake --build build/release --parallel $(JOBS)
	$(CTEST) --test-dir build/release

demo: all
	@.ci/install curl
	@exec env ATTUNE_BIN=$(CURDIR)/build/release/tools ATTUNE_DAEMONS=$(CURDIR)/build/release/daemons examples/demo.sh

demo-cluster: all
	@.ci/install curl maven openjdk-17-jre-headless redis-server redis-tools
	@exec env ATTUNE_BIN=$(CURDIR)/build/release/tools ATTUNE_DAEMONS=$(CURDIR)/build/release/daemons examples/demo.sh cluster

demo-pipe: all
	@ATTUNE_BIN=$(CURDIR)/build/release/tools examples/pipe.sh

install: all
	cmake --install build/release --prefix $(PREFIX)

format:
	@tests/source/check-format.sh --fix

check-source:
	@tests/source/run-all.sh build/release/tools

# Everything but what only exercises other people's servers, under a sanitizer; a finding ends the test. The daemons under the thread sanitizer
# too, but nothing over Kafka, and no golden case, of which some ask a broker: librdkafka starts its threads by C11's thrd_create, which
# GCC 12's runtime does not know of and crashes at.
TSAN_TESTS = ^system_(disk_full|hostile|service|service_killed|service_redis)$$
check-asan check-tsan: export TSAN_OPTIONS = suppressions=$(CURDIR)/tests/tsan.supp
check-asan check-tsan: check-%: test-deps
	cmake --preset $*
	cmake --build build/$* --parallel $(JOBS)
	$(CTEST) --test-dir build/$* --label-exclude 'system|source$(if $(filter tsan,$*),|cli)'
	$(if $(filter tsan,$*),$(CTEST) --test-dir build/$* --tests-regex '$(TSAN_TESTS)')

bench: test-deps
	cmake --preset release -DATTUNE_BENCH=ON
	cmake --build build/release --parallel $(JOBS)
	ATTUNE_BIN=$(CURDIR)/build/release/tools ATTUNE_DAEMONS=$(CURDIR)/build/release/daemons ATTUNE_BENCH=$(CURDIR)/build/release/tests/bench ATTUNE_SOURCE=$(CURDIR) \
	  ATTUNE_WEB=$(CURDIR)/build/release/web ATTUNE_JSON=$(CURDIR)/build/bench.json tests/bench/run.sh

FUZZERS = $(notdir $(wildcard tests/fuzz/corpus/*))
fuzz:
	@.ci/install $(FUZZ_PACKAGES)
	cmake --preset fuzz
	cmake --build build/fuzz --parallel $(JOBS) --target $(FUZZERS:%=fuzz_%)
	@set -e; for name in $(FUZZERS); do echo "fuzz_$$name"; mkdir -p build/fuzz/found/$$name; \
	  build/fuzz/tests/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 build/fuzz/found/$$name tests/fuzz/corpus/$$name; done

clean:
	rm -rf build
