#include "service/leaktest/name_probe.h"

namespace ginnel::leaktest {
namespace {

constexpr std::string_view kName(
    "\x09leak-test\x07"
    "example\x03"
    "com\0",
    23);
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeAaaa = 28;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kNameAtHeader = 0xc000 | dns::kHeaderBytes;
constexpr std::size_t kRecordBytes = 12;  // With a compressed name, without the address.
constexpr std::size_t kAnswerCountAt = 6;

void append(dns::Bytes& bytes, ByteView view) {
  bytes.insert(bytes.end(), view.begin(), view.end());
}

}  // namespace

dns::Bytes make_name_question(std::uint16_t id) {
  return dns::make_query({.id = id, .question = {.name = std::string(kName), .type = kTypeA}});
}

// The record is of the asker's family, whatever was asked for: it is not for anybody's cache.
dns::Bytes make_name_answer(ByteView question, const net::Address& asker) {
  auto query = dns::parse_query(question);
  if (!query) return {};
  query->has_edns = false;  // Nothing comes behind the record.
  dns::Bytes answer = dns::make_reply(*query, dns::Code::NoError);
  store<Be16>(ByteSpan(answer).subspan(kAnswerCountAt), std::uint16_t{1});
  append(answer, bytes_of(Be16(kNameAtHeader)));
  append(answer, bytes_of(Be16(asker.is_v4() ? kTypeA : kTypeAaaa)));
  append(answer, bytes_of(Be16(kInternet)));
  append(answer, bytes_of(Be32(0)));  // Not to be kept.
  append(answer, bytes_of(Be16(static_cast<std::uint16_t>(asker.bytes().size()))));
  append(answer, asker.bytes());
  return answer;
}

std::optional<net::Address> read_name_answer(ByteView answer, std::uint16_t id) {
  const auto parsed = dns::parse_answer(answer);
  if (!parsed || parsed->id != id || parsed->truncated) return std::nullopt;
  if (load<Be16>(answer.subspan(kAnswerCountAt)) == 0) return std::nullopt;
  const std::size_t at = dns::kHeaderBytes + parsed->question.name.size() + 4;
  if (answer.size() < at + kRecordBytes || load<Be16>(answer.subspan(at)) != kNameAtHeader) {
    return std::nullopt;
  }
  const std::size_t size = load<Be16>(answer.subspan(at + kRecordBytes - 2));
  const bool is_address = size == 4 || size == 16;
  if (!is_address || answer.size() < at + kRecordBytes + size) return std::nullopt;
  return net::Address::from_bytes(answer.subspan(at + kRecordBytes, size));
}

}  // namespace ginnel::leaktest
