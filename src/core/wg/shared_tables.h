// What the control engine and the data workers of one device share. Each member documents who
// changes it and who reads it; docs/architecture.md has the overview.
#pragma once

#include <memory>
#include <vector>

#include "core/wg/allowed_ips.h"
#include "core/wg/mailbox.h"
#include "core/wg/peer_path.h"
#include "core/wg/session_table.h"

namespace ginnel::wg {

struct SharedTables {
  // `workers` is how many DataWorkers will be made on these tables.
  SharedTables(Rng& rng, std::size_t workers) : sessions(epochs, rng) {
    for (std::size_t i = 0; i < workers; ++i) {
      worker_mailboxes.push_back(std::make_unique<WorkerMailbox>());
    }
  }
  // Disposals that wait refer to the tables below.
  ~SharedTables() { epochs.collect(); }

  EpochDomain epochs;
  AllowedIps allowed_ips{epochs};
  SessionTable sessions;
  PathTable paths;
  ControlMailbox control;
  std::vector<std::unique_ptr<WorkerMailbox>> worker_mailboxes;
};

}  // namespace ginnel::wg
