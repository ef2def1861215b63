#include "cli/run.h"

#include <algorithm>

#include "cli/args.h"
#include "cli/help.h"
#include "cli/io.h"
#include "cli/spelling.h"
#include "cli/verbs.h"

namespace ginnel::cli {
namespace {

bool asks_for_help(std::span<const std::string> words) {
  const auto end = std::ranges::find(words, "--");
  return std::any_of(words.begin(), end,
                     [](const std::string& w) { return w == "--help" || w == "-h"; });
}

bool is_group(std::string_view word) {
  return std::ranges::any_of(verbs(), [&](const Verb* verb) {
    return verb->name.starts_with(word) && verb->name.substr(word.size()).starts_with(' ');
  });
}

// "ginnel peer ...", where peer is only the first word of verbs.
int run_group(std::span<const std::string> words, Io& io) {
  if (words.size() > 1 && !words[1].starts_with('-')) {
    std::vector<std::string_view> names;
    for (const Verb* verb : verbs()) names.push_back(verb->name);
    const std::string typed = words[0] + " " + words[1];
    const std::string_view meant = nearest(typed, names);
    if (meant.empty()) {
      io.err("ginnel: unknown verb \"{}\"; \"ginnel {} --help\" lists them", typed, words[0]);
    } else {
      io.err("ginnel: unknown verb \"{}\"; did you mean \"{}\"?", typed, meant);
    }
    return kUsage;
  }
  if (asks_for_help(words)) {
    io.out("{}", help_overview(words[0]));
    return kOk;
  }
  io.write_err(help_overview(words[0]));
  return kUsage;
}

int refuse_verb(const std::string& typed, Io& io) {
  if (std::ranges::find(planned_verbs(), typed) != planned_verbs().end()) {
    io.err("ginnel: {} is not available in this version; \"ginnel --help\" lists what is", typed);
    return kUsage;
  }
  std::vector<std::string_view> names;
  for (const Verb* verb : verbs()) names.push_back(verb->name);
  const std::string_view meant = nearest(typed, names);
  if (meant.empty()) {
    io.err("ginnel: unknown verb \"{}\"; \"ginnel --help\" lists the verbs", typed);
  } else {
    io.err("ginnel: unknown verb \"{}\"; did you mean \"{}\"?", typed, meant);
  }
  return kUsage;
}

// "ginnel help", which people type, is not a verb: it only turns the words round.
int run_help(std::vector<std::string> words, Io& io) {
  if (words.size() == 1 && words[0] == "--json") {
    io.write_out(help_json());
    return kOk;
  }
  words.emplace_back("--help");
  return run(std::move(words), io);
}

}  // namespace

int run(std::vector<std::string> words, Io& io) {
  if (words.empty()) {
    io.write_err(help_overview());
    return kUsage;
  }
  if (words[0] == "--version" || words[0] == "-V") words[0] = "version";
  if (words[0] == "--help" || words[0] == "-h") {
    io.write_out(help_overview());
    return kOk;
  }
  if (words[0] == "help") return run_help({words.begin() + 1, words.end()}, io);

  const Found found = find_verb(words);
  if (found.verb == nullptr)
    return is_group(words[0]) ? run_group(words, io) : refuse_verb(words[0], io);
  // "server" is a verb by itself, "server statsu" is none.
  const bool has_more = words.size() > found.words && !words[found.words].starts_with('-');
  if (found.verb->arguments.empty() && has_more && is_group(found.verb->name))
    return run_group(words, io);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(found.words));
  if (asks_for_help(words)) {
    io.write_out(help_for(*found.verb));
    return kOk;
  }
  const auto args = Args::parse(*found.verb, std::move(words), io);
  if (!args) return io.report(found.verb->name, args.error());
  return found.verb->run(*args, io);
}

std::vector<std::string> words_of(std::string_view program, std::vector<std::string> words) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  if (name == "ginnel-dev" || name == "wireguard-go") words.insert(words.begin(), "dev");
  return words;
}

}  // namespace ginnel::cli
