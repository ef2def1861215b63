// A reproducible Rng for tests: the same seed gives the same bytes on every machine.
#pragma once

#include <random>

#include "base/rng.h"

namespace ginnel::test {

class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : engine_(seed) {}
  void fill(ByteSpan out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ginnel::test
