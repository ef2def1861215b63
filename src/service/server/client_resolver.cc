#include "service/server/client_resolver.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "core/server/client_dns.h"
#include "os/file.h"

namespace ginnel::server {
namespace {

constexpr std::size_t kMaxResolvConfBytes = 64u << 10;

std::vector<net::Endpoint> upstreams_without(const std::vector<net::Address>& own) {
  const auto text = os::read_file("/etc/resolv.conf", kMaxResolvConfBytes);
  std::vector<net::Endpoint> upstreams;
  for (const net::Address& address : host_resolvers(text.value_or(""), own)) {
    upstreams.push_back({.address = address, .port = resolver::kDnsPort});
  }
  return upstreams;
}

}  // namespace

Status ClientResolver::follow(const std::string& interface,
                              const std::vector<net::InterfaceAddress>& addresses) {
  std::vector<net::Address> own;
  std::ranges::transform(addresses, std::back_inserter(own), &net::InterfaceAddress::address);
  auto upstreams = upstreams_without(own);
  const bool is_new = upstreams != upstreams_ || resolver_ == nullptr;
  if (is_new && upstreams.empty()) {
    log::warn("/etc/resolv.conf names no resolver, so clients that ask this server get no answer");
  }
  upstreams_ = std::move(upstreams);
  if (resolver_ == nullptr || interface != interface_ || own != addresses_) {
    return start(interface, own);
  }
  if (is_new) resolver_->set_upstreams(upstreams_);
  return ok();
}

Status ClientResolver::start(const std::string& interface,
                             const std::vector<net::Address>& addresses) {
  stop();
  resolver::ResolverOptions options{.listen = {}, .upstreams = upstreams_, .origin = {}};
  for (const net::Address& address : addresses) {
    options.listen.push_back(
        {.at = {.address = address, .port = resolver::kDnsPort}, .interface = interface});
  }
  auto started = resolver::Resolver::start(options);
  if (!started) {
    return fail(started.error().code, fmt::format("dns = \"builtin\": {}; or name resolvers in dns",
                                                  started.error().message));
  }
  resolver_ = std::move(*started);
  interface_ = interface;
  addresses_ = addresses;
  return ok();
}

void ClientResolver::stop() {
  before_ = counts();
  resolver_.reset();
}

LabelledCounts ClientResolver::counts() const {
  LabelledCounts counts = before_;
  if (resolver_ == nullptr) return counts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(dns::Count::kCount); ++i) {
    const auto kind = static_cast<dns::Count>(i);
    counts[std::string(dns::name_of(kind))] += resolver_->count(kind);
  }
  return counts;
}

}  // namespace ginnel::server
