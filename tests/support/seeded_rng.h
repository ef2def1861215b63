// A reproducible Rng for tests: the same seed gives the same bytes on every machine.
#pragma once

#include <random>
#include <vector>

#include "base/rng.h"

namespace ginnel::test {

class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : engine_(seed) {}
  void fill(ByteSpan out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
  }
  std::vector<std::uint8_t> bytes(std::size_t size) {
    std::vector<std::uint8_t> out(size);
    fill(out);
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace ginnel::test
