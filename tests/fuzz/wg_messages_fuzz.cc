// One datagram of a stranger, through everything that looks at it before its sender is known: the
// parsers, mac1 and mac2, the noise of an initiation, a response and a cookie reply. With an odd
// first byte mac1 is mended, or nothing would ever get behind it.
#include <memory>

#include "base/check.h"
#include "core/wg/cookie.h"
#include "core/wg/noise.h"
#include "fuzz/fuzz_input.h"
#include "support/seeded_rng.h"

namespace ginnel::wg {
namespace {

const net::Endpoint kSource = {.address = net::Address::v4({192, 0, 2, 1}), .port = 7};

// We, and a peer that a message may claim to be from.
struct World {
  World() {
    auto secret = us.agree_with(them.public_key());
    CHECK(secret.has_value());
    static_static = std::make_unique<StaticStatic>(std::move(*secret));
  }
  test::SeededRng rng{1};
  Identity us{crypto::PrivateKey::generate(rng)};
  Identity them{crypto::PrivateKey::generate(rng)};
  std::unique_ptr<StaticStatic> static_static;
};

void mend_mac1(World& world, ByteSpan datagram) {
  if (datagram.size() != sizeof(HandshakeInitiation) &&
      datagram.size() != sizeof(HandshakeResponse)) {
    return;
  }
  const std::size_t covered = datagram.size() - 2 * sizeof(crypto::Mac);
  const crypto::Mac mac = world.us.blake2s().mac(world.us.mac1_key(), {datagram.first(covered)});
  std::copy(mac.begin(), mac.end(), datagram.begin() + std::ptrdiff_t(covered));
}

void check_parsers_agree(ByteView datagram) {
  const auto message = parse_message(datagram);
  const auto transport = parse_transport(datagram);
  const bool is_transport = message && std::holds_alternative<TransportView>(*message);
  CHECK(is_transport == transport.has_value());
  if (!message) return;
  CHECK(begins_like_wireguard(datagram));
  if (!is_transport) return;
  CHECK(transport->sealed.data() + transport->sealed.size() == datagram.data() + datagram.size());
  std::array<std::uint8_t, TransportView::kHeaderSize> header{};
  write_transport_header(header, transport->receiver, transport->counter);
  CHECK(std::equal(header.begin(), header.end(), datagram.begin()));
}

// Nobody can make what only the peer's private key can.
void try_initiation(World& world, const HandshakeInitiation& initiation) {
  auto state = ResponderState::begin(world.us, initiation);
  if (state) CHECK(!state->authenticate(world.us, initiation, *world.static_static));
}

void try_response(World& world, const HandshakeResponse& response) {
  HandshakeInitiation sent;
  const auto state = InitiatorState::begin(world.us,
                                           {.peer = world.them.public_key(),
                                            .static_static = *world.static_static,
                                            .timestamp = {},
                                            .sender = SessionIndex{5}},
                                           world.rng, sent);
  CHECK(state.has_value());
  CHECK(!state->finish(world.us, crypto::PresharedKey(), response));
}

void try_cookie_reply(World& world, const CookieReply& reply) {
  HandshakeInitiation sent;
  CookieClient client;
  client.add_macs(world.us, world.them.public_key(), MonoTime(), sent);
  CHECK(!client.consume(world.us, world.them.public_key(), MonoTime(), reply));
}

void receive(ByteView input) {
  World world;
  FuzzInput in(input);
  const bool mends = in.byte() % 2 != 0;
  const ByteView rest = in.rest();
  std::vector<std::uint8_t> datagram(rest.begin(), rest.end());
  if (mends) mend_mac1(world, datagram);
  check_parsers_agree(datagram);
  const auto message = parse_message(datagram);
  if (!message) return;
  if (const auto* reply = std::get_if<CookieReply>(&*message)) {
    return try_cookie_reply(world, *reply);
  }
  if (std::holds_alternative<TransportView>(*message)) return;
  if (!has_valid_mac1(world.us, datagram)) {
    CHECK(!mends);
    return;
  }
  CookieServer server;
  CHECK(!server.has_valid_mac2(world.us, MonoTime(), world.rng, kSource, datagram));
  const CookieReply reply = server.reply(world.us, MonoTime(), world.rng, kSource, datagram);
  CHECK(std::equal(datagram.begin() + 4, datagram.begin() + 8, bytes_of(reply).begin() + 4));
  if (const auto* initiation = std::get_if<HandshakeInitiation>(&*message)) {
    try_initiation(world, *initiation);
  } else {
    try_response(world, std::get<HandshakeResponse>(*message));
  }
}

}  // namespace
}  // namespace ginnel::wg

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 70000) ginnel::wg::receive({data, size});
  return 0;
}
