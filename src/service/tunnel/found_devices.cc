#include "service/tunnel/found_devices.h"

#include <fmt/format.h>

#include "os/rtnetlink.h"
#include "service/tunnel/kernel_device.h"

namespace ginnel::tunnel {
namespace {

Result<std::vector<hostnet::Link>> read_links() {
  auto rtnetlink = os::Rtnetlink::open();
  if (!rtnetlink) return pass(std::move(rtnetlink));
  return rtnetlink->read_links();
}

}  // namespace

Result<std::vector<std::string>> list_devices() {
  std::vector<std::string> names;
  const auto links = read_links();
  if (!links) return std::unexpected(links.error());
  for (const hostnet::Link& link : *links) {
    if (link.kind == os::kWireguardLink) names.push_back(link.name);
  }
  auto sockets = UapiClient().interfaces();
  if (!sockets) return pass(std::move(sockets));
  for (std::string& name : *sockets) {
    // A process may answer for an interface of the kernel's name: it is asked, as `wg` does.
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

Result<std::unique_ptr<WgDevice>> find_device(const std::string& interface, Duration answer_limit) {
  const UapiClient client;
  const auto stream = client.connect(interface);
  if (stream) return std::make_unique<UapiDevice>(interface, client, answer_limit);
  const auto links = read_links();
  if (!links) return std::unexpected(links.error());
  const auto link = std::ranges::find(*links, interface, &hostnet::Link::name);
  if (link != links->end() && link->kind == os::kWireguardLink) {
    auto device = KernelDevice::open(interface);
    if (!device) return pass(std::move(device));
    return std::make_unique<KernelDevice>(std::move(*device));
  }
  // The socket of a process that was killed says nothing about an interface that is gone with it.
  const bool is_left_behind = link == links->end() && stream.error().code == ErrorCode::Unavailable;
  if (stream.error().code != ErrorCode::NotFound && !is_left_behind) {
    return fail(stream.error().code,
                fmt::format("interface {}: {}", interface, stream.error().message));
  }
  if (link == links->end()) {
    return fail(ErrorCode::NotFound, fmt::format("interface {} does not exist", interface));
  }
  return fail(ErrorCode::Conflict, fmt::format("interface {} is not WireGuard's", interface));
}

}  // namespace ginnel::tunnel
