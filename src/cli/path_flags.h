// The flags that choose how packets are carried, the same for every verb that carries them itself.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "cli/args.h"
#include "service/tunnel/path_choice.h"

namespace ginnel::cli {

inline constexpr Flag kPathFlags[] = {
    {.name = "--aead",
     .value = "LIBRARY",
     .help = "what encrypts; to compare, or to avoid a broken one",
     .words = "auto openssl ipsec-mb ipsec-mb-avx2 ipsec-mb-sse"},
    {.name = "--no-tun-offload", .help = "move single packets, not super-packets, on the TUN side"},
    {.name = "--no-tun-tso4", .help = "that, for TCP over IPv4"},
    {.name = "--no-tun-tso6", .help = "that, for TCP over IPv6"},
    {.name = "--no-tun-uso", .help = "that, for UDP"},
    {.name = "--no-udp-gso", .help = "send datagrams one by one"},
    {.name = "--no-udp-gso4", .help = "that, over IPv4"},
    {.name = "--no-udp-gso6", .help = "that, over IPv6"},
    {.name = "--no-udp-gro", .help = "receive datagrams one by one"},
    {.name = "--no-udp-gro4", .help = "that, over IPv4"},
    {.name = "--no-udp-gro6", .help = "that, over IPv6"},
};

// A verb's own flags, and those above behind them.
template <std::size_t kOwn>
constexpr auto with_path_flags(const Flag (&own)[kOwn]) {
  std::array<Flag, kOwn + std::size(kPathFlags)> all{};
  std::copy(std::begin(kPathFlags), std::end(kPathFlags),
            std::copy(std::begin(own), std::end(own), all.begin()));
  return all;
}
// The same for a verb that has more important ones: its help only names them.
template <std::size_t kOwn>
constexpr auto with_rare_path_flags(const Flag (&own)[kOwn]) {
  auto all = with_path_flags(own);
  for (std::size_t i = kOwn; i < all.size(); ++i) all[i].is_rare = true;
  return all;
}

// REQUIRES, for both: the verb declares them.
Result<tunnel::PathChoice> path_choice(const Args& args);
// Those that were given, as words for a `ginnel dev` that we start.
std::vector<std::string> path_words(const Args& args, const Io& io);

}  // namespace ginnel::cli
