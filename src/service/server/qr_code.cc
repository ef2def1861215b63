#include "service/server/qr_code.h"

#include <fmt/format.h>
#include <qrencode.h>

#include <memory>

namespace ginnel::server {
namespace {

constexpr int kQuietZone = 4;  // ISO/IEC 18004, section 9.1.
constexpr int kNarrowQuietZone = 2;

// Of the 256-colour palette: unlike the first 16 colours no theme changes these.
constexpr std::string_view kBlackOnWhite = "\x1b[38;5;16;48;5;231m";
constexpr std::string_view kOwnColours = "\x1b[0m";

std::string_view half_blocks(bool upper, bool lower) {
  if (upper && lower) return "\u2588";
  if (upper) return "\u2580";
  return lower ? "\u2584" : " ";
}

}  // namespace

Result<QrCode> QrCode::encode(std::string_view text) {
  if (text.empty() || text.size() > kMaxBytes) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("a QR code holds 1 to {} bytes, not {}; shorten the text", kMaxBytes,
                            text.size()));
  }
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_L),
      &QRcode_free);
  if (!code) return fail(ErrorCode::Io, "cannot make a QR code: out of memory");
  const auto size = static_cast<unsigned>(code->width);
  std::vector<bool> dark(std::size_t{size} * size);
  for (std::size_t i = 0; i < dark.size(); ++i) dark[i] = (code->data[i] & 1) != 0;
  return QrCode(size, std::move(dark));
}

bool QrCode::is_dark(int x, int y) const {
  const int size = static_cast<int>(size_);
  if (x < 0 || y < 0 || x >= size || y >= size) return false;
  return dark_[static_cast<std::size_t>(y) * size_ + static_cast<std::size_t>(x)];
}

Result<std::string> to_terminal_text(const QrCode& code, const QrTextOptions& options) {
  const int size = static_cast<int>(code.size());
  const auto fits = [&](int quiet) {
    const auto columns = static_cast<std::size_t>(size) + 2 * static_cast<std::size_t>(quiet);
    return options.max_columns == 0 || columns <= options.max_columns;
  };
  const int quiet = fits(kQuietZone) ? kQuietZone : kNarrowQuietZone;
  if (!fits(quiet)) {
    return fail(ErrorCode::Unsupported,
                fmt::format("the QR code needs {} columns, and here are {}; widen the window",
                            size + 2 * quiet, options.max_columns));
  }
  // Ink is what the characters draw: the dark modules in black, or else the light ones.
  const auto is_ink = [&](int x, int y) { return code.is_dark(x, y) == options.coloured; };
  std::string text;
  for (int y = -quiet; y < size + quiet; y += 2) {
    if (options.coloured) text += kBlackOnWhite;
    for (int x = -quiet; x < size + quiet; ++x) text += half_blocks(is_ink(x, y), is_ink(x, y + 1));
    if (options.coloured) text += kOwnColours;
    text += '\n';
  }
  return text;
}

}  // namespace ginnel::server
