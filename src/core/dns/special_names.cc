#include "core/dns/special_names.h"

#include "base/text.h"

namespace ginnel::dns {
namespace {

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeAaaa = 28;
constexpr std::uint32_t kTtlSeconds = 3600;

// The last label: "com" of www.example.com.
std::string_view top_label(std::string_view name) {
  std::string_view top;
  while (name.size() > 1 && name[0] != 0) {
    const std::size_t size = static_cast<std::uint8_t>(name[0]);
    top = name.substr(1, size);
    name.remove_prefix(std::min(name.size(), size + 1));
  }
  return top;
}

void append_record(Bytes& out, std::uint16_t type, ByteView data) {
  constexpr std::uint8_t kPointerToQuestion[] = {0xc0, kHeaderBytes};
  std::array<std::uint8_t, 10> fixed{};
  const ByteSpan fields(fixed);
  store<Be16>(fields, type);
  store<Be16>(fields.subspan(2), std::uint16_t{1});
  store<Be32>(fields.subspan(4), kTtlSeconds);
  store<Be16>(fields.subspan(8), static_cast<std::uint16_t>(data.size()));
  out.insert(out.end(), std::begin(kPointerToQuestion), std::end(kPointerToQuestion));
  out.insert(out.end(), fixed.begin(), fixed.end());
  out.insert(out.end(), data.begin(), data.end());
}

StoredAnswer empty_answer(const Query& query, Code code) {
  return {.bytes = make_reply({.question = query.question}, code), .ttl_places = {}};
}

StoredAnswer loopback_answer(const Query& query) {
  constexpr std::array<std::uint8_t, 4> kLoopback4 = {127, 0, 0, 1};
  constexpr std::array<std::uint8_t, 16> kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0,
                                                       0, 0, 0, 0, 0, 0, 0, 1};
  StoredAnswer answer = empty_answer(query, Code::NoError);
  const std::uint16_t type = query.question.type;
  if (type != kTypeA && type != kTypeAaaa) return answer;
  append_record(answer.bytes, type, type == kTypeA ? ByteView(kLoopback4) : ByteView(kLoopback6));
  store<Be16>(ByteSpan(answer.bytes).subspan(6), std::uint16_t{1});
  return answer;
}

}  // namespace

std::optional<StoredAnswer> answer_special(const Query& query) {
  const std::string_view top = top_label(query.question.name);
  if (equal_ignoring_case(top, "localhost")) return loopback_answer(query);
  for (const std::string_view nowhere : {"onion", "invalid"}) {
    if (equal_ignoring_case(top, nowhere)) return empty_answer(query, Code::NameError);
  }
  return std::nullopt;
}

}  // namespace ginnel::dns
