#include "base/log.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/path_flags.h"
#include "cli/verbs.h"
#include "service/cage/cage.h"

namespace ginnel::cli {
namespace {

Result<cage::CageOptions> options_of(const Args& args) {
  const auto words = args.positionals();
  cage::CageOptions options{.configuration = words[0], .command = {words.begin() + 1, words.end()}};
  if (options.command.empty()) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("there is no command; write: ginnel cage {} -- COMMAND", words[0]));
  }
  for (const std::string& text : args.values("--dns")) {
    const auto address = net::Address::parse(text);
    if (!address) {
      return fail(ErrorCode::InvalidArgument, fmt::format("--dns: {}", address.error().message));
    }
    options.dns.push_back(*address);
  }
  for (const std::string& text : args.values("--publish")) {
    const auto port = cage::PublishedPort::parse(text);
    if (!port) {
      return fail(ErrorCode::InvalidArgument, fmt::format("--publish: {}", port.error().message));
    }
    options.publish.push_back(*port);
  }
  if (options.publish.size() > cage::kMaxPublishedPorts) {
    return fail(ErrorCode::InvalidArgument,
                fmt::format("--publish: {} ports are published, and {} can be",
                            options.publish.size(), cage::kMaxPublishedPorts));
  }
  const auto path = path_choice(args);
  if (!path) return std::unexpected(path.error());
  options.path = *path;
  return options;
}

int run_cage(const Args& args, Io& io) {
  log::start(log::Level::Warn);
  const auto options = options_of(args);
  if (!options) return io.report("cage", options.error());
  const auto ended = cage::run_cage(*options);
  return ended ? *ended : io.report("cage", ended.error());
}

constexpr Argument kArguments[] = {
    {.name = "CONF",
     .help = "a wg-quick file NAME.conf, or NAME alone for /etc/wireguard/NAME.conf",
     .completes = Completes::File},
    {.name = "COMMAND",
     .help = "what runs in the cage, with its arguments; put -- before it",
     .count = Count::OneOrMore,
     .completes = Completes::File},
};
constexpr Flag kFlags[] = {
    {.name = "--publish",
     .value = "[ADDRESS:]PORT[:INSIDE]",
     .help = "let TCP connections to this port of the host (127.0.0.1 unless an address is given) "
             "into the cage",
     .repeatable = true},
    {.name = "--dns",
     .value = "ADDRESS",
     .help = "a DNS server for the cage, instead of the file's",
     .repeatable = true},
};
constexpr auto kAllFlags = with_rare_path_flags(kFlags);
constexpr Exit kExits[] = {
    {kOk, "the command's own exit code is passed on, whatever it is; 128+N: signal N ended it"},
    {126, "the command cannot be run"},
    {127, "there is no such command"},
    {kFailed, "the cage could not be made; the command did not start"},
    {kNotPermitted, "the kernel refuses namespaces, and the message names the setting"},
    {kNoConnection, "an endpoint's name could not be looked up"},
    {kRefused, "another program has a port that was to be published"},
};

}  // namespace

constinit const Verb kCage{
    .name = "cage",
    .summary = "run a command whose only way out is a tunnel, without root",
    .arguments = kArguments,
    .flags = kAllFlags,
    .exits = kExits,
    .example = "ginnel cage ./provider.conf -- curl https://example.com",
    .page = "docs/cage.md",
    .run = &run_cage,
};

}  // namespace ginnel::cli
