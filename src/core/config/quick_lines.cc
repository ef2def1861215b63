#include "core/config/quick_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace ginnel::config {
namespace {

constexpr std::string_view kOwnKeys[] = {"address", "dns",     "mtu",      "table",     "preup",
                                         "postup",  "predown", "postdown", "saveconfig"};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

bool is_own_key(std::string_view key) {
  return std::ranges::find(kOwnKeys, key) != std::end(kOwnKeys);
}

bool is_hook_key(std::string_view key) {
  return key == "preup" || key == "postup" || key == "predown" || key == "postdown";
}

// `plain` is the line without its comment, of both.

void read_own_line(std::string_view plain, QuickLine& line) {
  line.kind = QuickLine::Kind::Own;
  line.key = lowered(trim(plain.substr(0, plain.find('='))));
  const std::size_t equals = plain.find('=');
  line.has_value = equals != std::string_view::npos;
  if (!line.has_value) {
    line.value = trim(plain);
    return;
  }
  // A hook may use '#' as the shell does.
  line.value = trim((is_hook_key(line.key) ? line.text : plain).substr(equals + 1));
}

// `wg` looks at no space at all, inside keys and values neither.
void read_wg_line(std::string_view plain, QuickLine& line) {
  std::string seen;
  std::ranges::copy_if(plain, std::back_inserter(seen), [](char c) { return !is_space(c); });
  if (seen.empty()) return;
  if (seen.starts_with('[')) {
    line.kind = QuickLine::Kind::Section;
    line.key = lowered(seen);
    return;
  }
  line.kind = QuickLine::Kind::Wg;
  const std::size_t equals = seen.find('=');
  line.key = lowered(seen.substr(0, equals));
  line.has_value = equals != std::string::npos;
  if (line.has_value) line.value = seen.substr(equals + 1);
}

}  // namespace

std::vector<QuickLine> quick_lines(std::string_view text) {
  std::vector<QuickLine> lines;
  bool in_interface = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    QuickLine& line = lines.emplace_back();
    line.number = lines.size();
    line.text = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);

    const std::string_view plain = line.text.substr(0, line.text.find('#'));
    const std::string_view key = trim(plain.substr(0, plain.find('=')));
    if (key.starts_with('[')) in_interface = lowered(key) == "[interface]";
    if (in_interface && is_own_key(lowered(key))) {
      read_own_line(plain, line);
    } else {
      read_wg_line(plain, line);
    }
  }
  return lines;
}

bool is_quick_interface(std::string_view text) {
  const auto fits = [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_=+.-").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxQuickInterfaceName && std::ranges::all_of(text, fits);
}

Result<std::string> quick_interface(std::string_view path) {
  constexpr std::string_view kSuffix = ".conf";
  std::string_view name = path.substr(path.rfind('/') + 1);
  const bool has_suffix = name.ends_with(kSuffix);
  if (has_suffix) name.remove_suffix(kSuffix.size());
  // The kernel's own settings and folders have these names.
  const bool is_reserved = name == "all" || name == "default" || name == "." || name == "..";
  if (is_reserved) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{}: no interface can be called \"{}\"; give the file another name",
                            path, name));
  }
  if (has_suffix && is_quick_interface(name)) return std::string(name);
  return fail(ErrorCode::InvalidArgument,
              std::string(path) +
                  ": a configuration file is named after its interface: 1 to 15 of "
                  "a-z A-Z 0-9 _ = + . - and \".conf\", like wg0.conf");
}

std::string expand_hook(std::string_view hook, std::string_view interface) {
  std::string result;
  for (std::size_t at = 0; at < hook.size();) {
    const std::size_t found = std::min(hook.find("%i", at), hook.size());
    result += hook.substr(at, found - at);
    if (found < hook.size()) result += interface;
    at = found + 2;
  }
  return result;
}

}  // namespace ginnel::config
