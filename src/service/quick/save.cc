#include "service/quick/save.h"

#include <fmt/format.h>

#include "base/log.h"
#include "core/config/quick_edit.h"
#include "core/config/secret_text.h"
#include "os/file.h"
#include "service/quick/held_tunnel.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {
namespace {

// Those that somebody gave it, not what the kernel makes by itself.
std::vector<net::InterfaceAddress> addresses_of(const hostnet::HostState& host,
                                                const std::string& interface) {
  std::vector<net::InterfaceAddress> addresses;
  for (const hostnet::AssignedAddress& assigned : host.addresses) {
    const bool is_automatic =
        !assigned.address.address.is_v4() && assigned.address.address.is_link_local();
    if (assigned.interface == interface && !is_automatic) addresses.push_back(assigned.address);
  }
  return addresses;
}

}  // namespace

Status save_into(const Source& source, Standing& standing) {
  os::Rtnetlink& rtnetlink = standing.applier().rtnetlink();
  const auto present = standing.present_name();
  if (!present) return std::unexpected(present.error());
  const std::string& name = present->value_or(source.interface);
  auto device = tunnel::find_device(source.interface);
  if (!device && device.error().code == ErrorCode::NotFound) device = tunnel::find_device(name);
  if (!device) return pass(std::move(device));
  const auto status = (*device)->observe();
  if (!status) return std::unexpected(status.error());
  const auto host = rtnetlink.read();
  if (!host) return std::unexpected(host.error());
  const auto& record = standing.record();
  std::string text =
      config::edit_quick_file(source.text, source.file,
                              {.device = *status,
                               .addresses = addresses_of(*host, name),
                               .automatic_port = record ? record->listen_port : std::uint16_t{0},
                               .automatic_fwmark = record ? record->fwmark : 0});
  Status written = ok();
  if (text != source.text) {
    const auto read_back = config::parse_quick_file(source.path, text);
    written = read_back ? os::write_file_atomically(source.path, text, 0600)
                        : Status(std::unexpected(read_back.error()));
    if (written) log::info("{}: saved", source.path);
  }
  config::erase_text(text);
  return written;
}

Status save(const QuickOptions& options, Interruption& interruption) {
  auto held = hold_tunnel(options, interruption);
  if (!held) return pass(std::move(held));
  auto& [source, standing] = *held;
  warn_of(source);
  if (Status named = standing.check_name(); !named) return named;
  return save_into(source, standing);
}

}  // namespace ginnel::quick
