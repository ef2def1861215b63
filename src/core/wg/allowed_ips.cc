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
  v4_.for_each(peer, [&](V4Key key, unsigned length) { visit(to_prefix(key, length)); });
  v6_.for_each(peer, [&](V6Key key, unsigned length) { visit(to_prefix(key, length)); });
}

}  // namespace ginnel::wg
