attune_test(unit_core_rules
  SOURCES
    unit/core/arrangement_test.cc
    unit/core/condition_test.cc
    unit/core/item_filter_test.cc
    unit/core/offer_test.cc
    unit/core/rules_property_test.cc
    unit/core/rules_test.cc
  LINKS attune_core
  LABELS unit)
target_compile_definitions(unit_core_rules PRIVATE ATTUNE_EXAMPLES="${CMAKE_SOURCE_DIR}/examples" ATTUNE_MAN="${CMAKE_SOURCE_DIR}/man")
