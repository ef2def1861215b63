// The AEAD replaced by nothing, to learn what the data path costs without it. Exists in bench
// builds (CMake option GINNEL_BENCH) and has one user, measure_path(); no running tunnel can get
// it.
#pragma once

#include <memory>

#include "core/crypto/aead_batch.h"

namespace ginnel::bench {

// Whether this is a bench build.
bool has_no_aead();

// Null in other builds.
std::unique_ptr<crypto::AeadBatch> make_no_aead();

}  // namespace ginnel::bench
