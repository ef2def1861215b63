#include "core/config/uapi_request.h"

#include "base/text.h"
#include "core/config/secret_text.h"

namespace ginnel::config {
const UapiRequestParser::Key UapiRequestParser::kDeviceKeys[] = {
    {"private_key", &UapiRequestParser::read_private_key},
    {"listen_port", &UapiRequestParser::read_listen_port},
    {"fwmark", &UapiRequestParser::read_fwmark},
    {"replace_peers", &UapiRequestParser::read_replace_peers},
    {"public_key", &UapiRequestParser::read_public_key},
};

// In the order of how many lines there are of each.
const UapiRequestParser::Key UapiRequestParser::kPeerKeys[] = {
    {"allowed_ip", &UapiRequestParser::read_allowed_ip},
    {"public_key", &UapiRequestParser::read_public_key},
    {"replace_allowed_ips", &UapiRequestParser::read_replace_allowed_ips},
    {"preshared_key", &UapiRequestParser::read_preshared_key},
    {"endpoint", &UapiRequestParser::read_endpoint},
    {"persistent_keepalive_interval", &UapiRequestParser::read_keepalive},
    {"update_only", &UapiRequestParser::read_update_only},
    {"remove", &UapiRequestParser::read_remove},
    {"protocol_version", &UapiRequestParser::read_protocol_version},
};

UapiRequestParser::~UapiRequestParser() { erase_text(partial_line_); }

std::size_t UapiRequestParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ != State::Complete && state_ != State::Closed && taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    const std::size_t newline = rest.find('\n');
    const bool has_end = newline != std::string_view::npos;
    const std::string_view piece = has_end ? rest.substr(0, newline) : rest;
    taken += piece.size() + (has_end ? 1 : 0);
    if (partial_line_.size() + piece.size() > kMaxUapiLine) {
      refuse_and_close();
    } else if (has_end && partial_line_.empty()) {
      handle_line(piece);
    } else {
      // All of it at once: a string that grows leaves copies of keys behind.
      if (partial_line_.capacity() < kMaxUapiLine) partial_line_.reserve(kMaxUapiLine);
      partial_line_ += piece;
      if (has_end) {
        handle_line(partial_line_);
        erase_text(partial_line_);
      }
    }
  }
  return state_ == State::Closed ? bytes.size() : taken;
}

std::optional<UapiRequest> UapiRequestParser::take() {
  if (state_ != State::Complete) return std::nullopt;
  state_ = request_.must_close ? State::Closed : State::Verb;
  return std::exchange(request_, UapiRequest());
}

void UapiRequestParser::handle_line(std::string_view line) {
  request_bytes_ += line.size() + 1;
  if (request_bytes_ > max_request_) return refuse_and_close();
  if (line.empty()) {
    if (state_ == State::Verb) return refuse_and_close();  // An end without a beginning.
    return complete();
  }
  switch (state_) {
    case State::Verb:
      return handle_verb(line);
    case State::Get:
      return refuse(UapiErrno::Invalid);
    case State::Set:
      return handle_setting(line);
    default:
      return;  // The rest of a refused request.
  }
}

void UapiRequestParser::handle_verb(std::string_view line) {
  const UapiLine verb = UapiLine::cut(line);
  if (!verb.has_value) return refuse(UapiErrno::Protocol);
  if (verb.key == "set") request_.verb = UapiVerb::Set;
  if ((verb.key != "get" && verb.key != "set") || verb.value != "1") {
    return refuse(UapiErrno::Invalid);
  }
  state_ = verb.key == "set" ? State::Set : State::Get;
}

void UapiRequestParser::handle_setting(std::string_view line) {
  const UapiLine setting = UapiLine::cut(line);
  if (!setting.has_value) return refuse(UapiErrno::Protocol);
  const bool in_device = request_.change.peers.empty();
  const std::span<const Key> keys = in_device ? std::span<const Key>(kDeviceKeys) : kPeerKeys;
  for (const Key& key : keys) {
    if (key.name != setting.key) continue;
    if (!(this->*key.read)(setting.value)) refuse(UapiErrno::Invalid);
    return;
  }
  refuse(UapiErrno::Invalid);
}

// Reads on to the end of the request, so that it gets one answer.
void UapiRequestParser::refuse(UapiErrno error) {
  request_.error = error;
  request_.change = {};
  state_ = State::Refused;
}

void UapiRequestParser::refuse_and_close() {
  erase_text(partial_line_);
  if (request_.error == UapiErrno::Ok) request_.error = UapiErrno::Invalid;
  request_.must_close = true;
  request_.change = {};
  complete();
}

void UapiRequestParser::complete() {
  if (!request_.change.peers.empty()) finish_peer();
  state_ = State::Complete;
  request_bytes_ = 0;
}

// Called when all lines of a peer have been read.
void UapiRequestParser::finish_peer() {
  wg::PeerChange& done = peer();
  if (!done.remove) return;
  wg::PeerChange removal;
  removal.public_key = done.public_key;
  removal.remove = true;
  done = std::move(removal);
}

bool UapiRequestParser::read_private_key(std::string_view value) {
  auto key = crypto::PrivateKey::from_hex(value);
  if (!key) return false;
  request_.change.private_key = std::move(*key);
  return true;
}

bool UapiRequestParser::read_listen_port(std::string_view value) {
  request_.change.listen_port = parse_number<std::uint16_t>(value, 0, UINT16_MAX);
  return request_.change.listen_port.has_value();
}

bool UapiRequestParser::read_fwmark(std::string_view value) {
  request_.change.fwmark = parse_number<std::uint32_t>(value, 0, UINT32_MAX);
  return request_.change.fwmark.has_value();
}

bool UapiRequestParser::read_replace_peers(std::string_view value) {
  request_.change.replace_peers = true;
  return value == "true";
}

bool UapiRequestParser::read_public_key(std::string_view value) {
  auto key = crypto::PublicKey::from_hex(value);
  if (!key) return false;
  if (!request_.change.peers.empty()) finish_peer();
  request_.change.peers.emplace_back().public_key = *key;
  return true;
}

bool UapiRequestParser::read_update_only(std::string_view value) {
  peer().update_only = true;
  return value == "true";
}

bool UapiRequestParser::read_remove(std::string_view value) {
  peer().remove = true;
  return value == "true";
}

bool UapiRequestParser::read_preshared_key(std::string_view value) {
  auto key = crypto::PresharedKey::from_hex(value);
  if (!key) return false;
  peer().preshared_key = std::move(*key);
  return true;
}

bool UapiRequestParser::read_endpoint(std::string_view value) {
  peer().endpoint = parse_uapi_endpoint(value, zones_);
  return peer().endpoint.has_value();
}

bool UapiRequestParser::read_keepalive(std::string_view value) {
  peer().persistent_keepalive_seconds = parse_number<std::uint16_t>(value, 0, UINT16_MAX);
  return peer().persistent_keepalive_seconds.has_value();
}

bool UapiRequestParser::read_replace_allowed_ips(std::string_view value) {
  peer().replace_allowed_ips = true;
  peer().allowed_ips.clear();  // Those of the lines above are replaced as well.
  return value == "true";
}

bool UapiRequestParser::read_allowed_ip(std::string_view value) {
  const bool is_removal = value.starts_with('-');
  if (is_removal) value.remove_prefix(1);
  if (value.find('/') == std::string_view::npos) return false;
  const auto prefix = net::Prefix::parse_masking(value);
  if (!prefix) return false;
  peer().allowed_ips.push_back({*prefix, is_removal});
  return true;
}

bool UapiRequestParser::read_protocol_version(std::string_view value) { return value == "1"; }

}  // namespace ginnel::config
