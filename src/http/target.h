// What a request asks for: the path and the query of its first line, taken apart and decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ginnel::http {

struct QueryParameter {
  std::string name;
  std::string value;

  friend bool operator==(const QueryParameter&, const QueryParameter&) = default;
};

struct Target {
  static constexpr std::size_t kMaxBytes = 8192;
  static constexpr std::size_t kMaxSegments = 32;
  static constexpr std::size_t kMaxParameters = 64;

  // "/peers/first%2Fsecond/" is "peers", "first/second"; "/" is none. Never "." or "..".
  std::vector<std::string> segments = {};
  bool trailing_slash = false;
  std::vector<QueryParameter> query = {};

  // Of a path with an optional query, or a whole http or https URL (of which the host is ignored).
  // Refuses broken escapes, control characters in any spelling, and "." and ".." as segments.
  static Result<Target> parse(std::string_view text);
  std::string to_string() const;

  // The first of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;

  friend bool operator==(const Target&, const Target&) = default;
};

}  // namespace ginnel::http
