// What a gateway that runs did to its host beside the lock, on disk: whoever comes after a kill
// takes it back by that. Nothing of the lock itself is here.
#pragma once

#include <string>

#include "core/hostnet/lock_policy.h"
#include "os/nft_socket.h"
#include "os/sysctl_claims.h"
#include "service/quick/resolver.h"

namespace ginnel::gateway {

// Held by the gateway of a host for as long as it runs.
std::string gateway_lock_path(const std::string& directory);

// Fails with Conflict while the lock is that of a gateway that runs: it would go on without.
Status check_not_running(const hostnet::LockPolicy& lock, const std::string& run_directory);

// To be called before what it says is done; `told` says who is told of DNS servers.
Status write_record(const os::SysctlClaims& claims, const quick::Resolver::Choice& told);
Status remove_record(const os::SysctlClaims& claims);

// Takes back what a killed gateway left, whichever files it had. REQUIRES: the gateway's lock is
// held, so that none runs.
Status take_back_left(const std::string& directory, os::NftSocket& socket,
                      quick::Interruption& interruption);

// The same for those who are no gateway: it does nothing while one runs.
Status take_back_if_dead(const std::string& run_directory);

}  // namespace ginnel::gateway
