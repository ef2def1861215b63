#include "http/metric_families.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "base/check.h"

namespace ginnel::http {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct MetricFamilies::State {
  std::vector<MetricFamily> families;
};

MetricFamilies::MetricFamilies() : state_(std::make_unique<State>()) {}
MetricFamilies::~MetricFamilies() = default;

MetricFamilies& MetricFamilies::counter(std::string name, std::string help) {
  state_->families.push_back({std::move(name), std::move(help), MetricType::Counter, {}});
  return *this;
}

MetricFamilies& MetricFamilies::gauge(std::string name, std::string help) {
  state_->families.push_back({std::move(name), std::move(help), MetricType::Gauge, {}});
  return *this;
}

MetricFamilies& MetricFamilies::add(double value, Labels labels) {
  CHECK(!state_->families.empty());
  MetricFamily& family = state_->families.back();
  ClientMetric metric;
  for (auto& [name, text] : labels) metric.label.push_back({std::move(name), std::move(text)});
  (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  family.metric.push_back(std::move(metric));
  return *this;
}

std::string MetricFamilies::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->families);
  return out.str();
}

}  // namespace ginnel::http
