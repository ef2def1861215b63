#include "os/nft_list.h"

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "os/nft_object.h"
#include "os/nft_parse.h"

namespace ginnel::os {
namespace {

using namespace hostnet::nft;

class Listing {
 public:
  explicit Listing(NetlinkSocket& netlink) : netlink_(netlink) {}

  Result<Ruleset> read() {
    for (const auto step : {&Listing::read_tables, &Listing::read_chains, &Listing::read_rules,
                            &Listing::read_sets}) {
      if (Status done = (this->*step)(); !done) return pass(std::move(done));
    }
    return std::move(ruleset_);
  }

 private:
  template <class Restart, class Each>
  Status dump(std::uint16_t type, std::string_view what, Restart&& restart, Each&& each) {
    std::array<std::uint8_t, 64> request{};
    auto* header =
        nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(request.data()), type, NFPROTO_UNSPEC, 0, 0);
    return netlink_.dump(*header, what, restart, each);
  }

  Status read_tables();
  Status read_chains();
  Status read_rules();
  Status read_sets();
  Status read_elements(const ListedTable& table, Set& set);

  NetlinkSocket& netlink_;
  Ruleset ruleset_;
};

Status Listing::read_tables() {
  return dump(
      NFT_MSG_GETTABLE, "list nftables tables", [&] { ruleset_.tables.clear(); },
      [&](const nlmsghdr& message) { parse_nft_table(message, ruleset_); });
}

Status Listing::read_chains() {
  const auto restart = [&] {
    for (ListedTable& table : ruleset_.tables) table.chains.clear();
  };
  return dump(NFT_MSG_GETCHAIN, "list nftables chains", restart,
              [&](const nlmsghdr& message) { parse_nft_chain(message, ruleset_); });
}

Status Listing::read_rules() {
  std::size_t last_chain = 0;
  const auto restart = [&] {
    last_chain = 0;
    for (ListedTable& table : ruleset_.tables) {
      for (ListedChain& chain : table.chains) chain.rules.clear();
    }
  };
  return dump(NFT_MSG_GETRULE, "list nftables rules", restart,
              [&](const nlmsghdr& message) { parse_nft_rule(message, ruleset_, last_chain); });
}

Status Listing::read_sets() {
  const auto restart = [&] {
    for (ListedTable& table : ruleset_.tables) table.sets.clear();
  };
  Status read = dump(NFT_MSG_GETSET, "list nftables sets", restart,
                     [&](const nlmsghdr& message) { parse_nft_set(message, ruleset_); });
  if (!read) return read;
  for (ListedTable& table : ruleset_.tables) {
    for (Set& set : table.sets) {
      if (!set.readable) continue;
      // A set that is gone by now has no elements to read; its rules may or may not match.
      if (Status elements = read_elements(table, set); !elements) set.readable = false;
    }
  }
  return ok();
}

Status Listing::read_elements(const ListedTable& table, Set& set) {
  auto object = own<NftnlSet>(nftnl_set_alloc());
  nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, table.name.c_str());
  nftnl_set_set_str(object.get(), NFTNL_SET_NAME, set.name.c_str());
  std::array<std::uint8_t, 1024> request{};
  auto* header = nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(request.data()), NFT_MSG_GETSETELEM,
                                       number_of(table.family), 0, 0);
  nftnl_set_elems_nlmsg_build_payload(header, object.get());
  const auto restart = [&] {
    set.elements.clear();
    set.readable = true;
  };
  return netlink_.dump(*header, "list elements of nftables sets", restart,
                       [&](const nlmsghdr& message) {
                         set.readable = set.readable && parse_nft_elements(message, set);
                       });
}

}  // namespace

Result<Ruleset> read_ruleset(NftSocket& socket) { return Listing(socket.netlink()).read(); }

}  // namespace ginnel::os
