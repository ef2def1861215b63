// The unix side of Server: the socket's file, and who the client is.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "running_server.h"

namespace ginnel::http {
namespace {

namespace fs = std::filesystem;

Response nothing(const Request&) { return {}; }

Response who(const Request& request) {
  if (!request.credentials) return text_response("nobody");
  return text_response(
      std::to_string(request.credentials->user) + " " + std::to_string(request.credentials->group) +
      " " + std::to_string(request.credentials->process) + (request.remote ? " remote" : ""));
}

// A socket file that nobody answers on, as a killed process leaves it.
void leave_stale_socket(const fs::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.native().copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ::close(fd);
  ASSERT_TRUE(fs::is_socket(path));
}

TEST(UnixServer, KnowsWhoItsClientsAre) {
  const TemporaryDirectory directory;
  RunningServer server(who, UnixListener{directory / "s"});
  const std::string us = std::to_string(::getuid()) + " " + std::to_string(::getgid()) + " " +
                         std::to_string(::getpid());

  const auto response = request(directory / "s", {});

  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, us);
  RunningServer over_tcp(who);
  EXPECT_EQ(request(over_tcp.endpoint(), {})->body, "nobody");
}

TEST(UnixServer, SetsTheModeOfItsFile) {
  const TemporaryDirectory directory;
  RunningServer closed(nothing, UnixListener{directory / "default"});
  RunningServer open(nothing, UnixListener{directory / "open", 0666});

  EXPECT_EQ(fs::status(directory / "default").permissions(), fs::perms(0660));
  EXPECT_EQ(fs::status(directory / "open").permissions(), fs::perms(0666));
}

TEST(UnixServer, RemovesItsFileAtTheEnd) {
  const TemporaryDirectory directory;
  RunningServer server(nothing, UnixListener{directory / "s"});
  ASSERT_TRUE(fs::is_socket(directory / "s"));

  server.stop();

  EXPECT_FALSE(fs::exists(fs::symlink_status(directory / "s")));
}

TEST(UnixServer, LeavesAFileThatAnotherServerHasTakenOver) {
  const TemporaryDirectory directory;
  RunningServer first(nothing, UnixListener{directory / "s"});
  fs::remove(directory / "s");
  RunningServer second([](const Request&) { return text_response("second"); },
                       UnixListener{directory / "s"});

  first.stop();

  const auto response = request(directory / "s", {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "second");
}

TEST(UnixServer, ReplacesAFileThatNobodyAnswersOn) {
  const TemporaryDirectory directory;
  leave_stale_socket(directory / "s");

  RunningServer server([](const Request&) { return text_response("new"); },
                       UnixListener{directory / "s"});

  const auto response = request(directory / "s", {});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "new");
}

TEST(UnixServer, RefusesAPathThatIsInUse) {
  const TemporaryDirectory directory;
  RunningServer first([](const Request&) { return text_response("first"); },
                      UnixListener{directory / "s"});
  std::ofstream(directory / "file") << "text";

  Server second(nothing);
  const Status taken = second.listen(UnixListener{directory / "s"});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::AlreadyExists);
  EXPECT_EQ(
      taken.error().message,
      (directory / "s").native() + ": another program listens there; stop it or choose another");
  EXPECT_EQ(request(directory / "s", {})->body, "first");

  const Status file = second.listen(UnixListener{directory / "file"});
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::AlreadyExists);
  EXPECT_TRUE(fs::is_regular_file(directory / "file"));

  const Status nowhere = second.listen(UnixListener{directory / "no" / "s"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::NotFound);
}

TEST(UnixServer, TellsThoseWhomItsModeKeepsOut) {
  const TemporaryDirectory directory;
  RunningServer server(nothing, UnixListener{directory / "s", 0});
  Result<Response> response;

  std::thread([&] {
    // Root may connect to anything. The call itself changes this one thread only.
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0) {
      ASSERT_EQ(::syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
    }
    response = request(directory / "s", {});
  }).join();

  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::PermissionDenied);
  EXPECT_EQ(response.error().message,
            (directory / "s").native() +
                ": not permitted to connect; run as root or as a member of the socket's group");
}

TEST(UnixServer, TakesPathsAsLongAsTheKernelDoes) {
  const TemporaryDirectory directory;
  const auto path_of = [&](std::size_t size) {
    const std::string begin = (directory / "").native();
    return fs::path(begin + std::string(size - begin.size(), 's'));
  };
  for (const std::size_t size : {UnixListener::kMaxPathBytes - 1, UnixListener::kMaxPathBytes}) {
    SCOPED_TRACE(size);
    RunningServer server([](const Request&) { return text_response("here"); },
                         UnixListener{path_of(size)});
    const auto response = request(path_of(size), {});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "here");
  }
  Server server(nothing);
  for (const fs::path& path : {path_of(UnixListener::kMaxPathBytes + 1), fs::path()}) {
    const Status refused = server.listen(UnixListener{path});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
    const auto unreachable = request(path, {});
    ASSERT_FALSE(unreachable);
    EXPECT_EQ(unreachable.error().message, refused.error().message);
  }
}

}  // namespace
}  // namespace ginnel::http
