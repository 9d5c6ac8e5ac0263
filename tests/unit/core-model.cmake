attune_test(unit_core_model
  SOURCES
    unit/adapters/model_file_test.cc
    unit/core/model_test.cc
    unit/core/neighbours_test.cc
    unit/core/popularity_test.cc
    unit/core/recommender_test.cc
    unit/pipeline/recommend_test.cc
    unit/pipeline/train_test.cc
  LINKS attune_adapters attune_pipeline attune_core attune_base
  LABELS unit)
