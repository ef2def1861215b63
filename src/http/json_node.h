// What http/json.h is made of: a parsed document to look into, where in it a reader is, and a
// writer. They hide Boost.JSON, which only json.cc compiles.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace boost::json {
class value;
}

namespace ginnel::http {

// What a document from outside may cost.
struct JsonLimits {
  static constexpr std::size_t kMaxBytes = 1 << 20;
  static constexpr std::size_t kMaxDepth = 32;

  std::size_t max_bytes = kMaxBytes;
  std::size_t max_depth = kMaxDepth;
};

// One value of a document; valid as long as the document is.
class JsonNode {
 public:
  explicit JsonNode(const boost::json::value& value) : value_(&value) {}

  bool is_null() const;
  bool is_array() const;
  bool is_object() const;
  std::optional<bool> as_bool() const;
  std::optional<std::string_view> as_string() const;
  std::optional<double> as_number() const;
  // Only numbers without fraction and exponent are whole.
  std::optional<std::int64_t> as_int64() const;
  std::optional<std::uint64_t> as_uint64() const;

  // Elements of an array or members of an object; 0 for everything else.
  std::size_t size() const;
  // REQUIRES: is_array() and index < size().
  JsonNode element(std::size_t index) const;
  // REQUIRES: is_object() and index < size(). In the order of the document.
  std::pair<std::string_view, JsonNode> member_at(std::size_t index) const;
  // Absent also when this is no object. Of members with one name the last counts.
  std::optional<JsonNode> member(std::string_view name) const;

  // "a string", "null", "an object": for messages. Values are never repeated: they may be secrets.
  std::string_view kind() const;

 private:
  const boost::json::value* value_;
};

class JsonDocument {
 public:
  // Strict RFC 8259 in UTF-8. Fails with what is wrong and at which byte.
  static Result<JsonDocument> parse(std::string_view text, const JsonLimits& limits);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonNode root() const { return JsonNode(*value_); }

 private:
  explicit JsonDocument(std::unique_ptr<boost::json::value> value);

  std::unique_ptr<boost::json::value> value_;
};

// Where in a document a reader is, as a chain on its stack. Text is made of it only on failure.
class JsonPlace {
 public:
  JsonPlace() = default;  // The document itself.
  JsonPlace member(std::string_view name) const { return {this, name, kMember}; }
  JsonPlace element(std::size_t index) const { return {this, {}, index}; }

  // "peers[3].endpoint: missing", as a Result. Without the path when the place is the document.
  std::unexpected<Error> error(std::string_view problem) const;
  // "...: expected a string, not null".
  std::unexpected<Error> expected(std::string_view what, JsonNode found) const;

 private:
  JsonPlace(const JsonPlace* parent, std::string_view name, std::size_t index)
      : parent_(parent), name_(name), index_(index) {}
  std::string path() const;

  static constexpr std::size_t kMember = ~std::size_t{0};

  const JsonPlace* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = kMember;  // Else it is this element of an array.
};

// Writes one document, without white space. Calls have to make a document; that is not checked.
class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name);

  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  // The shortest text that reads back the same. JSON has no infinity and no NaN: they become null.
  void number(double value);
  // Bytes that are not UTF-8 become U+FFFD, so that the document is always valid.
  void string(std::string_view value);

  std::string take() { return std::move(text_); }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();
  void quote(std::string_view value);

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace ginnel::http
