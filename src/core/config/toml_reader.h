// Reads one table of a TOML document key by key. The first thing that is wrong is kept and returned
// by finish(), so that a reader is a list of keys and not of error checks; finish() also refuses
// keys that nobody asked for, naming the nearest one that exists.
#pragma once

#include <optional>

#include "core/config/toml_document.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxShownKey = 64;  // Of a key that is not ours, in an error.

class TomlReader {
 public:
  // A text with the line that it is on.
  struct Text {
    std::string_view text;
    std::uint32_t line = 0;
  };

  // `section` is how errors call the table, as "[server]"; empty for a file without sections.
  // Borrows all three until it dies.
  TomlReader(const TomlDocument& document, const TomlNode& table, std::string_view section)
      : document_(document), table_(table), section_(section) {}

  std::optional<Text> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> number(std::string_view key, std::int64_t low, std::int64_t high);
  // An array of texts, or one text by itself. An absent key has no value, an empty array an empty
  // list.
  std::optional<std::vector<Text>> texts(std::string_view key);

  // The same, through `parse`, which is called with a text and returns a Result.
  template <class Parse>
  auto parsed(std::string_view key, Parse parse)
      -> std::optional<typename decltype(parse(std::string_view()))::value_type> {
    const auto value = text(key);
    if (!value) return std::nullopt;
    auto result = parse(value->text);
    if (result) return std::move(*result);
    reject(key, value->line, result.error().message);
    return std::nullopt;
  }
  template <class Parse>
  auto parsed_list(std::string_view key, Parse parse)
      -> std::optional<std::vector<typename decltype(parse(std::string_view()))::value_type>> {
    const auto values = texts(key);
    if (!values) return std::nullopt;
    std::vector<typename decltype(parse(std::string_view()))::value_type> list;
    for (const Text& value : *values) {
      auto result = parse(value.text);
      if (result) {
        list.push_back(std::move(*result));
      } else {
        reject(key, value.line, result.error().message);
      }
    }
    return list;
  }

  // Notes that `key` is known, for the sake of unknown ones, and returns its value if it is there.
  const TomlNode* find(std::string_view key);

  // Keeps the first error: "FILE:LINE: KEY: MESSAGE".
  void reject(std::string_view key, std::uint32_t line, std::string_view message);

  // The line of the table's header; 0 for the root.
  std::uint32_t line() const { return table_.line; }

  // The first error, or one about the first unknown key.
  Status finish();

 private:
  void reject_unknown(const TomlMember& member);

  const TomlDocument& document_;
  const TomlNode& table_;
  std::string_view section_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

// The entry of `known` that `key` was probably meant to be; none if nothing is near.
std::optional<std::string_view> nearest_key(std::string_view key,
                                            const std::vector<std::string_view>& known);

}  // namespace ginnel::config
