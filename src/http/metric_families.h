// Metrics in Prometheus's text format, written family by family.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ginnel::http {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

class MetricFamilies {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;  // Names and values.

  MetricFamilies();
  ~MetricFamilies();

  // Begins a family; what is added belongs to it. One to which nothing is added shows its help
  // only.
  MetricFamilies& counter(std::string name, std::string help);
  MetricFamilies& gauge(std::string name, std::string help);
  // Values are doubles, as in every Prometheus client: bytes are exact up to 9 PB. REQUIRES: a
  // family was begun.
  MetricFamilies& add(double value, Labels labels = {});
  MetricFamilies& add(std::uint64_t value, Labels labels = {}) {
    return add(static_cast<double>(value), std::move(labels));
  }

  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ginnel::http
