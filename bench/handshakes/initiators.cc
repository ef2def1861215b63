#include "handshakes/initiators.h"

#include "base/check.h"

namespace ginnel::handshakes {

// SplitMix64.
void SeededRng::fill(ByteSpan out) {
  while (!out.empty()) {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    const std::size_t size = std::min(out.size(), sizeof mixed);
    std::memcpy(out.data(), &mixed, size);
    out = out.subspan(size);
  }
}

std::vector<crypto::PrivateKey> keys_of(std::size_t count) {
  SeededRng rng(1);
  std::vector<crypto::PrivateKey> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back(crypto::PrivateKey::generate(rng));
  return keys;
}

Initiators::Initiators(std::size_t count, std::size_t rounds, const crypto::PublicKey& responder,
                       UnixTime now)
    : responder_(responder), rng_(static_cast<std::uint64_t>(now.time_since_epoch().count())) {
  CHECK(count <= kMax && rounds <= kMaxRounds);
  std::vector<wg::StaticStatic> shared;
  for (crypto::PrivateKey& key : keys_of(count)) {
    wg::Identity& identity = identities_.emplace_back(std::move(key));
    auto secret = identity.agree_with(responder_);
    CHECK(secret.has_value());
    shared.push_back(std::move(*secret));
  }
  wg::Tai64n timestamp;
  for (std::size_t round = 0; round < rounds; ++round) {
    timestamp = wg::Tai64n::newer_than(timestamp, now);
    for (std::size_t i = 0; i < count; ++i) {
      const auto index = static_cast<std::uint32_t>(initiations_.size() + 1);
      wg::HandshakeInitiation message;
      auto state = wg::InitiatorState::begin(identities_[i],
                                             {.peer = responder_,
                                              .static_static = shared[i],
                                              .timestamp = timestamp,
                                              .sender = wg::SessionIndex{index}},
                                             rng_, message);
      CHECK(state.has_value());
      initiations_.push_back({.message = message, .state = std::move(*state)});
    }
  }
}

const wg::HandshakeInitiation& Initiators::take(std::size_t number, Source& source, MonoTime now) {
  Initiation& initiation = initiations_.at(number);
  source.cookies.add_macs(identities_.front(), responder_, now, initiation.message);
  return initiation.message;
}

std::size_t Initiators::answered_by(ByteView datagram) const {
  const auto message = wg::parse_message(datagram);
  std::uint32_t index = 0;
  if (!message) return size();
  if (const auto* response = std::get_if<wg::HandshakeResponse>(&*message)) {
    index = response->receiver.get();
  } else if (const auto* reply = std::get_if<wg::CookieReply>(&*message)) {
    index = reply->receiver.get();
  }
  return index == 0 || index > size() ? size() : index - 1;
}

bool Initiators::take_cookie(ByteView datagram, Source& source, MonoTime now) {
  const auto message = wg::parse_message(datagram);
  const auto* reply = message ? std::get_if<wg::CookieReply>(&*message) : nullptr;
  return reply != nullptr &&
         source.cookies.consume(identities_.front(), responder_, now, *reply).has_value();
}

void Initiators::keep(std::size_t number, ByteView response) {
  Initiation& initiation = initiations_.at(number);
  CHECK(response.size() == sizeof initiation.response);
  std::memcpy(&initiation.response, response.data(), response.size());
  initiation.has_response = true;
}

std::size_t Initiators::count_sound() {
  std::size_t sound = 0;
  for (std::size_t i = 0; i < initiations_.size(); ++i) {
    const Initiation& one = initiations_[i];
    if (!one.has_response) continue;
    wg::Identity& identity = identities_[i % identities_.size()];
    if (one.state.finish(identity, crypto::PresharedKey(), one.response)) ++sound;
  }
  return sound;
}

}  // namespace ginnel::handshakes
