// Text decoders under hostile text: what is accepted has one spelling, and that is the one given.
#include "base/check.h"
#include "base/text.h"

namespace ginnel {
namespace {

void decode(std::string_view text) {
  const std::size_t most = text.size() / 4 * 3;
  for (std::size_t padding = 0; padding <= std::min<std::size_t>(3, most); ++padding) {
    std::vector<std::uint8_t> out(most - padding);
    if (from_base64(text, out)) CHECK(to_base64(out) == text);
  }
  std::vector<std::uint8_t> out(text.size() / 2);
  if (from_hex(text, out)) CHECK(equal_ignoring_case(to_hex(out), text));
}

void split_and_trim(std::string_view text) {
  std::size_t bytes = 0;
  for (const std::string_view piece : split(text, ',')) {
    bytes += piece.size() + 1;
    CHECK(piece.find(',') == std::string_view::npos);
    const std::string_view trimmed = trim(piece);
    CHECK(trim(trimmed) == trimmed && trimmed.size() <= piece.size());
  }
  CHECK(bytes == text.size() + 1);
}

void count(std::string_view text) {
  if (const auto number = parse_number<int>(text, -1000, 70000)) {
    CHECK(*number >= -1000 && *number <= 70000);
    CHECK(parse_number<int>(std::to_string(*number), -1000, 70000) == number);
  }
  parse_number<std::uint64_t>(text, 1, UINT64_MAX);
}

}  // namespace
}  // namespace ginnel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ginnel::decode(text);
  ginnel::split_and_trim(text);
  ginnel::count(text);
  return 0;
}
