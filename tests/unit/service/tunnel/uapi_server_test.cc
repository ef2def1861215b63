#include "service/tunnel/uapi_server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <thread>

#include "os/process.h"
#include "unit/os/temporary_directory.h"

namespace ginnel::tunnel {
namespace {

// A device in memory: keeps what it was told last and shows as many peers as a test wants.
class MemoryDevice final : public WgDevice {
 public:
  const std::string& interface_name() const override { return name_; }
  Status configure(wg::DeviceChange change) override {
    if (change.listen_port == kTakenPort) {
      return fail(ErrorCode::AlreadyExists, "bind: Address already in use");
    }
    ++changes;
    if (change.fwmark) fwmark = *change.fwmark;
    return ok();
  }
  Result<wg::DeviceStatus> observe() override {
    wg::DeviceStatus status;
    status.fwmark = fwmark;
    for (std::size_t i = 0; i < peers; ++i) status.peers.emplace_back();
    return status;
  }

  static constexpr std::uint16_t kTakenPort = 7;
  std::atomic<int> changes = 0;
  std::atomic<std::uint32_t> fwmark = 0;
  std::atomic<std::size_t> peers = 0;

 private:
  std::string name_ = "wg7";
};

// A server on a thread of its own, and connections to it.
class UapiServerTest : public testing::Test {
 protected:
  ~UapiServerTest() override { stop(); }

  void start(UapiOptions options = {}) {
    options.directory = directory_.path();
    auto server = UapiServer::create(device_, std::move(options));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::jthread([this](const std::stop_token& stop) { server_->run(stop); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    server_->wake();
    thread_.join();
  }
  os::UnixStream connect() const {
    auto stream = os::UnixStream::connect(server_->path());
    EXPECT_TRUE(stream) << stream.error().message;
    return std::move(*stream);
  }
  static MonoTime soon() { return os::Clock().mono() + 20s; }
  static void send(os::UnixStream& stream, std::string_view text) {
    const Status sent = stream.send_all(text, soon());
    EXPECT_TRUE(sent) << sent.error().message;
  }
  // What comes until it ends with so many answers, or the server closes.
  static std::string receive(os::UnixStream& stream, int answers = 1) {
    const auto received = stream.receive_until(
        [&](std::string_view text) {
          int ends = 0;
          for (std::size_t at = 0; (at = text.find("\n\n", at)) != text.npos; at += 2) ++ends;
          return ends >= answers;
        },
        64 << 20, soon());
    EXPECT_TRUE(received) << received.error().message;
    return received.value_or("");
  }
  static bool is_closed(os::UnixStream& stream) {
    return stream.receive_until([](std::string_view) { return false; }, 64 << 20, soon())
        .has_value();
  }
  std::string ask(std::string_view text) {
    os::UnixStream stream = connect();
    send(stream, text);
    return receive(stream);
  }

  os::TemporaryDirectory directory_;
  MemoryDevice device_;
  std::unique_ptr<UapiServer> server_;
  std::jthread thread_;
};

TEST_F(UapiServerTest, AnswersRequestsOfOneConnectionInTurn) {
  start();
  os::UnixStream stream = connect();
  send(stream, "set=1\nfwmark=5\n\nget=1\n\nset=1\nlisten_port=7\n\nset=1\nfw");
  EXPECT_EQ(receive(stream, 3), "errno=0\n\nfwmark=5\nerrno=0\n\nerrno=-98\n\n");
  send(stream, "mark=6\n\nget=1\n\n");
  EXPECT_EQ(receive(stream, 2), "errno=0\n\nfwmark=6\nerrno=0\n\n");
}

TEST_F(UapiServerTest, AnswersAClientThatHasNothingMoreToSay) {
  start();
  os::UnixStream stream = connect();
  send(stream, "get=1\n\n");
  stream.end_sending();
  EXPECT_EQ(receive(stream), "errno=0\n\n");
  EXPECT_TRUE(is_closed(stream));
}

TEST_F(UapiServerTest, AppliesNothingOfARequestThatIsCutOff) {
  start();
  os::UnixStream stream = connect();
  send(stream, "set=1\nfwmark=5\n");
  stream.end_sending();
  EXPECT_TRUE(is_closed(stream));
  EXPECT_EQ(device_.changes, 0);
}

TEST_F(UapiServerTest, ReadOnlyShowsAndRefuses) {
  start({.read_only_hint = "ginnel peer"});
  EXPECT_EQ(ask("set=1\nfwmark=5\n\n"), "errno=-1\n\n");
  EXPECT_EQ(ask("set=1\nnonsense\n\n"), "errno=-71\n\n");
  EXPECT_EQ(ask("get=1\n\n"), "errno=0\n\n");
  EXPECT_EQ(device_.changes, 0);
}

TEST_F(UapiServerTest, ClosesAConnectionThatSaysNothing) {
  start({.idle_limit = 50ms});
  os::UnixStream silent = connect();
  os::UnixStream unfinished = connect();
  send(unfinished, "set=1\nfwmark=5\n");
  EXPECT_TRUE(is_closed(silent));
  EXPECT_TRUE(is_closed(unfinished));
  EXPECT_EQ(ask("get=1\n\n"), "errno=0\n\n");
  EXPECT_EQ(device_.changes, 0);
}

TEST_F(UapiServerTest, ClosesAClientThatDoesNotReadItsAnswer) {
  device_.peers = 100'000;  // More than the kernel keeps for it.
  start({.idle_limit = 50ms});
  os::UnixStream stream = connect();
  send(stream, "get=1\n\n");
  EXPECT_EQ(ask("set=1\nfwmark=5\n\n"), "errno=0\n\n");  // Others are served meanwhile.
  EXPECT_TRUE(is_closed(stream));
}

// 9,000 requests fit in what is read at once, and each answer is some 20 MB here.
TEST_F(UapiServerTest, MakesOneAnswerAtATime) {
  device_.peers = 100'000;
  start();
  std::string many;
  for (int i = 0; i < 9000; ++i) many += "get=1\n\n";
  const std::size_t before = os::resident_bytes();
  os::UnixStream stream = connect();
  send(stream, many);
  EXPECT_EQ(ask("set=1\nfwmark=5\n\n"), "errno=0\n\n");
  const std::string some = receive(stream);
  EXPECT_LT(os::resident_bytes(), before + (256u << 20));
  EXPECT_TRUE(some.find("errno=0\n\n") != some.npos);
}

TEST_F(UapiServerTest, RefusesConnectionsBeyondItsLimitAndServesThoseItHas) {
  start();
  std::vector<os::UnixStream> clients;
  for (std::size_t i = 0; i < UapiServer::kMaxConnections; ++i) {
    clients.push_back(connect());
    send(clients.back(), "get=1\n\n");
    EXPECT_EQ(receive(clients.back()), "errno=0\n\n") << i;
  }
  os::UnixStream extra = connect();
  EXPECT_TRUE(is_closed(extra));
  for (os::UnixStream& client : clients) {
    send(client, "get=1\n\n");
    EXPECT_EQ(receive(client), "errno=0\n\n");
  }
  clients.pop_back();
  // The server may learn of the place that became free after it learns of the next client.
  std::string answer;
  while (answer.empty()) {
    os::UnixStream next = connect();
    static_cast<void>(next.send_all("get=1\n\n", soon()));
    answer = next.receive_until([](std::string_view text) { return text.ends_with("\n\n"); },
                                1 << 20, soon())
                 .value_or("");
  }
  EXPECT_EQ(answer, "errno=0\n\n");
}

// Not of the server's making, and not for ever: it must neither spin nor forget who waits.
TEST_F(UapiServerTest, WaitsForADescriptorToAcceptWith) {
  start();
  os::UnixStream waiting = connect();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  send(waiting, "get=1\n\n");
  EXPECT_EQ(receive(waiting), "errno=0\n\n");
  os::UnixStream other = connect();
  rlimit none = limit;
  none.rlim_cur = 1;
  setrlimit(RLIMIT_NOFILE, &none);
  send(waiting, "get=1\n\n");
  EXPECT_EQ(receive(waiting), "errno=0\n\n");
  setrlimit(RLIMIT_NOFILE, &limit);
  send(other, "get=1\n\n");
  EXPECT_EQ(receive(other), "errno=0\n\n");
}

TEST_F(UapiServerTest, EndsWhenItsSocketIsRemovedAndSaysSo) {
  start();
  auto poller = os::Poller::create();
  ASSERT_TRUE(poller);
  ASSERT_TRUE(poller->add(server_->ended_fd(), 1, os::Interest::Read));
  EXPECT_TRUE(poller->wait_until(MonoTime{}).empty());
  std::filesystem::remove(server_->path());
  EXPECT_FALSE(poller->wait_until(soon()).empty());
  thread_.join();
}

TEST_F(UapiServerTest, RemovesItsSocketAndLeavesAnothers) {
  start();
  const std::string path = server_->path();
  const auto second = UapiServer::create(device_, {.directory = directory_.path()});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(path), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(path));
  stop();
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace ginnel::tunnel
