#include "os/kernel_wireguard.h"

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "os/netlink_attribute.h"
#include "os/netlink_request.h"

namespace ginnel::os {
namespace {

// Generic netlink gives families their numbers when they register.
Result<std::uint16_t> find_family(NetlinkSocket& netlink) {
  NetlinkRequest request(GENL_ID_CTRL);
  auto& fixed = request.fixed<genlmsghdr>();
  fixed.cmd = CTRL_CMD_GETFAMILY;
  fixed.version = 1;
  static constexpr std::string_view kName(WG_GENL_NAME, sizeof WG_GENL_NAME);  // With its zero.
  request.put_text(CTRL_ATTR_FAMILY_NAME, kName);
  std::uint16_t family = 0;
  Status asked = netlink.query(request.message(), "ask for WireGuard", [&](const nlmsghdr& answer) {
    for_each_attribute(attributes_behind(answer, sizeof(genlmsghdr)),
                       [&](int type, ByteView payload) {
                         if (type == CTRL_ATTR_FAMILY_ID) {
                           family = read_number<std::uint16_t>(payload).value_or(0);
                         }
                       });
  });
  if (!asked && asked.error().code != ErrorCode::NotFound) return pass(std::move(asked));
  if (family >= GENL_MIN_ID) return family;
  return fail(ErrorCode::Unsupported,
              "this kernel has no WireGuard; \"modprobe wireguard\" loads it where it was built");
}

}  // namespace

Result<KernelWireguard> KernelWireguard::open() {
  auto netlink = NetlinkSocket::open(NETLINK_GENERIC);
  if (!netlink) return pass(std::move(netlink));
  const auto family = find_family(*netlink);
  if (!family) return std::unexpected(family.error());
  return KernelWireguard(std::move(*netlink), *family);
}

Result<WireguardState> KernelWireguard::read(const std::string& interface) {
  NetlinkRequest request(family_);
  auto& fixed = request.fixed<genlmsghdr>();
  fixed.cmd = WG_CMD_GET_DEVICE;
  fixed.version = WG_GENL_VERSION;
  request.put_text(WGDEVICE_A_IFNAME, {interface.c_str(), interface.size() + 1});
  WireguardReader reader;
  const Status dumped = netlink_.dump(
      request.message(), "read its configuration", [&] { reader.restart(); },
      [&](const nlmsghdr& message) {
        if (message.nlmsg_type == family_) reader.read(message);
      });
  netlink_.forget();
  if (!dumped) return std::unexpected(dumped.error());
  return reader.take();
}

Status KernelWireguard::write(const std::string& interface, const WireguardChange& change) {
  return for_each_wireguard_message(family_, interface, change, [&](nlmsghdr& message) {
    return netlink_.request(message, "change its configuration");
  });
}

}  // namespace ginnel::os
