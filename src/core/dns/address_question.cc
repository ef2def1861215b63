#include "core/dns/address_question.h"

#include "base/text.h"

namespace ginnel::dns {
namespace {

constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeAaaa = 28;
constexpr std::size_t kMaxLabelBytes = 63;
// Of a record's fields, as seen from its TTL.
constexpr std::size_t kTypeBefore = 4;
constexpr std::size_t kSpaceBefore = 2;
constexpr std::size_t kSizeBehind = 4;
constexpr std::size_t kDataBehind = 6;

}  // namespace

std::optional<Question> address_question(std::string_view host, net::Family family) {
  if (host.ends_with('.')) host.remove_suffix(1);
  Question question{.type = family == net::Family::V4 ? kTypeA : kTypeAaaa, .space = kInternet};
  for (std::string_view label : split(host, '.')) {
    if (label.empty() || label.size() > kMaxLabelBytes) return std::nullopt;
    question.name += static_cast<char>(label.size());
    question.name += label;
  }
  question.name += '\0';
  if (question.name.size() > kMaxNameBytes) return std::nullopt;
  return question;
}

std::vector<net::Address> addresses_in(const Answer& answer) {
  std::vector<net::Address> addresses;
  if (answer.truncated || answer.code != Code::NoError) return addresses;
  const ByteView bytes = answer.stored.bytes;
  const std::size_t answers = load<Be16>(bytes.subspan(6));
  // The places were checked when the answer was parsed: each is a whole record's.
  for (std::size_t i = 0; i < std::min(answers, answer.stored.ttl_places.size()); ++i) {
    const std::size_t place = answer.stored.ttl_places[i];
    const std::uint16_t type = load<Be16>(bytes.subspan(place - kTypeBefore));
    const std::uint16_t space = load<Be16>(bytes.subspan(place - kSpaceBefore));
    const std::size_t size = load<Be16>(bytes.subspan(place + kSizeBehind));
    const bool is_address = type == kTypeA || type == kTypeAaaa;
    if (!is_address || type != answer.question.type || space != kInternet) continue;
    if (addresses.size() == kMaxAddressesInAnswer) break;
    const ByteView data = bytes.subspan(place + kDataBehind, size);
    const bool is_whole = size == (type == kTypeA ? 4 : 16);
    if (is_whole) addresses.push_back(net::Address::from_bytes(data));
  }
  return addresses;
}

}  // namespace ginnel::dns
