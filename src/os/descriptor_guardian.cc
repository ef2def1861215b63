#include "os/descriptor_guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tuple>

#include "os/background.h"
#include "os/descriptor_room.h"
#include "os/os_error.h"
#include "os/signal_fd.h"
#include "os/unix_socket.h"

namespace ginnel::os {
namespace {

constexpr char kBorrow = 'b';
constexpr char kEnd = 'e';
constexpr int kPatienceMs = 5000;

bool waits_for(int fd, int milliseconds) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  int ready;
  while ((ready = poll(&watched, 1, milliseconds)) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

// One byte, and with it a descriptor or none.
bool send_byte(int to, char byte, const Fd& descriptor) {
  iovec part{&byte, 1};
  DescriptorRoom room;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor) room.attach(descriptor.get(), message);
  return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

Fd receive_descriptor(int from) {
  char byte = 0;
  iovec part{&byte, 1};
  DescriptorRoom room;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  room.lend(message);
  if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1) return {};
  return DescriptorRoom::take(message);
}

// Whether the client, who has to be root, or we ourselves, says that it is over.
bool serve(const UnixStream& client, const Fd& kept) {
  const auto who = client.credentials();
  if (!who || (who->uid != 0 && who->uid != geteuid())) return false;
  char asked = 0;
  if (!waits_for(client.fd(), kPatienceMs) || recv(client.fd(), &asked, 1, 0) != 1) return false;
  if (asked == kBorrow) send_byte(client.fd(), kBorrow, kept);
  return asked == kEnd;
}

// Returns who ended it. The socket file is gone then: who is told may start another at its path.
UnixStream guard(UnixListener listener, const Fd& kept) {
  for (;;) {
    if (!waits_for(listener.fd(), -1)) continue;
    auto client = listener.accept();
    if (client && *client && serve(**client, kept)) return std::move(**client);
  }
}

Result<std::optional<UnixStream>> connect_to(const std::string& path) {
  auto stream = UnixStream::connect(path);
  if (stream) return std::move(*stream);
  const ErrorCode code = stream.error().code;
  if (code == ErrorCode::NotFound || code == ErrorCode::Unavailable) return std::nullopt;
  return pass(std::move(stream));
}

// Whether both descriptors are of one open socket or file.
bool are_copies(const Fd& a, const Fd& b) {
  struct stat first{}, second{};
  return fstat(a.get(), &first) == 0 && fstat(b.get(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// The guardian's own life, from which it does not return.
[[noreturn]] void live(Background& background, const std::string& path, Fd kept) {
  prctl(PR_SET_NAME, "ginnel-guardian");
  background.close_inherited(kept.get());
  restore_signals();
  auto listener = UnixListener::listen({.path = path});
  if (!listener) {
    background.failed({1, listener.error().message});
    _exit(1);
  }
  // Also when nobody waits: who started it was killed, and now this is what has the descriptor.
  std::ignore = background.ready();
  const UnixStream ended_by = guard(std::move(*listener), kept);
  send_byte(ended_by.fd(), kEnd, {});
  _exit(0);
}

}  // namespace

Status start_guardian(const std::string& path, const Fd& kept) {
  // What was borrowed is held until the other one has taken over.
  const auto standing = borrow_from_guardian(path);
  if (!standing) return std::unexpected(standing.error());
  if (*standing && are_copies(**standing, kept)) return ok();
  if (*standing) {
    if (Status dismissed = dismiss_guardian(path); !dismissed) return dismissed;
  }
  Fd copy(::fcntl(kept.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return os_fail("duplicate a descriptor", errno);
  auto background = Background::split();
  if (!background) return pass(std::move(background));
  if (background->is_child()) live(*background, path, std::move(copy));
  const Background::Verdict verdict = background->await();
  if (verdict.exit_code == 0) return ok();
  return fail(ErrorCode::Unavailable, "start the guardian: " + verdict.message);
}

Result<std::optional<Fd>> borrow_from_guardian(const std::string& path) {
  auto stream = connect_to(path);
  if (!stream) return std::unexpected(stream.error());
  if (!*stream) return std::nullopt;
  // One that was killed meanwhile has closed its end.
  if (!send_byte((*stream)->fd(), kBorrow, {})) return std::nullopt;
  if (waits_for((*stream)->fd(), kPatienceMs)) {
    Fd borrowed = receive_descriptor((*stream)->fd());
    return borrowed ? std::optional(std::move(borrowed)) : std::nullopt;
  }
  return fail(ErrorCode::Unavailable, "the guardian at " + path + " does not answer; end it");
}

Fd end_of_guardian(const std::string& path) {
  const auto stream = connect_to(path);
  if (!stream || !*stream) return {};
  const auto who = (*stream)->credentials();
  if (!who) return {};
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, who->pid, 0)));
}

Status dismiss_guardian(const std::string& path) {
  auto stream = connect_to(path);
  if (!stream) return std::unexpected(stream.error());
  if (!*stream) return ok();
  char answer = 0;
  if (send_byte((*stream)->fd(), kEnd, {}) && waits_for((*stream)->fd(), kPatienceMs) &&
      recv((*stream)->fd(), &answer, 1, 0) == 1) {
    return ok();
  }
  return fail(ErrorCode::Unavailable, "the guardian at " + path + " does not answer; end it");
}

}  // namespace ginnel::os
