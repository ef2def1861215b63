// Counts what this program allocates, for tests of what must not.
#pragma once

#include <cstddef>

namespace ginnel::os {

// Calls of operator new by this thread so far.
std::size_t allocation_count();
// False under the thread sanitizer: then the count stays zero.
bool counts_allocations();

}  // namespace ginnel::os
