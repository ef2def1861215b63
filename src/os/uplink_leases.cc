#include "os/uplink_leases.h"

#include <fmt/format.h>

#include "os/file.h"
#include "os/resolv_conf.h"

namespace ginnel::os {
namespace {

using hostnet::UplinkServers;

constexpr std::size_t kMaxLeaseFile = std::size_t{1024} * 1024;
constexpr std::size_t kMaxLeaseFiles = 64;  // Of one directory.
constexpr const char* kNameServerFiles[] = {
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/run/NetworkManager/no-stub-resolv.conf",
};

void add_dhclient(const std::string& directory, const std::string& interface,
                  UplinkServers& servers) {
  const auto names = list_directory(directory);
  if (!names) return;
  std::size_t read = 0;
  for (const std::string& name : *names) {
    if (!name.ends_with(".leases") && !name.ends_with(".lease")) continue;
    if (++read > kMaxLeaseFiles) return;
    const auto text = read_file(directory + "/" + name, kMaxLeaseFile);
    if (text) servers.add(hostnet::read_dhclient_leases(*text, interface));
  }
}

}  // namespace

UplinkServers read_leases(const hostnet::Link& link, const LeaseDirectories& directories) {
  UplinkServers servers;
  const auto of_networkd =
      read_file(fmt::format("{}/{}", directories.networkd, link.index), kMaxLeaseFile);
  if (of_networkd) servers.add(hostnet::read_networkd_lease(*of_networkd));
  for (const std::string& directory : directories.dhclient) {
    add_dhclient(directory, link.name, servers);
  }
  const auto of_dhcpcd =
      read_file(fmt::format("{}/{}.lease", directories.dhcpcd, link.name), kMaxLeaseFile);
  if (of_dhcpcd) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(of_dhcpcd->data());
    servers.add(hostnet::read_dhcpcd_lease({bytes, of_dhcpcd->size()}));
  }
  return servers;
}

UplinkServers read_name_servers(const std::string& run_directory) {
  UplinkServers servers;
  for (const char* path : kNameServerFiles) {
    const auto text = read_file(path, ResolvConf::kMaxSize);
    if (text) servers.add(hostnet::read_resolv_conf(*text));
  }
  const auto original = ResolvConf(run_directory).original();
  if (original) servers.add(hostnet::read_resolv_conf(*original));
  return servers;
}

}  // namespace ginnel::os
