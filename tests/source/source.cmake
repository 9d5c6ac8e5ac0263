# The checks of the sources, each a test of its own; `make check-source` runs them without a build.
foreach(check format layers man shell tests units words)
  add_test(NAME source_${check} COMMAND ${CMAKE_SOURCE_DIR}/tests/source/check-${check}.sh ${CMAKE_BINARY_DIR}/tools)
  set_tests_properties(source_${check} PROPERTIES LABELS source TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()
