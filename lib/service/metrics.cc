#include "service/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>
#include <vector>

namespace attune {

namespace {

const prometheus::Histogram::BucketBoundaries kSeconds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                       0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10};

class Times final : public MetricHistogram {
 public:
  explicit Times(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(std::chrono::nanoseconds time) override { histogram_.Observe(static_cast<double>(time.count()) / 1e9); }

 private:
  prometheus::Histogram& histogram_;
};

double seconds_of(const timeval& time)
{
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double resident_bytes()
{
  std::ifstream file("/proc/self/statm");
  double size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_files()
{
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(files), end(files)));
}

} // namespace

struct Metrics::State {
  struct Reading {
    std::string name, help;
    prometheus::MetricType type;
    std::vector<std::pair<MetricLabels, std::function<double()>>> readers;
  };

  Reading& reading(const std::string& name, const std::string& help, prometheus::MetricType type)
  {
    for (auto& each : readings)
      if (each.name == name) return each;
    return readings.emplace_back(Reading{name, help, type, {}});
  }

  mutable std::mutex mutex;
  prometheus::Registry registry;
  std::deque<Reading> readings;
  std::deque<Times> times;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::counter(const std::string& name, const std::string& help, MetricLabels labels, std::function<double()> read)
{
  const std::lock_guard lock(state_->mutex);
  state_->reading(name, help, prometheus::MetricType::Counter).readers.emplace_back(std::move(labels), std::move(read));
}

void Metrics::gauge(const std::string& name, const std::string& help, MetricLabels labels, std::function<double()> read)
{
  const std::lock_guard lock(state_->mutex);
  state_->reading(name, help, prometheus::MetricType::Gauge).readers.emplace_back(std::move(labels), std::move(read));
}

MetricHistogram& Metrics::histogram(const std::string& name, const std::string& help, MetricLabels labels)
{
  const std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return state_->times.emplace_back(family.Add(labels, kSeconds));
}

std::string Metrics::text() const
{
  const std::lock_guard lock(state_->mutex);
  auto families = state_->registry.Collect();
  for (const auto& reading : state_->readings) {
    prometheus::MetricFamily family;
    family.name = reading.name;
    family.help = reading.help;
    family.type = reading.type;
    for (const auto& [labels, read] : reading.readers) {
      prometheus::ClientMetric metric;
      for (const auto& [name, value] : labels) metric.label.push_back({name, value});
      if (reading.type == prometheus::MetricType::Counter)
        metric.counter.value = read();
      else
        metric.gauge.value = read();
      family.metric.push_back(std::move(metric));
    }
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

void declare_process_metrics(Metrics& metrics, const std::string& program, const std::string& version)
{
  metrics.gauge("attune_build_info", "Which program and version this is.", {{"program", program}, {"version", version}},
                [] { return 1.0; });
  const double started = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  metrics.gauge("process_start_time_seconds", "When the process started, since 1970.", {}, [started] { return started; });
  metrics.counter("process_cpu_seconds_total", "CPU time, user and system.", {}, [] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  });
  metrics.gauge("process_resident_memory_bytes", "Resident memory.", {}, resident_bytes);
  metrics.gauge("process_open_fds", "Open file descriptors.", {}, open_files);
}

} // namespace attune
