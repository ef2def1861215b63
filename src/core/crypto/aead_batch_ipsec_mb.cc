#include "core/crypto/aead_batch_ipsec_mb.h"

#if defined(GINNEL_HAVE_IPSEC_MB)

#include <intel-ipsec-mb.h>

#include "base/check.h"
#include "core/crypto/aead_batch_openssl.h"

namespace ginnel::crypto {
namespace {

static_assert(IMB_VERSION_NUM >= IMB_VERSION(1, 3, 0));

constexpr std::size_t kBurst = 64;
static_assert(kBurst <= IMB_MAX_BURST_SIZE);

class IpsecMbBatch final : public AeadBatch {
 public:
  IpsecMbBatch(IMB_MGR* state, std::string_view name) : state_(state), name_(name) {}

  void seal(std::span<AeadJob> jobs) override;
  void open(std::span<AeadJob> jobs) override;
  std::string_view name() const override { return name_; }

 private:
  struct Free {
    void operator()(IMB_MGR* state) const { free_mb_mgr(state); }
  };
  // What the library reads and writes for one job until it is done.
  struct Slot {
    std::array<std::uint8_t, 12> nonce;
    std::array<std::uint8_t, kTagSize> tag;
  };

  template <class AfterBurst>
  void run(std::span<AeadJob> jobs, IMB_CIPHER_DIRECTION direction, AfterBurst after_burst);
  void run_burst(std::span<AeadJob* const> jobs, IMB_CIPHER_DIRECTION direction);

  std::unique_ptr<IMB_MGR, Free> state_;
  std::string_view name_;
  OpenSslBatch for_empty_;  // The library's jobs need a byte of text; a keepalive has none.
  std::array<Slot, kBurst> slots_;
};

bool is_empty(const AeadJob& job) { return job.data.size() == kTagSize; }

void fill_job(IMB_JOB& out, const AeadJob& job, IMB_CIPHER_DIRECTION direction,
              const std::uint8_t* nonce, std::uint8_t* tag) {
  const std::size_t size = job.data.size() - kTagSize;
  out.enc_keys = out.dec_keys = job.key->expose().data();
  out.key_len_in_bytes = 32;
  out.src = out.dst = job.data.data();
  out.cipher_start_src_offset_in_bytes = out.hash_start_src_offset_in_bytes = 0;
  out.msg_len_to_cipher_in_bytes = out.msg_len_to_hash_in_bytes = size;
  out.iv = nonce;
  out.iv_len_in_bytes = 12;
  out.auth_tag_output = tag;
  out.auth_tag_output_len_in_bytes = kTagSize;
  out.u.CHACHA20_POLY1305.aad = nullptr;
  out.u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
  out.u.CHACHA20_POLY1305.ctx = nullptr;
  out.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
  out.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
  out.cipher_direction = direction;
  out.chain_order = direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
}

// The library's checks of each job are skipped: everything in it is made here.
void IpsecMbBatch::run_burst(std::span<AeadJob* const> jobs, IMB_CIPHER_DIRECTION direction) {
  const auto count = static_cast<std::uint32_t>(jobs.size());
  std::array<IMB_JOB*, kBurst> out;
  CHECK(IMB_GET_NEXT_BURST(state_.get(), count, out.data()) == count);
  for (std::size_t i = 0; i < count; ++i) {
    Slot& slot = slots_[i];
    slot.nonce.fill(0);
    store<Le64>(ByteSpan(slot.nonce).subspan(4), jobs[i]->counter);
    fill_job(*out[i], *jobs[i], direction, slot.nonce.data(), slot.tag.data());
  }
  std::uint32_t done = IMB_SUBMIT_BURST_NOCHECK(state_.get(), count, out.data());
  while (done < count) {
    const std::uint32_t more = IMB_FLUSH_BURST(state_.get(), count - done, out.data());
    CHECK(more > 0);
    done += more;
  }
}

// Calls after_burst(job, tag) for each job when its burst is done.
template <class AfterBurst>
void IpsecMbBatch::run(std::span<AeadJob> jobs, IMB_CIPHER_DIRECTION direction,
                       AfterBurst after_burst) {
  std::array<AeadJob*, kBurst> burst;
  std::size_t count = 0;
  auto flush = [&] {
    if (count == 0) return;
    run_burst({burst.data(), count}, direction);
    for (std::size_t i = 0; i < count; ++i) after_burst(*burst[i], ByteView(slots_[i].tag));
    count = 0;
  };
  for (AeadJob& job : jobs) {
    CHECK(job.data.size() >= kTagSize);
    if (is_empty(job)) continue;
    burst[count++] = &job;
    if (count == kBurst) flush();
  }
  flush();
}

void IpsecMbBatch::seal(std::span<AeadJob> jobs) {
  run(jobs, IMB_DIR_ENCRYPT,
      [](AeadJob& job, ByteView tag) { std::ranges::copy(tag, job.data.last(kTagSize).begin()); });
  for (AeadJob& job : jobs) {
    if (is_empty(job)) for_empty_.seal({&job, 1});
  }
}

void IpsecMbBatch::open(std::span<AeadJob> jobs) {
  run(jobs, IMB_DIR_DECRYPT, [](AeadJob& job, ByteView tag) {
    job.authentic = equal_in_constant_time(tag, job.data.last(kTagSize));
  });
  for (AeadJob& job : jobs) {
    if (is_empty(job)) for_empty_.open({&job, 1});
  }
}

bool cpu_has(const IMB_MGR* state, std::uint64_t features) {
  return (state->features & features) == features;
}

std::string_view init(IMB_MGR* state, AeadLibrary library) {
  if (library == AeadLibrary::IpsecMbAvx2) {
    if (!cpu_has(state, IMB_CPUFLAGS_AVX2)) return {};
    init_mb_mgr_avx2(state);
    return "libipsec-mb AVX2";
  }
  if (library == AeadLibrary::IpsecMbSse) {
    if (!cpu_has(state, IMB_CPUFLAGS_SSE)) return {};
    init_mb_mgr_sse(state);
    return "libipsec-mb SSE";
  }
  IMB_ARCH arch = IMB_ARCH_NONE;
  init_mb_mgr_auto(state, &arch);
  switch (arch) {
    case IMB_ARCH_AVX512:
      return "libipsec-mb AVX-512";
    case IMB_ARCH_AVX2:
      return "libipsec-mb AVX2";
    case IMB_ARCH_AVX:
      return "libipsec-mb AVX";
    case IMB_ARCH_SSE:
      return "libipsec-mb SSE";
    default:
      return {};  // Without AES instructions the library emulates; OpenSSL is better then.
  }
}

}  // namespace

std::unique_ptr<AeadBatch> make_ipsec_mb_batch(AeadLibrary library) {
  IMB_MGR* const state = alloc_mb_mgr(0);
  if (state == nullptr) return nullptr;
  const std::string_view name = init(state, library);
  if (name.empty() || imb_get_errno(state) != 0) {
    free_mb_mgr(state);
    return nullptr;
  }
  return std::make_unique<IpsecMbBatch>(state, name);
}

}  // namespace ginnel::crypto

#else

namespace ginnel::crypto {

std::unique_ptr<AeadBatch> make_ipsec_mb_batch(AeadLibrary) { return nullptr; }

}  // namespace ginnel::crypto

#endif
