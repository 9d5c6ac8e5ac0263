# attune_fuzz(NAME SOURCE LIBRARIES…): one fuzz target. NAME's corpus is fuzz/corpus/NAME.
# With ATTUNE_FUZZ (clang) it is a libFuzzer program, fuzz_NAME, to be run for as long as one likes. Otherwise it is a test of that name,
# which replays the corpus and a bounded number of mutations of it that depend on nothing but a seed.
function(attune_fuzz name source)
  if(ATTUNE_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address)
  else()
    add_executable(fuzz_${name} ${source} fuzz/replay_main.cc)
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
    set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
  endif()
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN})
endfunction()

if(ATTUNE_FUZZ)
  # The code under test is what libFuzzer has to see the branches of.
  target_compile_options(attune_core PRIVATE -fsanitize=fuzzer-no-link,address)
endif()

attune_fuzz(event_json fuzz/event_json_fuzz.cc attune_core)
attune_fuzz(event_proto fuzz/event_proto_fuzz.cc attune_core)
attune_fuzz(segment fuzz/segment_fuzz.cc attune_core)
attune_fuzz(cloudevents fuzz/cloudevents_fuzz.cc attune_core)
attune_fuzz(csv fuzz/csv_fuzz.cc attune_core)
attune_fuzz(column_map fuzz/column_map_fuzz.cc attune_core)
attune_fuzz(catalog fuzz/catalog_fuzz.cc attune_core)
attune_fuzz(envelope fuzz/envelope_fuzz.cc attune_adapters)
attune_fuzz(model fuzz/model_fuzz.cc attune_core PkgConfig::XXHASH)
attune_fuzz(request fuzz/request_fuzz.cc attune_core)
attune_fuzz(profile_proto fuzz/profile_proto_fuzz.cc attune_core)
attune_fuzz(profile_record fuzz/profile_record_fuzz.cc attune_core)
