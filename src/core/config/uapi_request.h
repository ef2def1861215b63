// Reads requests from the control socket, from pieces of any size, and checks the whole of one
// before anything of it is applied: lines whose effect would be skipped are checked too. Driven by
// whoever owns the socket; knows nothing about sockets or engines.
#pragma once

#include <optional>
#include <string>

#include "core/config/uapi.h"
#include "core/wg/device_config.h"

namespace ginnel::config {

struct UapiRequest {
  UapiVerb verb = UapiVerb::Get;
  UapiErrno error = UapiErrno::Ok;  // Not Ok: answer with this, apply nothing.
  bool must_close = false;          // The rest of the stream makes no sense: answer, then close.
  wg::DeviceChange change;          // Of a Set without an error.
};

class UapiRequestParser {
 public:
  explicit UapiRequestParser(ZoneLookup zones = {}, std::size_t max_request = kMaxUapiRequest)
      : zones_(std::move(zones)), max_request_(max_request) {}
  ~UapiRequestParser();
  UapiRequestParser(const UapiRequestParser&) = delete;
  UapiRequestParser& operator=(const UapiRequestParser&) = delete;

  // Takes bytes up to the end of one request and returns how many. Call take() after each feed()
  // and feed what is left. After a request that must close, everything is taken and ignored.
  // The bytes hold keys: erasing the caller's buffer is up to the caller.
  std::size_t feed(std::string_view bytes);
  // The request that feed() completed.
  std::optional<UapiRequest> take();

  // Bytes of an unfinished request have come, so the end of the stream now would cut it off.
  bool is_inside_request() const { return request_bytes_ != 0 || !partial_line_.empty(); }

 private:
  enum class State : std::uint8_t { Verb, Get, Set, Refused, Complete, Closed };
  using ReadValue = bool (UapiRequestParser::*)(std::string_view);
  struct Key {
    std::string_view name;
    ReadValue read;
  };
  static const Key kDeviceKeys[];
  static const Key kPeerKeys[];

  void handle_line(std::string_view line);
  void handle_verb(std::string_view line);
  void handle_setting(std::string_view line);
  void refuse(UapiErrno error);
  void refuse_and_close();
  void complete();
  void finish_peer();
  wg::PeerChange& peer() { return request_.change.peers.back(); }

  bool read_private_key(std::string_view value);
  bool read_listen_port(std::string_view value);
  bool read_fwmark(std::string_view value);
  bool read_replace_peers(std::string_view value);
  bool read_public_key(std::string_view value);
  bool read_update_only(std::string_view value);
  bool read_remove(std::string_view value);
  bool read_preshared_key(std::string_view value);
  bool read_endpoint(std::string_view value);
  bool read_keepalive(std::string_view value);
  bool read_replace_allowed_ips(std::string_view value);
  bool read_allowed_ip(std::string_view value);
  bool read_protocol_version(std::string_view value);

  ZoneLookup zones_;
  std::size_t max_request_;
  State state_ = State::Verb;
  UapiRequest request_;
  std::size_t request_bytes_ = 0;
  std::string partial_line_;  // The line that the last piece ended in; never reallocated.
};

}  // namespace ginnel::config
