#include "service/server/qr_code.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace ginnel::server {
namespace {

// A picture of text in half blocks, as a terminal of the given colours draws it.
struct Picture {
  std::vector<std::vector<bool>> rows;  // True: a dark pixel.

  static Picture of(std::string_view text, bool ink_is_dark) {
    Picture picture;
    while (!text.empty()) {
      std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(line.size() + 1);
      std::vector<bool> upper;
      std::vector<bool> lower;
      while (!line.empty()) {
        if (line.starts_with("\x1b[")) {
          line.remove_prefix(line.find('m') + 1);
          continue;
        }
        const std::string_view c = line.substr(0, line.front() == ' ' ? 1 : 3);
        line.remove_prefix(c.size());
        const bool upper_ink = c == "\u2588" || c == "\u2580";
        const bool lower_ink = c == "\u2588" || c == "\u2584";
        EXPECT_TRUE(upper_ink || lower_ink || c == " ") << c;
        upper.push_back(upper_ink == ink_is_dark);
        lower.push_back(lower_ink == ink_is_dark);
      }
      picture.rows.push_back(std::move(upper));
      picture.rows.push_back(std::move(lower));
    }
    return picture;
  }

  void write(const std::string& file) const {
    constexpr std::size_t kScale = 4;
    std::ofstream out(file, std::ios::binary);
    out << "P5 " << rows.front().size() * kScale << " " << rows.size() * kScale << " 255\n";
    for (const auto& row : rows) {
      std::string line;
      for (const bool dark : row) line.append(kScale, dark ? '\0' : '\xff');
      for (std::size_t i = 0; i < kScale; ++i) out << line;
    }
  }
};

// What zbarimg, which knows nothing of this project, reads in the picture.
std::string decode(const Picture& picture) {
  char directory[] = "/tmp/ginnel-qr-XXXXXX";
  EXPECT_NE(::mkdtemp(directory), nullptr);
  const std::string file = std::string(directory) + "/code.pgm";
  picture.write(file);
  std::string text;
  FILE* output = ::popen(("zbarimg --nodbus --quiet --raw " + file).c_str(), "r");
  for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) text += static_cast<char>(c);
  EXPECT_EQ(::pclose(output), 0) << "zbarimg found nothing";
  ::unlink(file.c_str());
  ::rmdir(directory);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string client_file() {
  return "[Interface]\n"
         "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
         "Address = 10.200.100.2/32, fd31:4159:2653::2/128\n"
         "DNS = 9.9.9.9, 2620:fe::fe\n\n"
         "[Peer]\n"
         "PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
         "PresharedKey = FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=\n"
         "AllowedIPs = 0.0.0.0/0, ::/0\n"
         "Endpoint = vpn.example.org:51820\n"
         "PersistentKeepalive = 25";
}

TEST(QrCode, IsReadByAnIndependentReader) {
  struct Row {
    bool coloured;
    std::size_t max_columns;
  };
  const auto code = QrCode::encode(client_file());
  ASSERT_TRUE(code) << code.error().message;
  for (const Row& row :
       {Row{true, 0}, Row{false, 0}, Row{true, code->size() + 4}, Row{false, code->size() + 4}}) {
    SCOPED_TRACE(testing::Message() << row.coloured << " " << row.max_columns);
    const auto text =
        to_terminal_text(*code, {.coloured = row.coloured, .max_columns = row.max_columns});
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(decode(Picture::of(*text, row.coloured)), client_file());
  }
}

TEST(QrCode, HoldsUpToItsLimit) {
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{1000}, QrCode::kMaxBytes - 1, QrCode::kMaxBytes}) {
    SCOPED_TRACE(size);
    std::string wanted;
    for (std::size_t i = 0; i < size; ++i) wanted += static_cast<char>('a' + i * 7 % 26);
    const auto code = QrCode::encode(wanted);
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(decode(Picture::of(*to_terminal_text(*code, {.coloured = true}), true)), wanted);
  }
  for (const std::size_t size : {std::size_t{0}, QrCode::kMaxBytes + 1}) {
    SCOPED_TRACE(size);
    const auto code = QrCode::encode(std::string(size, 'x'));
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().message, "a QR code holds 1 to 2953 bytes, not " + std::to_string(size) +
                                        "; shorten the text");
  }
}

TEST(QrText, KeepsTheQuietZoneAndNarrowsItForLack) {
  const auto code = QrCode::encode("x");
  ASSERT_TRUE(code);
  ASSERT_EQ(code->size(), 21u);
  const auto width = [&](std::size_t columns) -> std::size_t {
    const auto text = to_terminal_text(*code, {.coloured = true, .max_columns = columns});
    if (!text) return 0;
    return Picture::of(*text, true).rows.front().size();
  };
  EXPECT_EQ(width(0), 29u);
  EXPECT_EQ(width(30), 29u);
  EXPECT_EQ(width(29), 29u);
  EXPECT_EQ(width(28), 25u);
  EXPECT_EQ(width(25), 25u);
  EXPECT_EQ(width(24), 0u);
  EXPECT_EQ(to_terminal_text(*code, {.max_columns = 24}).error().message,
            "the QR code needs 25 columns, and here are 24; widen the window");

  const Picture picture = Picture::of(*to_terminal_text(*code, {.coloured = true}), true);
  for (std::size_t y = 0; y < picture.rows.size(); ++y) {
    for (std::size_t x = 0; x < 29; ++x) {
      const bool outside = x < 4 || x >= 25 || y < 4 || y >= 25;
      if (outside) {
        EXPECT_FALSE(picture.rows[y][x]) << x << " " << y;
      }
    }
  }
}

TEST(QrText, UsesEscapesOnlyForColours) {
  const auto code = QrCode::encode("x");

  const std::string plain = *to_terminal_text(*code, {});
  const std::string coloured = *to_terminal_text(*code, {.coloured = true});

  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_TRUE(coloured.starts_with("\x1b[38;5;16;48;5;231m "));
  EXPECT_TRUE(coloured.ends_with("\x1b[0m\n"));
}

}  // namespace
}  // namespace ginnel::server
