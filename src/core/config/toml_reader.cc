#include "core/config/toml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ginnel::config {
namespace {

// Insertions, removals and replacements between two short words.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<TomlReader::Text> TomlReader::text(std::string_view key) {
  const TomlNode* node = find(key);
  if (!node) return std::nullopt;
  if (node->kind == TomlNode::Kind::Text) return Text{node->text, node->line};
  reject(key, node->line, "must be text; write it in quotes");
  return std::nullopt;
}

std::optional<bool> TomlReader::boolean(std::string_view key) {
  const TomlNode* node = find(key);
  if (!node) return std::nullopt;
  if (node->kind == TomlNode::Kind::Boolean) return node->boolean;
  reject(key, node->line, "must be true or false, without quotes");
  return std::nullopt;
}

std::optional<std::int64_t> TomlReader::number(std::string_view key, std::int64_t low,
                                               std::int64_t high) {
  const TomlNode* node = find(key);
  if (!node) return std::nullopt;
  if (node->kind == TomlNode::Kind::Integer && node->integer >= low && node->integer <= high) {
    return node->integer;
  }
  reject(key, node->line, fmt::format("must be a number from {} to {}, without quotes", low, high));
  return std::nullopt;
}

std::optional<std::vector<TomlReader::Text>> TomlReader::texts(std::string_view key) {
  const TomlNode* node = find(key);
  if (!node) return std::nullopt;
  std::vector<Text> list;
  if (node->kind == TomlNode::Kind::Text) {
    list.push_back({node->text, node->line});
    return list;
  }
  const bool is_array = node->kind == TomlNode::Kind::Array;
  if (!is_array) reject(key, node->line, "must be a list of texts, as [\"one\", \"two\"]");
  for (const TomlNode& item : node->items) {
    if (item.kind != TomlNode::Kind::Text) {
      reject(key, item.line, "every item of the list must be text; write it in quotes");
      continue;
    }
    list.push_back({item.text, item.line});
  }
  return list;
}

const TomlNode* TomlReader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  const TomlMember* member = table_.find(key);
  return member ? &member->value : nullptr;
}

void TomlReader::reject(std::string_view key, std::uint32_t line, std::string_view message) {
  if (!error_) error_ = toml_error(document_, line, key, message);
}

Status TomlReader::finish() {
  for (const TomlMember& member : table_.members) {
    if (std::find(known_.begin(), known_.end(), member.key) == known_.end()) {
      reject_unknown(member);
    }
  }
  if (error_) return std::unexpected(*error_);
  return ok();
}

void TomlReader::reject_unknown(const TomlMember& member) {
  const std::string where = section_.empty() ? "" : fmt::format(" in {}", section_);
  const std::string key = member.key.substr(0, kMaxShownKey);
  if (const auto near = nearest_key(member.key, known_)) {
    reject(key, member.line, fmt::format("unknown key{}; did you mean \"{}\"?", where, *near));
  } else {
    reject(key, member.line,
           fmt::format("unknown key{}; the keys are {}", where, fmt::join(known_, ", ")));
  }
}

std::optional<std::string_view> nearest_key(std::string_view key,
                                            const std::vector<std::string_view>& known) {
  if (key.size() > kMaxShownKey) return std::nullopt;
  std::optional<std::string_view> nearest;
  // A third of the letters may differ; beyond that a suggestion would be a guess.
  std::size_t best = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (const std::string_view candidate : known) {
    // A name cut short, as "listen" for "listen_addr", is as near as one wrong letter.
    const bool is_cut = key.size() > 2 && candidate.starts_with(key);
    const std::size_t distance = is_cut ? 1 : edit_distance(key, candidate);
    if (distance >= best || distance >= candidate.size()) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace ginnel::config
