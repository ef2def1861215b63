// Addresses, prefixes, endpoints and rules under hostile text. The C library is the second opinion
// on what an address is.
#include <arpa/inet.h>

#include "base/check.h"
#include "net/endpoint.h"
#include "net/flow_rule.h"
#include "net/prefix.h"

namespace ginnel::net {
namespace {

void parse_address(const std::string& text) {
  const auto address = Address::parse(text);
  std::array<std::uint8_t, 16> bytes;
  const bool has_end = text.find('\0') != std::string::npos;  // The C library would stop there.
  const bool is_v4 = !has_end && inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
  const bool is_v6 = !has_end && inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
  CHECK(address.has_value() == (is_v4 || is_v6));
  if (!address) {
    CHECK(address.error().message.size() < 256);
    return;
  }
  CHECK(std::ranges::equal(address->bytes(), ByteView(bytes).first(is_v4 ? 4 : 16)));
  CHECK(Address::parse(address->to_string()).value() == *address);
  CHECK(address->plus(1).plus(UINT64_MAX) == address->plus(UINT64_MAX).plus(1));
}

void parse_prefix(std::string_view text) {
  const auto strict = Prefix::parse(text);
  const auto masking = Prefix::parse_masking(text);
  if (strict) CHECK(masking && *masking == *strict);
  if (!masking) return;
  CHECK(Prefix::parse(masking->to_string()).value() == *masking);
  CHECK(masking->contains(masking->address()) && masking->contains(masking->last()));
  CHECK(masking->length() == 0 || !masking->contains(masking->last().plus(1)));
  CHECK(masking->contains(InterfaceAddress::parse(text)->address));
}

void parse_endpoint(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  if (endpoint) CHECK(Endpoint::parse(endpoint->to_string()).value() == *endpoint);
}

void parse_flow_rule(std::string_view text) {
  const auto rule = FlowRule::parse(text);
  if (!rule) {
    CHECK(rule.error().message.size() < 256);
    return;
  }
  CHECK(FlowRule::parse(rule->to_string()).value() == *rule);
  CHECK(rule->ports.size() <= FlowRule::kMaxPorts);
  for (const PortRange& range : rule->ports) CHECK(range.first > 0 && range.first <= range.last);
  CHECK((rule->target == FlowRule::Target::Any) == rule->prefixes().empty());
}

}  // namespace
}  // namespace ginnel::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  ginnel::net::parse_address(text);
  ginnel::net::parse_prefix(text);
  ginnel::net::parse_endpoint(text);
  ginnel::net::parse_flow_rule(text);
  return 0;
}
