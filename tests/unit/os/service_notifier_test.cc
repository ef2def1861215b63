#include "os/service_notifier.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "temporary_directory.h"

namespace ginnel::os {
namespace {

// The socket that systemd would listen on.
class Listener {
 public:
  // `name` as in NOTIFY_SOCKET: a path, or "@" and an abstract name.
  explicit Listener(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) std::abort();
  }
  // The next message; empty when there is none.
  std::string next() {
    char text[4096];
    const ssize_t size = recv(fd_.get(), text, sizeof text, MSG_DONTWAIT);
    return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  Fd fd_;
};

struct ServiceNotifierTest : testing::Test {
  ~ServiceNotifierTest() override {
    for (const char* const name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      unsetenv(name);
    }
  }
  TemporaryDirectory directory;
};

TEST_F(ServiceNotifierTest, TellsSystemdHowItIs) {
  for (const std::string& name : {directory / "notify", "@ginnel-" + std::to_string(getpid())}) {
    SCOPED_TRACE(name);
    Listener systemd(name);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ServiceNotifier notifier = ServiceNotifier::from_environment();
    EXPECT_TRUE(notifier.is_listening());
    EXPECT_EQ(getenv("NOTIFY_SOCKET"), nullptr);
    notifier.ready();
    EXPECT_EQ(systemd.next(), "READY=1");
    notifier.status("3 peers\nREADY=1");
    EXPECT_EQ(systemd.next(), "STATUS=3 peers READY=1");
    notifier.reloading();
    EXPECT_EQ(systemd.next().find("RELOADING=1\nMONOTONIC_USEC="), 0u);
    notifier.watchdog();
    EXPECT_EQ(systemd.next(), "WATCHDOG=1");
    notifier.stopping();
    EXPECT_EQ(systemd.next(), "STOPPING=1");
    EXPECT_EQ(systemd.next(), "");
  }
}

TEST_F(ServiceNotifierTest, CutsAStatusThatIsTooLong) {
  Listener systemd(directory / "notify");
  setenv("NOTIFY_SOCKET", (directory / "notify").c_str(), 1);
  ServiceNotifier notifier = ServiceNotifier::from_environment();
  constexpr std::size_t kMost = ServiceNotifier::kMaxStatusBytes;
  for (const std::size_t length : {kMost - 1, kMost, kMost + 1}) {
    notifier.status(std::string(length, 'x'));
    EXPECT_EQ(systemd.next(), "STATUS=" + std::string(std::min(length, kMost), 'x'));
  }
}

TEST_F(ServiceNotifierTest, LeavesOneDescriptorUnderAName) {
  const std::string name = directory / "notify";
  Listener systemd(name);
  setenv("NOTIFY_SOCKET", name.c_str(), 1);
  ServiceNotifier notifier = ServiceNotifier::from_environment();
  const Fd first(socket(AF_UNIX, SOCK_STREAM, 0));
  const Fd same(dup(first.get()));
  const Fd other(socket(AF_UNIX, SOCK_STREAM, 0));
  notifier.store("lock", first);
  EXPECT_EQ(systemd.next(), "FDSTORE=1\nFDNAME=lock");
  notifier.store("lock", same);
  EXPECT_EQ(systemd.next(), "");
  notifier.store("lock", other);
  EXPECT_EQ(systemd.next(), "FDSTOREREMOVE=1\nFDNAME=lock");
  EXPECT_EQ(systemd.next(), "FDSTORE=1\nFDNAME=lock");
}

TEST_F(ServiceNotifierTest, DoesNothingWithoutSystemd) {
  for (const std::string& name : {std::string(), std::string("relative"), std::string(200, '/')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ServiceNotifier notifier = ServiceNotifier::from_environment();
    EXPECT_FALSE(notifier.is_listening());
    notifier.ready();
  }
  setenv("NOTIFY_SOCKET", (directory / "absent").c_str(), 1);
  ServiceNotifier::from_environment().ready();
}

TEST_F(ServiceNotifierTest, KnowsHowOftenItMustCall) {
  Listener systemd(directory / "notify");
  struct Row {
    const char* microseconds;
    std::string pid;
    Duration interval;
  };
  const Row rows[] = {
      {"30000000", "", 15s}, {"30000000", std::to_string(getpid()), 15s},
      {"30000000", "1", 0s}, {"0", "", 0s},
      {"x", "", 0s},         {"-5", "", 0s},
  };
  for (const Row& row : rows) {
    setenv("NOTIFY_SOCKET", (directory / "notify").c_str(), 1);
    setenv("WATCHDOG_USEC", row.microseconds, 1);
    setenv("WATCHDOG_PID", row.pid.c_str(), 1);
    EXPECT_EQ(ServiceNotifier::from_environment().watchdog_interval(), row.interval)
        << row.microseconds << " for " << row.pid;
  }
}

}  // namespace
}  // namespace ginnel::os
