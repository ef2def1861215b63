// The first line of a stranger's HTTP request: what is read is written again with the same meaning,
// and no spelling gets a relative path or a control character past it.
#include "base/check.h"
#include "http/target.h"

namespace ginnel::http {
namespace {

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void read(std::string_view text) {
  const auto target = Target::parse(text);
  if (!target) {
    CHECK(target.error().message.size() < 256);
    return;
  }
  CHECK(text.size() <= Target::kMaxBytes);
  CHECK(target->segments.size() <= Target::kMaxSegments);
  CHECK(target->query.size() <= Target::kMaxParameters);
  for (const std::string& segment : target->segments) {
    CHECK(segment != "." && segment != ".." && !has_control(segment));
  }
  for (const QueryParameter& parameter : target->query) {
    CHECK(!has_control(parameter.name) && !has_control(parameter.value));
    CHECK(target->parameter(parameter.name).has_value());
  }
  const std::string written = target->to_string();
  if (written.size() > Target::kMaxBytes) return;  // Escapes made it too long.
  const auto again = Target::parse(written);
  CHECK(again && *again == *target);
}

}  // namespace
}  // namespace ginnel::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::http::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
