// What a verb is: the one description from which parsing, --help, completion and the check of the
// documentation follow.
#pragma once

#include <span>
#include <string_view>

#include "cli/exit_code.h"

namespace ginnel::cli {

class Args;
class Io;

// What the shell offers for a value.
enum class Completes { Nothing, File, Folder, Interface };

struct Flag {
  std::string_view name;  // "--listen"
  std::string_view value =
      {};  // What stands for the value in help, "ADDRESS:PORT"; empty: a switch.
  std::string_view help;
  std::string_view also =
      {};  // Other accepted spellings, "--login-server,-l"; help is silent on them.
  bool repeatable = false;
  bool secret = false;  // The environment may only say file:PATH.
  Completes completes = Completes::Nothing;
  std::string_view words = {};  // The values there are, "auto userspace kernel".
  bool is_rare = false;         // The verb's help names it, and its page says what it does.
};

enum class Count { One, Optional, OneOrMore, Any };

struct Argument {
  std::string_view name;  // "IFACE"
  std::string_view help;
  Count count = Count::One;
  Completes completes = Completes::Nothing;
  std::string_view words = {};
};

struct Exit {
  int code;
  std::string_view meaning;
};

struct Verb {
  std::string_view name;     // "genkey", "peer add"
  std::string_view summary;  // "make a private key": one sentence, no capital, no full stop.
  std::span<const Argument> arguments = {};
  std::span<const Flag> flags = {};
  std::span<const Exit> exits;  // Without 2, which all verbs share.
  std::string_view example;     // A command line that works.
  std::string_view page;        // "docs/keys.md"
  // Seed 002's spellings: -listen is taken for --listen.
  bool single_dash_words = false;
  int (*run)(const Args& args, Io& io);
};

}  // namespace ginnel::cli
