#include "cli/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/args.h"
#include "cli/verbs.h"

namespace ginnel::cli {
namespace {

constexpr std::size_t kColumns = 100;

std::string shown(const Argument& argument) {
  switch (argument.count) {
    case Count::One:
      return std::string(argument.name);
    case Count::Optional:
      return fmt::format("[{}]", argument.name);
    case Count::OneOrMore:
      return fmt::format("{}...", argument.name);
    case Count::Any:
      return fmt::format("[{}...]", argument.name);
  }
  return {};
}

std::string shown(const Flag& flag) {
  return flag.value.empty() ? std::string(flag.name) : fmt::format("{} {}", flag.name, flag.value);
}

struct Row {
  std::string left, right;
};

// Two columns, the right one wrapped.
std::string table(const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.left.size());
  std::string text;
  for (const Row& row : rows) {
    std::string line = fmt::format("  {:<{}} ", row.left, width);
    for (const std::string_view word : split(row.right, ' ')) {
      if (line.size() + 1 + word.size() > kColumns) {
        text += line + "\n";
        line = std::string(width + 3, ' ');
      }
      line.append(1, ' ').append(word);
    }
    text += line + "\n";
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + "\"";
}

}  // namespace

std::string usage_of(const Verb& verb) {
  std::string usage = fmt::format("ginnel {}", verb.name);
  for (const Argument& argument : verb.arguments) usage += " " + shown(argument);
  return usage + (verb.flags.empty() ? "" : " [--flags]");
}

std::string help_for(const Verb& verb) {
  std::string summary(verb.summary);
  summary[0] = static_cast<char>(std::toupper(summary[0]));
  std::string text = fmt::format("{}.\n\nusage: {}\n", summary, usage_of(verb));

  std::vector<Row> rows;
  for (const Argument& argument : verb.arguments) {
    rows.push_back({std::string(argument.name), std::string(argument.help)});
  }
  if (!rows.empty()) text += "\n" + table(rows);

  rows.clear();
  for (const Verb* other : verbs()) {
    const bool is_part = other->name.starts_with(fmt::format("{} ", verb.name));
    if (is_part) rows.push_back({usage_of(*other), std::string(other->summary)});
  }
  if (!rows.empty()) text += "\nbesides:\n" + table(rows);

  rows.clear();
  std::string rare;
  for (const Flag& flag : verb.flags) {
    if (flag.is_rare) {
      rare += fmt::format("{}{}", rare.empty() ? "" : ", ", flag.name);
      continue;
    }
    std::string help(flag.help);
    if (!flag.words.empty()) {
      help += fmt::format("; one of {}", fmt::join(split(flag.words, ' '), ", "));
    }
    rows.push_back({shown(flag), help + (flag.repeatable ? " (repeatable)" : "")});
  }
  if (!rare.empty()) rows.push_back({"rarely needed", fmt::format("{}: see {}", rare, verb.page)});
  rows.push_back({"--help", "show this"});
  text += "\nflags:\n" + table(rows);
  if (!verb.flags.empty()) {
    text += fmt::format("  Instead of {}, {} can be set in the environment, and so on.\n",
                        verb.flags[0].name, environment_name(verb.flags[0]));
  }

  std::vector<Exit> exits(verb.exits.begin(), verb.exits.end());
  exits.push_back({kUsage, "wrong usage"});
  std::ranges::sort(exits, {}, &Exit::code);
  rows.clear();
  for (const Exit& exit : exits) {
    rows.push_back({fmt::format("{}", exit.code), std::string(exit.meaning)});
  }
  text += "\nexit codes:\n" + table(rows);
  return text + fmt::format("\nexample:\n  {}\n", verb.example);
}

std::string help_overview(std::string_view group) {
  std::vector<Row> rows;
  for (const Verb* verb : verbs()) {
    if (group.empty() || split(verb->name, ' ').front() == group) {
      rows.push_back({std::string(verb->name), std::string(verb->summary)});
    }
  }
  std::string text =
      group.empty()
          ? "ginnel: WireGuard networks that work.\n\nusage: ginnel VERB [ARGS] [--flags]\n"
          : fmt::format("usage: ginnel {} VERB [ARGS] [--flags]\n", group);
  return text + "\n" + table(rows) + "\n\"ginnel VERB --help\" tells more about each.\n";
}

std::string help_json() {
  std::string text;
  for (const Verb* verb : verbs()) {
    std::string flags;
    for (const Flag& flag : verb->flags) {
      flags += fmt::format("{}{{\"name\":{},\"value\":{},\"help\":{},\"environment\":{}}}",
                           flags.empty() ? "" : ",", quoted(flag.name),
                           flag.value.empty() ? "null" : quoted(flag.value), quoted(flag.help),
                           quoted(environment_name(flag)));
    }
    text +=
        fmt::format("{}\n{{\"name\":{},\"summary\":{},\"usage\":{},\"page\":{},\"flags\":[{}]}}",
                    text.empty() ? "" : ",", quoted(verb->name), quoted(verb->summary),
                    quoted(usage_of(*verb)), quoted(verb->page), flags);
  }
  return fmt::format("{{\"version\":1,\"verbs\":[{}\n]}}\n", text);
}

}  // namespace ginnel::cli
