attune_test(unit_core_model
  SOURCES
    unit/core/session_table_test.cc
  LINKS attune_adapters attune_pipeline attune_core attune_base
  LABELS unit)
