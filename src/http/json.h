// The one way between JSON and our values. Structs and enums are described beside their definition:
//
//   struct PeerView { std::string name; std::optional<net::Endpoint> endpoint; };
//   BOOST_DESCRIBE_STRUCT(PeerView, (), (name, endpoint));
//
// Absent, null and a value are three things, told apart by the member's type:
//
//   T                           must be there and not null
//   std::optional<T>            may be absent, and is left out when empty; null is an error
//   Nullable<T>                 must be there; null when empty
//   std::optional<Nullable<T>>  all three
//
// Members that are not described are ignored. Enumerators are written in snake_case. Types with
// parse() and to_string() or to_base64() are strings; UnixTime is RFC 3339, Duration is seconds.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <cmath>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/json_node.h"
#include "http/rfc3339.h"

namespace ginnel::http {

// A member that is always there and may be unknown: null, as opposed to absent.
template <class T>
struct Nullable {
  std::optional<T> value;

  Nullable() = default;
  Nullable(std::nullopt_t) {}
  Nullable(T known) : value(std::move(known)) {}
  Nullable(std::optional<T> maybe) : value(std::move(maybe)) {}

  friend bool operator==(const Nullable&, const Nullable&) = default;
};

template <class T>
std::string to_json_text(const T& value);

// Fails with the place and what was expected there: "peers[3].endpoint: expected a string, not
// null". The caller says in front of it which document it was.
template <class T>
Result<T> from_json_text(std::string_view text, const JsonLimits& limits = {});

// To a writer that is in the middle of a document.
template <class T>
void write_json(JsonWriter& writer, const T& value);

template <class T>
Status read_json(JsonNode node, T& out, const JsonPlace& place);

namespace json_types {

template <class T, template <class...> class Template>
inline constexpr bool kIs = false;
template <template <class...> class Template, class... Args>
inline constexpr bool kIs<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool kIsNamedMap = false;
template <class T>
inline constexpr bool kIsNamedMap<std::map<std::string, T>> = true;

template <class T>
concept WholeNumber = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;
template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;
template <class T>
concept PrintsAsString = requires(const T& value) {
  { value.to_string() } -> std::same_as<std::string>;
};
template <class T>
concept PrintsAsBase64 = requires(const T& value) {
  { value.to_base64() } -> std::same_as<std::string>;
};
template <class T>
concept ParsesText = requires(std::string_view text) {
  { T::parse(text) } -> std::same_as<Result<T>>;
};
template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value;

template <class T>
using Enumerators = boost::describe::describe_enumerators<T>;
template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

// "TimedOut" -> "timed_out".
std::string snake_case(std::string_view pascal_case);
std::unexpected<Error> not_in_range(const JsonPlace& place, std::int64_t low, std::uint64_t high,
                                    JsonNode found);
std::unexpected<Error> not_an_enumerator(const JsonPlace& place, std::vector<std::string> names,
                                         JsonNode found);
Status read_duration(JsonNode node, Duration& out, const JsonPlace& place);

template <WholeNumber T>
Status read_whole_number(JsonNode node, T& out, const JsonPlace& place) {
  using Limits = std::numeric_limits<T>;
  if (const auto value = node.as_int64(); value && std::in_range<T>(*value)) {
    out = static_cast<T>(*value);
    return ok();
  }
  if (const auto value = node.as_uint64(); value && std::in_range<T>(*value)) {
    out = static_cast<T>(*value);
    return ok();
  }
  return not_in_range(place, static_cast<std::int64_t>(Limits::min()),
                      static_cast<std::uint64_t>(Limits::max()), node);
}

template <DescribedEnum T>
Status read_enum(JsonNode node, T& out, const JsonPlace& place) {
  const auto text = node.as_string();
  std::vector<std::string> names;
  bool found = false;
  boost::mp11::mp_for_each<Enumerators<T>>([&](auto enumerator) {
    names.push_back(snake_case(enumerator.name));
    if (text == names.back()) {
      out = enumerator.value;
      found = true;
    }
  });
  if (!found) return not_an_enumerator(place, std::move(names), node);
  return ok();
}

template <DescribedEnum T>
void write_enum(JsonWriter& writer, T value) {
  std::optional<std::string> name;
  boost::mp11::mp_for_each<Enumerators<T>>([&](auto enumerator) {
    if (value == enumerator.value) name = snake_case(enumerator.name);
  });
  name ? writer.string(*name) : writer.null();
}

template <ParsesText T>
Status read_text(JsonNode node, T& out, const JsonPlace& place) {
  const auto text = node.as_string();
  if (!text) return place.expected("a string", node);
  auto parsed = T::parse(*text);
  if (!parsed) return place.error(parsed.error().message);
  out = std::move(*parsed);
  return ok();
}

template <class T>
Status read_array(JsonNode node, std::vector<T>& out, const JsonPlace& place) {
  if (!node.is_array()) return place.expected("an array", node);
  out.clear();
  for (std::size_t i = 0; i < node.size(); ++i) {
    T element{};
    if (Status read = read_json(node.element(i), element, place.element(i)); !read) return read;
    out.push_back(std::move(element));
  }
  return ok();
}

template <class T>
Status read_map(JsonNode node, std::map<std::string, T>& out, const JsonPlace& place) {
  if (!node.is_object()) return place.expected("an object", node);
  out.clear();
  for (std::size_t i = 0; i < node.size(); ++i) {
    const auto [name, value] = node.member_at(i);
    if (Status read = read_json(value, out[std::string(name)], place.member(name)); !read) {
      return read;
    }
  }
  return ok();
}

template <class T>
Status read_member(JsonNode object, std::string_view name, T& out, const JsonPlace& place) {
  const std::optional<JsonNode> member = object.member(name);
  if (!member) return place.member(name).error("missing");
  return read_json(*member, out, place.member(name));
}

template <class T>
Status read_member(JsonNode object, std::string_view name, std::optional<T>& out,
                   const JsonPlace& place) {
  const std::optional<JsonNode> member = object.member(name);
  if (!member) {
    out.reset();
    return ok();
  }
  return read_json(*member, out.emplace(), place.member(name));
}

template <DescribedStruct T>
Status read_struct(JsonNode node, T& out, const JsonPlace& place) {
  if (!node.is_object()) return place.expected("an object", node);
  Status result = ok();
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    if (result) result = read_member(node, member.name, out.*member.pointer, place);
  });
  return result;
}

template <DescribedStruct T>
void write_struct(JsonWriter& writer, const T& value) {
  writer.begin_object();
  boost::mp11::mp_for_each<Members<T>>([&](auto described) {
    const auto& member = value.*described.pointer;
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (kIs<Member, std::optional>) {
      if (!member) return;
      writer.key(described.name);
      write_json(writer, *member);
    } else {
      writer.key(described.name);
      write_json(writer, member);
    }
  });
  writer.end_object();
}

template <class T>
void write_array(JsonWriter& writer, const std::vector<T>& values) {
  writer.begin_array();
  for (const auto& value : values) write_json<T>(writer, value);
  writer.end_array();
}

template <class T>
void write_map(JsonWriter& writer, const std::map<std::string, T>& values) {
  writer.begin_object();
  for (const auto& [name, value] : values) {
    writer.key(name);
    write_json(writer, value);
  }
  writer.end_object();
}

template <class>
inline constexpr bool kNoSuchForm = false;

}  // namespace json_types

template <class T>
void write_json(JsonWriter& writer, const T& value) {
  namespace types = json_types;
  if constexpr (std::same_as<T, bool>) {
    writer.boolean(value);
  } else if constexpr (std::signed_integral<T> && types::WholeNumber<T>) {
    writer.integer(value);
  } else if constexpr (types::WholeNumber<T>) {
    writer.unsigned_integer(value);
  } else if constexpr (std::floating_point<T>) {
    writer.number(value);
  } else if constexpr (std::same_as<T, UnixTime>) {
    writer.string(to_rfc3339(value));
  } else if constexpr (std::same_as<T, Duration>) {
    writer.number(std::chrono::duration<double>(value).count());
  } else if constexpr (types::Text<T>) {
    writer.string(value);
  } else if constexpr (types::PrintsAsString<T>) {
    writer.string(value.to_string());
  } else if constexpr (types::PrintsAsBase64<T>) {
    writer.string(value.to_base64());
  } else if constexpr (types::kIs<T, Nullable>) {
    value.value ? write_json(writer, *value.value) : writer.null();
  } else if constexpr (types::kIs<T, std::vector>) {
    types::write_array(writer, value);
  } else if constexpr (types::kIsNamedMap<T>) {
    types::write_map(writer, value);
  } else if constexpr (types::DescribedEnum<T>) {
    types::write_enum(writer, value);
  } else if constexpr (types::DescribedStruct<T>) {
    types::write_struct(writer, value);
  } else {
    static_assert(types::kNoSuchForm<T>, "describe the type; optional is for members only");
  }
}

template <class T>
Status read_json(JsonNode node, T& out, const JsonPlace& place) {
  namespace types = json_types;
  if constexpr (std::same_as<T, bool>) {
    const auto value = node.as_bool();
    if (!value) return place.expected("true or false", node);
    out = *value;
    return ok();
  } else if constexpr (types::WholeNumber<T>) {
    return types::read_whole_number(node, out, place);
  } else if constexpr (std::floating_point<T>) {
    const auto value = node.as_number();
    if (!value) return place.expected("a number", node);
    out = static_cast<T>(*value);
    return ok();
  } else if constexpr (std::same_as<T, UnixTime>) {
    const auto text = node.as_string();
    if (!text) return place.expected("a string with a time", node);
    const auto parsed = parse_rfc3339(*text);
    if (!parsed) return place.error(parsed.error().message);
    out = *parsed;
    return ok();
  } else if constexpr (std::same_as<T, Duration>) {
    return types::read_duration(node, out, place);
  } else if constexpr (std::same_as<T, std::string>) {
    const auto text = node.as_string();
    if (!text) return place.expected("a string", node);
    out = *text;
    return ok();
  } else if constexpr (types::ParsesText<T>) {
    return types::read_text(node, out, place);
  } else if constexpr (types::kIs<T, Nullable>) {
    out.value.reset();
    return node.is_null() ? ok() : read_json(node, out.value.emplace(), place);
  } else if constexpr (types::kIs<T, std::vector>) {
    return types::read_array(node, out, place);
  } else if constexpr (types::kIsNamedMap<T>) {
    return types::read_map(node, out, place);
  } else if constexpr (types::DescribedEnum<T>) {
    return types::read_enum(node, out, place);
  } else if constexpr (types::DescribedStruct<T>) {
    return types::read_struct(node, out, place);
  } else {
    static_assert(types::kNoSuchForm<T>, "describe the type; optional is for members only");
  }
}

template <class T>
std::string to_json_text(const T& value) {
  JsonWriter writer;
  write_json(writer, value);
  return writer.take();
}

template <class T>
Result<T> from_json_text(std::string_view text, const JsonLimits& limits) {
  const auto document = JsonDocument::parse(text, limits);
  if (!document) return std::unexpected(document.error());
  T value{};
  if (Status read = read_json(document->root(), value, JsonPlace()); !read) {
    return pass(std::move(read));
  }
  return value;
}

}  // namespace ginnel::http
