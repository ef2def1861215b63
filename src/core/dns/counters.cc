#include "core/dns/counters.h"

#include <utility>

namespace ginnel::dns {

std::string_view name_of(Count count) {
  switch (count) {
    case Count::Queries:
      return "queries";
    case Count::AnsweredFromCache:
      return "answered_from_cache";
    case Count::AnsweredFromUpstream:
      return "answered_from_upstream";
    case Count::AnsweredHere:
      return "answered_here";
    case Count::Failures:
      return "failures";
    case Count::UpstreamQueries:
      return "upstream_queries";
    case Count::UpstreamTimeouts:
      return "upstream_timeouts";
    case Count::UpstreamErrors:
      return "upstream_errors";
    case Count::UpstreamStreams:
      return "upstream_streams";
    case Count::AnswersMismatched:
      return "answers_mismatched";
    case Count::QueriesMalformed:
      return "queries_malformed";
    case Count::DroppedRateLimited:
      return "dropped_rate_limited";
    case Count::DroppedOverload:
      return "dropped_overload";
    case Count::DroppedStreams:
      return "dropped_streams";
    case Count::kCount:
      break;
  }
  std::unreachable();
}

}  // namespace ginnel::dns
