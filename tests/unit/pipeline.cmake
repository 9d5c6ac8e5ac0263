attune_test(unit_pipeline
  SOURCES
    unit/pipeline/answer_service_test.cc
    unit/pipeline/collector_test.cc
    unit/pipeline/consume_test.cc
    unit/pipeline/dead_letter_test.cc
    unit/pipeline/event_lines_test.cc
    unit/pipeline/greeting_test.cc
    unit/pipeline/group_feed_test.cc
    unit/pipeline/ingest_test.cc
    unit/pipeline/knowledge_test.cc
    unit/pipeline/known_profiles_test.cc
    unit/pipeline/learner_test.cc
    unit/pipeline/log_range_test.cc
    unit/pipeline/merge_reader_test.cc
    unit/pipeline/patience_test.cc
    unit/pipeline/produce_test.cc
    unit/pipeline/profile_transfer_test.cc
    unit/pipeline/profile_writer_test.cc
    unit/pipeline/rebuild_test.cc
    unit/pipeline/refreshes_test.cc
    unit/pipeline/replay_test.cc
    unit/pipeline/topics_test.cc
    unit/pipeline/underway_events_test.cc
  LINKS attune_adapters attune_pipeline attune_core attune_base
  LABELS unit)
attune_test(unit_probe
  SOURCES
    unit/core/customer_line_test.cc
    unit/core/latency_histogram_test.cc
    unit/pipeline/probe_test.cc
    unit/pipeline/warm_test.cc
  LINKS attune_pipeline attune_core attune_base
  LABELS unit)
attune_test(unit_spool
  SOURCES unit/pipeline/spool_test.cc
  LINKS attune_adapters attune_pipeline attune_core attune_base
  LABELS unit)
