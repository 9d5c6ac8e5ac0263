attune_test(unit_http_client
  SOURCES unit/adapters/http_client_test.cc
  LINKS attune_adapters
  LABELS unit)
attune_test(unit_http
  SOURCES
    unit/adapters/content_coding_test.cc
    unit/adapters/http_access_test.cc
    unit/adapters/http_server_test.cc
    unit/adapters/ip_range_test.cc
    unit/adapters/site_files_test.cc
  LINKS attune_adapters
  TIMEOUT 300
  LABELS unit)
