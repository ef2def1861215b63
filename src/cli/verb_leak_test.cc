// The verbs that attack a twin of this host and say what came out: killswitch test, gateway test.
#include "base/log.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/lock_flags.h"
#include "cli/verbs.h"
#include "http/json.h"
#include "os/capability.h"
#include "service/killswitch/lock_files.h"
#include "service/leaktest/subject.h"

namespace ginnel::cli {
namespace {

using leaks::Certificate;
using leaks::Verdict;

constexpr std::string_view kPage = "docs/leak-test.md";

struct CheckView {
  std::string name;
  std::string verdict;
  std::string detail;
};
BOOST_DESCRIBE_STRUCT(CheckView, (), (name, verdict, detail))

struct CellView {
  std::string leak_class;
  std::string attack;
  std::string interface;
  std::string family;
  std::string origin;
  std::string way;
  std::string phase;
  std::string state;
  std::uint64_t tried = 0;
  std::uint64_t sent = 0;
  std::uint64_t escaped = 0;
  std::string verdict;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(CellView, (),
                      (leak_class, attack, interface, family, origin, way, phase, state, tried,
                       sent, escaped, verdict, reason))

struct ClassView {
  std::string leak_class;
  std::string name;
  std::uint64_t cells = 0;
  std::uint64_t skipped = 0;
  std::uint64_t tried = 0;
  std::uint64_t sent = 0;
  std::uint64_t escaped = 0;
  std::string verdict;
};
BOOST_DESCRIBE_STRUCT(ClassView, (),
                      (leak_class, name, cells, skipped, tried, sent, escaped, verdict))

struct SkippedView {
  std::string leak_class;
  std::string what;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(SkippedView, (), (leak_class, what, reason))

struct CertificateView {
  int version = 1;
  std::string verdict;
  std::string ruleset;
  std::string holder;
  std::string kernel;
  std::string program;
  std::string date;
  std::uint64_t tried = 0;
  std::uint64_t escaped = 0;
  std::uint64_t stray_frames = 0;
  std::uint64_t lost_frames = 0;
  std::vector<std::string> strays;
  std::vector<std::string> notes;
  std::vector<CheckView> checks;
  std::vector<ClassView> classes;
  std::vector<SkippedView> skipped;
  std::vector<CellView> cells;
};
BOOST_DESCRIBE_STRUCT(CertificateView, (),
                      (version, verdict, ruleset, holder, kernel, program, date, tried, escaped,
                       stray_frames, lost_frames, strays, notes, checks, classes, skipped, cells))

CellView view_of(const leaks::Cell& cell) {
  return {.leak_class = id_of(cell.leak_class),
          .attack = cell.attack,
          .interface = cell.device,
          .family = std::string(cell.family),
          .origin = std::string(cell.origin),
          .way = std::string(cell.way),
          .phase = cell.phase,
          .state = std::string(cell.state),
          .tried = cell.tried,
          .sent = cell.sent,
          .escaped = cell.escaped,
          .verdict = std::string(name_of(cell.verdict)),
          .reason = cell.reason};
}

CertificateView view_of(const Certificate& certificate) {
  CertificateView view{.verdict = std::string(name_of(certificate.verdict())),
                       .ruleset = certificate.ruleset,
                       .holder = certificate.holder,
                       .kernel = certificate.kernel,
                       .program = certificate.program,
                       .date = certificate.date,
                       .tried = certificate.tried(),
                       .escaped = certificate.escaped(),
                       .stray_frames = certificate.stray_frames,
                       .lost_frames = certificate.lost_frames,
                       .strays = certificate.strays,
                       .notes = certificate.notes};
  for (const leaks::Check& check : certificate.checks) {
    view.checks.push_back({check.name, std::string(name_of(check.verdict)), check.detail});
  }
  for (const leaks::ClassSummary& summary : certificate.summary()) {
    view.classes.push_back({.leak_class = id_of(summary.leak_class),
                            .name = std::string(name_of(summary.leak_class)),
                            .cells = summary.cells,
                            .skipped = summary.skipped,
                            .tried = summary.tried,
                            .sent = summary.sent,
                            .escaped = summary.escaped,
                            .verdict = std::string(name_of(summary.verdict))});
  }
  for (const leaks::Untried& untried : certificate.untried) {
    view.skipped.push_back({id_of(untried.leak_class), untried.what, untried.reason});
  }
  for (const leaks::Cell& cell : certificate.cells) view.cells.push_back(view_of(cell));
  return view;
}

// What is wrong first; a long list of what is not tells nobody anything.
void print_faults(const Certificate& certificate, Io& io) {
  constexpr std::size_t kMaxLines = 30;
  std::size_t lines = 0;
  for (const leaks::Cell& cell : certificate.cells) {
    if (cell.verdict == Verdict::Passed || cell.verdict == Verdict::Skipped) continue;
    if (++lines > kMaxLines) continue;
    io.out("  {}: {} {} {}{}{} {}, {}: {} of {} escaped{}{}\n", name_of(cell.verdict),
           id_of(cell.leak_class), cell.phase, cell.attack, cell.device.empty() ? "" : " ",
           cell.device, cell.family, cell.origin, cell.escaped, cell.tried,
           cell.reason.empty() ? "" : "; ", cell.reason);
  }
  if (lines > kMaxLines) io.out("  and {} more; --json has all\n", lines - kMaxLines);
  for (const std::string& stray : certificate.strays) io.out("  unexpected: {}\n", stray);
  if (certificate.lost_frames > 0) {
    io.out("  {} frames were not looked at, for want of room; try again\n",
           certificate.lost_frames);
  }
}

void print(const Certificate& certificate, Io& io) {
  io.out("ruleset {}, Linux {}, {}\n\n", certificate.ruleset, certificate.kernel, certificate.date);
  for (const leaks::Check& check : certificate.checks) {
    io.out("  {:8} {}: {}\n", name_of(check.verdict), check.name, check.detail);
  }
  io.out("\n  {:5} {:56} {:>7} {:>8} {:>8}\n", "class", "what", "tried", "escaped", "verdict");
  for (const leaks::ClassSummary& summary : certificate.summary()) {
    io.out("  {:5} {:56} {:>7} {:>8} {:>8}\n", id_of(summary.leak_class),
           name_of(summary.leak_class), summary.tried, summary.escaped, name_of(summary.verdict));
  }
  io.out("\n");
  print_faults(certificate, io);
  for (const leaks::Untried& untried : certificate.untried) {
    io.out("  skipped: {} {}: {}\n", id_of(untried.leak_class), untried.what, untried.reason);
  }
  for (const std::string& note : certificate.notes) io.out("  note: {}\n", note);
  io.out("{}: {} packets tried, {} escaped\n", name_of(certificate.verdict()), certificate.tried(),
         certificate.escaped());
}

int exit_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Passed:
      return kOk;
    case Verdict::Escaped:
      return kFailed;
    case Verdict::Invalid:
    case Verdict::Skipped:
      return kCannotTell;
  }
  std::unreachable();
}

Status may_make_twins() {
  constexpr std::string_view kWhat = "a twin of this host";
  for (const os::Capability capability : {os::Capability::SysAdmin, os::Capability::NetAdmin}) {
    if (Status may = os::require_capability(capability, kWhat); !may) return may;
  }
  return ok();
}

int run(std::string_view verb, Result<leaktest::LeakTest> test, quick::Interruption& interruption,
        const Args& args, Io& io) {
  if (!test) return io.report(verb, test.error());
  test->check = [&] { return interruption.check(); };
  const auto certificate = leaktest::run_leak_test(*test);
  if (!certificate) {
    const int code = io.report(verb, certificate.error());
    return code == kFailed ? kCannotTell : code;
  }
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(view_of(*certificate)));
  } else {
    print(*certificate, io);
  }
  return exit_of(certificate->verdict());
}

constexpr Flag kJson = {.name = "--json", .help = "print the certificate as JSON"};
constexpr Flag kKillSwitchFlags[] = {
    kJson,
    kAllowFlag,
    kLanAccessFlag,
    kSplitUserFlag,
    kSplitCgroupFlag,
    kSplitDnsFlag,
    kManageFlag,
    kDnsFlag,
    kRenewLeasesFlag,
    kMarkFlag,
    kPlainTablesFlag,
    {.name = "--state-dir",
     .value = "PATH",
     .help = "where it is kept what is locked (default: /var/lib/ginnel/killswitch)",
     .completes = Completes::Folder}};

constexpr Flag kGatewayFlags[] = {kJson,      kLanFlag,         kLocalFlag,      kManageFlag,
                                  kDnsFlag,   kKnownLeasesFlag, kMaskedMarkFlag, kBlockIpv6Flag,
                                  kTableFlag, kPrioritiesFlag,  kEndpointsFlag};

// Of those that say what a lock is to be.
std::optional<std::string_view> first_given(const Args& args, std::span<const Flag> flags) {
  for (const Flag& flag : flags) {
    const bool says_so = flag.name != kJson.name && flag.name != "--state-dir";
    if (says_so && !args.values(flag.name).empty()) return flag.name;
  }
  return std::nullopt;
}

int run_killswitch_test(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "killswitch test";
  log::start(log::Level::Error);
  if (Status may = may_make_twins(); !may) return io.report(kVerb, may.error());
  auto interruption = quick::Interruption::create();
  if (!interruption) return io.report(kVerb, interruption.error());
  const bool is_planned = !args.positionals().empty() || first_given(args, kKillSwitchFlags);
  const auto directory = args.value("--state-dir").value_or(killswitch::kStateDirectory);
  return run(kVerb,
             is_planned ? leaktest::planned_lock(lock_request(args, io), *interruption)
                        : leaktest::standing_lock(std::string(directory)),
             *interruption, args, io);
}

int run_gateway_test(const Args& args, Io& io) {
  constexpr std::string_view kVerb = "gateway test";
  log::start(log::Level::Error);
  if (Status may = may_make_twins(); !may) return io.report(kVerb, may.error());
  auto interruption = quick::Interruption::create();
  if (!interruption) return io.report(kVerb, interruption.error());
  if (args.positionals().empty()) {
    if (const auto flag = first_given(args, kGatewayFlags)) {
      return io.report(kVerb, {ErrorCode::InvalidArgument,
                               fmt::format("{} is of a gateway that is to be; name its file, or "
                                           "leave it out to test the lock that stands",
                                           *flag)});
    }
    return run(kVerb, leaktest::standing_lock(killswitch::kStateDirectory), *interruption, args,
               io);
  }
  gateway::GatewayOptions options{.files = {args.positionals().begin(), args.positionals().end()},
                                  .flags = gateway_lock_flags(args),
                                  .ssh_connection = io.environment("SSH_CONNECTION").value_or("")};
  if (const auto directory = args.value("--state-dir")) options.state_directory = *directory;
  return run(kVerb, leaktest::planned_gateway(options), *interruption, args, io);
}

constexpr Argument kKillSwitchArguments[] = {
    {.name = "CONF",
     .help = "test what \"killswitch on CONF\" would lock; without one and without flags, the lock "
             "that stands",
     .count = Count::Optional,
     .completes = Completes::File}};
constexpr Argument kGatewayArguments[] = {
    {.name = "CONF",
     .help = "test what \"gateway CONF...\" would lock; without one, the lock that stands",
     .count = Count::Any,
     .completes = Completes::File}};
constexpr Exit kExits[] = {
    {kOk, "nothing escaped, and every control was seen"},
    {kFailed, "something escaped"},
    {kNotPermitted, "CAP_SYS_ADMIN or CAP_NET_ADMIN is missing"},
    {kCannotTell, "a control failed, or the twin could not be made: nothing is proven"},
};

}  // namespace

constinit const Verb kKillSwitchTest{
    .name = "killswitch test",
    .summary = "attack a twin of this host's lock, and certify that nothing escapes",
    .arguments = kKillSwitchArguments,
    .flags = kKillSwitchFlags,
    .exits = kExits,
    .example = "sudo ginnel killswitch test",
    .page = kPage,
    .run = &run_killswitch_test,
};

constinit const Verb kGatewayTest{
    .name = "gateway test",
    .summary = "attack a twin of this gateway, and certify that nothing escapes",
    .arguments = kGatewayArguments,
    .flags = kGatewayFlags,
    .exits = kExits,
    .example = "sudo ginnel gateway test ./provider.conf --lan eth1",
    .page = kPage,
    .run = &run_gateway_test,
};

}  // namespace ginnel::cli
