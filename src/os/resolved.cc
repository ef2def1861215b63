#include "os/resolved.h"

#include <errno.h>
#include <fmt/format.h>
#include <systemd/sd-bus.h>

#include <vector>

#include "base/time.h"
#include "net/address.h"
#include "os/interface_index.h"
#include "os/os_error.h"
#include "os/socket_address.h"

namespace ginnel::os {
namespace {

constexpr const char* kName = "org.freedesktop.resolve1";
constexpr const char* kPath = "/org/freedesktop/resolve1";
constexpr const char* kAllLinks = "org.freedesktop.resolve1.Manager";
constexpr const char* kOneLink = "org.freedesktop.resolve1.Link";
constexpr std::chrono::microseconds kAnswerLimit = 10s;

struct Unref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, Unref>;

class BusError {
 public:
  ~BusError() { sd_bus_error_free(&error_); }
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;

  sd_bus_error* get() { return &error_; }
  std::unexpected<Error> fail(std::string_view what, int number) const {
    const bool is_busy = sd_bus_error_has_name(&error_, "org.freedesktop.resolve1.LinkBusy") != 0;
    const bool is_gone = sd_bus_error_has_name(&error_, "org.freedesktop.resolve1.NoSuchLink") != 0;
    if (error_.message == nullptr) return os_fail(what, -number);
    const ErrorCode code = is_busy   ? ErrorCode::Conflict
                           : is_gone ? ErrorCode::NotFound
                                     : code_of(-number);
    return std::unexpected(Error{code, fmt::format("{}: {}", what, error_.message)});
  }

 private:
  sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

std::unexpected<Error> gone(const std::string& interface) {
  return fail(ErrorCode::NotFound, fmt::format("interface {} does not exist", interface));
}

// A call to the manager whose arguments `fill` appends; negative results are errors of its own.
template <class Fill>
Status call(sd_bus* bus, const char* member, const std::string& interface, Fill&& fill) {
  const std::string what = fmt::format("systemd-resolved: {} of {}", member, interface);
  const auto index = interface_index(interface);
  if (!index) return gone(interface);
  sd_bus_message* raw = nullptr;
  int result = sd_bus_message_new_method_call(bus, &raw, kName, kPath, kAllLinks, member);
  const Message message(raw);
  if (result >= 0) result = sd_bus_message_append(raw, "i", static_cast<int>(*index));
  if (result >= 0) result = fill(raw);
  if (result < 0) return os_fail(what, -result);
  BusError error;
  result = sd_bus_call(bus, raw, 0, error.get(), nullptr);
  return result < 0 ? Status(error.fail(what, result)) : ok();
}

// Written as in a file: a zone may be part of it, which is the link's own here.
std::optional<net::Address> address_of(std::string_view server) {
  const auto address = net::Address::parse(server.substr(0, server.find('%')));
  return address ? std::optional(*address) : std::nullopt;
}

int append_servers(sd_bus_message* message, const std::vector<std::string>& servers) {
  int result = sd_bus_message_open_container(message, 'a', "(iay)");
  for (const std::string& server : servers) {
    const auto address = address_of(server);
    if (result < 0 || !address) continue;
    const ByteView bytes = address->bytes();
    result = sd_bus_message_open_container(message, 'r', "iay");
    if (result >= 0) result = sd_bus_message_append(message, "i", socket_family(address->family()));
    if (result >= 0) result = sd_bus_message_append_array(message, 'y', bytes.data(), bytes.size());
    if (result >= 0) result = sd_bus_message_close_container(message);
  }
  return result < 0 ? result : sd_bus_message_close_container(message);
}

// "~.", as resolvectl writes it, is the root for routing only: every name.
int append_domains(sd_bus_message* message, const std::vector<std::string>& search) {
  int result = sd_bus_message_open_container(message, 'a', "(sb)");
  for (const std::string& domain : search) {
    if (result >= 0) result = sd_bus_message_append(message, "(sb)", domain.c_str(), 0);
  }
  if (result >= 0) result = sd_bus_message_append(message, "(sb)", ".", 1);
  return result < 0 ? result : sd_bus_message_close_container(message);
}

}  // namespace

void Resolved::Close::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

Result<Resolved> Resolved::open() {
  sd_bus* raw = nullptr;
  const int opened = sd_bus_open_system(&raw);
  std::unique_ptr<sd_bus, Close> bus(raw);
  if (opened < 0) {
    return fail(ErrorCode::Unavailable, fmt::format("D-Bus: {}; is its daemon running?",
                                                    os_error("connect", -opened).message));
  }
  sd_bus_set_method_call_timeout(bus.get(), kAnswerLimit.count());
  return Resolved(std::move(bus));
}

bool Resolved::is_running() {
  auto resolved = open();
  return resolved && resolved->has_owner();
}

bool Resolved::has_owner() {
  BusError error;
  sd_bus_message* raw = nullptr;
  const int result =
      sd_bus_call_method(bus_.get(), "org.freedesktop.DBus", "/org/freedesktop/DBus",
                         "org.freedesktop.DBus", "NameHasOwner", error.get(), &raw, "s", kName);
  const Message answer(raw);
  int owned = 0;
  return result >= 0 && sd_bus_message_read(raw, "b", &owned) > 0 && owned != 0;
}

Status Resolved::tell(const std::string& interface, const hostnet::WantedResolver& wanted) {
  Status told = call(bus_.get(), "SetLinkDNS", interface, [&](sd_bus_message* message) {
    return append_servers(message, wanted.servers);
  });
  if (!told) return told;
  told = call(bus_.get(), "SetLinkDomains", interface,
              [&](sd_bus_message* message) { return append_domains(message, wanted.search); });
  return told ? set_default_route(interface, true) : told;
}

Status Resolved::forget(const std::string& interface) {
  Status told = call(bus_.get(), "RevertLink", interface, [](sd_bus_message*) { return 0; });
  return !told && told.error().code == ErrorCode::NotFound ? ok() : told;
}

Status Resolved::set_default_route(const std::string& interface, bool on) {
  return call(bus_.get(), "SetLinkDefaultRoute", interface, [&](sd_bus_message* message) {
    return sd_bus_message_append(message, "b", on ? 1 : 0);
  });
}

Result<bool> Resolved::is_default_route(const std::string& interface) {
  const std::string what = fmt::format("systemd-resolved: ask about {}", interface);
  const auto index = interface_index(interface);
  if (!index) return gone(interface);
  BusError error;
  sd_bus_message* raw = nullptr;
  int result = sd_bus_call_method(bus_.get(), kName, kPath, kAllLinks, "GetLink", error.get(), &raw,
                                  "i", static_cast<int>(*index));
  const Message answer(raw);
  const char* path = nullptr;
  if (result >= 0) result = sd_bus_message_read(raw, "o", &path);
  int is_default = 0;
  if (result >= 0) {
    result = sd_bus_get_property_trivial(bus_.get(), kName, path, kOneLink, "DefaultRoute",
                                         error.get(), 'b', &is_default);
  }
  if (result < 0) return error.fail(what, result);
  return is_default != 0;
}

}  // namespace ginnel::os
