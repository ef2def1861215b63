// A TOML file as a tree of values with positions, and edits that splice its text: bytes that an
// edit does not concern stay as they are, comments and layout included. The text may hold private
// keys, so a document erases its copies when it dies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace ginnel::config {

inline constexpr std::size_t kMaxTomlBytes = 16u << 20;
inline constexpr std::size_t kMaxTomlDots = 128;  // In one dotted key.

struct TomlMember;

struct TomlNode {
  enum class Kind : std::uint8_t { Text, Integer, Boolean, Float, Time, Array, Table };

  Kind kind = Kind::Table;
  bool boolean = false;
  std::uint32_t line = 0;  // Where the value begins, from 1; 0 for the root table.
  std::size_t begin = 0;   // The value's bytes in the document's text; for a table with a header,
  std::size_t end = 0;     // the header's.
  std::int64_t integer = 0;
  std::string text;                 // Text: the value. Float, Time: as written in the file.
  std::vector<TomlNode> items;      // Array, in order.
  std::vector<TomlMember> members;  // Table, in the order of the file.

  TomlNode() = default;
  TomlNode(TomlNode&&) noexcept = default;
  TomlNode& operator=(TomlNode&&) noexcept = default;
  ~TomlNode();

  const TomlMember* find(std::string_view key) const;
};

struct TomlMember {
  std::string key;
  std::uint32_t line = 0;
  std::size_t begin = 0;  // First byte of the key.
  TomlNode value;
};

// What an edit may write.
using TomlValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;
using TomlEntries = std::vector<std::pair<std::string, TomlValue>>;

// Names a table for an edit: "" is the root, {"server"} is [server], {"peer", 2} the third
// [[peer]].
struct TomlPlace {
  std::string_view table;
  std::size_t index = 0;
};

class TomlDocument {
 public:
  // `file` is what errors call the document. Fails with "FILE:LINE: what is wrong".
  static Result<TomlDocument> parse(std::string file, std::string text);

  TomlDocument(TomlDocument&&) noexcept = default;
  TomlDocument& operator=(TomlDocument&& other) noexcept;
  ~TomlDocument();

  const std::string& file() const { return file_; }
  const std::string& text() const { return text_; }
  const TomlNode& root() const { return root_; }

  // Gives a key a value, in place where the key exists, else on a line of its own behind the last
  // entry of the table. A table that does not exist is added at the end. Equal values change
  // nothing. A failed edit changes nothing.
  Status set(TomlPlace place, std::string_view key, const TomlValue& value);
  // Takes the key's lines out, with the comment behind its value. An absent key changes nothing.
  Status remove(TomlPlace place, std::string_view key);
  // Appends [[table]] with these entries.
  Status append_table(std::string_view table, const TomlEntries& entries);
  // Takes out one [[table]] or [table], from its header to the next header's comments.
  Status remove_table(TomlPlace place);

 private:
  TomlDocument() = default;
  const TomlNode* find_table(TomlPlace place) const;
  Status check_editable(TomlPlace place, std::string_view key) const;
  Status insert_entry(const TomlNode& table, std::string line);
  Status append_lines(std::string lines);
  Status splice(std::size_t begin, std::size_t end, std::string_view replacement);
  std::string_view newline() const;
  std::size_t line_start(std::size_t at) const;
  std::size_t line_end(std::size_t at) const;
  std::size_t comments_above(std::size_t line) const;

  std::string file_;
  std::string text_;
  TomlNode root_;
};

// "FILE:LINE: KEY: MESSAGE"; without a line or key these parts are left out.
Error toml_error(std::string_view file, std::uint32_t line, std::string_view key,
                 std::string_view message);
Error toml_error(const TomlDocument& document, std::uint32_t line, std::string_view key,
                 std::string_view message);

// Renders one value and one "key = value" list, as set() and append_table() write them.
std::string to_toml(const TomlValue& value);
std::string to_toml(const TomlEntries& entries);

}  // namespace ginnel::config
