#include "os/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/os_error.h"
#include "os/process.h"

namespace ginnel::os {
namespace {

constexpr std::size_t kReadAtOnce = 65536;

Fd new_socket() { return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("socket \"{}\": a path has from 1 to {} bytes; choose a shorter one",
                            path, sizeof address.sun_path - 1));
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return address;
}

int connect_to(const Fd& fd, const sockaddr_un& address) {
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(fd.get(), generic, sizeof address) == 0 ? 0 : errno;
}

std::string who_answers(UnixStream stream) {
  const auto peer = stream.credentials();
  if (!peer || peer->pid == 0) return "another daemon";
  return fmt::format("{} (process {})", process_name(peer->pid), peer->pid);
}

// Makes way for a new socket file. Whoever answers at the old one keeps it. Only a socket is ever
// removed: connecting to an ordinary file is refused just as to a dead socket.
Status clear_place(const std::string& path, const sockaddr_un& address) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? ok() : Status(os_fail("socket " + path, errno));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return fail(ErrorCode::AlreadyExists,
                fmt::format("socket {}: there is another file of that name; remove it", path));
  }
  Fd probe = new_socket();
  if (!probe) return os_fail("socket " + path, errno);
  switch (const int error = connect_to(probe, address)) {
    case ECONNREFUSED:
      return remove_file(path);
    case ENOENT:
      return ok();
    case 0:
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("socket {}: {} answers there; stop that first", path,
                              who_answers(UnixStream::adopt(std::move(probe)))));
    case EAGAIN:
      return fail(ErrorCode::AlreadyExists,
                  fmt::format("socket {}: a busy daemon listens there; stop that first", path));
    default:
      return os_fail("socket " + path, error);
  }
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<UnixStream> UnixStream::connect(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  Fd fd = new_socket();
  if (!fd) return os_fail("socket " + path, errno);
  if (const int error = connect_to(fd, *address); error != 0) {
    return os_fail("connect to " + path, error,
                   error == ECONNREFUSED || error == ENOENT ? "is its daemon running?"
                   : error == EACCES                        ? "run this as root, or as its owner"
                                                            : "");
  }
  return UnixStream(std::move(fd));
}

UnixStream::Flow UnixStream::receive(std::string& into, std::size_t limit) {
  while (into.size() < limit) {
    const std::size_t before = into.size();
    const std::size_t room = std::min(kReadAtOnce, limit - before);
    into.resize(before + room);
    const ssize_t got = recv(fd_.get(), &into[before], room, 0);
    const int error = errno;
    into.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got > 0) continue;
    if (got < 0 && error == EINTR) continue;
    return got < 0 && error == EAGAIN ? Flow::Open : Flow::Closed;
  }
  return Flow::Full;
}

UnixStream::Flow UnixStream::send(std::string_view& pending) {
  while (!pending.empty()) {
    const ssize_t sent = ::send(fd_.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Flow::Open : Flow::Closed;
    pending.remove_prefix(static_cast<std::size_t>(sent));
  }
  return Flow::Open;
}

Status UnixStream::send_all(std::string_view text, MonoTime deadline) {
  for (;;) {
    if (send(text) == Flow::Closed) {
      return fail(ErrorCode::Unavailable, "the daemon closed the connection");
    }
    if (text.empty()) return ok();
    if (Status waited = wait(true, deadline); !waited) return waited;
  }
}

Status UnixStream::wait(bool to_send, MonoTime deadline) const {
  int milliseconds = -1;
  if (deadline != kNever) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock().mono());
    if (left.count() <= 0) {
      return fail(ErrorCode::TimedOut, "the daemon does not answer; see its log");
    }
    milliseconds = static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000));
  }
  pollfd waiting{
      .fd = fd_.get(), .events = static_cast<short>(to_send ? POLLOUT : POLLIN), .revents = 0};
  if (poll(&waiting, 1, milliseconds) < 0 && errno != EINTR) return os_fail("poll", errno);
  return ok();
}

void UnixStream::end_sending() { shutdown(fd_.get(), SHUT_WR); }

Result<PeerCredentials> UnixStream::credentials() const {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return os_fail("ask who is connected", errno);
  }
  return PeerCredentials{.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
}

UnixListener::UnixListener(Fd fd, std::string path, Identity file)
    : fd_(std::move(fd)), path_(std::move(path)), file_(file) {
  // The name of a bound socket is a link to it: losing the name changes its attributes.
  watch_ = Fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (watch_ && inotify_add_watch(watch_.get(), path_.c_str(),
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
    watch_.close();
  }
}

UnixListener& UnixListener::operator=(UnixListener&& other) noexcept {
  if (this != &other) {
    remove_file();
    fd_ = std::move(other.fd_);
    path_ = std::move(other.path_);
    file_ = other.file_;
    watch_ = std::move(other.watch_);
  }
  return *this;
}

UnixListener::~UnixListener() { remove_file(); }

Result<UnixListener> UnixListener::listen(const Options& options) {
  const auto address = address_of(options.path);
  if (!address) return std::unexpected(address.error());
  const std::string directory = directory_of(options.path);
  if (Status made = make_directories(directory, options.directory_mode); !made) {
    return pass(std::move(made));
  }
  // Between finding a dead socket and listening on the new one, another daemon would find the new
  // one dead and remove it. Whoever has the directory locked goes first.
  const Fd lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || flock(lock.get(), LOCK_EX) != 0)
    return os_fail("lock directory " + directory, errno);
  if (Status cleared = clear_place(options.path, *address); !cleared) {
    return pass(std::move(cleared));
  }
  Fd fd = new_socket();
  if (!fd) return os_fail("socket " + options.path, errno);
  // The file takes its mode from the socket, so that it never is more open than this; the umask,
  // which the whole process shares, could only narrow it.
  if (fchmod(fd.get(), options.mode) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      chmod(options.path.c_str(), options.mode) != 0 || ::listen(fd.get(), options.backlog) != 0) {
    return os_fail("listen on " + options.path, errno);
  }
  const auto file = identity_of(options.path);
  if (!file) return os_fail("listen on " + options.path, errno);
  return UnixListener(std::move(fd), options.path, *file);
}

Result<std::optional<UnixStream>> UnixListener::accept() {
  for (;;) {
    Fd client(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) return UnixStream::adopt(std::move(client));
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR && errno != ECONNABORTED) return os_fail("accept on " + path_, errno);
  }
}

std::optional<UnixListener::Identity> UnixListener::identity_of(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return Identity{info.st_dev, info.st_ino};
}

bool UnixListener::is_removed() {
  alignas(inotify_event) std::array<std::uint8_t, 4096> events;
  while (watch_ && read(watch_.get(), events.data(), events.size()) > 0) {
  }
  return identity_of(path_) != file_;
}

void UnixListener::remove_file() {
  if (fd_ && identity_of(path_) == file_) unlink(path_.c_str());
}

}  // namespace ginnel::os
