#include "service/server/client_files.h"

#include "core/server/client_dns.h"
#include "core/server/host_fit.h"
#include "os/file.h"

namespace ginnel::server {
namespace {

constexpr std::size_t kMaxResolvConfBytes = 64u << 10;

// A host without the file is one without resolvers.
std::string read_resolvers(const char* path) {
  return os::read_file(path, kMaxResolvConfBytes).value_or("");
}

}  // namespace

std::vector<net::Address> client_dns(const config::ServerConfig& config) {
  if (!config.dns.empty()) return config.dns;
  if (config.dns_builtin) {
    std::vector<net::Address> own = {config.own.v4};
    if (config.own.v6) own.push_back(*config.own.v6);
    return own;
  }
  const std::string own = read_resolvers("/etc/resolv.conf");
  const std::string behind_a_stub = read_resolvers("/run/systemd/resolve/resolv.conf");
  return choose_client_dns({own, behind_a_stub}, config.subnets.v6.has_value());
}

Result<std::string> make_client_file(const config::ServerConfig& config,
                                     const config::ServerPeer& peer,
                                     const crypto::PublicKey& server_key,
                                     const hostnet::HostState& host, std::string_view interface) {
  auto choice = choose_endpoint(config, host, interface);
  if (!choice) return pass(std::move(choice));
  return config::client_file(
      config, peer,
      {.server_key = server_key, .endpoint = choice->endpoint, .dns = client_dns(config)});
}

}  // namespace ginnel::server
