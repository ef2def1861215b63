#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ginnel {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "ginnel: broken invariant %s at %s:%d; please report this\n", condition,
               file, line);
  std::abort();
}

}  // namespace ginnel
