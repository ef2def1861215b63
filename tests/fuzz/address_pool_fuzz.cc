// Claims and allocations against the plainest model there is: a set of host numbers.
#include <set>

#include "base/check.h"
#include "core/config/address_pool.h"
#include "fuzz/fuzz_input.h"

namespace ginnel::config {
namespace {

class Model {
 public:
  explicit Model(const Subnets& subnets)
      : subnets_(subnets), hosts_(std::uint64_t{1} << (32 - subnets.v4.length())) {
    taken_.insert(0);
    taken_.insert(hosts_ - 1);
  }
  void claim(const net::Prefix& prefix) {
    for (std::uint64_t host = 0; host < hosts_; ++host) {
      const HostAddresses one = host_addresses(subnets_, static_cast<std::uint32_t>(host));
      if (prefix.contains(one.v4) || (one.v6 && prefix.contains(*one.v6))) taken_.insert(host);
    }
  }
  std::optional<HostAddresses> allocate() {
    for (std::uint64_t host = 0; host < hosts_; ++host) {
      if (!taken_.insert(host).second) continue;
      return host_addresses(subnets_, static_cast<std::uint32_t>(host));
    }
    return std::nullopt;
  }
  std::uint64_t free_count() const { return hosts_ - taken_.size(); }
  void check_free(const AddressPool& pool) const {
    for (std::uint64_t host = 0; host < hosts_; ++host) {
      const HostAddresses one = host_addresses(subnets_, static_cast<std::uint32_t>(host));
      CHECK(pool.is_free(one.v4) == !taken_.contains(host));
    }
  }

 private:
  Subnets subnets_;
  std::uint64_t hosts_;
  std::set<std::uint64_t> taken_;
};

net::Prefix read_prefix(FuzzInput& in, const Subnets& subnets) {
  const std::uint8_t kind = in.byte();
  const std::uint8_t host = in.byte();
  if (kind % 4 == 0) {
    const ByteView bytes = in.bytes(4);
    if (bytes.size() < 4) return subnets.v4;
    return net::Prefix::masking(net::Address::from_bytes(bytes), kind % 33);
  }
  const bool v6 = kind % 4 == 1 && subnets.v6.has_value();
  const net::Prefix& subnet = v6 ? *subnets.v6 : subnets.v4;
  const unsigned most = v6 ? 128 : 32;
  return net::Prefix::masking(subnet.address().plus(host), most - kind / 4 % 16);
}

void run(ByteView input) {
  FuzzInput in(input);
  const std::uint8_t shape = in.byte();
  Subnets subnets{.v4 = net::Prefix::masking(net::Address::v4({10, 200, 100, 0}), 24 + shape % 7),
                  .v6 = std::nullopt};
  if (shape >= 128) subnets.v6 = net::Prefix::parse("fd12:3456:789a:1::/64").value();
  AddressPool pool(subnets);
  Model model(subnets);
  for (int steps = 0; steps < 64 && !in.empty(); ++steps) {
    if (in.byte() % 2 == 0) {
      const net::Prefix prefix = read_prefix(in, subnets);
      pool.claim(prefix);
      model.claim(prefix);
    } else {
      const auto got = pool.allocate();
      const auto wanted = model.allocate();
      CHECK(got.has_value() == wanted.has_value());
      if (got) CHECK(*got == *wanted);
    }
    CHECK(pool.free_count() == model.free_count());
  }
  model.check_free(pool);
}

}  // namespace
}  // namespace ginnel::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::config::run({data, size});
  return 0;
}
