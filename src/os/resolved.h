// systemd-resolved over D-Bus: which DNS servers a link has, and which questions are theirs.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "core/hostnet/resolver_stack.h"

struct sd_bus;

namespace ginnel::os {

class Resolved {
 public:
  // Whether it answers on this system's bus. It is not started by the question.
  static bool is_running();
  // Fails with Unavailable where there is no bus.
  static Result<Resolved> open();

  // Gives a link its servers, and with them every question that no other link's domains claim.
  Status tell(const std::string& interface, const hostnet::WantedResolver& wanted);
  // Takes back all that a link was told. One that is gone is no failure.
  Status forget(const std::string& interface);

  // Whether a link is asked what no link's domains claim.
  Result<bool> is_default_route(const std::string& interface);
  // Links of networkd cannot be told: Conflict. One that is gone: NotFound.
  Status set_default_route(const std::string& interface, bool on);

 private:
  struct Close {
    void operator()(sd_bus* bus) const;
  };
  explicit Resolved(std::unique_ptr<sd_bus, Close> bus) : bus_(std::move(bus)) {}

  bool has_owner();

  std::unique_ptr<sd_bus, Close> bus_;
};

}  // namespace ginnel::os
