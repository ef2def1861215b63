#include "core/config/toml_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/text.h"
#include "core/config/secret_text.h"
#include "core/config/toml_parse.h"

namespace ginnel::config {
namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool is_text_list(const TomlNode& node, const std::vector<std::string>& texts) {
  return node.kind == TomlNode::Kind::Array &&
         std::equal(node.items.begin(), node.items.end(), texts.begin(), texts.end(),
                    [](const TomlNode& item, const std::string& text) {
                      return item.kind == TomlNode::Kind::Text && item.text == text;
                    });
}

bool equals(const TomlNode& node, const TomlValue& value) {
  using Kind = TomlNode::Kind;
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return node.kind == Kind::Boolean && node.boolean == *boolean;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return node.kind == Kind::Integer && node.integer == *integer;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return node.kind == Kind::Text && node.text == *text;
  }
  return is_text_list(node, std::get<std::vector<std::string>>(value));
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// How a table is written decides what an edit can do with it: under its own header, in braces, by
// dotted keys, or only implied by the header of a table inside it.
enum class Form { Header, Inline, Dotted, Implied };

Form form_of(const TomlNode& table, std::string_view text) {
  if (text[table.begin] == '{') return Form::Inline;
  if (text[table.begin] != '[') return Form::Dotted;
  const bool is_implied =
      std::any_of(table.members.begin(), table.members.end(),
                  [&](const TomlMember& member) { return member.value.begin == table.begin; });
  return is_implied ? Form::Implied : Form::Header;
}

bool is_header_list(const TomlNode& node, std::string_view text) {
  return node.kind == TomlNode::Kind::Array && !node.items.empty() &&
         node.items[0].kind == TomlNode::Kind::Table &&
         form_of(node.items[0], text) == Form::Header;
}

// Calls `visit(node)` for `node` and everything below it.
template <class Visit>
void walk(const TomlNode& node, const Visit& visit) {
  visit(node);
  for (const TomlNode& item : node.items) walk(item, visit);
  for (const TomlMember& member : node.members) walk(member.value, visit);
}

// The last of the lines that belong to this table itself, not to a table with its own header.
const TomlMember* last_entry(const TomlNode& table, std::string_view text) {
  const TomlMember* last = nullptr;
  for (const TomlMember& member : table.members) {
    const TomlMember* candidate = &member;
    if (is_header_list(member.value, text)) continue;
    if (member.value.kind == TomlNode::Kind::Table) {
      const Form form = form_of(member.value, text);
      if (form == Form::Header || form == Form::Implied) continue;
      if (form == Form::Dotted) candidate = last_entry(member.value, text);
    }
    if (candidate && (!last || candidate->value.end > last->value.end)) last = candidate;
  }
  return last;
}

}  // namespace

TomlNode::~TomlNode() { erase_text(text); }

const TomlMember* TomlNode::find(std::string_view key) const {
  for (const TomlMember& member : members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

Result<TomlDocument> TomlDocument::parse(std::string file, std::string text) {
  TomlDocument document;
  document.file_ = std::move(file);
  document.text_ = std::move(text);
  auto root = parse_toml(document.file_, document.text_);
  if (!root) return pass(std::move(root));
  document.root_ = std::move(*root);
  return document;
}

TomlDocument& TomlDocument::operator=(TomlDocument&& other) noexcept {
  if (this == &other) return *this;
  erase_text(text_);
  file_ = std::move(other.file_);
  text_ = std::move(other.text_);
  root_ = std::move(other.root_);
  return *this;
}

TomlDocument::~TomlDocument() { erase_text(text_); }

Status TomlDocument::set(TomlPlace place, std::string_view key, const TomlValue& value) {
  CHECK(is_bare_key(key));
  std::string line = fmt::format("{} = {}", key, to_toml(value));
  const TomlNode* table = find_table(place);
  if (!table && place.index == 0) {
    CHECK(is_bare_key(place.table));
    return append_lines(fmt::format("[{}]{}{}", place.table, newline(), line));
  }
  if (Status writable = check_editable(place, key); !writable) return writable;
  const TomlMember* member = table->find(key);
  if (member && equals(member->value, value)) return ok();
  if (member) return splice(member->value.begin, member->value.end, to_toml(value));
  return insert_entry(*table, std::move(line));
}

Status TomlDocument::remove(TomlPlace place, std::string_view key) {
  const TomlNode* table = find_table(place);
  const TomlMember* member = table ? table->find(key) : nullptr;
  if (!member) return ok();
  if (Status writable = check_editable(place, key); !writable) return writable;
  return splice(line_start(member->begin), line_end(member->value.end), "");
}

Status TomlDocument::append_table(std::string_view table, const TomlEntries& entries) {
  CHECK(is_bare_key(table));
  std::string lines = fmt::format("[[{}]]", table);
  for (const auto& [key, value] : entries) {
    CHECK(is_bare_key(key));
    lines += fmt::format("{}{} = {}", newline(), key, to_toml(value));
  }
  return append_lines(std::move(lines));
}

Status TomlDocument::remove_table(TomlPlace place) {
  const TomlNode* table = find_table(place);
  if (!table) return ok();
  if (place.table.empty() || form_of(*table, text_) != Form::Header) {
    return std::unexpected(toml_error(*this, table->line, place.table,
                                      "has no header of its own; take it out of the file by hand"));
  }
  std::size_t inside = table->begin;  // The last header that goes with this one.
  walk(*table, [&](const TomlNode& node) {
    if (node.kind == TomlNode::Kind::Table && form_of(node, text_) == Form::Header) {
      inside = std::max(inside, node.begin);
    }
  });
  std::size_t next = text_.size();
  walk(root_, [&](const TomlNode& node) {
    if (&node != &root_ && node.kind == TomlNode::Kind::Table && node.begin > inside &&
        form_of(node, text_) == Form::Header) {
      next = std::min(next, node.begin);
    }
  });
  std::size_t begin = comments_above(line_start(table->begin));
  const std::size_t end = next == text_.size() ? next : comments_above(line_start(next));
  // At the end of the file the blank line that set the table off goes with it.
  if (end == text_.size() && begin > 0) {
    const std::size_t above = line_start(begin - 1);
    if (trim(std::string_view(text_).substr(above, begin - above)).empty()) begin = above;
  }
  return splice(begin, end, "");
}

const TomlNode* TomlDocument::find_table(TomlPlace place) const {
  if (place.table.empty()) return &root_;
  const TomlMember* member = root_.find(place.table);
  if (!member) return nullptr;
  const TomlNode& node = member->value;
  if (node.kind == TomlNode::Kind::Table) return place.index == 0 ? &node : nullptr;
  if (node.kind != TomlNode::Kind::Array || place.index >= node.items.size()) return nullptr;
  const TomlNode& item = node.items[place.index];
  return item.kind == TomlNode::Kind::Table ? &item : nullptr;
}

// An edit may only touch whole lines, or a value that is already there.
Status TomlDocument::check_editable(TomlPlace place, std::string_view key) const {
  const TomlNode* table = find_table(place);
  if (!table) {
    return std::unexpected(toml_error(*this, 0, place.table, "there is no such table to edit"));
  }
  if (table != &root_ && form_of(*table, text_) != Form::Header) {
    return std::unexpected(
        toml_error(*this, table->line, place.table,
                   fmt::format("cannot be edited in this form; write it as [{}] with one key a "
                               "line",
                               place.table)));
  }
  const TomlMember* member = table->find(key);
  if (member &&
      (is_header_list(member->value, text_) || (member->value.kind == TomlNode::Kind::Table &&
                                                form_of(member->value, text_) != Form::Inline))) {
    return std::unexpected(
        toml_error(*this, member->line, key, "is a table; a single value belongs here"));
  }
  return ok();
}

Status TomlDocument::insert_entry(const TomlNode& table, std::string line) {
  std::size_t at = 0;
  if (const TomlMember* last = last_entry(table, text_)) {
    const std::size_t start = line_start(last->begin);
    const std::size_t indent = text_.find_first_not_of(" \t", start) - start;
    line.insert(0, text_.substr(start, indent));
    at = line_end(last->value.end);
  } else if (&table != &root_) {
    at = line_end(table.end);
  } else {
    std::size_t first_header = text_.size();
    for (const TomlMember& member : root_.members) {
      walk(member.value, [&](const TomlNode& node) {
        if (node.kind == TomlNode::Kind::Table) first_header = std::min(first_header, node.begin);
      });
    }
    at = first_header == text_.size() ? first_header : comments_above(line_start(first_header));
    if (at != text_.size()) line += newline();
  }
  const bool needs_newline = at > 0 && at == text_.size() && text_.back() != '\n';
  line.insert(0, needs_newline ? newline() : "");
  line += newline();
  return splice(at, at, line);
}

Status TomlDocument::append_lines(std::string lines) {
  std::string block;
  if (!text_.empty() && text_.back() != '\n') block += newline();
  if (!trim(text_).empty()) block += newline();
  block += lines;
  block += newline();
  erase_text(lines);
  return splice(text_.size(), text_.size(), block);
}

// Parses what the edit would leave before taking it, so that no edit can break a file.
Status TomlDocument::splice(std::size_t begin, std::size_t end, std::string_view replacement) {
  std::string edited;
  edited.reserve(text_.size() + replacement.size());
  edited.append(text_, 0, begin).append(replacement).append(text_, end);
  auto root = parse_toml(file_, edited);
  if (!root) {
    erase_text(edited);
    return std::unexpected(Error{root.error().code, root.error().message + " (after the edit)"});
  }
  erase_text(text_);
  text_ = std::move(edited);
  root_ = std::move(*root);
  return ok();
}

std::string_view TomlDocument::newline() const {
  const std::size_t at = text_.find('\n');
  return at != std::string::npos && at > 0 && text_[at - 1] == '\r' ? "\r\n" : "\n";
}

std::size_t TomlDocument::line_start(std::size_t at) const {
  if (at == 0) return 0;
  const std::size_t newline = text_.rfind('\n', at - 1);
  return newline == std::string::npos ? 0 : newline + 1;
}

// Behind the newline of the line that `at` is in.
std::size_t TomlDocument::line_end(std::size_t at) const {
  const std::size_t newline = text_.find('\n', at);
  return newline == std::string::npos ? text_.size() : newline + 1;
}

// Where the unbroken block of comment lines above the line at `line` starts. A line of a multi-line
// string may look like a comment, so the search stops at the last value above.
std::size_t TomlDocument::comments_above(std::size_t line) const {
  std::size_t bound = 0;
  walk(root_, [&](const TomlNode& node) {
    if (node.line != 0 && node.end <= line) bound = std::max(bound, node.end);
  });
  while (line > 0) {
    const std::size_t above = line_start(line - 1);
    if (above < bound) return line;
    if (!trim(std::string_view(text_).substr(above, line - above)).starts_with('#')) return line;
    line = above;
  }
  return line;
}

Error toml_error(std::string_view file, std::uint32_t line, std::string_view key,
                 std::string_view message) {
  std::string text(file);
  if (line != 0) text += fmt::format(":{}", line);
  if (!key.empty()) text += fmt::format(": {}", key);
  text += fmt::format(": {}", message);
  // A quoted key may hold a line break; an error is one line.
  for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return {ErrorCode::InvalidArgument, std::move(text)};
}

Error toml_error(const TomlDocument& document, std::uint32_t line, std::string_view key,
                 std::string_view message) {
  return toml_error(document.file(), line, key, message);
}

std::string to_toml(const TomlValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  std::string list = "[";
  for (const std::string& text : std::get<std::vector<std::string>>(value)) {
    if (list.size() > 1) list += ", ";
    list += quoted(text);
  }
  return list + "]";
}

std::string to_toml(const TomlEntries& entries) {
  std::string lines;
  for (const auto& [key, value] : entries) {
    CHECK(is_bare_key(key));
    lines += fmt::format("{} = {}\n", key, to_toml(value));
  }
  return lines;
}

}  // namespace ginnel::config
