// Tells when anybody changes nf_tables: a rule, a chain, a table, or all of it at once.
#pragma once

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

class NftMonitor {
 public:
  static Result<NftMonitor> open();

  int fd() const { return fd_.get(); }  // To poll for reading.
  // Whether anything changed since the last call, our own changes included. Never blocks.
  bool take_change();

 private:
  explicit NftMonitor(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace ginnel::os
