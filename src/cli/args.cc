// The only file that knows CLI11: it splits words into flags, values and positionals. What they
// mean, how often they may come and where else they may come from is decided here and not there.
#include "cli/args.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/check.h"
#include "cli/io.h"
#include "cli/spelling.h"

namespace ginnel::cli {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message));
}

bool is_switch(const Flag& flag) { return flag.value.empty(); }

std::optional<bool> truth(std::string_view text) {
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (equal_ignoring_case(text, yes)) return true;
  }
  for (const std::string_view no : {"0", "false", "no", "off"}) {
    if (equal_ignoring_case(text, no)) return false;
  }
  return std::nullopt;
}

// "-listen" becomes "--listen"; a single letter stays what it is.
void widen_dashes(std::vector<std::string>& words) {
  for (std::string& word : words) {
    if (word == "--") return;
    if (word.size() > 2 && word[0] == '-' && word[1] != '-' && word[2] != '=')
      word.insert(0, 1, '-');
  }
}

std::unexpected<Error> unknown_flag(std::string_view word, std::span<const Flag> flags) {
  std::vector<std::string_view> names = {"--help"};
  for (const Flag& flag : flags) names.push_back(flag.name);
  const std::string_view name = word.substr(0, word.find('='));
  const std::string_view meant = nearest(name, names);
  if (!meant.empty()) return wrong(fmt::format("unknown flag {}; did you mean {}?", name, meant));
  return wrong(fmt::format("unknown flag {}; --help lists the flags", name));
}

// Sees to what CLI11 would take for something else.
Status check_words(std::span<const std::string> words, std::span<const Flag> flags) {
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i].starts_with("--") && words[i].ends_with('=') &&
        words[i].find('=') + 1 == words[i].size()) {
      return wrong(fmt::format("{} has no value", words[i]));
    }
    for (const Flag& flag : flags) {
      if (is_switch(flag) || words[i] != flag.name) continue;
      const bool is_last = i + 1 == words.size();
      const bool flag_follows = !is_last && std::ranges::any_of(flags, [&](const Flag& f) {
        return words[i + 1] == f.name;
      });
      if (is_last || flag_follows || words[i + 1] == "--") {
        return wrong(fmt::format("{} needs a value: {} {}", flag.name, flag.name, flag.value));
      }
    }
  }
  return ok();
}

}  // namespace

int least(Count count) { return count == Count::One || count == Count::OneOrMore ? 1 : 0; }

int most(Count count) { return count == Count::One || count == Count::Optional ? 1 : kNoLimit; }

std::string environment_name(const Flag& flag) {
  std::string name = "GINNEL_";
  for (const char c : flag.name.substr(flag.name.find_first_not_of('-'))) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

Args::Args(const Verb& verb) {
  for (const Flag& flag : verb.flags) given_.push_back({.flag = &flag});
}

Result<Args> Args::parse(const Verb& verb, std::vector<std::string> words, const Io& io) {
  Args args(verb);
  if (verb.single_dash_words) widen_dashes(words);
  if (Status checked = check_words(words, verb.flags); !checked) return pass(std::move(checked));

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<CLI::Option*> options;
  for (const Flag& flag : verb.flags) {
    std::string names(flag.name);
    if (!flag.also.empty()) names.append(",").append(flag.also);
    options.push_back(is_switch(flag) ? app.add_flag(names)
                                      : app.add_option(names)->multi_option_policy(
                                            CLI::MultiOptionPolicy::TakeAll));
  }
  CLI::Option* positionals = app.add_option("arguments")->expected(0, kNoLimit)->allow_extra_args();
  const auto mark = std::ranges::find(words, "--");  // What follows is not ours to interpret.
  try {
    app.parse(std::vector<std::string>(std::make_reverse_iterator(mark), words.rend()));
  } catch (const CLI::ParseError& error) {
    return wrong(error.what());
  }

  for (std::size_t i = 0; i < options.size(); ++i) {
    if (Status taken = args.given_[i].take(options[i]->results()); !taken)
      return pass(std::move(taken));
  }
  const auto extras = app.remaining();
  if (!extras.empty()) return unknown_flag(extras.front(), verb.flags);
  args.positionals_ = positionals->results();
  if (mark != words.end()) args.positionals_.insert(args.positionals_.end(), mark + 1, words.end());
  if (Status read = args.read_environment(io); !read) return pass(std::move(read));
  if (Status checked = args.check_positionals(verb); !checked) return pass(std::move(checked));
  return args;
}

// Takes over what stood on the command line.
Status Args::Given::take(const std::vector<std::string>& results) {
  if (results.empty()) return ok();
  if (results.size() > 1 && !flag->repeatable) {
    return wrong(fmt::format("{} is given twice; give it once", flag->name));
  }
  on_line = true;
  if (!is_switch(*flag)) {
    values = results;
    return ok();
  }
  return set_switch(flag->name, results.front());
}

Status Args::Given::set_switch(std::string_view where, std::string_view text) {
  const auto on = truth(text);
  if (!on) return wrong(fmt::format("{} is true or false, not \"{}\"", where, text));
  if (*on) values.emplace_back();
  return ok();
}

Status Args::read_environment(const Io& io) {
  for (Given& given : given_) {
    const std::string name = environment_name(*given.flag);
    const auto text = given.on_line ? std::nullopt : io.environment(name);
    if (!text) continue;
    if (is_switch(*given.flag)) {
      if (Status set = given.set_switch(name, *text); !set) return set;
    } else if (given.flag->secret && !text->starts_with("file:")) {
      return wrong(
          fmt::format("{} holds a secret, and every child process inherits it; set it to "
                      "file:PATH",
                      name));
    } else if (given.flag->repeatable) {
      for (const std::string_view word : split(*text, ' ')) {
        if (!word.empty()) given.values.emplace_back(word);
      }
    } else {
      given.values.push_back(*text);
    }
  }
  return ok();
}

Status Args::check_positionals(const Verb& verb) const {
  const int count = static_cast<int>(positionals_.size());
  int low = 0, high = 0;
  for (const Argument& argument : verb.arguments) {
    if (count < low + least(argument.count)) {
      return wrong(fmt::format("{} is missing; \"ginnel {} --help\" shows how to write it",
                               argument.name, verb.name));
    }
    low += least(argument.count);
    high = most(argument.count) == kNoLimit ? kNoLimit : high + 1;
  }
  if (count <= high) return ok();
  return wrong(
      fmt::format("\"{}\" is one argument too many; \"ginnel {} --help\" shows how to write it",
                  positionals_[static_cast<std::size_t>(high)], verb.name));
}

const Args::Given& Args::given(std::string_view name) const {
  const auto found =
      std::ranges::find_if(given_, [&](const Given& g) { return g.flag->name == name; });
  CHECK(found != given_.end());
  return *found;
}

bool Args::flag(std::string_view name) const { return !given(name).values.empty(); }

std::optional<std::string_view> Args::value(std::string_view name) const {
  const auto& values = given(name).values;
  if (values.empty()) return std::nullopt;
  return values.front();
}

std::span<const std::string> Args::values(std::string_view name) const {
  return given(name).values;
}

std::string_view Args::positional(std::size_t index) const {
  return index < positionals_.size() ? std::string_view(positionals_[index]) : std::string_view();
}

}  // namespace ginnel::cli
