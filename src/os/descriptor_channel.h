// Short messages between two processes of ours, each with a descriptor if one is handed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "os/fd.h"

namespace ginnel::os {

class DescriptorChannel {
 public:
  static constexpr std::size_t kMaxMessageBytes = 4096;

  // Its two ends.
  static Result<std::pair<DescriptorChannel, DescriptorChannel>> make();

  // A longer message is cut off. `handed_over` is borrowed: the other end gets one of its own.
  Status send(std::string_view text, int handed_over = -1);

  struct Message {
    std::string text;
    Fd fd;
  };
  // Waits. Nothing when the other end is gone.
  std::optional<Message> receive();

  int fd() const { return fd_.get(); }

 private:
  explicit DescriptorChannel(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace ginnel::os
