#include "service/gateway/metrics.h"

#include "base/version.h"
#include "http/metric_families.h"

namespace ginnel::gateway {
namespace {

using http::MetricFamilies;

double seconds(UnixTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

MetricFamilies::Labels label_of(const TunnelView& tunnel) { return {{"tunnel", tunnel.interface}}; }

void add_lock(MetricFamilies& families, const GatewayView& view) {
  families
      .gauge("ginnel_gateway_lock_armed",
             "Whether the kill switch stands whole; 0 also when that cannot be told.")
      .add(view.lock.value && view.lock.value->armed ? 1.0 : 0.0);
  if (!view.lock.value) return;
  const LockView& lock = *view.lock.value;
  // They begin again when the lock is loaded anew, as counters may.
  families
      .counter("ginnel_gateway_lock_stopped_packets_total", "Packets that the kill switch kept in.")
      .add(lock.stopped_local, {{"from", "local"}})
      .add(lock.stopped_forwarded, {{"from", "lan"}})
      .add(lock.stopped_devices, {{"from", "device"}});
}

void add_tunnels(MetricFamilies& families, const GatewayView& view) {
  families.gauge("ginnel_gateway_tunnel_active", "Whether it carries the traffic.");
  for (const TunnelView& tunnel : view.tunnels) {
    families.add(tunnel.active ? 1.0 : 0.0, label_of(tunnel));
  }
  families.gauge("ginnel_gateway_tunnel_up", "Whether it has a session that is alive.");
  for (const TunnelView& tunnel : view.tunnels) {
    families.add(tunnel.state == TunnelState::Up ? 1.0 : 0.0, label_of(tunnel));
  }
  families.counter("ginnel_gateway_tunnel_inbound_bytes_total", "Bytes received by the tunnel.");
  for (const TunnelView& tunnel : view.tunnels) families.add(tunnel.rx_bytes, label_of(tunnel));
  families.counter("ginnel_gateway_tunnel_outbound_bytes_total", "Bytes sent by the tunnel.");
  for (const TunnelView& tunnel : view.tunnels) families.add(tunnel.tx_bytes, label_of(tunnel));
  families.gauge("ginnel_gateway_tunnel_last_handshake_seconds",
                 "When the last handshake was, in seconds since 1970.");
  for (const TunnelView& tunnel : view.tunnels) {
    if (!tunnel.last_handshake.value) continue;
    families.add(seconds(*tunnel.last_handshake.value), label_of(tunnel));
  }
  families.counter("ginnel_gateway_tunnel_failures_total", "How often it did not answer.");
  for (const TunnelView& tunnel : view.tunnels) families.add(tunnel.failures, label_of(tunnel));
}

}  // namespace

std::string to_metrics_text(const GatewayView& view) {
  MetricFamilies families;
  families.gauge("ginnel_build_info", "The version that runs; always 1.")
      .add(1.0, {{"version", std::string(kProgramVersion)}});
  families.gauge("ginnel_start_time_seconds", "When it started, in seconds since 1970.")
      .add(seconds(view.started));
  families.gauge("ginnel_gateway_connected", "Whether a tunnel carries traffic.")
      .add(view.state == GatewayState::Connected ? 1.0 : 0.0);
  if (view.kill_switch) add_lock(families, view);
  families
      .counter("ginnel_gateway_failovers_total", "How often the traffic moved to another tunnel.")
      .add(view.failovers);
  families.counter("ginnel_gateway_reloads_total", "How often the files were read again.")
      .add(view.reloads);
  add_tunnels(families, view);
  if (!view.dns.empty()) {
    families.counter("ginnel_dns_events_total", "What the resolver for the LAN did.");
    for (const auto& [event, count] : view.dns) families.add(count, {{"event", event}});
  }
  std::map<std::string, std::uint64_t> findings;
  for (const Finding& finding : view.findings) ++findings[finding.code];
  families.gauge("ginnel_health_messages", "Findings that somebody should look at.");
  for (const auto& [code, count] : findings) families.add(count, {{"type", code}});
  return families.text();
}

}  // namespace ginnel::gateway
