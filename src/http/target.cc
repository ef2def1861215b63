#include "http/target.h"

#include <fmt/format.h>

#include "base/text.h"

namespace ginnel::http {
namespace {

std::unexpected<Error> bad(std::string_view problem) {
  return fail(ErrorCode::InvalidArgument, fmt::format("the request's target {}", problem));
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      std::array<std::uint8_t, 1> byte;
      if (!from_hex(text.substr(i + 1, 2), byte)) return std::nullopt;
      c = static_cast<char>(byte[0]);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (is_control(static_cast<unsigned char>(c))) return std::nullopt;
    decoded += c;
  }
  return decoded;
}

// RFC 3986: what stands for itself everywhere in a path or a query.
bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void encode(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

Status read_path(std::string_view path, Target& target) {
  path.remove_prefix(1);
  if (path.empty()) return ok();
  for (const std::string_view piece : split(path, '/')) {
    auto segment = decode(piece, false);
    if (!segment) return bad("has a broken escape or a control character");
    if (*segment == "." || *segment == "..") return bad("has a relative path");
    target.segments.push_back(std::move(*segment));
  }
  if (target.segments.back().empty()) {
    target.segments.pop_back();
    target.trailing_slash = true;
  }
  if (target.segments.size() > Target::kMaxSegments) return bad("has too many segments");
  return ok();
}

Status read_query(std::string_view query, Target& target) {
  for (const std::string_view piece : split(query, '&')) {
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    auto name = decode(piece.substr(0, equals), true);
    auto value = decode(piece.substr(std::min(equals + 1, piece.size())), true);
    if (!name || !value) return bad("has a broken escape or a control character");
    target.query.push_back({std::move(*name), std::move(*value)});
    if (target.query.size() > Target::kMaxParameters) return bad("has too many parameters");
  }
  return ok();
}

// The path and query of an absolute URL, which proxies send (RFC 9112, section 3.2.2).
std::string_view without_authority(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.size() < scheme.size() ||
        !equal_ignoring_case(text.substr(0, scheme.size()), scheme)) {
      continue;
    }
    const std::size_t path = text.find_first_of("/?", scheme.size());
    return path == std::string_view::npos ? "/" : text.substr(path);
  }
  return text;
}

}  // namespace

Result<Target> Target::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return bad("is too long");
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '#') return bad("has a character that must be escaped");
  }
  text = without_authority(text);
  const std::size_t question = std::min(text.find('?'), text.size());
  std::string_view path = text.substr(0, question);
  if (path.empty() && question < text.size()) path = "/";
  if (!path.starts_with('/')) return bad("does not begin with /");
  Target target;
  if (Status read = read_path(path, target); !read) return pass(std::move(read));
  if (question < text.size()) {
    if (Status read = read_query(text.substr(question + 1), target); !read) {
      return pass(std::move(read));
    }
  }
  return target;
}

std::string Target::to_string() const {
  std::string text;
  for (const std::string& segment : segments) {
    text += '/';
    encode(text, segment);
  }
  if (text.empty() || trailing_slash) text += '/';
  char separator = '?';
  for (const QueryParameter& parameter : query) {
    text += separator;
    encode(text, parameter.name);
    text += '=';
    encode(text, parameter.value);
    separator = '&';
  }
  return text;
}

std::optional<std::string_view> Target::parameter(std::string_view name) const {
  for (const QueryParameter& parameter : query) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

}  // namespace ginnel::http
