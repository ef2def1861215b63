#include "service/cage/cage.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "core/hostnet/quick_network.h"
#include "os/clock.h"
#include "os/forked_process.h"
#include "os/process.h"
#include "os/rtnetlink.h"
#include "service/cage/inside.h"
#include "service/cage/port_publisher.h"
#include "service/cage/server_search.h"
#include "service/quick/wishes.h"
#include "service/tunnel/tunnel.h"

namespace ginnel::cage {
namespace {

void warn_of_what_does_not_apply(const quick::Source& source) {
  const config::QuickHooks& hooks = source.file.hooks;
  const bool has_hooks = !hooks.pre_up.empty() || !hooks.post_up.empty() ||
                         !hooks.pre_down.empty() || !hooks.post_down.empty();
  if (has_hooks) {
    log::warn("{}: its commands (PreUp, PostUp, PreDown, PostDown) are not run in a cage",
              source.path);
  }
}

NameServers names_of(const CageOptions& options, const quick::Source& source) {
  NameServers names{.servers = source.file.dns_servers,
                    .search_domains = source.file.search_domains};
  if (!options.dns.empty()) {
    names.servers.clear();
    for (const net::Address& address : options.dns) names.servers.push_back(address.to_string());
  }
  if (names.servers.empty()) {
    log::warn("{} names no DNS server, so no names can be looked up in the cage; add --dns ADDRESS",
              source.path);
  }
  return names;
}

// Of the families that the tunnel has an address of: others would only wait for an answer. The
// subnets of its own addresses get their routes with those.
std::vector<net::Prefix> destinations_of(const quick::Source& source,
                                         const quick::TunnelFacts& facts) {
  std::vector<net::Prefix> destinations;
  for (const net::Prefix& prefix : facts.allowed_ips) {
    const auto is_own = [&](const net::InterfaceAddress& address) {
      return address.address.family() == prefix.family();
    };
    const auto has_route = [&](const net::InterfaceAddress& address) {
      return address.subnet() == prefix;
    };
    const auto& addresses = source.file.addresses;
    const bool is_new = std::ranges::find(destinations, prefix) == destinations.end() &&
                        std::ranges::none_of(addresses, has_route);
    if (is_new && std::ranges::any_of(addresses, is_own)) destinations.push_back(prefix);
  }
  return destinations;
}

Result<std::uint32_t> mtu_of(const quick::Source& source, const quick::TunnelFacts& facts) {
  if (source.file.mtu) return *source.file.mtu;
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  std::vector<std::uint32_t> mtus;
  for (const net::Endpoint& endpoint : facts.endpoints) {
    if (const auto mtu = netlink->path_mtu(endpoint.address, 0)) mtus.push_back(*mtu);
  }
  return hostnet::automatic_mtu(mtus);
}

// A fixed port would keep a second cage from starting, and is of use only to those who are to find
// us. A mark steers packets past a tunnel's own routes, of which there are none outside.
wg::DeviceChange device_change(const config::QuickFile& file, const config::QuickNames& names) {
  wg::DeviceChange change = config::quick_addition(file, names);
  change.fwmark.reset();
  const bool is_called =
      std::ranges::any_of(file.peers, [](const config::QuickPeer& peer) { return !peer.endpoint; });
  if (!is_called) change.listen_port.reset();
  return change;
}

Error error_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto code = parse_number<int>(text.substr(0, colon), 0, 100);
  if (!code || colon == std::string_view::npos) return {ErrorCode::Io, std::string(text)};
  return {static_cast<ErrorCode>(*code), std::string(text.substr(colon + 1))};
}

class Cage {
 public:
  explicit Cage(const CageOptions& options) : options_(options) {}

  Result<int> run();

 private:
  enum Token : std::uint64_t { kSignals, kChannel, kTunnelEnded, kSearch, kPublisher };

  Status prepare();
  Status enclose();
  Status start_tunnel(os::Fd queue);
  Status watch();
  Result<int> loop();
  std::optional<int> handle_signals();
  void handle_message();

  const CageOptions& options_;
  os::Clock clock_;
  std::optional<os::RelayedSignals> signals_;
  InsidePlan plan_;
  wg::DeviceChange device_;
  config::QuickFile file_;
  std::vector<os::StreamListener> listeners_;
  std::optional<os::DescriptorChannel> channel_;
  int inside_ = -1;
  std::unique_ptr<tunnel::Tunnel> tunnel_;
  std::optional<os::Poller> poller_;
  std::optional<PortPublisher> publisher_;
  std::optional<ServerSearch> search_;
};

Result<int> Cage::run() {
  if (Status filled = os::fill_standard_descriptors(); !filled) return pass(std::move(filled));
  auto signals = os::RelayedSignals::create();
  if (!signals) return pass(std::move(signals));
  signals_ = std::move(*signals);
  if (Status prepared = prepare(); !prepared) return pass(std::move(prepared));
  Status stands = enclose();
  if (stands) stands = watch();
  if (stands) stands = channel_->send(std::string(1, letter::kGo));
  if (!stands) {
    // The process inside takes the end of the channel for ours.
    channel_.reset();
    if (inside_ > 0) static_cast<void>(os::await_exit_code(inside_));
    return pass(std::move(stands));
  }
  return loop();
}

// All that can be wrong with the input, and all that has to be asked outside.
Status Cage::prepare() {
  auto source = quick::read_source(options_.configuration);
  if (!source && source.error().code == ErrorCode::PermissionDenied) {
    return fail(ErrorCode::PermissionDenied,
                source.error().message + ", or name a copy of it that is yours (mode 0600)");
  }
  if (!source) return pass(std::move(source));
  warn_of(*source);
  if (!source->file.private_key) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: [Interface] has no PrivateKey, and a cage runs no command that "
                            "could set one; \"ginnel genkey\" makes one",
                            source->path));
  }
  if (options_.command.front().empty()) {
    return fail(ErrorCode::InvalidArgument, "COMMAND is empty; write the program to run");
  }
  warn_of_what_does_not_apply(*source);
  auto interruption = quick::Interruption::create();
  if (!interruption) return pass(std::move(interruption));
  const auto names = quick::look_up_names(*source, quick::kLookupRetries, *interruption);
  if (!names) return std::unexpected(names.error());
  const quick::TunnelFacts facts = quick::facts_of(source->file, *names);
  const auto mtu = mtu_of(*source, facts);
  if (!mtu) return std::unexpected(mtu.error());
  plan_ = {.interface = source->interface,
           .mtu = *mtu,
           .addresses = source->file.addresses,
           .destinations = destinations_of(*source, facts),
           .names = names_of(options_, *source),
           .command = options_.command};
  device_ = device_change(source->file, *names);
  file_ = std::move(source->file);
  auto listeners = PortPublisher::listen(options_.publish);
  if (!listeners) return pass(std::move(listeners));
  listeners_ = std::move(*listeners);
  return ok();
}

Status Cage::enclose() {
  auto ends = os::DescriptorChannel::make();
  if (!ends) return pass(std::move(ends));
  const int self = os::process_id();
  auto child = os::fork_process();
  if (!child) return pass(std::move(child));
  if (*child == 0) {
    ends->first = os::DescriptorChannel(std::move(ends->second));
    live_inside(plan_, ends->first, *signals_, self);
  }
  inside_ = *child;
  channel_ = std::move(ends->first);
  {
    const os::DescriptorChannel theirs = std::move(ends->second);
  }
  auto message = channel_->receive();
  if (!message || message->text.empty()) {
    return fail(ErrorCode::Io, "the process in the cage ended before the command started");
  }
  if (message->text[0] == letter::kFailed) {
    return std::unexpected(error_of(std::string_view(message->text).substr(1)));
  }
  return start_tunnel(std::move(message->fd));
}

Status Cage::start_tunnel(os::Fd queue) {
  auto tunnel = tunnel::Tunnel::adopt(std::move(queue), {.mtu = plan_.mtu, .path = options_.path});
  if (!tunnel) return pass(std::move(tunnel));
  tunnel_ = std::move(*tunnel);
  return tunnel_->configure(std::move(device_));
}

Status Cage::watch() {
  auto search = ServerSearch::create(std::move(file_), clock_.mono());
  if (!search) return pass(std::move(search));
  search_ = std::move(*search);
  const os::Poller::Watched watched[] = {{signals_->fd(), kSignals},
                                         {channel_->fd(), kChannel},
                                         {tunnel_->ended_fd(), kTunnelEnded},
                                         {search_->fd(), kSearch}};
  auto poller = os::Poller::watching(watched);
  if (!poller) return pass(std::move(poller));
  poller_ = std::move(*poller);
  publisher_.emplace(
      *poller_,
      [this](std::uint64_t number, std::uint16_t port) {
        return channel_->send(fmt::format("{}{}:{}", letter::kConnect, number, port));
      },
      kPublisher);
  return publisher_->start(std::move(listeners_), options_.publish);
}

Result<int> Cage::loop() {
  for (;;) {
    const auto all_ready =
        poller_->wait_until(std::min(publisher_->next_timeout(), search_->next_timeout()));
    const Now now = clock_.now();
    for (const os::Ready& ready : all_ready) {
      switch (ready.token) {
        case kSignals:
          if (const auto code = handle_signals()) return *code;
          break;
        case kChannel:
          handle_message();
          break;
        case kTunnelEnded:
          // Nothing leaves the cage any more; whether the command can go on, it knows itself.
          log::warn("the interface in the cage was deleted");
          static_cast<void>(poller_->remove(tunnel_->ended_fd()));
          break;
        case kSearch:
          search_->handle_answers(now.unix, *tunnel_);
          break;
        default:
          publisher_->handle(now.mono, ready);
      }
    }
    publisher_->handle_timeout(now.mono);
    search_->handle_timeout(now, *tunnel_);
  }
}

// The exit code, once there is one.
std::optional<int> Cage::handle_signals() {
  while (const auto came = signals_->take()) {
    if (came->is_child) {
      if (const auto code = os::exit_code_if_ended(inside_)) return code;
    } else if (came->from_process) {
      static_cast<void>(channel_->send(fmt::format("{}{}", letter::kSignal, came->number)));
    }
  }
  return std::nullopt;
}

void Cage::handle_message() {
  auto message = channel_->receive();
  if (!message || message->text.empty()) {
    // It is about to end, which a signal says.
    static_cast<void>(poller_->remove(channel_->fd()));
    return;
  }
  if (message->text[0] == letter::kFailed) {
    log::error("{}", error_of(std::string_view(message->text).substr(1)).message);
  }
  if (message->text[0] != letter::kInner) return;
  const auto number =
      parse_number<std::uint64_t>(std::string_view(message->text).substr(1), 0, UINT64_MAX);
  if (number) publisher_->take_inner(*number, std::move(message->fd));
}

}  // namespace

Result<int> run_cage(const CageOptions& options) { return Cage(options).run(); }

}  // namespace ginnel::cage
