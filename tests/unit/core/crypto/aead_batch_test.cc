#include "core/crypto/aead_batch.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "base/text.h"
#include "support/seeded_rng.h"

namespace ginnel::crypto {
namespace {

using test::SeededRng;

using Bytes = std::vector<std::uint8_t>;

constexpr AeadLibrary kLibraries[] = {AeadLibrary::OpenSsl, AeadLibrary::IpsecMb,
                                      AeadLibrary::IpsecMbAvx2, AeadLibrary::IpsecMbSse,
                                      AeadLibrary::Automatic};

// Those that this machine has; a machine without any but OpenSSL still tests that one.
std::vector<std::unique_ptr<AeadBatch>> all_batches() {
  std::vector<std::unique_ptr<AeadBatch>> batches;
  for (const AeadLibrary library : kLibraries) {
    if (auto batch = make_aead_batch(library)) batches.push_back(std::move(batch));
  }
  return batches;
}

AeadKey key_of(SeededRng& rng) {
  std::array<std::uint8_t, 32> bytes;
  rng.fill(bytes);
  return AeadKey(bytes);
}

// `plaintext` with room for the tag.
Bytes with_room(Bytes plaintext) {
  plaintext.resize(plaintext.size() + kTagSize);
  return plaintext;
}

Bytes seal_one(AeadBatch& batch, const AeadKey& key, std::uint64_t counter, Bytes plaintext) {
  Bytes data = with_room(std::move(plaintext));
  AeadJob job{.key = &key, .counter = counter, .data = data};
  batch.seal({&job, 1});
  return data;
}

bool open_one(AeadBatch& batch, const AeadKey& key, std::uint64_t counter, Bytes& data) {
  AeadJob job{.key = &key, .counter = counter, .data = data};
  batch.open({&job, 1});
  return job.authentic;
}

TEST(AeadBatch, HasALibraryOnEveryMachine) {
  EXPECT_NE(make_aead_batch(AeadLibrary::Automatic), nullptr);
  EXPECT_NE(make_aead_batch(AeadLibrary::OpenSsl), nullptr);
}

// Made with another implementation (python-cryptography): the key 00 01 .. 1f, nonces of four zero
// bytes and the counter, the plaintext "ginnel" and none.
TEST(AeadBatch, GivesTheBytesOfAnotherImplementation) {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  const AeadKey key(bytes);
  struct Row {
    std::uint64_t counter;
    std::string_view plaintext;
    std::string_view sealed;
  };
  const Row rows[] = {
      {0, "", "10324f800a160bd9a1794255be7ec29d"},
      {0x0102030405060708, "", "2752c39e5b6b57e6b8f924db3698b1ba"},
      {0, "ginnel", "7fd12c5fc88ab4fa97bd6c93acc5f9612432b93eafa7"},
      {0x0102030405060708, "ginnel", "9720c38ace550e420ca9f43a9ac47a43e3f50d4a9ed1"},
  };
  for (const auto& batch : all_batches()) {
    for (const Row& row : rows) {
      SCOPED_TRACE(testing::Message() << batch->name() << " " << row.counter << row.plaintext);
      Bytes sealed =
          seal_one(*batch, key, row.counter, Bytes(row.plaintext.begin(), row.plaintext.end()));
      EXPECT_EQ(to_hex(sealed), row.sealed);
      ASSERT_TRUE(open_one(*batch, key, row.counter, sealed));
      EXPECT_EQ(std::string(sealed.begin(), sealed.end() - kTagSize), row.plaintext);
    }
  }
}

// RFC 8439 has vectors with additional data and other nonces only, so the batches are held against
// the single-shot AEAD (which has them) through OpenSSL's batch, on every size in one call.
TEST(AeadBatch, AgreesBetweenLibrariesOnEverySize) {
  SeededRng rng(1);
  const AeadKey keys[] = {key_of(rng), key_of(rng), key_of(rng)};
  std::vector<std::size_t> sizes;
  for (std::size_t size = 0; size <= 2048; ++size) sizes.push_back(size);
  for (const std::size_t size : {4096u, 9000u, 16384u, 65519u}) sizes.push_back(size);
  std::vector<Bytes> plaintexts;
  for (const std::size_t size : sizes) plaintexts.push_back(rng.bytes(size));

  auto jobs_of = [&](std::vector<Bytes>& buffers) {
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      jobs.push_back({.key = &keys[i % 3], .counter = i * 0x100000001u, .data = buffers[i]});
    }
    return jobs;
  };
  std::vector<Bytes> expected;
  for (const Bytes& plaintext : plaintexts) expected.push_back(with_room(plaintext));
  auto expected_jobs = jobs_of(expected);
  make_aead_batch(AeadLibrary::OpenSsl)->seal(expected_jobs);

  for (const auto& batch : all_batches()) {
    SCOPED_TRACE(batch->name());
    std::vector<Bytes> buffers;
    for (const Bytes& plaintext : plaintexts) buffers.push_back(with_room(plaintext));
    auto jobs = jobs_of(buffers);
    batch->seal(jobs);
    EXPECT_EQ(buffers, expected);

    batch->open(jobs);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_TRUE(jobs[i].authentic) << sizes[i];
      ASSERT_TRUE(std::ranges::equal(ByteView(buffers[i]).first(sizes[i]), plaintexts[i]))
          << sizes[i];
    }
  }
}

TEST(AeadBatch, TakesAnyNumberOfJobs) {
  SeededRng rng(2);
  const AeadKey key = key_of(rng);
  for (const auto& batch : all_batches()) {
    for (const std::size_t count : {0u, 1u, 2u, 47u, 48u, 63u, 64u, 65u, 127u, 128u, 129u, 300u}) {
      SCOPED_TRACE(testing::Message() << batch->name() << " " << count);
      const Bytes plaintext = rng.bytes(100);
      std::vector<Bytes> buffers(count, with_room(plaintext));
      std::vector<AeadJob> jobs;
      for (std::size_t i = 0; i < count; ++i) {
        jobs.push_back({.key = &key, .counter = i, .data = buffers[i]});
      }
      batch->seal(jobs);
      batch->open(jobs);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_TRUE(jobs[i].authentic);
        ASSERT_TRUE(std::ranges::equal(ByteView(buffers[i]).first(100), plaintext));
      }
    }
  }
}

TEST(AeadBatch, RefusesEveryFlippedBitOfCiphertextAndTag) {
  SeededRng rng(3);
  const AeadKey key = key_of(rng);
  for (const auto& batch : all_batches()) {
    for (const std::size_t size : {0u, 1u, 16u, 64u, 80u}) {
      const Bytes sealed = seal_one(*batch, key, 7, rng.bytes(size));
      for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
        Bytes tampered = sealed;
        tampered[i / 8] = static_cast<std::uint8_t>(tampered[i / 8] ^ (1 << (i % 8)));
        ASSERT_FALSE(open_one(*batch, key, 7, tampered))
            << batch->name() << " size " << size << " bit " << i;
      }
    }
  }
}

TEST(AeadBatch, RefusesAnotherKeyCounterOrLength) {
  SeededRng rng(4);
  const AeadKey key = key_of(rng);
  const AeadKey other = key_of(rng);
  for (const auto& batch : all_batches()) {
    SCOPED_TRACE(batch->name());
    const Bytes sealed = seal_one(*batch, key, 7, rng.bytes(1420));
    Bytes right = sealed, wrong_key = sealed, wrong_counter = sealed, high_counter = sealed;
    Bytes shorter(sealed.begin(), sealed.end() - 1), longer = with_room(sealed);
    EXPECT_TRUE(open_one(*batch, key, 7, right));
    EXPECT_FALSE(open_one(*batch, other, 7, wrong_key));
    EXPECT_FALSE(open_one(*batch, key, 8, wrong_counter));
    EXPECT_FALSE(open_one(*batch, key, 7 + (std::uint64_t{1} << 32), high_counter));
    EXPECT_FALSE(open_one(*batch, key, 7, shorter));
    EXPECT_FALSE(open_one(*batch, key, 7, longer));
  }
}

// One bad packet in a batch must not touch its neighbours, and a job object is used again.
TEST(AeadBatch, JudgesEachJobByItself) {
  SeededRng rng(5);
  const AeadKey key = key_of(rng);
  constexpr std::size_t kCount = 100;
  for (const auto& batch : all_batches()) {
    SCOPED_TRACE(batch->name());
    std::vector<Bytes> buffers;
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < kCount; ++i) {
      buffers.push_back(seal_one(*batch, key, i, rng.bytes(i % 5 == 0 ? 0 : i)));
    }
    for (std::size_t i = 0; i < kCount; ++i) {
      if (i % 3 == 0) buffers[i].back() ^= 1;
      jobs.push_back({.key = &key, .counter = i, .data = buffers[i], .authentic = i % 3 == 0});
    }
    batch->open(jobs);
    for (std::size_t i = 0; i < kCount; ++i) EXPECT_EQ(jobs[i].authentic, i % 3 != 0) << i;
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

}  // namespace
}  // namespace ginnel::crypto
