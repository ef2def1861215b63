// Looks names of hosts up on threads of its own, so that a resolver that does not answer holds
// nobody. One thread asks and takes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "net/address.h"
#include "os/event_fd.h"

namespace ginnel::tunnel {

class HostLookups {
 public:
  static constexpr std::size_t kMaxPending = 16;
  using LookUp = std::function<Result<std::vector<net::Address>>(const std::string& name)>;

  struct Answer {
    std::string name;
    Result<std::vector<net::Address>> addresses;
  };

  // `look_up` blocks; it is called on any thread, and may outlive this.
  static Result<HostLookups> create(LookUp look_up);

  // Returns at once. REQUIRES: less than kMaxPending answers have yet to be taken.
  void ask(const std::string& name);

  int fd() const { return shared_->flag.fd(); }  // Readable when there are answers.
  std::vector<Answer> take_answers();

 private:
  // Outlives this for as long as a lookup runs, because none can be interrupted.
  struct Shared {
    Shared(os::EventFd raised, LookUp look) : flag(std::move(raised)), look_up(std::move(look)) {}

    os::EventFd flag;
    LookUp look_up;
    BoundedQueue<Answer> answers{kMaxPending};
  };

  explicit HostLookups(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
  std::size_t pending_ = 0;
};

}  // namespace ginnel::tunnel
