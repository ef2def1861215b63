#include "cli/path_flags.h"

#include <gtest/gtest.h>

#include "unit/cli/string_io.h"

namespace ginnel::cli {
namespace {

constexpr Flag kOwn[] = {{.name = "--json", .help = "a switch"}};
constexpr auto kFlags = with_path_flags(kOwn);

constexpr Verb kVerb{.name = "test",
                     .summary = "test",
                     .flags = kFlags,
                     .exits = {},
                     .example = "",
                     .page = "",
                     .run = nullptr};

using Words = std::vector<std::string>;

Args parsed(Words words, const StringIo& io = {}) {
  auto args = Args::parse(kVerb, std::move(words), io);
  if (!args) ADD_FAILURE() << args.error().message;
  return std::move(args).value();
}

// What is off.
std::string off(const tunnel::PathChoice& choice) {
  std::string text;
  const auto add = [&](bool is_on, std::string_view name) {
    if (!is_on) text += fmt::format("{} ", name);
  };
  add(choice.tun_offloads.tcp_v4, "tso4");
  add(choice.tun_offloads.tcp_v6, "tso6");
  add(choice.tun_offloads.udp, "uso");
  add(choice.udp_gso.v4, "gso4");
  add(choice.udp_gso.v6, "gso6");
  add(choice.udp_gro.v4, "gro4");
  add(choice.udp_gro.v6, "gro6");
  return text;
}

TEST(PathFlags, SwitchOffWhatTheyName) {
  const std::pair<Words, std::string_view> rows[] = {
      {{}, ""},
      {{"--no-tun-offload"}, "tso4 tso6 uso "},
      {{"--no-tun-tso4"}, "tso4 "},
      {{"--no-tun-tso6"}, "tso6 "},
      {{"--no-tun-uso"}, "uso "},
      {{"--no-udp-gso"}, "gso4 gso6 "},
      {{"--no-udp-gso4"}, "gso4 "},
      {{"--no-udp-gso6"}, "gso6 "},
      {{"--no-udp-gro"}, "gro4 gro6 "},
      {{"--no-udp-gro4"}, "gro4 "},
      {{"--no-udp-gro6"}, "gro6 "},
      {{"--no-udp-gro6", "--no-tun-uso"}, "uso gro6 "},
  };
  for (const auto& [words, wanted] : rows) {
    SCOPED_TRACE(words.empty() ? "nothing" : words.front());
    const auto choice = path_choice(parsed(words));
    ASSERT_TRUE(choice);
    EXPECT_EQ(off(*choice), wanted);
    EXPECT_EQ(choice->aead, crypto::AeadLibrary::Automatic);
  }
}

TEST(PathFlags, HaveTwinsInTheEnvironment) {
  for (const Flag& flag : kPathFlags) {
    if (!flag.value.empty()) continue;
    SCOPED_TRACE(flag.name);
    StringIo io;
    io.variables = {{environment_name(flag), "1"}};
    const auto by_line = path_choice(parsed({std::string(flag.name)}));
    const auto by_environment = path_choice(parsed({}, io));
    ASSERT_TRUE(by_line && by_environment);
    EXPECT_NE(off(*by_environment), "");
    EXPECT_EQ(off(*by_environment), off(*by_line));
  }
}

TEST(PathFlags, NameTheLibrary) {
  using crypto::AeadLibrary;
  const std::pair<const char*, AeadLibrary> rows[] = {
      {"auto", AeadLibrary::Automatic},          {"openssl", AeadLibrary::OpenSsl},
      {"ipsec-mb", AeadLibrary::IpsecMb},        {"ipsec-mb-avx2", AeadLibrary::IpsecMbAvx2},
      {"ipsec-mb-sse", AeadLibrary::IpsecMbSse},
  };
  for (const auto& [name, library] : rows) {
    const auto choice = path_choice(parsed({"--aead", name}));
    ASSERT_TRUE(choice) << name;
    EXPECT_EQ(choice->aead, library) << name;
    EXPECT_NE(kPathFlags[0].words.find(name), std::string_view::npos) << name;
  }
  const auto refused = path_choice(parsed({"--aead", "rot13"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
}

TEST(PathFlags, AreHandedToAChildAsTheyWereMeant) {
  EXPECT_EQ(path_words(parsed({}), StringIo()), Words{});
  EXPECT_EQ(path_words(parsed({"--no-udp-gso", "--json", "--aead", "openssl"}), StringIo()),
            (Words{"--aead=openssl", "--no-udp-gso"}));
  StringIo io;
  io.variables = {{"GINNEL_NO_TUN_USO", "1"}, {"GINNEL_NO_UDP_GRO", "1"}};
  EXPECT_EQ(path_words(parsed({"--no-tun-uso=false"}, io), io),
            (Words{"--no-tun-uso=false", "--no-udp-gro"}));
}

TEST(PathFlags, AreExplainedByOneVerbAndNamedByOthers) {
  constexpr auto kRare = with_rare_path_flags(kOwn);
  for (std::size_t i = 0; i < kFlags.size(); ++i) {
    EXPECT_EQ(kRare[i].name, kFlags[i].name);
    EXPECT_FALSE(kFlags[i].is_rare);
    EXPECT_EQ(kRare[i].is_rare, i > 0);
  }
}

}  // namespace
}  // namespace ginnel::cli
