// A private network namespace for a test: made by it, seen by nobody else, gone with it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <string>

#include "os/fd.h"

namespace ginnel::os {

class Namespace {
 public:
  // Makes one, with loopback up, and leaves the thread where it was.
  Namespace() {
    const Fd home = current();
    if (unshare(CLONE_NEWNET) != 0) die("unshare: these tests run as root");
    fd_ = current();
    shell("ip link set lo up");
    if (setns(home.get(), CLONE_NEWNET) != 0) die("setns");
  }

  int fd() const { return fd_.get(); }

  // The calling thread is in the namespace as long as this lives.
  class Inside {
   public:
    explicit Inside(const Namespace& space) : home_(current()) {
      if (setns(space.fd(), CLONE_NEWNET) != 0) die("setns");
    }
    ~Inside() {
      if (setns(home_.get(), CLONE_NEWNET) != 0) die("setns");
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Fd home_;
  };

  // Gives the host an address, like "192.0.2.1/24", and waits until it takes packets: the kernel
  // puts an IPv6 address to work a little after it says so. Until then the route to the prefix of a
  // single host on loopback would discard packets and yet be shown as local, so it is left out.
  static void add_address(const std::string& address, const std::string& device) {
    const std::string host = address.substr(0, address.find('/'));
    const bool is_v6 = host.find(':') != std::string::npos;
    const std::string ip = is_v6 ? "ip -6 " : "ip -4 ";
    const std::string prefix_route = address.ends_with("/128") ? " noprefixroute" : "";
    const std::string through = host.starts_with("fe80:") ? " oif " + device : "";
    shell(ip + "addr add " + address + " dev " + device + (is_v6 ? " nodad" : "") + prefix_route +
          " && for i in $(seq 1000); do " + ip + "route get " + host + through +
          " 2>/dev/null | grep -q '^local' && exit 0; sleep 0.01; done; exit 1");
  }

  // Runs in the namespace that the thread is in. Aborts when it fails: a test without its network
  // proves nothing.
  static void shell(const std::string& command) {
    if (std::system(command.c_str()) != 0) die(command.c_str());
  }

 private:
  static Fd current() { return Fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }
  [[noreturn]] static void die(const char* what) {
    perror(what);
    std::abort();
  }

  Fd fd_;
};

// Joins two namespaces by a veth pair: "left" with 192.0.2.1 and 2001:db8::1 in one, "right" with
// 192.0.2.2 and 2001:db8::2 in the other.
inline void join_by_veth(const Namespace& left, const Namespace& right, unsigned mtu = 1500) {
  const std::string up = " mtu " + std::to_string(mtu) + " up";
  const Namespace::Inside here(left);
  Namespace::shell("ip link add left type veth peer name right netns /proc/" +
                   std::to_string(getpid()) + "/fd/" + std::to_string(right.fd()) +
                   " && ip link set left" + up);
  {
    const Namespace::Inside there(right);
    Namespace::shell("ip link set right" + up);
    Namespace::add_address("192.0.2.2/24", "right");
    Namespace::add_address("2001:db8::2/64", "right");
  }
  Namespace::add_address("192.0.2.1/24", "left");
  Namespace::add_address("2001:db8::1/64", "left");
}

}  // namespace ginnel::os
