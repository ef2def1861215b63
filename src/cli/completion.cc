// Three dialects of one table. bash and zsh get a `case` over the verb; fish a line for each flag,
// which its own engine filters.
#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/text.h"
#include "cli/verbs.h"

namespace ginnel::cli {
namespace {

// In single quotes; the table's texts hold no other character that a shell would read.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The distinct words that may follow `group` ("" for the first word), with what they are for.
struct Word {
  std::string_view word, summary;
};
std::vector<Word> words_behind(std::string_view group) {
  std::vector<Word> words;
  std::set<std::string_view> seen;
  for (const Verb* verb : verbs()) {
    const auto name = split(verb->name, ' ');
    const std::size_t at = group.empty() ? 0 : 1;
    if (name.size() <= at || (at == 1 && name[0] != group) || !seen.insert(name[at]).second)
      continue;
    words.push_back({name[at], name.size() == at + 1 ? verb->summary : ""});
  }
  return words;
}

std::vector<std::string_view> groups() {
  std::vector<std::string_view> names;
  for (const Word& word : words_behind("")) {
    if (!words_behind(word.word).empty()) names.push_back(word.word);
  }
  return names;
}

std::string joined(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text.append(text.empty() ? "" : " ").append(word.word);
  return text;
}

std::string_view bash_values(Completes completes) {
  switch (completes) {
    case Completes::File:
      return "_ginnel_files -f";
    case Completes::Folder:
      return "_ginnel_files -d";
    case Completes::Interface:
      return "_ginnel_words \"$(ls /sys/class/net 2>/dev/null)\"";
    case Completes::Nothing:
      return ":";
  }
  return ":";
}

std::string bash_values(Completes completes, std::string_view words) {
  if (words.empty()) return std::string(bash_values(completes));
  return fmt::format("_ginnel_words {}", quoted(words));
}

std::string bash_case(const Verb& verb) {
  std::string text = fmt::format("    {})\n      flags='--help", quoted(verb.name));
  for (const Flag& flag : verb.flags) text.append(" ").append(flag.name);
  text += "'\n";
  for (const Flag& flag : verb.flags) {
    if (flag.value.empty()) continue;
    text += fmt::format("      [[ $prev != {} ]] || {{ {}; return; }}\n", flag.name,
                        bash_values(flag.completes, flag.words));
  }
  const auto argument = std::ranges::find_if(verb.arguments, [](const Argument& a) {
    return a.completes != Completes::Nothing || !a.words.empty();
  });
  if (argument != verb.arguments.end()) {
    text += fmt::format("      [[ $cur == -* ]] || {{ {}; return; }}\n",
                        bash_values(argument->completes, argument->words));
  }
  return text + "      ;;\n";
}

constexpr std::string_view kBashHead =
    R"(# bash completion for ginnel: source <(ginnel completion bash)
_ginnel_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
_ginnel_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}
_ginnel() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} flags=
  local verb=${COMP_WORDS[1]-} behind=
  COMPREPLY=()
  # Of "--flag=value" bash makes three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
)";

constexpr std::string_view kZshHead = R"(#compdef ginnel
# zsh completion for ginnel: ginnel completion zsh > "${fpath[1]}/_ginnel"
_ginnel() {
  local -a known
  local verb=${words[2]-}
)";

std::string zsh_described(const std::vector<Word>& words) {
  std::string text = "known=(";
  for (const Word& word : words) {
    text += " " + quoted(word.summary.empty() ? word.word
                                              : fmt::format("{}:{}", word.word, word.summary));
  }
  return text + ")";
}

std::string zsh_values(Completes completes, std::string_view words) {
  if (!words.empty()) return fmt::format("({})", words);
  switch (completes) {
    case Completes::File:
      return "_files";
    case Completes::Folder:
      return "_files -/";
    case Completes::Interface:
      return "_net_interfaces";
    case Completes::Nothing:
      return " ";
  }
  return " ";
}

// In the descriptions of _arguments, brackets and colons have a meaning.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_case(const Verb& verb) {
  std::string text = fmt::format("    {}) _arguments '--help[show help]'", quoted(verb.name));
  for (const Flag& flag : verb.flags) {
    std::string spec = fmt::format("{}{}", flag.repeatable ? "*" : "", flag.name);
    if (!flag.value.empty()) spec += "=";
    spec += fmt::format("[{}]", zsh_text(flag.help));
    if (!flag.value.empty()) {
      spec += fmt::format(":{}:{}", zsh_text(flag.value), zsh_values(flag.completes, flag.words));
    }
    text += " \\\n      " + quoted(spec);
  }
  for (const Argument& argument : verb.arguments) {
    const bool many = argument.count == Count::Any || argument.count == Count::OneOrMore;
    const std::string_view start = many ? "*:" : argument.count == Count::Optional ? "::" : ":";
    text += " \\\n      " + quoted(fmt::format("{}{}:{}", start, zsh_text(argument.name),
                                               zsh_values(argument.completes, argument.words)));
  }
  return text + " ;;\n";
}

std::string fish_values(Completes completes, std::string_view words) {
  if (!words.empty()) return fmt::format(" -x -a {}", quoted(words));
  switch (completes) {
    case Completes::File:
      return " -r -F";
    case Completes::Folder:
      return " -x -a '(__fish_complete_directories)'";
    case Completes::Interface:
      return " -x -a '(ls /sys/class/net)'";
    case Completes::Nothing:
      return " -x";
  }
  return " -x";
}

std::string fish_lines(const Verb& verb) {
  std::string start = "complete -c ginnel -n " + quoted("__ginnel_verb " + std::string(verb.name));
  std::string text = start + " -l help -d 'show help'\n";
  for (const Flag& flag : verb.flags) {
    text += fmt::format("{} -l {} -d {}{}\n", start, flag.name.substr(2), quoted(flag.help),
                        flag.value.empty() ? "" : fish_values(flag.completes, flag.words));
  }
  for (const Argument& argument : verb.arguments) {
    if (argument.completes == Completes::Nothing && argument.words.empty()) continue;
    std::string values = fish_values(argument.completes, argument.words);
    if (argument.completes == Completes::File && argument.words.empty()) values = " -F";
    text += start + values + "\n";
  }
  return text;
}

}  // namespace

std::string bash_completion() {
  std::string text(kBashHead);
  text += fmt::format("  if ((COMP_CWORD == 1)); then _ginnel_words {}; return; fi\n",
                      quoted(joined(words_behind(""))));
  text += "  case $verb in\n";
  for (const std::string_view group : groups()) {
    text += fmt::format("    {}) behind={} ;;\n", group, quoted(joined(words_behind(group))));
  }
  text += R"(  esac
  if [[ -n $behind ]]; then
    if ((COMP_CWORD == 2)) && [[ $cur != -* ]]; then _ginnel_words "$behind"; return; fi
    if [[ " $behind " == *" ${COMP_WORDS[2]} "* ]]; then verb+=" ${COMP_WORDS[2]}"; fi
  fi
  case $verb in
)";
  for (const Verb* verb : verbs()) text += bash_case(*verb);
  return text + "  esac\n  _ginnel_words \"$flags\"\n}\ncomplete -F _ginnel ginnel\n";
}

std::string zsh_completion() {
  std::string text(kZshHead);
  text += fmt::format(
      "  if ((CURRENT == 2)); then\n    {}\n    _describe verb known\n    return\n  fi\n",
      zsh_described(words_behind("")));
  text += "  case $verb in\n";
  for (const std::string_view group : groups()) {
    text += fmt::format("    {}) {} ;;\n", group, zsh_described(words_behind(group)));
  }
  text += R"(  esac
  if (($#known)); then
    if ((CURRENT == 3)) && [[ ${words[3]} != -* ]]; then _describe verb known; return; fi
    if (($#known[(r)${words[3]}(|:*)])); then
      verb+=" ${words[3]}"
      shift words
      ((CURRENT--))
    fi
  fi
  shift words
  ((CURRENT--))
  case $verb in
)";
  for (const Verb* verb : verbs()) text += zsh_case(*verb);
  return text + R"(  esac
}
if [[ $funcstack[1] == _ginnel ]]; then _ginnel "$@"; else compdef _ginnel ginnel; fi
)";
}

std::string fish_completion() {
  std::string text = R"(# fish completion for ginnel: ginnel completion fish | source
function __ginnel_verb
    set -l line (commandline -poc)
    test (count $line) -gt (count $argv); and test "$line[2..$(math 1 + (count $argv))]" = "$argv"
end
complete -c ginnel -f
)";
  for (const Word& word : words_behind("")) {
    text += fmt::format("complete -c ginnel -n __fish_use_subcommand -a {} -d {}\n", word.word,
                        quoted(word.summary));
  }
  for (const std::string_view group : groups()) {
    for (const Word& word : words_behind(group)) {
      text += fmt::format(
          "complete -c ginnel -n '__ginnel_verb {}; and test (count (commandline -poc)) -eq 2' -a "
          "{} -d {}\n",
          group, word.word, quoted(word.summary));
    }
  }
  for (const Verb* verb : verbs()) text += fish_lines(*verb);
  return text;
}

}  // namespace ginnel::cli
