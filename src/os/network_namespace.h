// A network namespace of our own: interfaces, addresses and routes that nobody else sees, gone with
// the last thread, descriptor and interface that uses it.
#pragma once

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

class NetworkNamespace {
 public:
  // Makes an empty one, loopback down, and moves the calling thread there for the rest of its life.
  // Threads it starts from then on are there too; all others stay where they are.
  static Result<NetworkNamespace> enter_new();

  // Moves the calling thread there.
  Status enter() const;

  int fd() const { return fd_.get(); }

 private:
  explicit NetworkNamespace(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace ginnel::os
