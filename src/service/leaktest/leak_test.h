// Attacks the twin of a locked host in every way that the catalogue knows, and says what came out
// of it. Nothing of the host itself is touched.
#pragma once

#include <functional>
#include <string>

#include "core/gateway/gateway_config.h"
#include "core/hostnet/host_state.h"
#include "core/hostnet/nft_tree.h"
#include "core/leaks/certificate.h"

namespace ginnel::leaktest {

struct LeakTest {
  hostnet::HostState host{};     // As it is.
  hostnet::LockPolicy policy{};  // As it is, or as it is to be.
  // What is loaded in the place of the policy's tables: to see whether a hole is found. Empty: the
  // policy's own.
  std::function<void(std::vector<hostnet::nft::Table>&)> weaken{};
  unsigned swaps = 40;  // How often the lock changes in that phase; 0: it is left out.
  // Asked between phases; a failure ends the test.
  std::function<Status()> check{};
};

// Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. Moves the calling process, which must have one thread,
// into namespaces of its own for good.
Result<leaks::Certificate> run_leak_test(const LeakTest& test);

}  // namespace ginnel::leaktest
