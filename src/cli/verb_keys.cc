#include "base/text.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/verbs.h"
#include "core/crypto/keys.h"
#include "os/system_rng.h"

namespace ginnel::cli {
namespace {

constexpr std::size_t kMaxKeyInputBytes = 4096;  // A key and the white space behind it.

int print_secret(std::string_view verb, std::string text, Io& io) {
  if (io.out_is_exposed()) {
    io.err(
        "{}: warning: other users may open the file this is written to; run \"umask 077\" before",
        verb);
  }
  text += '\n';
  io.write_out(text);
  erase({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  return kOk;
}

int run_genkey(const Args&, Io& io) {
  os::SystemRng rng;
  return print_secret("genkey", crypto::PrivateKey::generate(rng).expose_as_base64(), io);
}

int run_genpsk(const Args&, Io& io) {
  os::SystemRng rng;
  return print_secret("genpsk", crypto::PresharedKey::generate(rng).expose_as_base64(), io);
}

// Exits 1 on a malformed key, as `wg` does: the command line was right.
int run_pubkey(const Args&, Io& io) {
  auto text = io.read_in(kMaxKeyInputBytes);
  if (!text) {
    io.report("pubkey", text.error());
    return kFailed;
  }
  std::string_view line = *text;
  while (!line.empty() && (line.back() == '\0' || trim(line.substr(line.size() - 1)).empty())) {
    line.remove_suffix(1);
  }
  const auto key = crypto::PrivateKey::parse(line);
  erase({reinterpret_cast<std::uint8_t*>(text->data()), text->size()});
  if (!key) {
    io.err("pubkey: standard input is {}", key.error().message);
    return kFailed;
  }
  io.out("{}\n", key->public_key().to_base64());
  return kOk;
}

constexpr Exit kMade[] = {{kOk, "printed"}, {kFailed, "standard output could not be written"}};
constexpr Exit kDerived[] = {{kOk, "printed"}, {kFailed, "standard input is not a private key"}};

}  // namespace

constinit const Verb kGenkey{
    .name = "genkey",
    .summary = "make a private key and print it",
    .exits = kMade,
    .example = "umask 077; ginnel genkey > private.key",
    .page = "docs/keys.md",
    .run = &run_genkey,
};

constinit const Verb kPubkey{
    .name = "pubkey",
    .summary = "read a private key from standard input and print its public key",
    .exits = kDerived,
    .example = "ginnel pubkey < private.key > public.key",
    .page = "docs/keys.md",
    .run = &run_pubkey,
};

constinit const Verb kGenpsk{
    .name = "genpsk",
    .summary = "make a preshared key and print it",
    .exits = kMade,
    .example = "umask 077; ginnel genpsk > preshared.key",
    .page = "docs/keys.md",
    .run = &run_genpsk,
};

}  // namespace ginnel::cli
