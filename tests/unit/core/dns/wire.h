// DNS messages for tests, written out record by record.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/text.h"
#include "core/dns/message.h"

namespace ginnel::dns::test {

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeCname = 5;
inline constexpr std::uint16_t kTypeSoa = 6;
inline constexpr std::uint16_t kTypeTxt = 16;
inline constexpr std::uint16_t kTypeOpt = 41;

// "www.example" as it stands on the wire.
inline std::string wire_name(std::string_view text) {
  std::string name;
  for (const std::string_view label : split(text, '.')) {
    if (label.empty()) continue;
    name.push_back(static_cast<char>(label.size()));
    name += label;
  }
  name.push_back('\0');
  return name;
}

struct WireRecord {
  std::string name;
  std::uint16_t type = kTypeA;
  std::uint32_t ttl = 0;
  std::string data = std::string("\x01\x02\x03\x04", 4);
  std::uint16_t space = 1;
};

struct WireMessage {
  std::uint16_t id = 0x1234;
  std::uint16_t flags = 0x0100;
  std::string question = wire_name("www.example");
  std::uint16_t type = kTypeA;
  std::uint16_t space = 1;
  std::vector<WireRecord> answers{};
  std::vector<WireRecord> authorities{};
  std::vector<WireRecord> additionals{};

  Bytes bytes() const {
    Bytes out;
    const auto put16 = [&](std::size_t value) {
      out.push_back(static_cast<std::uint8_t>(value >> 8));
      out.push_back(static_cast<std::uint8_t>(value));
    };
    const auto put_text = [&](const std::string& text) {
      out.insert(out.end(), text.begin(), text.end());
    };
    for (const std::size_t value : {std::size_t{id}, std::size_t{flags}, std::size_t{1},
                                    answers.size(), authorities.size(), additionals.size()}) {
      put16(value);
    }
    put_text(question);
    put16(type);
    put16(space);
    for (const auto* records : {&answers, &authorities, &additionals}) {
      for (const WireRecord& record : *records) {
        put_text(record.name);
        put16(record.type);
        put16(record.space);
        put16(record.ttl >> 16);
        put16(record.ttl & 0xffff);
        put16(record.data.size());
        put_text(record.data);
      }
    }
    return out;
  }
};

inline const std::string kPointerToQuestion("\xc0\x0c", 2);

inline WireRecord edns(std::uint16_t datagram_limit, std::uint32_t flags = 0,
                       std::string options = "") {
  return {std::string(1, '\0'), kTypeOpt, flags, std::move(options), datagram_limit};
}

inline WireRecord soa(std::uint32_t ttl, std::uint32_t minimum) {
  std::string data = wire_name("ns.example") + wire_name("root.example") + std::string(16, '\x01');
  for (const int shift : {24, 16, 8, 0}) data.push_back(static_cast<char>(minimum >> shift));
  return {wire_name("example"), kTypeSoa, ttl, std::move(data)};
}

// An answer to what make_query() made.
inline WireMessage answer_to(ByteView query) {
  WireMessage message{.id = load<Be16>(query), .flags = 0x8180};
  std::size_t end = kHeaderBytes;
  while (query[end] != 0) end += query[end] + std::size_t{1};
  ++end;
  message.question.assign(query.begin() + kHeaderBytes,
                          query.begin() + static_cast<std::ptrdiff_t>(end));
  message.type = load<Be16>(query.subspan(end));
  return message;
}

}  // namespace ginnel::dns::test
