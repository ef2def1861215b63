// Finds the verb that a command line names, and runs it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ginnel::cli {

class Io;

// `words` is the command line without the program's name. Returns the exit code.
int run(std::vector<std::string> words, Io& io);

// What was meant by a command line, the program's name in front. Called by the name of a userspace
// WireGuard daemon, all else is the arguments of `dev`, because stock wg-quick runs one word.
std::vector<std::string> words_of(std::string_view program, std::vector<std::string> words);

}  // namespace ginnel::cli
