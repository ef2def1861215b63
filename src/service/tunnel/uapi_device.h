// A WireGuard interface that another process keeps, driven over its control socket.
#pragma once

#include <string>

#include "service/tunnel/uapi_client.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::tunnel {

class UapiDevice final : public WgDevice {
 public:
  // How long an answer may take: a change of 100,000 peers takes seconds.
  static constexpr Duration kAnswerLimit = 60s;

  explicit UapiDevice(std::string interface, UapiClient client = UapiClient(),
                      Duration answer_limit = kAnswerLimit)
      : interface_(std::move(interface)), client_(std::move(client)), answer_limit_(answer_limit) {}

  const std::string& interface_name() const override { return interface_; }
  Status configure(wg::DeviceChange change) override;
  Result<wg::DeviceStatus> observe() override;

 private:
  std::string interface_;
  UapiClient client_;
  Duration answer_limit_;
};

}  // namespace ginnel::tunnel
