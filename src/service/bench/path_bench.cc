#include "service/bench/path_bench.h"

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "os/clock.h"
#include "os/network_namespace.h"
#include "os/process.h"
#include "os/rtnetlink.h"
#include "os/system_rng.h"
#include "os/tcp_stream.h"
#include "service/bench/no_aead.h"
#include "service/tunnel/tunnel.h"

namespace ginnel::bench {
namespace {

constexpr Duration kWarmUp = std::chrono::milliseconds(500);
constexpr Duration kPatience = std::chrono::seconds(10);  // Until the first byte of a measurement.
constexpr std::uint16_t kUdpPort = 51820;
constexpr std::size_t kPieceBytes = 128 << 10;  // What the stream's ends hand to the kernel.

// One end of the tunnel. Documentation addresses outside, private ones inside.
struct End {
  explicit End(std::uint8_t number)
      : outer_name("outer"),
        outer(net::Address::v4({192, 0, 2, number})),
        inner(net::Address::v4({10, 9, 0, number})) {}

  std::string outer_name;
  net::Address outer;
  net::Address inner;
  crypto::PrivateKey key = [] {
    os::SystemRng rng;
    return crypto::PrivateKey::generate(rng);
  }();
  std::optional<os::NetworkNamespace> space;
  std::unique_ptr<tunnel::Tunnel> tunnel;
};

// Runs `work` on a thread of its own, because entering a namespace is for a thread's life.
Status on_a_thread(const std::function<Status()>& work) {
  Status result = ok();
  std::jthread([&] { result = work(); }).join();
  return result;
}

Status inside(const End& end, const std::function<Status()>& work) {
  return on_a_thread([&] {
    if (Status entered = end.space->enter(); !entered) return entered;
    return work();
  });
}

Status make_space(End& end) {
  return on_a_thread([&]() -> Status {
    auto space = os::NetworkNamespace::enter_new();
    if (!space) return pass(std::move(space));
    end.space = std::move(*space);
    return ok();
  });
}

// Gives an interface of the current namespace its address and takes it up.
Status start_interface(const std::string& name, const net::Address& address) {
  auto netlink = os::Rtnetlink::open();
  if (!netlink) return pass(std::move(netlink));
  const hostnet::AddAddress add{.interface = name, .address = {address, 24}};
  if (Status added = netlink->apply(add); !added) return added;
  return netlink->apply(hostnet::SetLinkUp{.interface = name});
}

Status join(const End& near, const End& far) {
  const Status made = inside(near, [&]() -> Status {
    auto netlink = os::Rtnetlink::open();
    if (!netlink) return pass(std::move(netlink));
    return netlink->create_pair(near.outer_name, far.outer_name, far.space->fd());
  });
  if (!made) return made;
  for (const End* end : {&near, &far}) {
    const Status up = inside(*end, [&] { return start_interface(end->outer_name, end->outer); });
    if (!up) return up;
  }
  return ok();
}

Status start_tunnel(End& end, const End& other, const PathOptions& options) {
  return inside(end, [&]() -> Status {
    tunnel::TunnelOptions wanted{.interface = "inner", .path = {.aead = options.aead}};
    if (!options.encrypted) wanted.make_aead = &make_no_aead;
    auto started = tunnel::Tunnel::start(std::move(wanted));
    if (!started) return pass(std::move(started));
    end.tunnel = std::move(*started);

    wg::PeerChange peer;
    peer.public_key = other.key.public_key();
    peer.endpoint = net::Endpoint{.address = other.outer, .port = kUdpPort};
    peer.allowed_ips.push_back({.prefix = net::Prefix::masking(other.inner, 32)});
    wg::DeviceChange change;
    change.private_key = end.key.duplicate();
    change.listen_port = kUdpPort;
    change.peers.push_back(std::move(peer));
    if (Status configured = end.tunnel->configure(std::move(change)); !configured) {
      return configured;
    }
    return start_interface("inner", end.inner);
  });
}

// One TCP stream. The receiving end counts; the sending end decides when it is over.
class Stream {
 public:
  Result<PathSpeed> run(const End& from, const End& to, Duration time);

 private:
  struct Mark {
    std::uint64_t bytes;
    Duration cpu;
    MonoTime at;
  };

  Status receive_all(os::TcpListener& listener);
  Status send_for(const net::Endpoint& to, Duration time);
  Mark mark() const;

  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::int64_t> receiver_cpu_{0};
  std::array<Mark, 2> marks_{};  // After the warm-up, and at the end.
};

Status Stream::receive_all(os::TcpListener& listener) {
  auto stream = listener.accept();
  if (!stream) return pass(std::move(stream));
  std::vector<std::uint8_t> piece(kPieceBytes);
  while (true) {
    auto size = stream->receive_some(piece);
    if (!size) return pass(std::move(size));
    if (*size == 0) return ok();
    received_ += *size;
    receiver_cpu_ = os::thread_cpu_time().count();
  }
}

// REQUIRES: the sending thread, whose own CPU time does not count.
Stream::Mark Stream::mark() const {
  const Duration ends = os::thread_cpu_time() + Duration(receiver_cpu_);
  return {.bytes = received_, .cpu = os::process_cpu_time() - ends, .at = os::Clock().mono()};
}

Status Stream::send_for(const net::Endpoint& to, Duration time) {
  auto stream = os::TcpStream::connect(to);
  if (!stream) return pass(std::move(stream));
  const std::vector<std::uint8_t> piece(kPieceBytes);
  const os::Clock clock;
  for (const bool warming_up : {true, false}) {
    const MonoTime end = clock.mono() + (warming_up ? kWarmUp : time);
    const auto before = received_.load();
    // On a busy machine a short time can pass before anything came; it lasts until something has.
    while (clock.mono() < end || (received_ == before && clock.mono() < end + kPatience)) {
      auto sent = stream->send_some(piece);
      if (!sent) return pass(std::move(sent));
    }
    marks_[warming_up ? 0 : 1] = mark();
  }
  return ok();
}

Result<PathSpeed> Stream::run(const End& from, const End& to, Duration time) {
  std::optional<os::TcpListener> listener;
  const Status listening = inside(to, [&]() -> Status {
    // Any port: the streams before may still be remembered.
    auto bound = os::TcpListener::bind({.address = to.inner, .port = 0});
    if (!bound) return pass(std::move(bound));
    listener = std::move(*bound);
    return ok();
  });
  if (!listening) return std::unexpected(listening.error());
  Status received = ok();
  std::jthread receiver([&] { received = receive_all(*listener); });
  const net::Endpoint place{.address = to.inner, .port = listener->port()};
  const Status sent = inside(from, [&] { return send_for(place, time); });
  receiver.join();
  if (!sent) return std::unexpected(sent.error());
  if (!received) return std::unexpected(received.error());

  const auto bytes = static_cast<double>(marks_[1].bytes - marks_[0].bytes);
  const auto seconds = std::chrono::duration<double>(marks_[1].at - marks_[0].at).count();
  const auto cpu = std::chrono::duration<double>(marks_[1].cpu - marks_[0].cpu).count();
  if (bytes == 0) return fail(ErrorCode::Unavailable, "nothing came through the tunnel");
  return PathSpeed{.gbit_per_second = bytes * 8 / seconds / 1e9,
                   .cpu_seconds_per_gb = cpu / (bytes / 1e9)};
}

class StandingPath final : public Path {
 public:
  Status start(const PathOptions& options);
  Result<PathSpeed> measure(Duration time) override { return Stream().run(near_, far_, time); }

 private:
  End near_{1};
  End far_{2};
};

Status StandingPath::start(const PathOptions& options) {
  for (End* end : {&near_, &far_}) {
    if (Status made = make_space(*end); !made) return made;
  }
  if (Status joined = join(near_, far_); !joined) return joined;
  for (auto [end, other] : {std::pair(&near_, &far_), std::pair(&far_, &near_)}) {
    if (Status started = start_tunnel(*end, *other, options); !started) return started;
  }
  return ok();
}

}  // namespace

Result<std::unique_ptr<Path>> make_path(const PathOptions& options) {
  if (!options.encrypted && !has_no_aead()) {
    return fail(
        ErrorCode::Unsupported,
        "this build cannot leave the cryptography out; configure it with -DGINNEL_BENCH=ON");
  }
  auto path = std::make_unique<StandingPath>();
  if (Status started = path->start(options); !started) return std::unexpected(started.error());
  return path;
}

}  // namespace ginnel::bench
