// The parsed command line of one verb.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "cli/verb.h"

namespace ginnel::cli {

class Io;

class Args {
 public:
  // Reads the words behind the verb, and for flags that are not among them the environment. The
  // error says what is wrong and what to write; it never quotes the value of a secret flag.
  static Result<Args> parse(const Verb& verb, std::vector<std::string> words, const Io& io);

  // REQUIRES, for all of these: the verb declares the flag.
  bool flag(std::string_view name) const;
  std::optional<std::string_view> value(std::string_view name) const;
  std::span<const std::string> values(std::string_view name) const;
  template <class T>
  Result<T> number(std::string_view name, T low, T high, T otherwise) const;

  std::span<const std::string> positionals() const { return positionals_; }
  // Empty when there is no such argument.
  std::string_view positional(std::size_t index) const;

 private:
  struct Given {
    const Flag* flag;
    std::vector<std::string> values = {};  // Of a switch: one "" when it is on.
    bool on_line = false;                  // Then the environment has no say.

    Status take(const std::vector<std::string>& results);
    Status set_switch(std::string_view where, std::string_view text);
  };

  explicit Args(const Verb& verb);
  const Given& given(std::string_view name) const;
  Status read_environment(const Io& io);
  Status check_positionals(const Verb& verb) const;

  std::vector<Given> given_;
  std::vector<std::string> positionals_;
};

template <class T>
Result<T> Args::number(std::string_view name, T low, T high, T otherwise) const {
  const auto text = value(name);
  if (!text) return otherwise;
  if (const auto number = parse_number<T>(*text, low, high)) return *number;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{}: \"{}\" is not a number from {} to {}", name, *text, low, high));
}

// The environment twin of a flag: "GINNEL_LISTEN_PORT" of "--listen-port".
std::string environment_name(const Flag& flag);

// How many arguments are meant.
inline constexpr int kNoLimit = 1 << 20;  // Longer than any command line the kernel passes on.
int least(Count count);
int most(Count count);

}  // namespace ginnel::cli
