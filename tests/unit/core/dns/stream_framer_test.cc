#include "core/dns/stream_framer.h"

#include <gtest/gtest.h>

namespace ginnel::dns {
namespace {

Bytes framed(std::size_t size) {
  std::string text;
  append_framed(Bytes(size, 7), text);
  return {text.begin(), text.end()};
}

TEST(StreamFramer, FindsMessagesHoweverTheyArrive) {
  StreamFramer framer(100);
  Bytes stream = framed(12);
  const Bytes second = framed(100);
  stream.insert(stream.end(), second.begin(), second.end());
  std::vector<std::size_t> sizes;
  for (const std::uint8_t byte : stream) {
    framer.append({&byte, 1});
    EXPECT_FALSE(framer.is_hopeless());
    while (auto message = framer.next()) sizes.push_back(message->size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{12, 100}));
  EXPECT_EQ(framer.room(), 102u);
}

TEST(StreamFramer, GivesUpOnLengthsThatNoMessageHas) {
  for (const auto& [size, hopeless] :
       {std::pair{11u, true}, {12u, false}, {100u, false}, {101u, true}}) {
    SCOPED_TRACE(size);
    StreamFramer framer(100);
    framer.append(ByteView(framed(size)).first(2));
    EXPECT_EQ(framer.is_hopeless(), hopeless);
    EXPECT_FALSE(framer.next());
  }
}

}  // namespace
}  // namespace ginnel::dns
