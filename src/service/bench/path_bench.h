// What the whole data path carries on this machine: two tunnels of this process, each in a network
// namespace of its own, joined by a veth pair, and one TCP stream through them.
#pragma once

#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "core/crypto/aead_batch.h"

namespace ginnel::bench {

struct PathOptions {
  bool encrypted = true;  // Off needs a bench build: see no_aead.h.
  crypto::AeadLibrary aead = crypto::AeadLibrary::Automatic;
};

struct PathSpeed {
  double gbit_per_second = 0;     // Of payload.
  double cpu_seconds_per_gb = 0;  // Of both tunnels, without the ends of the stream.
};

// Two tunnels that stand, so that several kinds can be measured in turn without starting any anew.
// Its end leaves nothing behind.
class Path {
 public:
  virtual ~Path() = default;
  // What one TCP stream carries in that time, after a warm-up.
  virtual Result<PathSpeed> measure(Duration time) = 0;
};

// Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
Result<std::unique_ptr<Path>> make_path(const PathOptions& options);

}  // namespace ginnel::bench
