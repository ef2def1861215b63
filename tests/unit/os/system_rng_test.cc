#include "os/system_rng.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace ginnel::os {
namespace {

// The pages that a fork empties ("wf" in smaps): the buffers, and nothing else in this program.
std::vector<std::uint8_t> buffer_memory() {
  std::ifstream maps("/proc/self/smaps");
  std::vector<std::uint8_t> memory;
  std::uintptr_t begin = 0, end = 0;
  for (std::string line; std::getline(maps, line);) {
    char dash = 0;
    std::istringstream range(line);
    if (std::uintptr_t low = 0, high = 0; range >> std::hex >> low >> dash >> high && dash == '-') {
      begin = low;
      end = high;
    }
    if (line.starts_with("VmFlags:") && line.find(" wf") != std::string::npos) {
      const std::size_t before = memory.size();
      memory.resize(before + (end - begin));
      std::ifstream self("/proc/self/mem", std::ios::binary);
      self.seekg(static_cast<std::streamoff>(begin));
      self.read(reinterpret_cast<char*>(&memory[before]),
                static_cast<std::streamsize>(end - begin));
    }
  }
  return memory;
}

TEST(SystemRng, FillsEveryByteOfEverySize) {
  SystemRng rng;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, SystemRng::kBufferBytes / 4,
                                 SystemRng::kBufferBytes / 4 + 1, SystemRng::kBufferBytes,
                                 SystemRng::kBufferBytes + 1, std::size_t{100'000}}) {
    SCOPED_TRACE(size);
    // A byte that stays zero in 16 fills is not filled (chance of a false alarm: 2^-128 a byte).
    std::vector<std::uint8_t> seen(size, 0);
    for (int round = 0; round < 16; ++round) {
      std::vector<std::uint8_t> bytes(size, 0);
      rng.fill(bytes);
      for (std::size_t i = 0; i < size; ++i) seen[i] |= bytes[i];
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
  }
}

TEST(SystemRng, NeverHandsOutTheSameBytesTwice) {
  SystemRng rng;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(rng.number<std::uint64_t>());
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(SystemRng, KeepsNothingOfWhatItHandedOut) {
  SystemRng rng;
  std::array<std::uint8_t, 32> key;
  rng.fill(key);

  const std::vector<std::uint8_t> memory = buffer_memory();

  ASSERT_GE(memory.size(), SystemRng::kBufferBytes);
  EXPECT_NE(std::count(memory.begin(), memory.end(), 0), std::ssize(memory));
  EXPECT_EQ(std::search(memory.begin(), memory.end(), key.begin(), key.end()), memory.end());
}

TEST(SystemRng, SharesNoBytesWithAForkedChild) {
  SystemRng rng;
  rng.number<std::uint64_t>();  // Fills the buffer, so that the child could inherit it.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);

  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::uint64_t number = rng.number<std::uint64_t>();
    _exit(write(ends[1], &number, sizeof number) == sizeof number ? 0 : 1);
  }
  const std::uint64_t ours = rng.number<std::uint64_t>();
  std::uint64_t theirs = 0;
  ASSERT_EQ(read(ends[0], &theirs, sizeof theirs), static_cast<ssize_t>(sizeof theirs));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);

  EXPECT_EQ(status, 0);
  EXPECT_NE(ours, theirs);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace ginnel::os
