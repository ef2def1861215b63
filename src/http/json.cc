#include "http/json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

// The whole of Boost.JSON is compiled in this file: it needs no library package then.
#include <boost/json/src.hpp>

namespace ginnel::http {
namespace {

// What of a key from outside may stand in a message.
constexpr std::size_t kMaxPrintedKey = 40;

std::string printable(std::string_view key) {
  std::string text(key.substr(0, kMaxPrintedKey));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (key.size() > kMaxPrintedKey) text += "...";
  return text;
}

// How many bytes of `text` are one UTF-8 character (Unicode, table 3-7); 0 when they are none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2   ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  // The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF.
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return length;
}

void escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  } else {
    out += c;
  }
}

}  // namespace

bool JsonNode::is_null() const { return value_->is_null(); }
bool JsonNode::is_array() const { return value_->is_array(); }
bool JsonNode::is_object() const { return value_->is_object(); }

std::optional<bool> JsonNode::as_bool() const {
  const bool* value = value_->if_bool();
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::string_view> JsonNode::as_string() const {
  const boost::json::string* value = value_->if_string();
  if (value == nullptr) return std::nullopt;
  return std::string_view(value->data(), value->size());
}

std::optional<double> JsonNode::as_number() const {
  if (const double* value = value_->if_double()) return *value;
  if (const auto value = as_int64()) return static_cast<double>(*value);
  if (const auto value = as_uint64()) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::int64_t> JsonNode::as_int64() const {
  const std::int64_t* value = value_->if_int64();
  return value ? std::optional(*value) : std::nullopt;
}

std::optional<std::uint64_t> JsonNode::as_uint64() const {
  const std::uint64_t* value = value_->if_uint64();
  return value ? std::optional(*value) : std::nullopt;
}

std::size_t JsonNode::size() const {
  if (const auto* array = value_->if_array()) return array->size();
  if (const auto* object = value_->if_object()) return object->size();
  return 0;
}

JsonNode JsonNode::element(std::size_t index) const { return JsonNode(value_->get_array()[index]); }

std::pair<std::string_view, JsonNode> JsonNode::member_at(std::size_t index) const {
  const auto& member = *(value_->get_object().begin() + static_cast<std::ptrdiff_t>(index));
  return {std::string_view(member.key().data(), member.key().size()), JsonNode(member.value())};
}

std::optional<JsonNode> JsonNode::member(std::string_view name) const {
  const auto* object = value_->if_object();
  if (object == nullptr) return std::nullopt;
  const boost::json::value* value = object->if_contains({name.data(), name.size()});
  if (value == nullptr) return std::nullopt;
  return JsonNode(*value);
}

std::string_view JsonNode::kind() const {
  switch (value_->kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "true or false";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "an array";
    case boost::json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

Result<JsonDocument> JsonDocument::parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorCode::InvalidArgument, fmt::format("{} bytes of JSON; at most {} are read",
                                                        text.size(), limits.max_bytes));
  }
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::parser parser({}, options);
  boost::json::error_code error;
  const std::size_t end = parser.write(text.data(), text.size(), error);
  if (error == boost::json::error::too_deep) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("nested too deeply; at most {} levels are read", limits.max_depth));
  }
  if (error == boost::json::error::incomplete) {
    return fail(ErrorCode::InvalidArgument,
                text.empty() ? "no JSON; expected a document" : "the JSON ends too early");
  }
  if (error) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("not JSON at byte {}: {}", end, error.message()));
  }
  return JsonDocument(std::make_unique<boost::json::value>(parser.release()));
}

JsonDocument::JsonDocument(std::unique_ptr<boost::json::value> value) : value_(std::move(value)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

std::string JsonPlace::path() const {
  if (parent_ == nullptr) return {};
  const std::string above = parent_->path();
  if (index_ != kMember) return fmt::format("{}[{}]", above, index_);
  return above.empty() ? printable(name_) : above + "." + printable(name_);
}

std::unexpected<Error> JsonPlace::error(std::string_view problem) const {
  const std::string where = path();
  return fail(ErrorCode::InvalidArgument,
              where.empty() ? std::string(problem) : fmt::format("{}: {}", where, problem));
}

std::unexpected<Error> JsonPlace::expected(std::string_view what, JsonNode found) const {
  return error(fmt::format("expected {}, not {}", what, found.kind()));
}

void JsonWriter::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
  text_ += bracket;
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  text_ += ':';
  needs_comma_ = false;
}

void JsonWriter::null() {
  separate();
  text_ += "null";
}

void JsonWriter::boolean(bool value) {
  separate();
  text_ += value ? "true" : "false";
}

void JsonWriter::integer(std::int64_t value) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonWriter::unsigned_integer(std::uint64_t value) {
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  fmt::format_to(std::back_inserter(text_), "{}", value);
}

void JsonWriter::string(std::string_view value) {
  separate();
  quote(value);
}

void JsonWriter::quote(std::string_view value) {
  text_ += '"';
  while (!value.empty()) {
    const std::size_t length = utf8_length(value);
    if (length == 0) {
      text_ += "\xef\xbf\xbd";
    } else if (length == 1) {
      escape(text_, value.front());
    } else {
      text_ += value.substr(0, length);
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text_ += '"';
}

namespace json_types {

std::string snake_case(std::string_view pascal_case) {
  std::string text;
  for (const char c : pascal_case) {
    if (c >= 'A' && c <= 'Z') {
      if (!text.empty()) text += '_';
      text += static_cast<char>(c - 'A' + 'a');
    } else {
      text += c;
    }
  }
  return text;
}

std::unexpected<Error> not_in_range(const JsonPlace& place, std::int64_t low, std::uint64_t high,
                                    JsonNode found) {
  const std::string wanted = fmt::format("expected a whole number from {} to {}", low, high);
  if (found.as_number()) return place.error(wanted);
  return place.error(fmt::format("{}, not {}", wanted, found.kind()));
}

std::unexpected<Error> not_an_enumerator(const JsonPlace& place, std::vector<std::string> names,
                                         JsonNode found) {
  const std::string wanted = fmt::format("expected \"{}\"", fmt::join(names, "\" or \""));
  if (found.as_string()) return place.error(wanted);
  return place.error(fmt::format("{}, not {}", wanted, found.kind()));
}

Status read_duration(JsonNode node, Duration& out, const JsonPlace& place) {
  // About 292 years: what nanoseconds in 64 bits hold.
  constexpr double kMaxSeconds = 9.2e9;
  const auto seconds = node.as_number();
  if (!seconds) return place.expected("a number of seconds", node);
  if (*seconds < -kMaxSeconds || *seconds > kMaxSeconds) {
    return place.error(fmt::format("expected a number of seconds up to {:.0f}", kMaxSeconds));
  }
  out = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
  return ok();
}

}  // namespace json_types

}  // namespace ginnel::http
