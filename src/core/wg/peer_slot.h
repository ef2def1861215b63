#pragma once

#include <cstdint>

namespace ginnel::wg {

// Which row of the device's peer tables. Small numbers, reused after a peer is removed: whatever
// was kept by slot across a turn has to be checked against the tables again.
enum class PeerSlot : std::uint32_t {};
inline constexpr PeerSlot kNoPeer{0xffffffff};
inline constexpr std::uint32_t kMaxPeers = 1u << 20;

}  // namespace ginnel::wg
