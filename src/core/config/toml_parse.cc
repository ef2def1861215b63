#include "core/config/toml_parse.h"

// Without exceptions the library returns its errors, and it is compiled here only.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/check.h"
#include "core/config/secret_text.h"

namespace ginnel::config {
namespace {

// Turns the library's positions (lines and columns in code points, from 1) into byte offsets.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text) {
    // A byte order mark is no column.
    line_starts_.push_back(text.starts_with("\xef\xbb\xbf") ? 3 : 0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  std::size_t at(const toml::source_position& position) {
    if (position.line < 1 || position.line > line_starts_.size()) return text_.size();
    // Values of one line mostly come in order, so counting goes on where it stopped.
    if (position.line != line_ || position.column < column_) {
      line_ = position.line;
      column_ = 1;
      offset_ = line_starts_[line_ - 1];
    }
    while (column_ < position.column && offset_ < text_.size()) {
      ++offset_;
      while (offset_ < text_.size() && (text_[offset_] & 0xc0) == 0x80) ++offset_;
      ++column_;
    }
    return offset_;
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> line_starts_;
  toml::source_index line_ = 0;
  toml::source_index column_ = 1;
  std::size_t offset_ = 0;
};

class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text), offsets_(text) {}

  // Moves the strings of `from` out: they may be keys, and the tree erases its strings.
  TomlNode build(toml::node& from) {
    TomlNode node;
    node.line = from.source().begin.line;
    node.begin = offsets_.at(from.source().begin);
    node.end = offsets_.at(from.source().end);
    if (toml::table* table = from.as_table()) {
      add_members(*table, node);
    } else if (toml::array* array = from.as_array()) {
      node.kind = TomlNode::Kind::Array;
      for (toml::node& item : *array) node.items.push_back(build(item));
    } else {
      read_scalar(from, node);
    }
    return node;
  }

 private:
  void add_members(toml::table& table, TomlNode& node) {
    node.kind = TomlNode::Kind::Table;
    for (auto&& [key, value] : table) {
      TomlMember member;
      member.key = std::string(key.str());
      member.line = key.source().begin.line;
      member.begin = offsets_.at(key.source().begin);
      member.value = build(value);
      node.members.push_back(std::move(member));
    }
    std::sort(node.members.begin(), node.members.end(),
              [](const TomlMember& a, const TomlMember& b) { return a.begin < b.begin; });
  }

  void read_scalar(toml::node& from, TomlNode& node) {
    if (toml::value<std::string>* text = from.as_string()) {
      node.kind = TomlNode::Kind::Text;
      node.text = std::move(text->get());
    } else if (toml::value<std::int64_t>* integer = from.as_integer()) {
      node.kind = TomlNode::Kind::Integer;
      node.integer = integer->get();
    } else if (toml::value<bool>* boolean = from.as_boolean()) {
      node.kind = TomlNode::Kind::Boolean;
      node.boolean = boolean->get();
    } else {
      node.kind = from.is_floating_point() ? TomlNode::Kind::Float : TomlNode::Kind::Time;
      node.text = std::string(text_.substr(node.begin, node.end - node.begin));
    }
  }

  std::string_view text_;
  Offsets offsets_;
};

// Arrays and braces are bounded by the library; dotted keys are not, and every dot is a level of
// recursion. Dots in prose, as in "...", have no name between them and are not counted.
bool is_too_deep(std::string_view text) {
  std::size_t dots = 0;
  char previous = '\n';
  for (const char c : text) {
    if (c == '\n' || c == '=' || c == ',' || c == '{' || c == '[') dots = 0;
    if (c == '.' && previous != '.' && ++dots > kMaxTomlDots) return true;
    if (c != ' ' && c != '\t') previous = c;
  }
  return false;
}

}  // namespace

Result<TomlNode> parse_toml(std::string_view file, std::string_view text) {
  if (text.size() > kMaxTomlBytes) {
    return fail(ErrorCode::Exhausted, fmt::format("{}: is {} bytes long; at most {} are read", file,
                                                  text.size(), kMaxTomlBytes));
  }
  if (is_too_deep(text)) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: a key has more than {} dots; write tables with headers", file,
                            kMaxTomlDots));
  }
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return std::unexpected(toml_error(file, error.source().begin.line, "",
                                      fmt::format("not valid TOML: {}", error.description())));
  }
  TomlNode root = TreeBuilder(text).build(parsed.table());
  root.line = 0;
  root.begin = 0;
  root.end = text.size();
  return root;
}

}  // namespace ginnel::config
