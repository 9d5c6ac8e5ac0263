attune_test(contract_memory_store
  SOURCES contract/memory_store_contract_test.cc contract/store_suite.cc
  LINKS attune_adapters
  LABELS contract)
attune_test(contract_rocksdb_store
  SOURCES contract/rocksdb_store_contract_test.cc contract/store_suite.cc
  LINKS attune_adapters rocksdb
  LABELS contract)
attune_test(contract_redis_store
  SOURCES contract/redis_store_contract_test.cc contract/store_suite.cc support/redis_server.cc support/faulty_proxy.cc
  LINKS attune_adapters PkgConfig::HIREDIS
  LABELS contract)
attune_test(contract_redis_changes
  SOURCES contract/redis_changes_test.cc support/redis_server.cc support/faulty_proxy.cc
  LINKS attune_adapters PkgConfig::HIREDIS
  LABELS contract)
