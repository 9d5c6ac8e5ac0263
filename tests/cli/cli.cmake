# Golden cases of the command line, a test for each program that has some, and the examples of the manual pages. The daemons are found
# beside the tools.
file(GLOB golden_tools LIST_DIRECTORIES true CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cli/attune*)
foreach(directory ${golden_tools})
  get_filename_component(tool ${directory} NAME)
  add_test(NAME cli_${tool} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/cli/run.sh ${tool})
  set_tests_properties(cli_${tool} PROPERTIES LABELS cli TIMEOUT 300 ENVIRONMENT "ATTUNE_BIN=${CMAKE_BINARY_DIR}/tools")
endforeach()
add_test(NAME cli_man_examples COMMAND bash ${CMAKE_SOURCE_DIR}/tests/cli/man-examples.sh)
set_tests_properties(cli_man_examples PROPERTIES LABELS cli TIMEOUT 300 ENVIRONMENT "ATTUNE_BIN=${CMAKE_BINARY_DIR}/tools")
add_test(NAME cli_man_metrics COMMAND bash ${CMAKE_SOURCE_DIR}/tests/cli/man-metrics.sh)
set_tests_properties(cli_man_metrics PROPERTIES LABELS cli TIMEOUT 120 ENVIRONMENT "ATTUNE_BIN=${CMAKE_BINARY_DIR}/tools")
