#include "core/wg/allowed_ips.h"

namespace ginnel::wg {
namespace {

template <class Key>
net::Prefix to_prefix(Key key, unsigned length) {
  std::array<std::uint8_t, Key::kBits / 8> bytes;
  key.store(bytes.data());
  return net::Prefix::masking(net::Address::from_bytes(bytes), length);
}

}  // namespace

PeerSlot AllowedIps::find(const net::Address& address) const {
  const std::uint8_t* bytes = address.bytes().data();
  return address.is_v4() ? find_v4(bytes) : find_v6(bytes);
}

bool AllowedIps::insert(const net::Prefix& prefix, PeerSlot peer) {
  const std::uint8_t* bytes = prefix.address().bytes().data();
  return prefix.family() == net::Family::V4 ? v4_.insert(V4Key::load(bytes), prefix.length(), peer)
                                            : v6_.insert(V6Key::load(bytes), prefix.length(), peer);
}

void AllowedIps::remove(const net::Prefix& prefix, PeerSlot peer) {
  const std::uint8_t* bytes = prefix.address().bytes().data();
  if (prefix.family() == net::Family::V4) {
    v4_.remove(V4Key::load(bytes), prefix.length(), peer);
  } else {
    v6_.remove(V6Key::load(bytes), prefix.length(), peer);
  }
}

void AllowedIps::remove_all(PeerSlot peer) {
  v4_.remove_all(peer);
  v6_.remove_all(peer);
}

PeerSlot AllowedIps::owner(const net::Prefix& prefix) const {
  const std::uint8_t* bytes = prefix.address().bytes().data();
  return prefix.family() == net::Family::V4 ? v4_.owner(V4Key::load(bytes), prefix.length())
                                            : v6_.owner(V6Key::load(bytes), prefix.length());
}

void AllowedIps::for_each(PeerSlot peer,
                          const std::function<void(const net::Prefix&)>& visit) const {
  const auto visit_family = [&](const auto& trie) {
    std::vector<net::Prefix> newest_first;
    trie.for_each(
        peer, [&](auto key, unsigned length) { newest_first.push_back(to_prefix(key, length)); });
    std::for_each(newest_first.rbegin(), newest_first.rend(), visit);
  };
  visit_family(v4_);
  visit_family(v6_);
}

}  // namespace ginnel::wg
