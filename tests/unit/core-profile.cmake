# The classes protoc makes of profile.proto, by which the tests judge the bytes that are written by hand.
protobuf_generate_cpp(PROFILE_PROTO_CC PROFILE_PROTO_H ${CMAKE_SOURCE_DIR}/share/schemas/profile.proto)
add_library(profile_schema STATIC ${PROFILE_PROTO_CC})
target_include_directories(profile_schema SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(profile_schema PUBLIC protobuf::libprotobuf)
target_compile_options(profile_schema PRIVATE -w)

attune_test(unit_core_profile
  SOURCES
    unit/core/affinity_test.cc
    unit/core/profile_identity_test.cc
    unit/core/profile_json_test.cc
    unit/core/profile_proto_test.cc
    unit/core/profile_test.cc
    unit/core/session_test.cc
    unit/core/shared_bytes_test.cc
    unit/core/summary_test.cc
  LINKS attune_core profile_schema)

attune_test(unit_core_profile_property
  SOURCES unit/core/profile_property_test.cc
  LINKS attune_core
  TIMEOUT 600)
