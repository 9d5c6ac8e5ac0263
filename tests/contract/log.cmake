# The log contract, once per adapter, and what is the adapter's own.
attune_test(contract_file_log
  SOURCES contract/log_suite.cc contract/file_log_contract_test.cc
  LINKS attune_adapters
  TIMEOUT 300
  LABELS contract)
attune_test(contract_spool
  SOURCES contract/log_suite.cc contract/spool_contract_test.cc
  LINKS attune_adapters
  TIMEOUT 300
  LABELS contract)
attune_test(unit_envelope
  SOURCES unit/adapters/envelope_test.cc
  LINKS attune_adapters
  LABELS unit)
attune_test(unit_file_log_crash
  SOURCES unit/adapters/file_log_crash_test.cc
  LINKS attune_adapters
  TIMEOUT 300
  LABELS unit)
attune_test(unit_places
  SOURCES unit/adapters/places_test.cc
  LINKS attune_adapters
  LABELS unit)

# Kafka: one broker for all tests that need one, as a fixture. Tests find it in kafka.env; one that is not started by ctest starts its own.
attune_test(unit_partitioner
  SOURCES unit/adapters/partitioner_test.cc
  LINKS attune_adapters
  LABELS unit)
add_test(NAME kafka_up COMMAND bash ${CMAKE_SOURCE_DIR}/tests/support/kafka.sh up ${CMAKE_BINARY_DIR}/kafka.env ${CMAKE_BINARY_DIR}/kafka-broker)
add_test(NAME kafka_down COMMAND bash ${CMAKE_SOURCE_DIR}/tests/support/kafka.sh down ${CMAKE_BINARY_DIR}/kafka-broker)
set_tests_properties(kafka_up PROPERTIES FIXTURES_SETUP kafka SKIP_RETURN_CODE 77 TIMEOUT 600)
set_tests_properties(kafka_down PROPERTIES FIXTURES_CLEANUP kafka)
attune_test(contract_kafka_log
  SOURCES contract/log_suite.cc contract/kafka_log_contract_test.cc support/kafka_server.cc
  LINKS attune_adapters PkgConfig::RDKAFKA
  TIMEOUT 600
  LABELS contract)
set_tests_properties(contract_kafka_log PROPERTIES FIXTURES_REQUIRED kafka ENVIRONMENT
  "ATTUNE_KAFKA_ENV=${CMAKE_BINARY_DIR}/kafka.env;ATTUNE_SOURCE=${CMAKE_SOURCE_DIR}")
