#include "core/wg/messages.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace ginnel::wg {
namespace {

std::vector<std::uint8_t> datagram(std::uint8_t type, std::size_t size) {
  std::vector<std::uint8_t> bytes(size, 0);
  if (!bytes.empty()) bytes[0] = type;
  return bytes;
}

// Every length around each limit, so that an off-by-one in either direction has a failing row.
TEST(ParseMessage, AcceptsExactlyTheLengthsOfTheSpecification) {
  struct Row {
    std::uint8_t type;
    std::size_t size;
    std::optional<Drop> drop;
  };
  const Row rows[] = {
      {1, 0, Drop::TooShort},      {1, 1, Drop::TooShort},      {1, 3, Drop::TooShort},
      {1, 4, Drop::BadLength},     {1, 147, Drop::BadLength},   {1, 148, std::nullopt},
      {1, 149, Drop::BadLength},   {2, 3, Drop::TooShort},      {2, 91, Drop::BadLength},
      {2, 92, std::nullopt},       {2, 93, Drop::BadLength},    {2, 148, Drop::BadLength},
      {3, 63, Drop::BadLength},    {3, 64, std::nullopt},       {3, 65, Drop::BadLength},
      {4, 4, Drop::TooShort},      {4, 31, Drop::TooShort},     {4, 32, std::nullopt},
      {4, 1500, std::nullopt},     {4, 65507, std::nullopt},    {0, 148, Drop::UnknownType},
      {5, 148, Drop::UnknownType}, {255, 32, Drop::UnknownType}};
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << "type " << int(row.type) << ", size " << row.size);
    const auto message = parse_message(datagram(row.type, row.size));
    ASSERT_EQ(bool(message), !row.drop);
    if (row.drop) {
      EXPECT_EQ(message.error(), *row.drop);
    } else {
      EXPECT_EQ(message->index() + 1, row.type);
    }
  }
}

TEST(ParseMessage, RefusesReservedBytesOfEveryType) {
  for (const auto& [type, size] : {std::pair{1, 148}, {2, 92}, {3, 64}, {4, 32}}) {
    for (const std::size_t at : {1u, 2u, 3u}) {
      SCOPED_TRACE(testing::Message() << "type " << type << ", byte " << at);
      auto bytes = datagram(static_cast<std::uint8_t>(type), static_cast<std::size_t>(size));
      bytes[at] = 0x80;
      const auto message = parse_message(bytes);
      ASSERT_FALSE(message);
      EXPECT_EQ(message.error(), Drop::ReservedNotZero);
      EXPECT_FALSE(begins_like_wireguard(bytes));
    }
  }
}

// A STUN answer begins with byte 1 as an initiation does, but its second byte is not zero.
TEST(BeginsLikeWireguard, TellsOtherProtocolsOnTheSocketApart) {
  EXPECT_TRUE(begins_like_wireguard(datagram(1, 4)));
  EXPECT_TRUE(begins_like_wireguard(datagram(4, 32)));
  EXPECT_FALSE(begins_like_wireguard(datagram(0, 20)));
  EXPECT_FALSE(begins_like_wireguard(datagram(5, 20)));
  EXPECT_FALSE(begins_like_wireguard(datagram(4, 3)));
  EXPECT_FALSE(begins_like_wireguard({}));
  EXPECT_FALSE(begins_like_wireguard(std::array<std::uint8_t, 20>{0x01, 0x01}));
}

TEST(ParseMessage, FindsTheFieldsWhereTheSpecificationPutsThem) {
  std::vector<std::uint8_t> bytes(148);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  auto as = [&bytes](std::uint8_t type, std::size_t size) {
    std::vector<std::uint8_t> copy(bytes.begin(),
                                   bytes.begin() + static_cast<std::ptrdiff_t>(size));
    copy[0] = type;
    copy[1] = copy[2] = copy[3] = 0;
    return copy;
  };

  const auto initiation = std::get<HandshakeInitiation>(*parse_message(as(1, 148)));
  EXPECT_EQ(initiation.sender.get(), 0x07060504u);
  EXPECT_EQ(initiation.ephemeral[0], 8);
  EXPECT_EQ(initiation.sealed_static[0], 40);
  EXPECT_EQ(initiation.sealed_timestamp[0], 88);
  EXPECT_EQ(initiation.mac1[0], 116);
  EXPECT_EQ(initiation.mac2[0], 132);

  const auto response = std::get<HandshakeResponse>(*parse_message(as(2, 92)));
  EXPECT_EQ(response.sender.get(), 0x07060504u);
  EXPECT_EQ(response.receiver.get(), 0x0b0a0908u);
  EXPECT_EQ(response.ephemeral[0], 12);
  EXPECT_EQ(response.sealed_nothing[0], 44);
  EXPECT_EQ(response.mac1[0], 60);
  EXPECT_EQ(response.mac2[0], 76);

  const auto cookie = std::get<CookieReply>(*parse_message(as(3, 64)));
  EXPECT_EQ(cookie.receiver.get(), 0x07060504u);
  EXPECT_EQ(cookie.nonce[0], 8);
  EXPECT_EQ(cookie.sealed_cookie[0], 32);

  const auto data = as(4, 40);
  const auto transport = std::get<TransportView>(*parse_message(data));
  EXPECT_EQ(transport.receiver, SessionIndex{0x07060504});
  EXPECT_EQ(transport.counter, 0x0f0e0d0c0b0a0908u);
  EXPECT_EQ(transport.sealed.data(), &data[16]);
  EXPECT_EQ(transport.sealed.size(), 24u);
}

TEST(ParseTransport, AgreesWithParseMessageOnEveryPreamble) {
  for (int type = 0; type < 256; ++type) {
    for (const std::size_t size : {0u, 3u, 4u, 31u, 32u, 64u, 92u, 148u}) {
      SCOPED_TRACE(testing::Message() << "type " << type << ", size " << size);
      const auto bytes = datagram(static_cast<std::uint8_t>(type), size);
      const auto message = parse_message(bytes);
      const auto transport = parse_transport(bytes);
      const bool is_transport = message && std::holds_alternative<TransportView>(*message);
      ASSERT_EQ(bool(transport), is_transport);
      if (type == 4 && !message) {
        EXPECT_EQ(transport.error(), message.error());
      }
    }
  }
}

TEST(WriteTransportHeader, WritesWhatParsingReads) {
  auto bytes = std::vector<std::uint8_t>(32, 0xff);
  write_transport_header(bytes, SessionIndex{0x80000001}, 0xfedcba9876543210);
  const auto transport = parse_transport(bytes);
  ASSERT_TRUE(transport);
  EXPECT_EQ(transport->receiver, SessionIndex{0x80000001});
  EXPECT_EQ(transport->counter, 0xfedcba9876543210u);
  EXPECT_EQ(transport->sealed[0], 0xff);
}

TEST(Drop, HasADistinctSnakeCaseNameForEachReason) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Drop::kCount); ++i) {
    const std::string_view name = name_of(static_cast<Drop>(i));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), name.npos) << name;
  }
  EXPECT_EQ(name_of(Drop::BadMac1), "bad_mac1");
  EXPECT_EQ(name_of(Drop::SourceNotAllowed), "source_not_allowed");
  EXPECT_EQ(name_of(Drop::CongestionMarked), "congestion_marked");
}

}  // namespace
}  // namespace ginnel::wg
