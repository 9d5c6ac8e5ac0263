attune_test(unit_core_event
  SOURCES
    unit/core/canonical_json_test.cc
    unit/core/catalog_test.cc
    unit/core/column_map_test.cc
    unit/core/dialect_test.cc
    unit/core/event_batch_test.cc
    unit/core/event_json_test.cc
    unit/core/event_proto_test.cc
    unit/core/event_test.cc
    unit/core/money_test.cc
    unit/core/rate_limit_test.cc
    unit/core/token_test.cc
  LINKS attune_core attune_schemas PkgConfig::SIMDJSON)
target_compile_definitions(unit_core_event PRIVATE ATTUNE_EXAMPLES="${CMAKE_SOURCE_DIR}/examples")
# GCC 12 sees overlapping copies in std::string where there are none (its bug 105651).
target_compile_options(unit_core_event PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
attune_test(unit_crowd
  SOURCES unit/core/crowd_test.cc
  LINKS attune_core attune_base
  LABELS unit)
