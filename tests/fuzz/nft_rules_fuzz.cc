// What the kernel says is loaded in nf_tables, by whomever: its rules are decoded and judged, and
// whatever they say, a firewall is found or not, with words that can be printed.
#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/check.h"
#include "core/hostnet/firewall.h"
#include "os/netlink_attribute.h"
#include "os/nft_parse.h"

namespace ginnel::os {
namespace {

using hostnet::nft::Ruleset;

// Elements come in messages of the kind that adds them; they go to the set that was told of last.
void read_elements(const nlmsghdr& message, Ruleset& ruleset) {
  if (ruleset.tables.empty() || ruleset.tables.back().sets.empty()) return;
  hostnet::nft::Set& set = ruleset.tables.back().sets.back();
  set.readable = set.readable && parse_nft_elements(message, set);
  CHECK(set.elements.size() <= kMaxListedElements);
}

void read_message(const nlmsghdr& message, Ruleset& ruleset) {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(nfgenmsg)) return;
  switch (message.nlmsg_type & 0xff) {
    case NFT_MSG_NEWTABLE:
      return parse_nft_table(message, ruleset);
    case NFT_MSG_NEWCHAIN:
      return parse_nft_chain(message, ruleset);
    case NFT_MSG_NEWRULE:
      return parse_nft_rule(message, ruleset);
    case NFT_MSG_NEWSET:
      return parse_nft_set(message, ruleset);
    case NFT_MSG_NEWSETELEM:
      return read_elements(message, ruleset);
    default:
      return;
  }
}

void read(ByteView datagram) {
  Ruleset ruleset;
  for_each_message(datagram, [&](const nlmsghdr& message) { read_message(message, ruleset); });
  for (const bool between : {false, true}) {
    const hostnet::TunnelTraffic traffic{.owner = {.role = "server", .interface = "wg0"},
                                         .listen_port = 51820,
                                         .uplink4 = "eth0",
                                         .uplink6 = "eth0",
                                         .client_to_client = between,
                                         .interface_indexes = {{"wg0", 7}, {"eth0", 2}}};
    for (const hostnet::FirewallBlock& block : hostnet::find_blocks(ruleset, traffic)) {
      CHECK(!block.families.empty() && !block.reason.empty() && !block.command.empty());
    }
  }
}

}  // namespace
}  // namespace ginnel::os

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::os::read({data, size});
  return 0;
}
