#include "cli/path_flags.h"

#include "cli/io.h"

namespace ginnel::cli {
namespace {

Result<crypto::AeadLibrary> aead_of(const Args& args) {
  const std::string_view name = args.value("--aead").value_or("auto");
  if (name == "auto") return crypto::AeadLibrary::Automatic;
  if (name == "openssl") return crypto::AeadLibrary::OpenSsl;
  if (name == "ipsec-mb") return crypto::AeadLibrary::IpsecMb;
  if (name == "ipsec-mb-avx2") return crypto::AeadLibrary::IpsecMbAvx2;
  if (name == "ipsec-mb-sse") return crypto::AeadLibrary::IpsecMbSse;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("--aead: \"{}\" is not one of auto, openssl, ipsec-mb, ipsec-mb-avx2, "
                          "ipsec-mb-sse",
                          name));
}

}  // namespace

Result<tunnel::PathChoice> path_choice(const Args& args) {
  const auto aead = aead_of(args);
  if (!aead) return std::unexpected(aead.error());
  const auto on = [&](std::string_view all, std::string_view one) {
    return !args.flag(all) && !args.flag(one);
  };
  return tunnel::PathChoice{
      .aead = *aead,
      .tun_offloads = {.tcp_v4 = on("--no-tun-offload", "--no-tun-tso4"),
                       .tcp_v6 = on("--no-tun-offload", "--no-tun-tso6"),
                       .udp = on("--no-tun-offload", "--no-tun-uso")},
      .udp_gso = {on("--no-udp-gso", "--no-udp-gso4"), on("--no-udp-gso", "--no-udp-gso6")},
      .udp_gro = {on("--no-udp-gro", "--no-udp-gro4"), on("--no-udp-gro", "--no-udp-gro6")}};
}

std::vector<std::string> path_words(const Args& args, const Io& io) {
  std::vector<std::string> words;
  for (const Flag& flag : kPathFlags) {
    if (!flag.value.empty()) {
      if (const auto value = args.value(flag.name)) {
        words.push_back(fmt::format("{}={}", flag.name, *value));
      }
    } else if (args.flag(flag.name)) {
      words.emplace_back(flag.name);
    } else if (io.environment(environment_name(flag))) {
      words.push_back(fmt::format("{}=false", flag.name));  // It inherits what our line overrode.
    }
  }
  return words;
}

}  // namespace ginnel::cli
