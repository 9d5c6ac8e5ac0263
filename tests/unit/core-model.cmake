attune_test(unit_core_model
  SOURCES
    unit/adapters/model_file_test.cc
    unit/core/blend_test.cc
    unit/core/candidates_test.cc
    unit/core/complements_test.cc
    unit/core/elementary_test.cc
    unit/core/group_popularity_test.cc
    unit/core/item_pairs_test.cc
    unit/core/item_fields_test.cc
    unit/core/item_table_test.cc
    unit/core/lesson_test.cc
    unit/core/membership_test.cc
    unit/core/model_test.cc
    unit/core/model_view_test.cc
    unit/core/neighbours_test.cc
    unit/core/popularity_test.cc
    unit/core/postings_test.cc
    unit/core/ranking_test.cc
    unit/core/recommender_test.cc
    unit/core/refusals_test.cc
    unit/core/repurchases_test.cc
    unit/core/run_pool_test.cc
    unit/core/segment_finder_test.cc
    unit/core/sequences_test.cc
    unit/core/session_index_test.cc
    unit/core/session_table_test.cc
    unit/core/supported_time_test.cc
    unit/pipeline/recommend_test.cc
    unit/pipeline/train_test.cc
  LINKS attune_adapters attune_pipeline attune_core attune_base
  LABELS unit)

attune_test(unit_model_shared
  SOURCES unit/core/model_shared_test.cc
  LINKS attune_core attune_base
  LABELS unit)

attune_test(unit_evaluate
  SOURCES
    unit/core/metrics_test.cc
    unit/core/probes_test.cc
    unit/core/trials_test.cc
    unit/pipeline/evaluate_test.cc
  LINKS attune_pipeline attune_core attune_base
  LABELS unit)
