// Keys as people paste them and programs send them: each has one spelling in base64 and in
// hexadecimal, and an error says the same of every text, because that may be a secret.
#include "base/check.h"
#include "core/crypto/keys.h"

namespace ginnel::crypto {
namespace {

template <class Key>
void check_errors(std::string_view text) {
  const auto base64 = Key::parse(text);
  if (!base64) CHECK(base64.error().message == Key::parse("").error().message);
  const auto hex = Key::from_hex(text);
  if (!hex) CHECK(hex.error().message == Key::from_hex("").error().message);
}

template <class Key>
void read_secret(std::string_view text) {
  check_errors<Key>(text);
  const auto key = Key::parse(text);
  if (key) CHECK(key->expose_as_base64() == text);
  const auto hex = Key::from_hex(text);
  if (hex) {
    const auto again = Key::from_hex(hex->expose_as_hex());
    CHECK(again && std::ranges::equal(again->expose(), hex->expose()));
  }
}

void read(std::string_view text) {
  check_errors<PublicKey>(text);
  const auto key = PublicKey::parse(text);
  if (key) CHECK(key->to_base64() == text);
  const auto hex = PublicKey::from_hex(text);
  if (hex) CHECK(PublicKey::from_hex(hex->to_hex()).value() == *hex);
  read_secret<PrivateKey>(text);
  read_secret<PresharedKey>(text);
}

}  // namespace
}  // namespace ginnel::crypto

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ginnel::crypto::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
