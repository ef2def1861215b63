// Questions that block for as long as somebody else likes, asked by a child: whoever asks us to
// stop need not wait for the answer. A resolver that nobody answers takes ten seconds and more.
#pragma once

#include <functional>
#include <string>

#include "service/quick/interruption.h"

namespace ginnel::quick {

// What `question` returns, cut off after os::DescriptorChannel::kMaxMessageBytes. REQUIRES: one
// thread.
Result<std::string> ask_aside(const std::function<Result<std::string>()>& question,
                              Interruption& interruption);

}  // namespace ginnel::quick
