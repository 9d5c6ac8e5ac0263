#include "service_metrics.h"

#include "core/recommender.h"

namespace attune {

namespace {

template <class Number>
std::function<double()> reader(const std::atomic<Number>& number)
{
  return [&number] { return static_cast<double>(number.load(std::memory_order_relaxed)); };
}

} // namespace

StageHistograms::StageHistograms(Metrics& metrics)
{
  for (std::size_t i = 0; i < kStages; ++i)
    histograms_[i] = &metrics.histogram("attune_stage_seconds", "The parts of the way from an event to a changed answer.",
                                        {{"stage", std::string(stage_name(static_cast<Stage>(i)))}});
}

void declare_metrics(Metrics& metrics, const Collector& collector)
{
  const auto& counts = collector.counts();
  const std::string help = "Events that came over HTTP, by what became of them.";
  metrics.counter("attune_collect_events_total", help, {{"outcome", "acknowledged"}}, reader(counts.acknowledged));
  metrics.counter("attune_collect_events_total", help, {{"outcome", "rejected"}}, reader(counts.refused));
  metrics.counter("attune_collect_events_total", help, {{"outcome", "turned_away"}}, reader(counts.turned_away));
  metrics.counter("attune_collect_events_total", help, {{"outcome", "failed"}}, reader(counts.failed));
  metrics.gauge("attune_collect_in_flight_bytes", "Events that are being written to the log.", {},
                [&collector] { return static_cast<double>(collector.bytes_in_flight()); });
}

void declare_metrics(Metrics& metrics, const Spool& spool)
{
  metrics.gauge("attune_spool_active", "1 while events go to the spool.", {}, [&spool] { return spool.spooling() ? 1.0 : 0.0; });
  metrics.gauge("attune_spool_records", "Events in the spool.", {}, [&spool] { return static_cast<double>(spool.waiting()); });
}

void declare_metrics(Metrics& metrics, const IngestCounts& counts)
{
  const std::string help = "Events read from the log, by what became of them.";
  metrics.counter("attune_profile_events_total", help, {{"outcome", "accepted"}}, reader(counts.accepted));
  metrics.counter("attune_profile_events_total", help, {{"outcome", "repeated"}}, reader(counts.repeated));
  metrics.counter("attune_profile_events_total", help, {{"outcome", "late"}}, reader(counts.late));
  metrics.counter("attune_profile_events_total", help, {{"outcome", "refused"}}, reader(counts.refused));
  metrics.counter("attune_profile_events_total", help, {{"outcome", "dead_letter"}}, reader(counts.dead_letters));
  metrics.counter("attune_profile_batches_total", "Batches of events applied.", {}, reader(counts.batches));
  metrics.counter("attune_profile_reads_total", "Profiles read from the store.", {}, reader(counts.reads));
  metrics.counter("attune_profile_writes_total", "Profiles written.", {}, reader(counts.writes));
  metrics.counter("attune_profile_lost_total", "Writes that somebody else was faster with, and that were made again.", {},
                  reader(counts.lost));
}

void declare_metrics(Metrics& metrics, const Learner& learner, const Knowledge& knowledge, const Clock& clock)
{
  const auto& counts = learner.counts();
  metrics.counter("attune_model_events_total", "Events learned.", {}, reader(counts.events));
  metrics.counter("attune_model_unread_total", "Records that are no event and taught nothing.", {}, reader(counts.unread));
  metrics.counter("attune_model_snapshots_total", "Snapshots written.", {}, reader(counts.snapshots));
  metrics.counter("attune_catalog_lines_total", "Catalog lines followed.", {}, reader(counts.catalog));
  metrics.gauge("attune_model_lag_seconds", "Age of the newest record learned, while there is more.", {}, [&counts, &clock] {
    const auto newest = counts.newest_ms.load();
    return !counts.behind.load() || newest == 0 ? 0.0 : static_cast<double>(clock.now().ms - newest) / 1e3;
  });
  metrics.gauge("attune_catalog_items", "Items in the catalog.", {},
                [&knowledge] { return static_cast<double>(knowledge.read().catalog().size()); });
}

void declare_metrics(Metrics& metrics, const AnswerService& answers, const KnownProfiles& known, const Watchers& watchers,
                     const Breaker& breaker)
{
  const auto& counts = answers.counts();
  for (std::size_t i = 0; i < counts.tiers.size(); ++i)
    metrics.counter("attune_answers_total", "Answers, by the tier that gave them.",
                    {{"tier", std::string(tier_name(static_cast<Tier>(i)))}}, reader(counts.tiers[i]));
  metrics.counter("attune_answers_degraded_total", "Answers that fell short of what was asked, and said so.", {},
                  reader(counts.degraded));
  const std::string help = "Requests whose token had to be waited for, by how that ended.";
  metrics.counter("attune_token_waits_total", help, {{"outcome", "began"}}, reader(counts.waited));
  metrics.counter("attune_token_waits_total", help, {{"outcome", "gave_up"}}, reader(counts.wait_failed));
  const std::string trouble = "Profiles that were not there when the answer was due.";
  metrics.counter("attune_profile_read_failures_total", trouble, {{"reason", "error"}}, reader(counts.read_failed));
  metrics.counter("attune_profile_read_failures_total", trouble, {{"reason", "timeout"}}, reader(counts.read_late));
  metrics.gauge("attune_known_profiles", "Profiles kept in memory for those who ask.", {},
                [&known] { return static_cast<double>(known.size()); });
  metrics.gauge("attune_watchers", "Requests and streams that wait for a change.", {},
                [&watchers] { return static_cast<double>(watchers.size()); });
  metrics.gauge("attune_store_breaker_open", "1 while the store is given a rest.", {},
                [&breaker] { return breaker.open() ? 1.0 : 0.0; });
}

void declare_metrics(Metrics& metrics, const Refreshes& refreshes)
{
  metrics.counter("attune_profiles_refreshed_total", "Profiles that others changed, read again before they were asked for.", {},
                  [&refreshes] { return static_cast<double>(refreshes.read()); });
}

void declare_metrics(Metrics& metrics, const HttpServer& server, std::size_t listener, const std::string& name)
{
  const auto read = [&server, listener](std::uint64_t HttpCounts::*member) {
    return [&server, listener, member] { return static_cast<double>(server.counts(listener).*member); };
  };
  metrics.counter("attune_http_requests_total", "Requests that were understood.", {{"listener", name}},
                  read(&HttpCounts::requests));
  metrics.counter("attune_http_malformed_total", "Requests that were none.", {{"listener", name}}, read(&HttpCounts::malformed));
  metrics.counter("attune_http_connections_total", "Connections accepted.", {{"listener", name}}, read(&HttpCounts::accepted));
  metrics.counter("attune_http_connections_refused_total", "Connections beyond a limit.", {{"listener", name}},
                  read(&HttpCounts::refused));
  metrics.gauge("attune_http_connections", "Open connections.", {{"listener", name}}, read(&HttpCounts::open));
  metrics.gauge("attune_http_streams", "Open event streams.", {{"listener", name}}, read(&HttpCounts::streams));
}

} // namespace attune
