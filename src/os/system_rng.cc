#include "os/system_rng.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>

#include "base/check.h"
#include "base/secret.h"

namespace ginnel::os {
namespace {

void ask_kernel(ByteSpan out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    // Only a signal can interrupt it; a kernel without getrandom is older than TUN offloads.
    CHECK(got > 0 || errno == EINTR);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

// Zeroed memory, which is what a forked child gets, means an empty buffer.
struct SystemRng::Buffer {
  std::size_t left;  // Unused bytes, at the end of `bytes`.
  std::array<std::uint8_t, kBufferBytes> bytes;
};

SystemRng::SystemRng() : buffer_(nullptr) {
  void* const page =
      mmap(nullptr, sizeof(Buffer), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return;
  if (madvise(page, sizeof(Buffer), MADV_WIPEONFORK) != 0) {
    munmap(page, sizeof(Buffer));
    return;
  }
  madvise(page, sizeof(Buffer), MADV_DONTDUMP);
  buffer_ = static_cast<Buffer*>(page);
}

SystemRng::~SystemRng() {
  if (buffer_ == nullptr) return;
  erase(buffer_->bytes);
  munmap(buffer_, sizeof(Buffer));
}

void SystemRng::fill(ByteSpan out) {
  if (buffer_ == nullptr || out.size() > kBufferBytes / 4) return ask_kernel(out);
  if (buffer_->left < out.size()) {
    ask_kernel(buffer_->bytes);
    buffer_->left = kBufferBytes;
  }
  const ByteSpan taken = ByteSpan(buffer_->bytes).subspan(kBufferBytes - buffer_->left, out.size());
  std::copy(taken.begin(), taken.end(), out.begin());
  erase(taken);
  buffer_->left -= out.size();
}

}  // namespace ginnel::os
