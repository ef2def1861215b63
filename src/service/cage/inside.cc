#include "service/cage/inside.h"

#include <fmt/format.h>

#include "base/text.h"
#include "os/capability.h"
#include "os/connected_socket.h"
#include "os/file.h"
#include "os/forked_process.h"
#include "os/own_space.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/rtnetlink.h"
#include "os/tun_device.h"

namespace ginnel::cage {
namespace {

constexpr std::size_t kMaxNsswitchBytes = 64u << 10;
// A loopback says at once that nobody listens; who is only busy accepts later.
constexpr Duration kRefusalTime = 50ms;

// Sockets of services that would look names up outside, or in the neighbourhood.
constexpr const char* kNameServices[] = {"/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon"};

Status cover_name_files(const InsidePlan& plan) {
  const std::string resolv_conf = os::PrivateMounts::resolve("/etc/resolv.conf");
  const std::string nsswitch = os::PrivateMounts::resolve("/etc/nsswitch.conf");
  if (resolv_conf.empty()) {
    return fail(ErrorCode::NotFound,
                "/etc/resolv.conf is missing or leads nowhere, so the cage cannot have one of its "
                "own; make one: touch /etc/resolv.conf");
  }
  const auto host_switch = os::read_file("/etc/nsswitch.conf", kMaxNsswitchBytes);
  auto mounts = os::PrivateMounts::begin();
  if (!mounts) return pass(std::move(mounts));
  for (const char* const folder : kNameServices) {
    if (Status covered = mounts->cover_folder(folder); !covered) return covered;
  }
  if (Status covered = mounts->cover_file(resolv_conf, resolv_conf_text(plan.names)); !covered) {
    return covered;
  }
  if (!nsswitch.empty()) {
    const std::string text = nsswitch_text(host_switch.value_or(""));
    if (Status covered = mounts->cover_file(nsswitch, text); !covered) return covered;
  }
  return mounts->finish();
}

std::vector<hostnet::Operation> operations_for(const InsidePlan& plan) {
  std::vector<hostnet::Operation> operations = {
      hostnet::SetLinkUp{.interface = "lo"},
      hostnet::SetMtu{.interface = plan.interface, .mtu = plan.mtu}};
  for (const net::InterfaceAddress& address : plan.addresses) {
    operations.push_back(hostnet::AddAddress{plan.interface, address});
  }
  operations.push_back(hostnet::SetLinkUp{.interface = plan.interface});
  for (const net::Prefix& destination : plan.destinations) {
    operations.push_back(hostnet::AddRoute{{.destination = destination,
                                            .interface = plan.interface,
                                            .origin = hostnet::RouteOrigin::Ginnel,
                                            .scope = hostnet::Scope::Link}});
  }
  return operations;
}

// Makes everything; returns the tunnel's interface.
Result<std::unique_ptr<os::TunDevice>> furnish(const InsidePlan& plan) {
  if (Status entered = os::enter_own_space(); !entered) return pass(std::move(entered));
  if (Status covered = cover_name_files(plan); !covered) return pass(std::move(covered));
  auto device = os::TunDevice::open({.name = plan.interface});
  if (!device) return pass(std::move(device));
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  for (const hostnet::Operation& operation : operations_for(plan)) {
    if (Status done = netlink->apply(operation); !done) return pass(std::move(done));
  }
  os::relax_own_network();
  return device;
}

// Tries both families: a server that listens on "localhost" may have taken either.
os::Fd connect_inside(std::uint16_t port) {
  for (const char* const address : {"127.0.0.1", "::1"}) {
    auto fd = os::begin_stream({.address = *net::Address::parse(address), .port = port}, {});
    if (!fd) continue;
    const Status done = os::finish_connecting(fd->get(), kRefusalTime);
    if (done || done.error().code == ErrorCode::TimedOut) return std::move(*fd);
  }
  return {};
}

class Inside {
 public:
  Inside(const InsidePlan& plan, os::DescriptorChannel& channel, const os::RelayedSignals& signals)
      : plan_(plan), channel_(channel), signals_(signals) {}

  int run(int parent) {
    os::close_all_but({channel_.fd(), signals_.fd()});
    auto device = furnish(plan_);
    if (!device) return give_up(device.error());
    // Namespaces made the kernel forget an earlier request.
    if (!os::die_with(parent)) return kKilled;
    if (!channel_.send(std::string(1, letter::kReady), (*device)->fd())) return kKilled;
    device->reset();
    const auto answer = channel_.receive();
    if (!answer || answer->text.empty() || answer->text[0] != letter::kGo) return kKilled;
    if (Status dropped = os::give_up_all(); !dropped) return give_up(dropped.error());
    const int self = os::process_id();
    auto child = os::fork_process();
    if (!child) return give_up(child.error());
    if (*child == 0) become_command(self);
    child_ = *child;
    return wait();
  }

 private:
  static constexpr int kKilled = 137;  // As if by SIGKILL.
  enum Token : std::uint64_t { kChannel, kSignals };

  int give_up(const Error& error) {
    static_cast<void>(channel_.send(
        fmt::format("{}{}:{}", letter::kFailed, std::to_underlying(error.code), error.message)));
    return 1;
  }

  [[noreturn]] void become_command(int parent) {
    if (!os::die_with(parent)) os::end_at_once(kKilled);
    signals_.give_back();
    os::close_all_but({});
    const os::ExecFailure failure = os::become(plan_.command);
    os::say_and_end("cage: " + failure.reason, failure.exit_code);
  }

  int wait() {
    auto poller = os::Poller::create();
    const bool polls = poller && poller->add(channel_.fd(), kChannel, os::Interest::Read) &&
                       poller->add(signals_.fd(), kSignals, os::Interest::Read);
    if (!polls) return end_command();
    for (;;) {
      for (const os::Ready& ready : poller->wait_until(kNever)) {
        if (ready.token == kSignals) {
          while (signals_.take()) {
          }
          if (const auto code = os::exit_code_if_ended(child_)) return *code;
        } else if (!handle_message()) {
          return end_command();
        }
      }
    }
  }

  // False when nobody is outside any more.
  bool handle_message() {
    const auto message = channel_.receive();
    if (!message || message->text.empty()) return false;
    const std::string_view rest = std::string_view(message->text).substr(1);
    if (message->text[0] == letter::kSignal) {
      if (const auto number = parse_number(rest, 1, 64)) os::send_signal(child_, *number);
    } else if (message->text[0] == letter::kConnect) {
      const std::size_t colon = rest.find(':');
      if (colon == std::string_view::npos) return true;
      const auto port = parse_number<std::uint16_t>(rest.substr(colon + 1), 1, UINT16_MAX);
      const os::Fd inner = port ? connect_inside(*port) : os::Fd();
      const std::string answer = letter::kInner + std::string(rest.substr(0, colon));
      return channel_.send(answer, inner.get()).has_value();
    }
    return true;
  }

  int end_command() {
    constexpr int kKillSignal = 9;
    os::send_signal(child_, kKillSignal);
    return os::await_exit_code(child_);
  }

  const InsidePlan& plan_;
  os::DescriptorChannel& channel_;
  const os::RelayedSignals& signals_;
  int child_ = -1;
};

}  // namespace

void live_inside(const InsidePlan& plan, os::DescriptorChannel& channel,
                 const os::RelayedSignals& signals, int parent) {
  os::end_at_once(Inside(plan, channel, signals).run(parent));
}

}  // namespace ginnel::cage
