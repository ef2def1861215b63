#include "service/bench/no_aead.h"

namespace ginnel::bench {

#if defined(GINNEL_NO_AEAD)

namespace {

// Takes everything for authentic. The tag's bytes go out as they stand in memory.
class NoAead final : public crypto::AeadBatch {
 public:
  void seal(std::span<crypto::AeadJob>) override {}
  void open(std::span<crypto::AeadJob> jobs) override {
    for (crypto::AeadJob& job : jobs) job.authentic = true;
  }
  std::string_view name() const override { return "none"; }
};

}  // namespace

bool has_no_aead() { return true; }
std::unique_ptr<crypto::AeadBatch> make_no_aead() { return std::make_unique<NoAead>(); }

#else

bool has_no_aead() { return false; }
std::unique_ptr<crypto::AeadBatch> make_no_aead() { return nullptr; }

#endif

}  // namespace ginnel::bench
