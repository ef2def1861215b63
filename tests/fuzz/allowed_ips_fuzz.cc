// The table of allowed IPs against a list that is searched whole: whatever is put in, moved and
// taken out, every address finds the same peer in both.
#include <map>

#include "base/check.h"
#include "core/wg/allowed_ips.h"
#include "fuzz/fuzz_input.h"

namespace ginnel::wg {
namespace {

constexpr int kMaxActions = 256;
constexpr std::uint32_t kPeers = 4;

class Comparison {
 public:
  void act(FuzzInput& in) {
    const std::uint8_t what = in.byte();
    const PeerSlot peer{what / 8 % kPeers};
    switch (what % 8) {
      case 0:
        table_.remove_all(peer);
        std::erase_if(model_, [&](const auto& entry) { return entry.second == peer; });
        break;
      case 1:
      case 2: {
        const net::Prefix prefix = read_prefix(in);
        table_.remove(prefix, peer);
        const auto found = model_.find(prefix);
        if (found != model_.end() && found->second == peer) model_.erase(found);
        break;
      }
      case 3:
        epochs_.collect();
        break;
      case 4:
        look_up(read_address(in));
        break;
      default: {
        const net::Prefix prefix = read_prefix(in);
        CHECK(table_.insert(prefix, peer));
        model_[prefix] = peer;
        look_up(prefix.address());
        look_up(prefix.last());
        look_up(prefix.last().plus(1));
      }
    }
    CHECK(table_.size() == model_.size());
  }

  void check_all() {
    std::size_t listed = 0;
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      table_.for_each(PeerSlot{i}, [&](const net::Prefix& prefix) {
        ++listed;
        CHECK(model_.at(prefix) == PeerSlot{i});
      });
    }
    CHECK(listed == model_.size());
    for (const auto& [prefix, owner] : model_) {
      CHECK(table_.owner(prefix) == owner);
      look_up(prefix.address());
    }
  }

 private:
  // Mostly zeros, so that prefixes nest and meet.
  static net::Address read_address(FuzzInput& in) {
    const std::uint8_t shape = in.byte();
    std::array<std::uint8_t, 16> bytes{};
    const std::size_t size = shape % 2 == 0 ? 4 : 16;
    bytes[shape / 2 % size] = in.byte();
    if (shape >= 128) bytes[size - 1] = in.byte();
    return net::Address::from_bytes(ByteView(bytes).first(size));
  }
  static net::Prefix read_prefix(FuzzInput& in) {
    const net::Address address = read_address(in);
    return net::Prefix::masking(address, in.byte() % (address.bits() + 1));
  }

  void look_up(const net::Address& address) {
    PeerSlot expected = kNoPeer;
    int longest = -1;
    for (const auto& [prefix, owner] : model_) {
      if (prefix.contains(address) && int(prefix.length()) > longest) {
        longest = int(prefix.length());
        expected = owner;
      }
    }
    CHECK(table_.find(address) == expected);
  }

  EpochDomain epochs_;
  AllowedIps table_{epochs_};
  std::map<net::Prefix, PeerSlot> model_;
};

}  // namespace
}  // namespace ginnel::wg

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::FuzzInput in({data, size});
  ginnel::wg::Comparison comparison;
  for (int i = 0; i < ginnel::wg::kMaxActions && !in.empty(); ++i) comparison.act(in);
  comparison.check_all();
  return 0;
}
