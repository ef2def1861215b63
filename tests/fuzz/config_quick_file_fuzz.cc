// wg-quick files under hostile text: what is accepted stays accepted without the lines that `wg`
// does not see, and means the same to it.
#include "base/check.h"
#include "core/config/quick_file.h"
#include "core/config/quick_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t number = 0;
  for (const config::QuickLine& line : config::quick_lines(text)) CHECK(line.number == ++number);

  const auto file = config::parse_quick_file("f", text);
  const auto stripped = config::strip_quick_file("f", text);
  if (!file) {
    CHECK(file.error().message.find('\n') == std::string::npos);
    return 0;
  }
  CHECK(file->warnings.size() <= config::kMaxQuickWarnings);
  for (const std::string& warning : file->warnings) {
    CHECK(warning.find_first_of(std::string_view("\n\0", 2)) == std::string::npos);
  }
  CHECK(stripped.has_value());
  const auto again = config::parse_quick_file("f", *stripped);
  CHECK(again.has_value());
  CHECK(again->addresses.empty() && again->hooks.post_up.empty());
  CHECK(again->fwmark == file->fwmark && again->listen_port == file->listen_port);
  CHECK(again->peers.size() == file->peers.size());
  for (std::size_t i = 0; i < file->peers.size(); ++i) {
    CHECK(again->peers[i].public_key == file->peers[i].public_key);
    CHECK(again->peers[i].allowed_ips == file->peers[i].allowed_ips);
    CHECK(again->peers[i].endpoint == file->peers[i].endpoint);
  }
  return 0;
}
