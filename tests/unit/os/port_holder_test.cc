#include "os/port_holder.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"
#include "test_network.h"

namespace ginnel::os {
namespace {

constexpr std::string_view kUdp =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops             \n"
    "  421: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "12345 2 0000000000000000 0         \n"
    "  422: 0100007F:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "67890 2 0000000000000000 0         \n"
    " 1234: 00000000:0035 00000000:CA6C 07 00000000:00000000 00:00000000 00000000     0        0 "
    "11 2 0000000000000000 0         \n";
constexpr std::string_view kTcp =
    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "100 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0200A8C0:0016 0100A8C0:D431 01 00000000:00000000 02:000A0E3E 00000000     0        0 "
    "200 4 0000000000000000 20 4 30 10 -1\n";

TEST(PortHolder, FindsTheSocketsOfAPort) {
  using Inodes = std::vector<std::uint64_t>;
  EXPECT_EQ(inodes_of_port(kUdp, Transport::Udp, 51820), (Inodes{12345, 67890}));
  EXPECT_EQ(inodes_of_port(kUdp, Transport::Udp, 53), Inodes{11});
  EXPECT_EQ(inodes_of_port(kUdp, Transport::Udp, 0), Inodes{});
  EXPECT_EQ(inodes_of_port(kTcp, Transport::Tcp, 22), Inodes{100});  // The one that listens.
}

TEST(PortHolder, PassesOverWhatItDoesNotUnderstand) {
  for (const std::string_view text :
       {std::string_view(), std::string_view("\n\n"), std::string_view("a b c d e f g h i j"),
        std::string_view("1: X:CA6C x 07 0 0 0 0 0 -1 0"), std::string_view("1: :CA6C"),
        std::string_view("1: 00:CA6 x 07 0 0 0 0 0 7 0"), kUdp.substr(0, kUdp.size() / 3)}) {
    EXPECT_TRUE(inodes_of_port(text, Transport::Udp, 51820).empty()) << text;
  }
}

TEST(PortHolder, NamesTheProcess) {
  const Namespace space;
  const Namespace::Inside inside(space);
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr = {}, .sin_zero = {}};
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(socket.get(), 1), 0);
  EXPECT_EQ(describe_holder(Transport::Tcp, 8080),
            fmt::format("it is held by unit_os (process {})", getpid()));
}

TEST(PortHolder, NamesAnotherProcessRatherThanThisOne) {
  const Namespace space;
  const Namespace::Inside inside(space);
  const auto bound = [](int family) {
    Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    if (family == AF_INET6) {
      setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    sockaddr_in6 address{};  // The port is where it is in a sockaddr_in.
    address.sin6_family = static_cast<sa_family_t>(family);
    address.sin6_port = htons(8082);
    EXPECT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                   family == AF_INET ? sizeof(sockaddr_in) : sizeof address),
              0);
    return socket;
  };
  int ready[2], finish[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(finish), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(finish[1]);
    const Fd theirs = bound(AF_INET6);
    char byte = 0;
    const bool told = write(ready[1], &byte, 1) == 1;
    _exit(told && read(finish[0], &byte, 1) == 0 ? 0 : 1);
  }
  const Fd ours = bound(AF_INET);
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);

  EXPECT_EQ(describe_holder(Transport::Udp, 8082),
            fmt::format("it is held by unit_os (process {})", child));
  for (const int fd : {ready[0], ready[1], finish[0], finish[1]}) close(fd);
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(PortHolder, SaysWhatIsLikelyWhenNoProcessHasIt) {
  const Namespace space;
  const Namespace::Inside inside(space);
  const std::string text = describe_holder(Transport::Udp, 8081);
  EXPECT_NE(text.find("no process"), std::string::npos) << text;
}

}  // namespace
}  // namespace ginnel::os
