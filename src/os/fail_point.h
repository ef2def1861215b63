// Where a test can have the program killed: before and after each step by which the kernel or the
// disk changes. Only in builds with GINNEL_FAIL_POINTS, which no release is.
#pragma once

namespace ginnel::os {

#ifdef GINNEL_FAIL_POINTS
// With GINNEL_FAIL_AT=N in the environment the Nth call in this process, and in those that it
// starts, is its end, as by kill -9.
void fail_point();
#else
inline void fail_point() {}
#endif

}  // namespace ginnel::os
