# The browser's tests: tests/web/NAME.test.mjs by run.sh.
function(attune_web_test name)
  add_test(NAME web_${name} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/web/run.sh ${name})
  set_tests_properties(web_${name} PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77 LABELS system
    ENVIRONMENT "ATTUNE_BIN=${CMAKE_BINARY_DIR}/tools;ATTUNE_DAEMONS=${CMAKE_BINARY_DIR}/daemons;ATTUNE_WEB=${CMAKE_BINARY_DIR}/web")
endfunction()
attune_web_test(package)
attune_web_test(sdk)
attune_web_test(shop)
