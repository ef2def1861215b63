#include "base/version.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/verbs.h"

namespace ginnel::cli {
namespace {

int run_version(const Args& args, Io& io) {
  if (args.flag("--json")) {
    io.out("{{\"version\":1,\"ginnel\":\"{}\"}}\n", kProgramVersion);
  } else {
    io.out("ginnel {}\n", kProgramVersion);
  }
  return kOk;
}

constexpr Flag kFlags[] = {{.name = "--json", .help = "print one JSON document"}};
constexpr Exit kExits[] = {{kOk, "printed"}};

}  // namespace

constinit const Verb kVersion{
    .name = "version",
    .summary = "say which ginnel this is",
    .flags = kFlags,
    .exits = kExits,
    .example = "ginnel version --json",
    .page = "docs/cli.md",
    .run = &run_version,
};

}  // namespace ginnel::cli
