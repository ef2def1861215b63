// The server's nftables table with packets through it: a TUN device stands for the tunnel, a veth
// pair leads to a namespace that stands for the internet.
//
//   clients 10.200.100.0/24, fd00:200::/64 ── wg0 [server] eth0 203.0.113.2 ── far 203.0.113.1
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/hostnet/server_network.h"
#include "os/nft_socket.h"
#include "unit/net/packet_builder.h"
#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using hostnet::ServerNetwork;
using net::testing::Bytes;
using net::testing::get16;
using net::testing::PacketSpec;

constexpr std::uint16_t kPort = 7777;
constexpr int kPatienceMilliseconds = 10'000;

net::Address address(const char* text) { return net::Address::parse(text).value(); }

struct Datagram {
  std::string from;
  std::string payload;
};

// A packet from one address to another; `spec` says the rest.
Bytes packet_between(PacketSpec spec, const net::Address& from, const net::Address& to) {
  spec.v6 = !from.is_v4();
  Bytes packet = net::testing::build(spec);
  std::ranges::copy(from.bytes(), packet.begin() + (spec.v6 ? 8 : 12));
  std::ranges::copy(to.bytes(), packet.begin() + (spec.v6 ? 24 : 16));
  if (!spec.v6) {
    net::testing::put16(packet, 10, 0);
    net::testing::put16(packet, 10, net::testing::plain_sum(ByteView(packet).first(20)) ^ 0xffff);
  }
  const std::size_t transport = spec.ip_size();
  const std::size_t field = transport + (spec.udp ? 6 : 16);
  net::testing::put16(packet, field, 0);
  const unsigned sum =
      net::testing::plain_sum(ByteView(packet).subspan(transport),
                              net::testing::plain_pseudo_sum(packet, transport, spec.udp ? 17 : 6));
  net::testing::put16(packet, field, sum ^ 0xffff);
  return packet;
}

Bytes udp(const char* from, const char* to, std::string_view payload) {
  return packet_between({.udp = true,
                         .source_port = kPort,
                         .destination_port = kPort,
                         .payload = Bytes(payload.begin(), payload.end())},
                        address(from), address(to));
}

class ServerTableTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    internet_ = here();
    start_afresh();
    server_ = here();
    make_pair("eth0", "far");
    shell(fmt::format("ip link set far netns /proc/{}/fd/{}", ::getpid(), internet_.get()));
    shell("ip addr add 203.0.113.2/24 dev eth0; ip -6 addr add 2001:db8::2/64 dev eth0 nodad");
    open_tunnel();
    shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    in_internet([&] {
      shell("sysctl -qw net.ipv6.conf.far.accept_dad=0 && ip link set far up");
      shell("ip addr add 203.0.113.1/24 dev far; ip -6 addr add 2001:db8::1/64 dev far nodad");
      shell("ip route add 10.200.100.0/24 via 203.0.113.2");
      shell("ip -6 route add fd00:200::/64 via 2001:db8::2");
      host4_ = socket_on(AF_INET);
      host6_ = socket_on(AF_INET6);
      wire_ = Fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(0x0003)));  // ETH_P_ALL
    });
    apply(network_);
  }

  static Fd here() { return Fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)); }
  template <class Work>
  void in_internet(Work&& work) {
    ASSERT_EQ(::setns(internet_.get(), CLONE_NEWNET), 0);
    work();
    ASSERT_EQ(::setns(server_.get(), CLONE_NEWNET), 0);
  }
  void open_tunnel() {
    tunnel_ = Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strcpy(request.ifr_name, "wg0");
    ASSERT_EQ(::ioctl(tunnel_.get(), TUNSETIFF, &request), 0);
    shell("ip link set wg0 mtu 1420 up && ip addr add 10.200.100.1/24 dev wg0");
    shell("ip -6 addr add fd00:200::1/64 dev wg0 nodad");
  }
  static Fd socket_on(int family) {
    Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 any6{};
    any6.sin6_family = AF_INET6;
    any6.sin6_port = htons(kPort);
    sockaddr_in any4{};
    any4.sin_family = AF_INET;
    any4.sin_port = htons(kPort);
    const bool v4 = family == AF_INET;
    const int only6 = 1;
    if (!v4) {
      EXPECT_EQ(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6), 0);
    }
    EXPECT_EQ(::bind(fd.get(),
                     v4 ? reinterpret_cast<sockaddr*>(&any4) : reinterpret_cast<sockaddr*>(&any6),
                     v4 ? sizeof any4 : sizeof any6),
              0);
    return fd;
  }
  void apply(const ServerNetwork& network) {
    NftBatch batch;
    ASSERT_TRUE(batch.replace_table(hostnet::server_table(network)));
    ASSERT_TRUE(batch.replace_table(hostnet::server_arp_table(network)));
    auto socket = NftSocket::open();
    ASSERT_TRUE(socket);
    const Status applied = socket->commit(std::move(batch));
    ASSERT_TRUE(applied) << applied.error().message;
  }

  void from_client(const Bytes& packet) {
    ASSERT_EQ(::write(tunnel_.get(), packet.data(), packet.size()),
              static_cast<ssize_t>(packet.size()));
  }
  // The next UDP packet that the server sends into the tunnel.
  Datagram at_client() {
    Bytes packet(2000);
    while (is_readable(tunnel_)) {
      const ssize_t size = ::read(tunnel_.get(), packet.data(), packet.size());
      if (size < 28) continue;
      const bool v6 = packet[0] >> 4 == 6;
      if (packet[v6 ? 6 : 9] != 17) continue;  // The kernel's own, of other protocols.
      const std::size_t payload = v6 ? 48 : 28;
      const ByteView from = v6 ? ByteView(packet).subspan(8, 16) : ByteView(packet).subspan(12, 4);
      return {.from = net::Address::from_bytes(from).to_string(),
              .payload = {packet.begin() + static_cast<std::ptrdiff_t>(payload),
                          packet.begin() + size}};
    }
    return {};
  }
  Datagram at(const Fd& host) {
    if (!is_readable(host)) return {};
    char payload[2000];
    last_from_size_ = sizeof last_from_;
    const ssize_t size = ::recvfrom(host.get(), payload, sizeof payload, 0,
                                    reinterpret_cast<sockaddr*>(&last_from_), &last_from_size_);
    EXPECT_GT(size, 0);
    ByteView from(reinterpret_cast<const std::uint8_t*>(&last_from_), sizeof last_from_);
    from = last_from_.ss_family == AF_INET ? from.subspan(offsetof(sockaddr_in, sin_addr), 4)
                                           : from.subspan(offsetof(sockaddr_in6, sin6_addr), 16);
    return {.from = net::Address::from_bytes(from).to_string(),
            .payload = std::string(payload, static_cast<std::size_t>(size))};
  }
  void answer(const Fd& host, std::string_view payload) {
    ASSERT_EQ(::sendto(host.get(), payload.data(), payload.size(), 0,
                       reinterpret_cast<const sockaddr*>(&last_from_), last_from_size_),
              static_cast<ssize_t>(payload.size()));
  }
  static std::uint16_t port_of(const sockaddr_storage& from) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(from).sin_port);
  }
  static bool is_readable(const Fd& fd) {
    pollfd waiting{.fd = fd.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, kPatienceMilliseconds) == 1;
  }

  ServerNetwork network_{.interface = "wg0",
                         .subnet4 = net::Prefix::parse("10.200.100.0/24").value(),
                         .subnet6 = net::Prefix::parse("fd00:200::/64").value(),
                         .uplink4 = "eth0",
                         .uplink6 = "eth0",
                         .listen_port = 51820};
  Fd internet_;
  Fd server_;
  Fd tunnel_;
  Fd host4_;
  Fd host6_;
  Fd wire_;
  sockaddr_storage last_from_{};
  socklen_t last_from_size_ = 0;
};

TEST_F(ServerTableTest, TakesClientsToTheInternetAndAnswersBack) {
  from_client(udp("10.200.100.2", "203.0.113.1", "hello"));
  Datagram arrived = at(host4_);
  EXPECT_EQ(arrived.payload, "hello");
  EXPECT_EQ(arrived.from, "203.0.113.2");
  answer(host4_, "welcome");
  arrived = at_client();
  EXPECT_EQ(arrived.payload, "welcome");
  EXPECT_EQ(arrived.from, "203.0.113.1");
}

TEST_F(ServerTableTest, TakesThemThereOverIpv6) {
  from_client(udp("fd00:200::2", "2001:db8::1", "hello"));
  Datagram arrived = at(host6_);
  EXPECT_EQ(arrived.payload, "hello");
  EXPECT_EQ(arrived.from, "2001:db8::2");
  answer(host6_, "welcome");
  EXPECT_EQ(at_client().payload, "welcome");
}

// What is dropped is followed by something that is not, so that nothing has to be waited for.
TEST_F(ServerTableTest, LetsNobodyInWhomNoClientCalled) {
  sockaddr_in client{};
  client.sin_family = AF_INET;
  client.sin_port = htons(kPort);
  ASSERT_EQ(::inet_pton(AF_INET, "10.200.100.2", &client.sin_addr), 1);
  ASSERT_EQ(
      ::sendto(host4_.get(), "intruder", 8, 0, reinterpret_cast<sockaddr*>(&client), sizeof client),
      8);
  from_client(udp("10.200.100.2", "203.0.113.1", "hello"));
  ASSERT_EQ(at(host4_).payload, "hello");
  answer(host4_, "welcome");
  EXPECT_EQ(at_client().payload, "welcome");
}

TEST_F(ServerTableTest, KeepsClientsApartUnlessTold) {
  from_client(udp("10.200.100.2", "10.200.100.3", "neighbour"));
  from_client(udp("10.200.100.2", "203.0.113.1", "hello"));
  ASSERT_EQ(at(host4_).payload, "hello");
  answer(host4_, "welcome");
  EXPECT_EQ(at_client().payload, "welcome");

  network_.client_to_client = true;
  apply(network_);
  from_client(udp("10.200.100.2", "10.200.100.3", "neighbour"));
  const Datagram arrived = at_client();
  EXPECT_EQ(arrived.payload, "neighbour");
  EXPECT_EQ(arrived.from, "10.200.100.2");
  from_client(udp("fd00:200::2", "fd00:200::3", "neighbour"));
  EXPECT_EQ(at_client().payload, "neighbour");
}

TEST_F(ServerTableTest, LetsNobodyElseSpeakForAClient) {
  in_internet([&] {
    shell("ip addr add 10.200.100.9/32 dev far; ip route add 10.200.100.1 dev far");
    shell("ip route add 203.0.113.2 dev far src 10.200.100.9");
  });
  const Fd server = socket_on(AF_INET);
  sockaddr_in target{};
  target.sin_family = AF_INET;
  target.sin_port = htons(kPort);
  ASSERT_EQ(::inet_pton(AF_INET, "203.0.113.2", &target.sin_addr), 1);
  const auto send = [&] {
    return ::sendto(host4_.get(), "forged", 6, 0, reinterpret_cast<sockaddr*>(&target),
                    sizeof target);
  };
  ASSERT_EQ(send(), 6);
  in_internet([&] { shell("ip route del 203.0.113.2 dev far src 10.200.100.9"); });
  ASSERT_EQ(
      ::sendto(host4_.get(), "honest", 6, 0, reinterpret_cast<sockaddr*>(&target), sizeof target),
      6);
  const Datagram arrived = at(server);
  EXPECT_EQ(arrived.payload, "honest");
  EXPECT_EQ(arrived.from, "203.0.113.1");
}

TEST_F(ServerTableTest, HoldsAClientToItsRulesAndOthersToNone) {
  network_.firewall.clients = {{.sources = {net::Prefix::parse("10.200.100.2/32").value()},
                                .rules = {.deny = {net::FlowRule::parse("any udp 7777").value()}}}};
  apply(network_);
  from_client(udp("10.200.100.2", "203.0.113.1", "denied"));
  from_client(udp("10.200.100.3", "203.0.113.1", "hello"));
  EXPECT_EQ(at(host4_).payload, "hello");
  from_client(udp("fd00:200::2", "2001:db8::1", "hello"));
  EXPECT_EQ(at(host6_).payload, "hello");
}

// What was permitted goes on through a change of rules; what is not permitted any more ends, also
// for the one who only answers.
TEST_F(ServerTableTest, CutsWhatIsPermittedNoLongerAndNothingElse) {
  from_client(udp("10.200.100.2", "203.0.113.1", "one"));
  ASSERT_EQ(at(host4_).payload, "one");
  const auto cut = last_from_;
  from_client(udp("10.200.100.3", "203.0.113.1", "two"));
  ASSERT_EQ(at(host4_).payload, "two");
  const auto kept = last_from_;
  network_.firewall.clients = {{.sources = {net::Prefix::parse("10.200.100.2/32").value()},
                                .rules = {.deny = {net::FlowRule::parse("203.0.113.1").value()}}},
                               {.sources = {net::Prefix::parse("10.200.100.3/32").value()},
                                .rules = {.allow = {{net::FlowRule::parse("any udp").value()}}}}};
  apply(network_);
  last_from_ = cut;
  answer(host4_, "never arrives");
  last_from_ = kept;
  answer(host4_, "arrives");
  EXPECT_EQ(at_client().payload, "arrives");
  from_client(udp("10.200.100.2", "203.0.113.1", "never leaves"));
  from_client(udp("10.200.100.3", "203.0.113.1", "leaves"));
  EXPECT_EQ(at(host4_).payload, "leaves");

  network_.firewall = {};
  apply(network_);
  from_client(udp("10.200.100.2", "203.0.113.1", "again"));
  EXPECT_EQ(at(host4_).payload, "again");
}

TEST_F(ServerTableTest, TranslatesWhateverTheWayOut) {
  network_.uplink4.clear();
  network_.uplink6.clear();
  apply(network_);
  from_client(udp("10.200.100.2", "203.0.113.1", "hello"));
  EXPECT_EQ(at(host4_).from, "203.0.113.2");
  // From a network behind a client.
  from_client(udp("192.168.77.5", "203.0.113.1", "from behind"));
  const Datagram behind = at(host4_);
  EXPECT_EQ(behind.payload, "from behind");
  EXPECT_EQ(behind.from, "203.0.113.2");
}

// A connection that began while there were no rules was never translated, and is not any more.
TEST_F(ServerTableTest, LetsNothingOutUntranslated) {
  shell(
      "nft flush ruleset; nft 'add table t; add chain t c { type filter hook forward priority 0; "
      "}; add rule t c ct state new accept'");
  from_client(udp("10.200.100.2", "203.0.113.1", "clear"));
  ASSERT_EQ(at(host4_).from, "10.200.100.2");
  apply(network_);
  from_client(udp("10.200.100.2", "203.0.113.1", "clear again"));
  from_client(udp("10.200.100.3", "203.0.113.1", "hello"));
  const Datagram arrived = at(host4_);
  EXPECT_EQ(arrived.payload, "hello");
  EXPECT_EQ(arrived.from, "203.0.113.2");
}

// A client that sends from the server's own port does not get the server's datagrams.
TEST_F(ServerTableTest, KeepsItsPortFromItsClients) {
  Fd server(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(network_.listen_port);
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
  const auto shadowing = [](std::string_view payload) {
    return packet_between({.udp = true,
                           .source_port = 51820,
                           .destination_port = kPort,
                           .payload = Bytes(payload.begin(), payload.end())},
                          address("10.200.100.2"), address("203.0.113.1"));
  };
  from_client(shadowing("shadow"));
  ASSERT_EQ(at(host4_).payload, "shadow");
  EXPECT_NE(port_of(last_from_), network_.listen_port);
  sockaddr_in target = own;
  ASSERT_EQ(::inet_pton(AF_INET, "203.0.113.2", &target.sin_addr), 1);
  ASSERT_EQ(
      ::sendto(host4_.get(), "sealed", 6, 0, reinterpret_cast<sockaddr*>(&target), sizeof target),
      6);
  EXPECT_EQ(at(server).payload, "sealed");
}

TEST_F(ServerTableTest, AnswersNobodyOutsideWhoAsksForItsAddress) {
  const auto neighbour = [&](const std::string& asked) {
    std::string shown;
    in_internet([&] {
      run("ip route add " + asked + " dev far; ping -c 1 -W 1 " + asked);
      shown = shell("ip neigh show " + asked + " dev far");
    });
    return shown;
  };
  EXPECT_NE(neighbour("203.0.113.2").find("lladdr"), std::string::npos);
  EXPECT_EQ(neighbour("10.200.100.1").find("lladdr"), std::string::npos);
}

TEST_F(ServerTableTest, HoldsClientsToTheirUplinkWhenTold) {
  network_.uplink4 = "eth7";  // Gone.
  network_.only_uplink = true;
  apply(network_);
  from_client(udp("10.200.100.2", "203.0.113.1", "astray"));
  from_client(udp("fd00:200::2", "2001:db8::1", "hello"));
  ASSERT_EQ(at(host6_).payload, "hello");
  pollfd waiting{.fd = host4_.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
}

// The maximum segment size in the next TCP packet on the wire, from the server.
unsigned segment_size_on(const Fd& wire) {
  Bytes packet(2000);
  for (;;) {
    pollfd waiting{.fd = wire.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPatienceMilliseconds) != 1) return 0;
    sockaddr_ll from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(wire.get(), packet.data(), packet.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    const bool v6 = size > 0 && packet[0] >> 4 == 6;
    const std::size_t transport = v6 ? 40 : 20;
    const bool is_tcp = size >= static_cast<ssize_t>(transport + 24) && packet[v6 ? 6 : 9] == 6;
    if (!is_tcp || from.sll_pkttype == PACKET_OUTGOING) continue;
    return packet[transport + 20] == 2 ? get16(packet, transport + 22) : 1;
  }
}

TEST_F(ServerTableTest, FitsTheSegmentSizeToTheTunnel) {
  const PacketSpec syn{.source_port = kPort,
                       .destination_port = 80,
                       .flags = 0x02,
                       .tcp_options = {2, 4, 1460 >> 8, 1460 & 0xff}};
  from_client(packet_between(syn, address("10.200.100.2"), address("203.0.113.1")));
  EXPECT_EQ(segment_size_on(wire_), 1420u - 40);
  from_client(packet_between(syn, address("fd00:200::2"), address("2001:db8::1")));
  EXPECT_EQ(segment_size_on(wire_), 1420u - 60);
}

}  // namespace
}  // namespace ginnel::os
