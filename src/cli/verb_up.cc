// The verbs that do wg-quick's work: up, down, strip, save, reload.
#include "base/log.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/path_flags.h"
#include "cli/verbs.h"
#include "service/killswitch/kill_switch.h"
#include "service/quick/quick.h"

namespace ginnel::cli {
namespace {

using quick::QuickOptions;

constexpr std::string_view kPage = "docs/up.md";

constexpr Argument kArguments[] = {
    {.name = "CONF",
     .help = "a file INTERFACE.conf, or INTERFACE alone for /etc/wireguard/INTERFACE.conf",
     .completes = Completes::File}};

Result<unsigned> lookup_retries(const Io& io) {
  const auto text = io.environment("WG_ENDPOINT_RESOLUTION_RETRIES");
  if (!text) return quick::kLookupRetries;
  if (*text == "infinity") return quick::kForEver;
  const auto number = parse_number<unsigned>(*text, 0, quick::kForEver - 1);
  if (number) return *number;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("WG_ENDPOINT_RESOLUTION_RETRIES: \"{}\" is neither a number nor infinity",
                          *text));
}

Result<QuickOptions> options_of(const Args& args, const Io& io) {
  QuickOptions options{.configuration = std::string(args.positional(0))};
  const auto retries = lookup_retries(io);
  if (!retries) return std::unexpected(retries.error());
  options.lookup_retries = *retries;
  options.locked_endpoints = [](const std::string& interface) {
    return killswitch::locked_endpoints({}, interface);
  };
  options.program = io.environment("WG_QUICK_USERSPACE_IMPLEMENTATION").value_or("");
  return options;
}

int run_with(std::string_view verb, const Args& args, Io& io,
             Status (*work)(const QuickOptions&, quick::Interruption&),
             const std::function<Status(QuickOptions&)>& complete = {}) {
  log::start(log::Level::Info);
  auto options = options_of(args, io);
  if (!options) return io.report(verb, options.error());
  if (complete) {
    if (Status completed = complete(*options); !completed) {
      return io.report(verb, completed.error());
    }
  }
  auto interruption = quick::Interruption::create();
  if (!interruption) return io.report(verb, interruption.error());
  const Status done = work(*options, *interruption);
  return done ? kOk : io.report(verb, done.error());
}

int run_up(const Args& args, Io& io) {
  const auto work = args.flag("--foreground") ? &quick::stay : &quick::up;
  return run_with("up", args, io, work, [&](QuickOptions& options) -> Status {
    const std::string_view name = args.value("--backend").value_or("auto");
    const auto backend = quick::parse_backend(name);
    if (!backend) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("--backend: \"{}\" is none of auto, userspace and kernel", name));
    }
    options.backend = *backend;
    if (const auto path = path_choice(args); !path) return std::unexpected(path.error());
    options.device_flags = path_words(args, io);
    return ok();
  });
}

int run_down(const Args& args, Io& io) { return run_with("down", args, io, &quick::down); }

int run_save(const Args& args, Io& io) { return run_with("save", args, io, &quick::save); }

int run_reload(const Args& args, Io& io) {
  const auto work = args.flag("--endpoints") ? &quick::reload_endpoints : &quick::reload;
  return run_with("reload", args, io, work, [&](QuickOptions& options) {
    options.confirm_removal = args.flag("--confirm-removal");
    return ok();
  });
}

int run_strip(const Args& args, Io& io) {
  log::start(log::Level::Warn);
  const auto source = quick::read_text(std::string(args.positional(0)));
  if (!source) return io.report("strip", source.error());
  warn_of(*source);
  const auto stripped = config::strip_quick_file(source->path, source->text);
  if (!stripped) return io.report("strip", stripped.error());
  io.write_out(*stripped);
  return kOk;
}

constexpr Flag kUpFlags[] = {{.name = "--backend",
                              .value = "WHICH",
                              .help = "what carries the packets (default: auto)",
                              .words = "auto userspace kernel"},
                             {.name = "--foreground",
                              .help = "stay, look up names of endpoints that fail again, and take "
                                      "the tunnel down when ended"}};
constexpr auto kAllUpFlags = with_rare_path_flags(kUpFlags);

constexpr Exit kUpExits[] = {
    {kOk, "the tunnel stands; with --foreground: it was taken down as asked"},
    {kFailed, "it does not, and the host is as it was"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kNoConnection, "the name of an endpoint cannot be looked up at the moment"},
    {kRefused, "the interface exists, or another command is at work on it; nothing was changed"},
};
constexpr Exit kDownExits[] = {
    {kOk, "the host is as before \"up\""},
    {kFailed, "nothing stands, or not all of it could be taken back"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kRefused, "the interface was not brought up by ginnel"},
};
constexpr Flag kReloadFlags[] = {
    {.name = "--endpoints",
     .help = "only look up the names of endpoints again, of peers that do not answer"},
    {.name = "--confirm-removal", .help = "let a file without peers remove all there are"}};
constexpr Exit kReloadExits[] = {
    {kOk, "the tunnel is as the file says"},
    {kFailed, "it does not stand, or a step failed and it is as it was"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
    {kNoConnection, "the name of an endpoint cannot be looked up at the moment"},
    {kRefused, "the file has no peers, and the tunnel has some"},
};
constexpr Exit kSaveExits[] = {
    {kOk, "the file says what the tunnel is"},
    {kFailed, "there is no such tunnel or file"},
    {kNotPermitted, "CAP_NET_ADMIN is missing"},
};
constexpr Exit kStripExits[] = {
    {kOk, "printed"},
    {kFailed, "there is no such file"},
};

}  // namespace

constinit const Verb kUp{
    .name = "up",
    .summary = "bring up a tunnel by a wg-quick file",
    .arguments = kArguments,
    .flags = kAllUpFlags,
    .exits = kUpExits,
    .example = "sudo ginnel up wg0",
    .page = kPage,
    .run = &run_up,
};

constinit const Verb kDown{
    .name = "down",
    .summary = "take a tunnel down, and put the host back as it was",
    .arguments = kArguments,
    .exits = kDownExits,
    .example = "sudo ginnel down wg0",
    .page = kPage,
    .run = &run_down,
};

constinit const Verb kReload{
    .name = "reload",
    .summary = "make a tunnel what its file says now, without dropping a session",
    .arguments = kArguments,
    .flags = kReloadFlags,
    .exits = kReloadExits,
    .example = "sudo ginnel reload wg0",
    .page = kPage,
    .run = &run_reload,
};

constinit const Verb kSave{
    .name = "save",
    .summary = "write what a tunnel is now into its file, and keep the rest of it",
    .arguments = kArguments,
    .exits = kSaveExits,
    .example = "sudo ginnel save wg0",
    .page = kPage,
    .run = &run_save,
};

constinit const Verb kStrip{
    .name = "strip",
    .summary = "print the lines of a wg-quick file that wg itself reads",
    .arguments = kArguments,
    .exits = kStripExits,
    .example = "sudo ginnel strip wg0",
    .page = kPage,
    .run = &run_strip,
};

}  // namespace ginnel::cli
