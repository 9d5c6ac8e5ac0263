// What a service counts and times, by Prometheus' conventions: the names of /metrics. attune-metrics(7) lists them.
#pragma once

#include <array>

#include "adapters/http_api.h"
#include "pipeline/ingest.h"
#include "pipeline/learner.h"
#include "pipeline/refreshes.h"
#include "pipeline/spool.h"
#include "pipeline/stages.h"
#include "service/metrics.h"

namespace attune {

class StageHistograms final : public StageTimes {
 public:
  explicit StageHistograms(Metrics& metrics);
  void took(Stage stage, std::chrono::nanoseconds time) override { histograms_[static_cast<std::size_t>(stage)]->observe(time); }

 private:
  std::array<MetricHistogram*, kStages> histograms_{};
};

// Each outlives the metrics.
void declare_metrics(Metrics& metrics, const Collector& collector);
void declare_metrics(Metrics& metrics, const Spool& spool);
void declare_metrics(Metrics& metrics, const IngestCounts& counts);
void declare_metrics(Metrics& metrics, const Learner& learner, const Knowledge& knowledge, const Clock& clock);
void declare_metrics(Metrics& metrics, const AnswerService& answers, const KnownProfiles& known, const Watchers& watchers,
                     const Breaker& breaker);
void declare_metrics(Metrics& metrics, const Refreshes& refreshes);
void declare_metrics(Metrics& metrics, const HttpServer& server, std::size_t listener, const std::string& name);

} // namespace attune
