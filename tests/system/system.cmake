# Whole programs against real servers. Each test is one shell script with servers and a scratch directory of its own; the Kafka broker is
# a fixture that tests/contract/log.cmake starts once.
function(attune_system_test name)
  cmake_parse_arguments(arg "KAFKA" "TIMEOUT" "" ${ARGN})
  add_test(NAME system_${name} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/system/${name}.sh)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 240)
  endif()
  set_tests_properties(system_${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 LABELS system
    ENVIRONMENT "ATTUNE_BIN=${CMAKE_BINARY_DIR}/tools;ATTUNE_SOURCE=${CMAKE_SOURCE_DIR};ATTUNE_KAFKA_ENV=${CMAKE_BINARY_DIR}/kafka.env")
  if(arg_KAFKA)
    set_tests_properties(system_${name} PROPERTIES FIXTURES_REQUIRED kafka)
  endif()
endfunction()

attune_system_test(bad_input)
attune_system_test(killed_updater)
attune_system_test(pipe)
attune_system_test(shuffled)
attune_system_test(redis_emptied)
attune_system_test(redis_behind)
attune_system_test(kafka_equals_embedded KAFKA)
attune_system_test(kafka_group KAFKA)
attune_system_test(kafka_restarted KAFKA)
