// From a file and its device to what is wanted of the host, for a tunnel that comes up and for one
// that changes.
#pragma once

#include "core/hostnet/quick_network.h"
#include "core/hostnet/resolver_stack.h"
#include "service/quick/source.h"
#include "service/quick/standing.h"

namespace ginnel::quick {

struct TunnelFacts {
  std::vector<net::Prefix> allowed_ips;
  std::vector<net::Endpoint> endpoints;
  std::vector<hostnet::OwnEndpoint> own_endpoints;  // Of a device.
  std::uint32_t fwmark = 0;                         // That somebody chose: the file, or a hook.
};
TunnelFacts facts_of(const wg::DeviceStatus& device);
TunnelFacts facts_of(const config::QuickFile& file, const config::QuickNames& names);

// `record` says what stands; its lists are empty for a tunnel that comes up.
Result<hostnet::QuickTunnel> tunnel_of(const Source& source, const TunnelFacts& facts,
                                       const hostnet::StandingRecord& record,
                                       os::Rtnetlink& rtnetlink);

// What stands when `wishes` are fulfilled.
void note_in(hostnet::StandingRecord& record, const hostnet::QuickWishes& wishes);

hostnet::WantedResolver resolver_of(const config::QuickFile& file);

}  // namespace ginnel::quick
