attune_test(unit_service
  SOURCES
    unit/service/config_test.cc
    unit/service/lines_test.cc
    unit/service/log_test.cc
    unit/service/mask_test.cc
    unit/service/progress_test.cc
    unit/service/quantity_test.cc
    unit/service/resume_file_test.cc
    unit/service/signals_test.cc
    unit/service/suggestion_test.cc
    unit/service/tool_test.cc
  LINKS attune_service attune_base
  TIMEOUT 120)
