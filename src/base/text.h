// Small text work that every parser needs: trimming, splitting, strict numbers, hex and base64.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ginnel {

std::string_view trim(std::string_view text);

// Splits at every `separator`; an empty text gives one empty piece. Pieces are not trimmed.
std::vector<std::string_view> split(std::string_view text, char separator);

bool equal_ignoring_case(std::string_view a, std::string_view b);

// The whole text as a decimal number from `low` to `high`: no sign but '-', no space, no suffix.
template <class T>
std::optional<T> parse_number(std::string_view text, T low, T high) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

// The whole text as strtoul() reads it, in 64 bits: with base 0, "0x" stands before hexadecimal
// digits and "0" before octal ones. There may be a sign; a negative number counts down from 2^64.
std::optional<std::uint64_t> parse_c_number(std::string_view text, int base);

std::string to_hex(ByteView bytes);

// Strict: exactly 2 * out.size() hex digits, of either case. Returns false and leaves `out`
// unspecified otherwise. Runs in a time that depends on the length only.
bool from_hex(std::string_view text, ByteSpan out);

// RFC 4648 with padding. Decoding is strict: the length must fit `out` exactly, padding is
// required and unused bits must be zero. Both run in a time that depends on the length only,
// because they carry private keys.
std::string to_base64(ByteView bytes);
bool from_base64(std::string_view text, ByteSpan out);

}  // namespace ginnel
