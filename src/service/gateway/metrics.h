// What `/metrics` of a gateway says, in Prometheus's text format: docs/metrics.md.
#pragma once

#include <string>

#include "service/gateway/views.h"

namespace ginnel::gateway {

std::string to_metrics_text(const GatewayView& view);

}  // namespace ginnel::gateway
