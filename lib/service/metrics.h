// Metrics: what a daemon counts and times, in Prometheus' text format, over prometheus-cpp's core. Numbers that live elsewhere are read when
// somebody looks; times are histograms.
// Names follow Prometheus' conventions: attune_NAME_total, _seconds, _bytes; labels are few and bounded.
//
// Thread rule: declare before others look; observe() and text() from any thread. Cost: observe() about 20 ns, 130 ns when two threads meet.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace attune {

using MetricLabels = std::map<std::string, std::string>;

// Seconds, from 50 us to 10 s.
class MetricHistogram {
 public:
  virtual ~MetricHistogram() = default;
  virtual void observe(std::chrono::nanoseconds time) = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `read` is called from whoever looks, and must be quick.
  void counter(const std::string& name, const std::string& help, MetricLabels labels, std::function<double()> read);
  void gauge(const std::string& name, const std::string& help, MetricLabels labels, std::function<double()> read);
  // Good as long as the Metrics.
  MetricHistogram& histogram(const std::string& name, const std::string& help, MetricLabels labels);

  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The process' own: attune_build_info, process_start_time_seconds, process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds.
void declare_process_metrics(Metrics& metrics, const std::string& program, const std::string& version);

} // namespace attune
