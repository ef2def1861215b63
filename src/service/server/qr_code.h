// QR codes, and how a terminal shows them: what a phone reads a client's configuration from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ginnel::server {

class QrCode {
 public:
  // What the largest code holds in bytes, at the lowest error correction: a screen has no stains.
  static constexpr std::size_t kMaxBytes = 2953;

  // The smallest code that holds `text`.
  static Result<QrCode> encode(std::string_view text);

  unsigned size() const { return size_; }  // Modules a side.
  // Everything outside the code is light.
  bool is_dark(int x, int y) const;

 private:
  QrCode(unsigned size, std::vector<bool> dark) : size_(size), dark_(std::move(dark)) {}

  unsigned size_;
  std::vector<bool> dark_;  // Row by row.
};

struct QrTextOptions {
  // Sets black on white by itself, so that any terminal's colours will do. Without, the code is in
  // the terminal's own two colours and light ink on dark ground is expected.
  bool coloured = false;
  std::size_t max_columns = 0;  // 0: any width.
};

// Two modules a character, one above the other, with the quiet zone around them that readers need:
// 4 modules, or 2 where the width leaves no more. Fails when it is too wide even so.
Result<std::string> to_terminal_text(const QrCode& code, const QrTextOptions& options);

}  // namespace ginnel::server
