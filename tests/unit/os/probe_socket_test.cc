#include "os/probe_socket.h"

#include "unit/os/private_network.h"

namespace ginnel::os {
namespace {

using Kind = ProbeOptions::Kind;

class ProbeSocketTest : public PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    make_pair("near", "far");
    shell("ip addr add 192.0.2.2/24 dev near");
    shell("ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev near");
    auto capture = CaptureSocket::open("far");
    ASSERT_TRUE(capture) << capture.error().message;
    capture_ = std::move(*capture);
  }

  bool is_seen(const std::string& text) {
    return eventually([&] {
      while (const auto frame = capture_->next()) {
        const std::string bytes(frame->begin(), frame->end());
        if (bytes.find(text) != std::string::npos) return true;
      }
      return false;
    });
  }
  static std::vector<std::uint8_t> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
  }
  // An IPv4 header that nobody checks, and the text.
  static std::vector<std::uint8_t> packet(const std::string& text) {
    constexpr std::array<std::uint8_t, 20> kHeader = {0x45, 0, 0,   0, 0, 0, 0,   0, 64, 253,
                                                      0,    0, 192, 0, 2, 2, 192, 0, 2,  1};
    std::vector<std::uint8_t> bytes(kHeader.size() + text.size());
    std::ranges::copy(kHeader, bytes.begin());
    std::ranges::copy(text, bytes.begin() + kHeader.size());
    bytes[3] = static_cast<std::uint8_t>(bytes.size());
    return bytes;
  }
  static std::vector<std::uint8_t> frame(const std::vector<std::uint8_t>& packet) {
    constexpr std::array<std::uint8_t, 14> kHeader = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    std::vector<std::uint8_t> bytes(kHeader.size() + packet.size());
    std::ranges::copy(kHeader, bytes.begin());
    std::ranges::copy(packet, bytes.begin() + kHeader.size());
    return bytes;
  }

  const net::Endpoint to_ = net::Endpoint::parse("192.0.2.1:9").value();
  std::optional<CaptureSocket> capture_;
};

TEST_F(ProbeSocketTest, SendsInEveryWay) {
  const Kind kinds[] = {Kind::Datagram, Kind::Packet, Kind::Frame, Kind::FrameBypass};
  for (const Kind kind : kinds) {
    const std::string text = "probe-" + std::to_string(int(kind));
    SCOPED_TRACE(text);
    auto socket = ProbeSocket::open({.kind = kind, .interface = "near", .fwmark = 7});
    ASSERT_TRUE(socket) << socket.error().message;
    const bool is_frame = kind == Kind::Frame || kind == Kind::FrameBypass;
    const auto bytes = is_frame                 ? frame(packet(text))
                       : kind == Kind::Datagram ? bytes_of(text)
                                                : packet(text);
    EXPECT_TRUE(socket->send(bytes, to_));
    EXPECT_TRUE(is_seen(text));
  }
}

TEST_F(ProbeSocketTest, SaysWhatTheKernelRefuses) {
  auto socket = ProbeSocket::open({});
  ASSERT_TRUE(socket);
  EXPECT_FALSE(socket->send(bytes_of("nowhere"), net::Endpoint::parse("198.51.100.1:9").value()));
  EXPECT_EQ(ProbeSocket::open({.kind = Kind::Frame, .interface = "none"}).error().code,
            ErrorCode::NotFound);
}

TEST_F(ProbeSocketTest, HearsNothingOfItsOwnHost) {
  auto socket = ProbeSocket::open({.kind = Kind::Frame, .interface = "far"});
  ASSERT_TRUE(socket);
  const std::vector<std::uint8_t> own(60, 0x55);
  EXPECT_TRUE(socket->send(own, {}));
  auto other = ProbeSocket::open({.kind = Kind::Frame, .interface = "near"});
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->send(std::vector<std::uint8_t>(60, 0x66), {}));
  bool heard_own = false;
  EXPECT_TRUE(eventually([&] {
    while (const auto frame = capture_->next()) {
      heard_own |= frame->front() == 0x55;
      if (frame->front() == 0x66) return true;
    }
    return false;
  }));
  EXPECT_FALSE(heard_own);
  EXPECT_EQ(capture_->take_lost(), 0u);
}

TEST_F(ProbeSocketTest, KnowsHardwareAddresses) {
  shell("ip link set near address 02:00:00:00:00:09");
  const std::array<std::uint8_t, 6> expected = {2, 0, 0, 0, 0, 9};
  EXPECT_EQ(hardware_address("near"), expected);
  EXPECT_FALSE(hardware_address("none"));
  EXPECT_FALSE(hardware_address("a-name-that-is-far-too-long"));
}

}  // namespace
}  // namespace ginnel::os
