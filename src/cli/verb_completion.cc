#include "cli/args.h"
#include "cli/completion.h"
#include "cli/io.h"
#include "cli/verbs.h"

namespace ginnel::cli {
namespace {

int run_completion(const Args& args, Io& io) {
  const std::string_view shell = args.positional(0);
  if (shell == "bash") {
    io.write_out(bash_completion());
  } else if (shell == "zsh") {
    io.write_out(zsh_completion());
  } else if (shell == "fish") {
    io.write_out(fish_completion());
  } else {
    io.err("completion: no script for \"{}\"; there are bash, zsh and fish", shell);
    return kUsage;
  }
  return kOk;
}

constexpr Argument kArguments[] = {
    {.name = "SHELL", .help = "bash, zsh or fish", .words = "bash zsh fish"}};
constexpr Exit kExits[] = {{kOk, "printed"}};

}  // namespace

constinit const Verb kCompletion{
    .name = "completion",
    .summary = "print the script that completes ginnel's words in a shell",
    .arguments = kArguments,
    .exits = kExits,
    .example = "source <(ginnel completion bash)",
    .page = "docs/cli.md",
    .run = &run_completion,
};

}  // namespace ginnel::cli
