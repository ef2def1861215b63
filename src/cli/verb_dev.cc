#include <climits>

#include "base/log.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/path_flags.h"
#include "cli/verbs.h"
#include "os/background.h"
#include "service/tunnel/dev.h"

namespace ginnel::cli {
namespace {

Result<tunnel::DevOptions> options_of(const Args& args) {
  tunnel::DevOptions options;
  options.tunnel.interface = args.positional(0);
  const auto mtu = args.number<unsigned>("--mtu", 576, 65535, net::kDefaultMtu);
  if (!mtu) return std::unexpected(mtu.error());
  options.tunnel.mtu = *mtu;
  const auto workers = args.number<std::size_t>("--workers", 0, tunnel::Tunnel::kMaxWorkers, 0);
  if (!workers) return std::unexpected(workers.error());
  options.tunnel.workers = *workers;
  const auto path = path_choice(args);
  if (!path) return std::unexpected(path.error());
  options.tunnel.path = *path;
  return options;
}

// `ginnel up` has us hold its lock until the interface stands or nothing is left of it, so that
// nobody comes in between when both it and whoever waits for us are killed.
os::Fd lock_to_hold(const Io& io) {
  const auto text = io.environment(std::string(tunnel::kHeldLock));
  const auto number = parse_number<int>(text.value_or(""), 3, INT_MAX);
  return number ? os::Fd(*number) : os::Fd();
}

int run_in_background(tunnel::DevOptions options, Io& io) {
  os::Fd lock = lock_to_hold(io);
  // Ctrl-C before the interface stands: it is gone when we are.
  const auto signals = os::SignalFd::create();
  if (!signals) return io.report("dev", signals.error());
  auto background = os::Background::split();
  if (!background) return io.report("dev", background.error());
  if (!background->is_child()) {
    const os::Background::Verdict verdict = background->await(&*signals);
    if (verdict.exit_code != kOk) io.err("{}", verdict.message);
    return verdict.exit_code;
  }
  background->close_inherited(lock.get());
  log::start(log::Level::Info, log::Target::SystemLog);
  bool is_ready = false;
  const Status ended = tunnel::run_dev(std::move(options), [&] {
    is_ready = true;
    Status told = background->ready();
    if (told) lock.close();
    return told;
  });
  if (!ended && !is_ready) {
    background->failed({.exit_code = exit_code(ended.error().code),
                        .message = fmt::format("dev: {}", ended.error().message)});
  }
  return ended ? kOk : exit_code(ended.error().code);
}

int run_dev(const Args& args, Io& io) {
  auto options = options_of(args);
  if (!options) return io.report("dev", options.error());
  // In the foreground it means that the terminal is gone.
  options->ends_on_hangup = args.flag("--foreground");
  if (!args.flag("--foreground")) return run_in_background(std::move(*options), io);
  log::start(log::Level::Info);
  const Status ended = tunnel::run_dev(std::move(*options), [] { return ok(); });
  return ended ? kOk : io.report("dev", ended.error());
}

constexpr Argument kArguments[] = {
    {.name = "IFACE", .help = "the interface to make; \"wg%d\" takes the first free number"}};
constexpr Flag kFlags[] = {
    {.name = "--foreground",
     .help = "stay in the foreground and log to standard error, not to syslog"},
    {.name = "--mtu", .value = "BYTES", .help = "the interface's MTU at first (1420)"},
    {.name = "--workers", .value = "N", .help = "data threads (default: one per core, at least 8)"},
};
constexpr auto kAllFlags = with_path_flags(kFlags);
constexpr Exit kExits[] = {
    {kOk, "interface and control socket answered; with --foreground: ended as asked"},
    {kFailed, "the interface could not be made"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kRefused, "another program has the interface or answers on its socket"},
};

}  // namespace

constinit const Verb kDev{
    .name = "dev",
    .summary = "make a WireGuard interface in userspace, which stock wg configures",
    .arguments = kArguments,
    .flags = kAllFlags,
    .exits = kExits,
    .example = "sudo ginnel dev wg0 && sudo ginnel strip wg0 | sudo wg setconf wg0 /dev/stdin",
    .page = "docs/dev.md",
    .run = &run_dev,
};

}  // namespace ginnel::cli
