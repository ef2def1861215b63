// A WireGuard interface that the kernel itself carries.
#pragma once

#include <string>

#include "os/kernel_wireguard.h"
#include "service/tunnel/wg_device.h"

namespace ginnel::tunnel {

class KernelDevice final : public WgDevice {
 public:
  // Fails with Unsupported where this kernel has no WireGuard.
  static Result<KernelDevice> open(std::string interface);

  const std::string& interface_name() const override { return interface_; }
  // The kernel carries a change out piece by piece; what it did of one that fails is taken back.
  Status configure(wg::DeviceChange change) override;
  Result<wg::DeviceStatus> observe() override;

 private:
  KernelDevice(std::string interface, os::KernelWireguard kernel)
      : interface_(std::move(interface)), kernel_(std::move(kernel)) {}
  Status named(const Status& status) const;

  std::string interface_;
  os::KernelWireguard kernel_;
};

}  // namespace ginnel::tunnel
