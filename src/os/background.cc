#include "os/background.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.h"
#include "os/os_error.h"

namespace ginnel::os {

Result<Background> Background::split() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return os_fail("go to the background: socketpair", errno);
  }
  Fd ours(ends[0]), theirs(ends[1]);
  const pid_t child = fork();
  if (child < 0) return os_fail("go to the background: fork", errno);
  if (child > 0) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return Background(false, std::move(ours));
  }
  ours.close();  // That whoever waits is gone shows only when nobody else has it open.
  // Twice, because the leader of a session could acquire a terminal. The daemon is then nobody's
  // child but init's.
  setsid();
  const pid_t grandchild = fork();
  if (grandchild != 0) _exit(grandchild < 0 ? 1 : 0);
  return Background(true, std::move(theirs));
}

void Background::close_inherited(int kept) {
  unsigned next = STDERR_FILENO + 1;
  // Not there before Linux 5.9.
  for (int each : {std::min(kept, channel_.get()), std::max(kept, channel_.get())}) {
    if (each < static_cast<int>(next)) continue;
    const auto number = static_cast<unsigned>(each);
    if (number > next) ::close_range(next, number - 1, 0);
    next = number + 1;
  }
  ::close_range(next, UINT_MAX, 0);
}

// Returns when the child has spoken or is gone.
void Background::give_up_at(const SignalFd& signals) {
  pollfd watched[] = {{.fd = channel_.get(), .events = POLLIN, .revents = 0},
                      {.fd = signals.fd(), .events = POLLIN, .revents = 0}};
  for (;;) {
    if (poll(watched, 2, -1) < 0 && errno != EINTR) return;
    if (watched[0].revents != 0) return;
    const auto signal = signals.take();
    if (!signal || *signal == Signal::Child) continue;
    // What it has said by now can still be read. Only its closing the channel is of interest.
    shutdown(channel_.get(), SHUT_RD);
    watched[0].events = 0;
    watched[1].fd = -1;
  }
}

Background::Verdict Background::await(const SignalFd* signals) {
  if (signals != nullptr) give_up_at(*signals);
  std::array<std::uint8_t, sizeof(Le32) + kMaxMessageBytes> packet;
  ssize_t size;
  while ((size = recv(channel_.get(), packet.data(), packet.size(), 0)) < 0 && errno == EINTR) {
  }
  if (size < static_cast<ssize_t>(sizeof(Le32))) {
    return {kSilentExitCode, "the background process ended before it was ready"};
  }
  const ByteView bytes = ByteView(packet).first(static_cast<std::size_t>(size));
  const ByteView text = bytes.subspan(sizeof(Le32));
  return {static_cast<int>(load<Le32>(bytes)), std::string(text.begin(), text.end())};
}

Status Background::ready(const Fd& log) {
  if (chdir("/") != 0) return os_fail("change to /", errno);
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return os_fail("open /dev/null", errno);
  if (!tell({})) {
    return fail(ErrorCode::Unavailable, "whoever started this background process is gone");
  }
  channel_.close();
  dup2(null.get(), STDIN_FILENO);
  dup2(null.get(), STDOUT_FILENO);
  dup2(log ? log.get() : null.get(), STDERR_FILENO);
  return ok();
}

void Background::failed(const Verdict& verdict) {
  tell(verdict);
  channel_.close();
}

bool Background::tell(const Verdict& verdict) {
  std::string packet(sizeof(Le32), '\0');
  const Le32 code(static_cast<std::uint32_t>(verdict.exit_code));
  std::memcpy(packet.data(), &code, sizeof code);
  packet += verdict.message.substr(0, kMaxMessageBytes);
  return send(channel_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(packet.size());
}

}  // namespace ginnel::os
