#include "service/leaktest/provider.h"

#include "http/client.h"
#include "os/clock.h"
#include "os/connected_socket.h"
#include "os/poller.h"
#include "os/system_rng.h"
#include "service/leaktest/name_probe.h"

namespace ginnel::leaktest {
namespace {

constexpr std::string_view kInterface = "provider";
constexpr Duration kStopInterval = 50ms;
constexpr std::size_t kMaxAnswer = 4096;

http::Response tell_who_asks(const http::Request& request) {
  return http::text_response(request.remote ? request.remote->address.to_string() : "");
}

}  // namespace

Result<std::unique_ptr<Provider>> Provider::start(const Twin& twin,
                                                  const std::vector<crypto::PublicKey>& clients) {
  auto provider = std::make_unique<Provider>(&tell_who_asks);
  const Status started = twin.in_internet([&]() -> Status {
    if (!twin.plan().policy.endpoints.empty() && !clients.empty()) {
      Status made = provider->start_tunnel(twin, clients);
      if (!made) return made;
    }
    return provider->start_servers(twin);
  });
  if (!started) return std::unexpected(started.error());
  return provider;
}

Provider::~Provider() {
  web_.stop();
  datagrams_thread_.request_stop();
}

Status Provider::start_tunnel(const Twin& twin, const std::vector<crypto::PublicKey>& clients) {
  const hostnet::LockPolicy& policy = twin.plan().policy;
  auto started = tunnel::Tunnel::start({.interface = std::string(kInterface), .workers = 1});
  if (!started) return pass(std::move(started));
  tunnel_ = std::move(*started);
  os::SystemRng rng;
  crypto::PrivateKey secret = crypto::PrivateKey::generate(rng);
  key_ = secret.public_key();
  wg::DeviceChange change;
  for (const crypto::PublicKey& client : clients) {
    wg::PeerChange peer;
    peer.public_key = client;
    change.peers.push_back(std::move(peer));
  }
  for (const net::Address& address : policy.tunnel_addresses) {
    change.peers.front().allowed_ips.push_back({.prefix = net::Prefix::host(address)});
  }
  change.private_key = std::move(secret);
  change.listen_port = policy.endpoints.front().port;
  if (Status configured = tunnel_->configure(std::move(change)); !configured) return configured;
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  const std::string name(kInterface);
  if (Status up = netlink->apply(hostnet::SetLinkUp{.interface = name}); !up) return up;
  for (const net::Address& address : policy.tunnel_addresses) {
    if (!address.is_v4() && !twin.has_ipv6()) continue;
    const hostnet::Route back{.destination = net::Prefix::host(address), .interface = name};
    if (Status added = netlink->apply(hostnet::AddRoute{.route = back}); !added) return added;
  }
  return ok();
}

Status Provider::start_servers(const Twin& twin) {
  if (Status listening = listen(twin.plan(), twin.has_ipv6()); !listening) return listening;
  web_thread_ = std::jthread([this] { web_.run(); });
  datagrams_thread_ = std::jthread([this](const std::stop_token& stop) { answer_datagrams(stop); });
  return ok();
}

Status Provider::listen(const leaks::TwinPlan& plan, bool has_ipv6) {
  for (net::Family family : leaks::kFamilies) {
    if (family == net::Family::V6 && !has_ipv6) continue;
    auto bound = web_.listen(net::Endpoint{.address = *plan.internet[family], .port = kWebPort});
    if (!bound) return pass(std::move(bound));
    if (Status listening = listen_for_datagrams(family); !listening) return listening;
  }
  return ok();
}

Status Provider::listen_for_datagrams(net::Family family) {
  for (const std::uint16_t port : {kDnsPort, kEchoPort}) {
    auto socket = os::UdpSocket::bind({.address = net::Address::any(family), .port = port});
    if (!socket) return pass(std::move(socket));
    sockets_.push_back(std::move(*socket));
  }
  return ok();
}

void Provider::answer_datagrams(const std::stop_token& stop) {
  auto poller = os::Poller::create();
  if (!poller) return;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    if (!poller->add(sockets_[i]->fd(), i, os::Interest::Read)) return;
  }
  const os::Clock clock;
  os::ReceiveBatch batch;
  while (!stop.stop_requested()) {
    for (const os::Ready& ready : poller->wait_until(clock.mono() + kStopInterval)) {
      os::UdpSocket& socket = *sockets_[ready.token];
      if (socket.receive(batch) == 0) continue;
      for (const net::Datagram& question : batch.datagrams()) {
        dns::Bytes answer(question.bytes.begin(), question.bytes.end());
        if (socket.local_port() == kDnsPort) {
          answer = make_name_answer(question.bytes, question.path->remote.address);
        }
        if (answer.empty()) continue;
        const net::Datagram reply{.bytes = answer, .path = question.path};
        socket.send({&reply, 1});
      }
    }
  }
}

Result<net::Address> ask_web(const net::Address& server, Duration patience) {
  auto answer = http::request(net::Endpoint{.address = server, .port = kWebPort}, http::Request{},
                              {.timeout = patience});
  if (!answer) return pass(std::move(answer));
  return net::Address::parse(answer->body);
}

Result<net::Address> ask_name(const net::Address& server, Duration patience) {
  const net::Endpoint at{.address = server, .port = kDnsPort};
  const auto socket = os::connect_datagrams(at, {});
  if (!socket) return std::unexpected(socket.error());
  os::SystemRng rng;
  const auto id = rng.number<std::uint16_t>();
  const dns::Bytes question = make_name_question(id);
  if (Status sent = os::send_datagram(socket->get(), question); !sent) return pass(std::move(sent));
  auto poller = os::Poller::create();
  if (!poller) return pass(std::move(poller));
  if (Status added = poller->add(socket->get(), 0, os::Interest::Read); !added) {
    return pass(std::move(added));
  }
  const os::Clock clock;
  const MonoTime deadline = clock.mono() + patience;
  std::array<std::uint8_t, kMaxAnswer> room{};
  while (clock.mono() < deadline) {
    if (poller->wait_until(deadline).empty()) continue;
    const auto received = os::receive_datagram(socket->get(), room);
    if (!received) return std::unexpected(received.error());
    if (!*received) continue;
    if (const auto seen = read_name_answer(**received, id)) return *seen;
  }
  return fail(ErrorCode::TimedOut, server.to_string() + " does not answer");
}

}  // namespace ginnel::leaktest
