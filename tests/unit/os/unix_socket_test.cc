#include "os/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <thread>

#include "in_child.h"
#include "os/clock.h"
#include "os/poller.h"
#include "temporary_directory.h"

namespace ginnel::os {
namespace {

struct UnixSocketTest : testing::Test {
  TemporaryDirectory directory;
  const std::string path = directory / "wg0.sock";

  UnixListener listener() {
    auto made = UnixListener::listen({.path = path});
    if (!made) {
      ADD_FAILURE() << made.error().message;
      std::abort();
    }
    return std::move(*made);
  }
  // A client and what the listener has for it.
  std::pair<UnixStream, UnixStream> connected(UnixListener& to) {
    auto client = UnixStream::connect(path);
    auto server = to.accept();
    if (!client || !server || !*server) std::abort();
    return {std::move(*client), std::move(**server)};
  }
  mode_t mode_of(const std::string& file) {
    struct stat info{};
    EXPECT_EQ(stat(file.c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  // What a daemon leaves behind that was killed.
  void leave_a_dead_socket() {
    EXPECT_EQ(in_child([&] { return UnixListener::listen({.path = path}) ? (_exit(0), 0) : 1; }),
              0);
    ASSERT_TRUE(std::filesystem::is_socket(path));
  }
};

constexpr Duration kPatience = 10s;
MonoTime soon() { return Clock().mono() + kPatience; }

TEST_F(UnixSocketTest, CarriesBytesBothWays) {
  UnixListener server = listener();
  EXPECT_FALSE(*server.accept());
  auto [client, peer] = connected(server);
  ASSERT_TRUE(client.send_all("get=1\n\n", soon()));
  std::string request;
  EXPECT_EQ(peer.receive(request, 100), UnixStream::Flow::Open);
  EXPECT_EQ(request, "get=1\n\n");
  std::string_view answer = "errno=0\n\n";
  EXPECT_EQ(peer.send(answer), UnixStream::Flow::Open);
  EXPECT_TRUE(answer.empty());
  const auto received = client.receive_until(
      [](std::string_view text) { return text.ends_with("\n\n"); }, 100, soon());
  EXPECT_EQ(*received, "errno=0\n\n");
}

TEST_F(UnixSocketTest, ReceivesNoMoreThanItsLimit) {
  UnixListener server = listener();
  auto [client, peer] = connected(server);
  ASSERT_TRUE(client.send_all(std::string(1000, 'x'), soon()));
  client.end_sending();
  std::string received;
  EXPECT_EQ(peer.receive(received, 999), UnixStream::Flow::Full);
  EXPECT_EQ(received.size(), 999u);
  EXPECT_EQ(peer.receive(received, 1001), UnixStream::Flow::Closed);
  EXPECT_EQ(received.size(), 1000u);
}

TEST_F(UnixSocketTest, SendsWhatTheKernelTakesAndKeepsTheRest) {
  UnixListener server = listener();
  auto [client, peer] = connected(server);
  const std::string much(4 << 20, 'y');
  std::string_view pending = much;
  EXPECT_EQ(peer.send(pending), UnixStream::Flow::Open);
  EXPECT_FALSE(pending.empty());
  std::jthread sender([&] { EXPECT_TRUE(peer.send_all(pending, soon())); });
  const auto received = client.receive_until(
      [&](std::string_view text) { return text.size() == much.size(); }, much.size() + 1, soon());
  ASSERT_TRUE(received) << received.error().message;
  EXPECT_TRUE(*received == much);
}

TEST_F(UnixSocketTest, TellsACloserOtherEndFromASilentOne) {
  UnixListener server = listener();
  {
    auto [client, peer] = connected(server);
    std::string received;
    EXPECT_EQ(client.receive(received, 10), UnixStream::Flow::Open);
    {
      const UnixStream gone = std::move(peer);
    }
    EXPECT_EQ(client.receive(received, 10), UnixStream::Flow::Closed);
    std::string_view text = "x";
    EXPECT_EQ(client.send(text), UnixStream::Flow::Closed);  // And no SIGPIPE.
    EXPECT_EQ(client.send_all("x", soon()).error().code, ErrorCode::Unavailable);
  }
}

TEST_F(UnixSocketTest, GivesUpAtTheDeadlineOrTheLimit) {
  UnixListener server = listener();
  auto [client, peer] = connected(server);
  const auto never = [](std::string_view) { return false; };
  const auto late = client.receive_until(never, 100, Clock().mono() + 1ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::TimedOut);
  ASSERT_TRUE(peer.send_all(std::string(100, 'x'), soon()));
  const auto large = client.receive_until(never, 100, soon());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::Exhausted);
}

TEST_F(UnixSocketTest, KnowsWhoIsConnected) {
  UnixListener server = listener();
  auto [client, peer] = connected(server);
  const auto who = peer.credentials();
  ASSERT_TRUE(who);
  EXPECT_EQ(who->pid, getpid());
  EXPECT_EQ(who->uid, geteuid());
  EXPECT_EQ(who->gid, getegid());
}

TEST_F(UnixSocketTest, HasTheModeItWasGivenWhateverTheUmaskIs) {
  for (const mode_t mask : {0000, 0022, 0777}) {
    for (const mode_t mode : {0600, 0660, 0666}) {
      SCOPED_TRACE(testing::Message() << std::oct << mask << " " << mode);
      const mode_t before = umask(mask);
      const auto server = UnixListener::listen({.path = path, .mode = mode});
      umask(before);
      ASSERT_TRUE(server) << server.error().message;
      EXPECT_EQ(mode_of(path), mode);
    }
  }
}

TEST_F(UnixSocketTest, MakesItsDirectory) {
  const std::string deep = directory / "wireguard";
  const auto server = UnixListener::listen({.path = deep + "/wg1.sock"});
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(mode_of(deep), 0755u);
}

TEST_F(UnixSocketTest, ReplacesADeadSocket) {
  leave_a_dead_socket();
  const auto dead = UnixStream::connect(path);
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, ErrorCode::Unavailable);
  EXPECT_EQ(dead.error().message,
            "connect to " + path + ": Connection refused; is its daemon running?");

  UnixListener server = listener();
  EXPECT_TRUE(UnixStream::connect(path));
}

TEST_F(UnixSocketTest, LeavesALiveSocketToItsOwner) {
  UnixListener first = listener();
  const auto second = UnixListener::listen({.path = path});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(second.error().message,
            fmt::format("socket {}: unit_os (process {}) answers there; stop that first", path,
                        getpid()));
  EXPECT_TRUE(UnixStream::connect(path));
}

TEST_F(UnixSocketTest, LeavesABusySocketToItsOwner) {
  const auto busy = UnixListener::listen({.path = path, .backlog = 0});
  ASSERT_TRUE(busy);
  std::vector<UnixStream> clients;
  for (;;) {
    auto client = UnixStream::connect(path);
    if (!client) break;
    clients.push_back(std::move(*client));
    ASSERT_LT(clients.size(), 100u);
  }
  const auto second = UnixListener::listen({.path = path});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "socket " + path + ": a busy daemon listens there; stop that first");
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(UnixSocketTest, NeverRemovesAFileThatIsNoSocket) {
  write_contents(path, "precious");
  const auto server = UnixListener::listen({.path = path});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().message,
            "socket " + path + ": there is another file of that name; remove it");
  EXPECT_EQ(contents_of(path), "precious");
}

TEST_F(UnixSocketTest, GivesOneOfTwoThatStartTogetherThePlace) {
  leave_a_dead_socket();
  std::array<std::optional<Result<UnixListener>>, 4> results;
  {
    std::vector<std::jthread> threads;
    threads.reserve(results.size());
    for (auto& result : results) {
      threads.emplace_back([&] { result = UnixListener::listen({.path = path}); });
    }
  }
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](auto& r) { return r->has_value(); }),
            1);
  EXPECT_TRUE(UnixStream::connect(path));
}

TEST_F(UnixSocketTest, RemovesItsFileOnlyWhileItIsItsOwn) {
  {
    UnixListener server = listener();
    const UnixListener moved = std::move(server);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));

  std::optional<UnixListener> old = listener();
  std::filesystem::remove(path);
  UnixListener successor = listener();
  EXPECT_TRUE(old->is_removed());
  old.reset();
  EXPECT_TRUE(UnixStream::connect(path));
  EXPECT_FALSE(successor.is_removed());
}

TEST_F(UnixSocketTest, NoticesThatItsFileIsGone) {
  using Loss = std::function<void()>;
  const Loss losses[] = {
      [&] { std::filesystem::remove(path); },
      [&] { std::filesystem::rename(path, directory / "elsewhere"); },
      [&] {
        write_contents(directory / "other", "");
        std::filesystem::rename(directory / "other", path);
      },
  };
  for (const Loss& lose : losses) {
    UnixListener server = listener();
    auto poller = Poller::create();
    ASSERT_TRUE(poller);
    ASSERT_TRUE(poller->add(server.watch_fd(), 1, Interest::Read));
    EXPECT_TRUE(poller->wait_until(MonoTime{}).empty());
    EXPECT_FALSE(server.is_removed());

    lose();

    EXPECT_EQ(poller->wait_until(soon()).size(), 1u);
    EXPECT_TRUE(server.is_removed());
    EXPECT_TRUE(poller->wait_until(MonoTime{}).empty());  // The event has been taken.
    std::filesystem::remove(path);
  }
}

TEST_F(UnixSocketTest, IsNotStartledByAnotherChange) {
  UnixListener server = listener();
  auto poller = Poller::create();
  ASSERT_TRUE(poller && poller->add(server.watch_fd(), 1, Interest::Read));
  std::filesystem::permissions(path, std::filesystem::perms::all);
  EXPECT_EQ(poller->wait_until(soon()).size(), 1u);
  EXPECT_FALSE(server.is_removed());
  EXPECT_TRUE(poller->wait_until(MonoTime{}).empty());
}

TEST_F(UnixSocketTest, RefusesAPathThatIsTooLong) {
  const std::size_t most = sizeof(sockaddr_un::sun_path) - 1;
  for (const std::size_t length : {most - 1, most, most + 1}) {
    SCOPED_TRACE(length);
    const std::string name = directory / "";
    const std::string long_path = name + std::string(length - name.size(), 'x');
    const auto server = UnixListener::listen({.path = long_path});
    ASSERT_EQ(server.has_value(), length <= most);
    EXPECT_EQ(UnixStream::connect(long_path).has_value(), length <= most);
    if (length > most) {
      EXPECT_EQ(server.error().code, ErrorCode::InvalidArgument);
    }
  }
  EXPECT_FALSE(UnixStream::connect(""));
}

TEST_F(UnixSocketTest, SaysThatThereIsNoDaemon) {
  const auto client = UnixStream::connect(path);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::NotFound);
  EXPECT_EQ(client.error().message,
            "connect to " + path + ": No such file or directory; is its daemon running?");
}

}  // namespace
}  // namespace ginnel::os
