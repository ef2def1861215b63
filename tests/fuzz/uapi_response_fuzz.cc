// What a program on the other end of a control socket answers. What we understand of it, we say in
// words that mean the same; and whatever it is, it can be shown.
#include "base/check.h"
#include "core/config/uapi_response.h"
#include "core/config/wg_show.h"

namespace ginnel::config {
namespace {

constexpr UnixTime kNow = UnixTime() + std::chrono::seconds(1'800'000'000);

void show(const wg::DeviceStatus& device) {
  CHECK(wg_show_pretty("wg0", device, kNow, {}).starts_with("interface: wg0\n"));
  const std::string dump = wg_show_field(WgField::Dump, "wg0", device, {});
  CHECK(std::size_t(std::count(dump.begin(), dump.end(), '\n')) == device.peers.size() + 1);
}

void read(std::string_view text) {
  auto device = parse_uapi_get_response(text);
  if (!device) {
    CHECK(device.error().message.size() < 256);
    CHECK(device.error().message.find('\n') == std::string::npos);
    return;
  }
  show(*device);
  const std::string said = uapi_get_response(*device);
  CHECK(is_complete_uapi_response(said));
  const auto again = parse_uapi_get_response(said);
  CHECK(again.has_value());
  CHECK(uapi_get_response(*again) == said);
}

}  // namespace
}  // namespace ginnel::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::config::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
