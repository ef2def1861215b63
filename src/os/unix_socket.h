// Unix stream sockets: the control sockets of daemons, and their clients.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "os/fd.h"

namespace ginnel::os {

// Who is at the other end, as the kernel knows it.
struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

// One connection, non-blocking. Buffers are the caller's, so that he bounds them.
class UnixStream {
 public:
  // Fails with NotFound without a socket file, and with Unavailable when nobody listens there.
  static Result<UnixStream> connect(const std::string& path);
  // Of a connected, non-blocking socket.
  static UnixStream adopt(Fd fd) { return UnixStream(std::move(fd)); }

  enum class Flow : std::uint8_t {
    Open,    // Everything was moved that could be now; poll for more.
    Full,    // receive() reached its limit, and more may wait.
    Closed,  // The other end is gone. What was received before is in the buffer.
  };
  // Appends what waits, while `into` holds no more than `limit` bytes.
  Flow receive(std::string& into, std::size_t limit);
  // Takes what the kernel accepts off the front of `pending`. Poll for writing while some is left.
  Flow send(std::string_view& pending);

  // For programs that have nothing else to do: wait as long as it takes until `deadline`.
  Status send_all(std::string_view text, MonoTime deadline);
  // Receives until `ends(received)`, until the other end closes, or fails at `limit` or `deadline`.
  template <class Predicate>
  Result<std::string> receive_until(Predicate ends, std::size_t limit, MonoTime deadline) {
    std::string received;
    for (;;) {
      const Flow flow = receive(received, limit);
      if (flow == Flow::Closed || ends(std::string_view(received))) return received;
      if (flow == Flow::Full) {
        return fail(ErrorCode::Exhausted, "the answer is larger than it should be");
      }
      if (Status waited = wait(false, deadline); !waited) return pass(std::move(waited));
    }
  }

  // No more is sent; the other end sees the end of what was.
  void end_sending();
  Result<PeerCredentials> credentials() const;
  int fd() const { return fd_.get(); }

 private:
  explicit UnixStream(Fd fd) : fd_(std::move(fd)) {}
  Status wait(bool to_send, MonoTime deadline) const;

  Fd fd_;
};

// A socket file with somebody behind it. The file goes when this does, unless somebody else's has
// taken its place.
class UnixListener {
 public:
  struct Options {
    std::string path{};
    mode_t mode = 0600;            // Whatever the umask is.
    mode_t directory_mode = 0755;  // Of directories that are made.
    int backlog = 64;
  };

  // A file that a daemon left behind when it died is replaced; one that answers makes this fail,
  // naming the process. Two daemons that start at the same time get one of each.
  static Result<UnixListener> listen(const Options& options);

  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&& other) noexcept;
  ~UnixListener();

  // The next client, if one waits.
  Result<std::optional<UnixStream>> accept();

  int fd() const { return fd_.get(); }  // To poll for reading.
  const std::string& path() const { return path_; }

  // Readable when something has happened to the file; then ask is_removed(). -1 when the kernel
  // has no more watches to give: then ask from time to time.
  int watch_fd() const { return watch_.get(); }
  // Whether the file is gone or another's: nobody can reach this socket any more.
  bool is_removed();

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

  UnixListener(Fd fd, std::string path, Identity file);
  static std::optional<Identity> identity_of(const std::string& path);
  void remove_file();

  Fd fd_;
  std::string path_;
  Identity file_;
  Fd watch_;
};

}  // namespace ginnel::os
