// CHECK: our own invariants, always compiled in. Never applied to input from outside.
#pragma once

namespace ginnel {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace ginnel

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::ginnel::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
