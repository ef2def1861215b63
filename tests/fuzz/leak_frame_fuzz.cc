// Frames on a wire that a leak test looks at: anybody's.
#include "base/check.h"
#include "core/leaks/sighting.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ginnel::leaks;
  const ginnel::ByteView frame(data, size);
  const WireRules rules{
      .run = 7,
      .endpoints = {{.address = ginnel::net::Address::v4({192, 0, 2, 1}), .port = 51820}},
      .transport_ports = {51820},
      .tunnel_addresses = {ginnel::net::Address::v4({10, 2, 0, 2})}};
  const Sighting sighting = classify(frame, rules);
  const auto tag = find_tag(frame, rules.run);
  CHECK((sighting.kind == FrameKind::Probe) == tag.has_value());
  CHECK(describe_frame(frame).find('\n') == std::string::npos);
  return 0;
}
