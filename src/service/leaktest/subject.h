// What a leak test is to attack: the lock that stands, by its record on disk, or one that is only
// asked for. Reads files and the host; changes nothing and sends nothing, but that the name of an
// endpoint of `killswitch on` is looked up as ever.
#pragma once

#include "service/gateway/gateway_process.h"
#include "service/killswitch/request.h"
#include "service/leaktest/leak_test.h"

namespace ginnel::leaktest {

// Fails with NotFound when nothing is locked.
Result<LeakTest> standing_lock(const std::string& state_directory);
// As `ginnel killswitch on` would lock.
Result<LeakTest> planned_lock(const killswitch::Request& request,
                              quick::Interruption& interruption);
// As `ginnel gateway` would. A name that was never looked up stands for some address.
Result<LeakTest> planned_gateway(const gateway::GatewayOptions& options);

}  // namespace ginnel::leaktest
