#include <fmt/ranges.h>

#include "cli/args.h"
#include "cli/human.h"
#include "cli/io.h"
#include "cli/server_place.h"
#include "cli/server_terminal.h"
#include "cli/verbs.h"
#include "core/config/secret_text.h"
#include "os/file.h"
#include "os/system_rng.h"
#include "service/server/control_client.h"
#include "service/server/stopped_server.h"

namespace ginnel::cli {
namespace {

constexpr std::size_t kMaxSecretBytes = 4096;
constexpr std::string_view kFilePrefix = "file:";

// What a verb works with, besides what it was given.
struct Place {
  os::Clock clock;
  os::SystemRng rng;
  std::unique_ptr<server::PeerService> peers;
  std::string peers_directory;  // Of a server that does not run.
};

// The running server; without one, its files.
Status open_place(const Args& args, const Io& io, Place& place) {
  auto paths = server_paths(args, io);
  if (!paths) return pass(std::move(paths));
  std::optional<std::string> interface;
  if (const auto value = args.value("--interface")) interface = *value;
  auto running = server::ControlClient::find(*paths, interface);
  if (!running) return pass(std::move(running));
  if (*running) {
    place.peers = std::move(*running);
    return ok();
  }
  // The files are those of whatever server there is; which interface it will have, nobody knows.
  if (interface) {
    return fail(
        ErrorCode::NotFound,
        fmt::format("no server runs on {}; without --interface, its files are meant", *interface));
  }
  place.peers_directory = paths->peers_directory;
  auto stopped = server::StoppedServer::open(std::move(*paths), place.clock, place.rng);
  if (!stopped) return pass(std::move(stopped));
  place.peers = std::move(*stopped);
  return ok();
}

void say_when(const Place& place, std::string_view verb, Io& io) {
  if (place.peers->is_running()) return;
  io.err("{}: no server runs here; {} was changed, and counts from its next start on", verb,
         place.peers_directory);
}

// "-" is standard input, "file:PATH" a file.
Result<std::string> read_secret(std::string_view flag, std::string_view where, Io& io) {
  auto text = [&]() -> Result<std::string> {
    if (where == "-") return io.read_in(kMaxSecretBytes);
    if (where.starts_with(kFilePrefix)) {
      return os::read_file(std::string(where.substr(kFilePrefix.size())), kMaxSecretBytes);
    }
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("{}: a secret is read from a file (file:PATH) or standard input (-)", flag));
  }();
  if (!text) return text;
  std::string secret(trim(*text));
  config::erase_text(*text);
  return secret;
}

Result<server::NewPeerView> new_peer(const Args& args, Io& io) {
  server::NewPeerView peer;
  peer.name = args.positional(0);
  const auto text = [&](std::string_view name, std::optional<std::string>& field) {
    if (const auto value = args.value(name)) field = std::string(*value);
  };
  text("--public-key", peer.public_key);
  text("--endpoint", peer.endpoint);
  text("--persistent-keepalive", peer.persistent_keepalive);
  const auto list = [&](std::string_view name, std::optional<std::vector<std::string>>& field) {
    const auto values = args.values(name);
    if (!values.empty()) field.emplace(values.begin(), values.end());
  };
  list("--address", peer.addresses);
  list("--allowed-ips", peer.allowed_ips);
  list("--allow", peer.allow);
  list("--deny", peer.deny);
  if (args.flag("--no-preshared-key")) peer.make_preshared_key = false;
  if (const auto where = args.value("--preshared-key")) {
    if (args.flag("--no-preshared-key")) {
      return fail(ErrorCode::InvalidArgument,
                  "--preshared-key and --no-preshared-key contradict each other; keep one");
    }
    auto secret = read_secret("--preshared-key", *where, io);
    if (!secret) return pass(std::move(secret));
    peer.preshared_key = std::move(*secret);
  }
  return peer;
}

template <class T>
std::string joined(const std::vector<T>& values) {
  std::vector<std::string> texts;
  for (const T& value : values) texts.push_back(value.to_string());
  return fmt::format("{}", fmt::join(texts, ", "));
}

int run_add(const Args& args, Io& io) {
  auto wanted = new_peer(args, io);
  if (!wanted) return io.report("peer add", wanted.error());
  Place place;
  if (Status open = open_place(args, io, place); !open) return io.report("peer add", open.error());
  const auto peer = place.peers->add(*wanted);
  if (wanted->preshared_key) config::erase_text(*wanted->preshared_key);
  if (!peer) return io.report("peer add", peer.error());
  say_when(place, "peer add", io);
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(server::PeerDocument{.peer = *peer}));
    return kOk;
  }
  io.out("{}: {}\n", peer->name, joined(peer->addresses));
  if (peer->has_private_key) {
    io.err("\"ginnel peer qr {}\" shows its code for a phone, \"ginnel peer config {}\" its file",
           peer->name, peer->name);
  } else {
    io.err("\"ginnel peer config {}\" prints its file, for its own private key to be put in",
           peer->name);
  }
  return kOk;
}

// Verbs that change one thing and have nothing to say but that.
int run_change(const Args& args, Io& io, std::string_view verb, std::string_view done,
               const std::function<Result<server::ChangeView>(server::PeerService&,
                                                              const std::string&)>& change) {
  Place place;
  if (Status open = open_place(args, io, place); !open) return io.report(verb, open.error());
  const std::string name(args.positional(0));
  const auto changed = change(*place.peers, name);
  if (!changed) return io.report(verb, changed.error());
  if (changed->is_empty()) {
    io.out("{}: was {} already\n", name, done);
    return kOk;
  }
  io.out("{}: {}\n", name, done);
  say_when(place, verb, io);
  return kOk;
}

int run_remove(const Args& args, Io& io) {
  return run_change(args, io, "peer remove", "removed",
                    [](server::PeerService& p, const std::string& n) { return p.remove(n); });
}
int run_enable(const Args& args, Io& io) {
  return run_change(
      args, io, "peer enable", "enabled",
      [](server::PeerService& p, const std::string& n) { return p.set_enabled(n, true); });
}
int run_disable(const Args& args, Io& io) {
  return run_change(
      args, io, "peer disable", "disabled",
      [](server::PeerService& p, const std::string& n) { return p.set_enabled(n, false); });
}
int run_forget_key(const Args& args, Io& io) {
  return run_change(args, io, "peer forget-key", "without its private key here",
                    [](server::PeerService& p, const std::string& n) { return p.forget_key(n); });
}

// A list that is given, or given up; absent, it stays.
Result<std::optional<std::vector<std::string>>> new_list(const Args& args, std::string_view flag,
                                                         std::string_view no_flag) {
  const auto values = args.values(flag);
  if (!args.flag(no_flag)) {
    if (values.empty()) return std::nullopt;
    return std::vector<std::string>(values.begin(), values.end());
  }
  if (values.empty()) return std::vector<std::string>();
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{} and {} contradict each other; keep one", flag, no_flag));
}

int run_set(const Args& args, Io& io) {
  auto allow = new_list(args, "--allow", "--no-allow");
  if (!allow) return io.report("peer set", allow.error());
  auto deny = new_list(args, "--deny", "--no-deny");
  if (!deny) return io.report("peer set", deny.error());
  if (!*allow && !*deny) {
    return io.report("peer set", {ErrorCode::InvalidArgument,
                                  "nothing to set; say --allow, --deny, --no-allow or --no-deny"});
  }
  const server::RuleChangeView change{.allow = std::move(*allow), .deny = std::move(*deny)};
  return run_change(args, io, "peer set", "set", [&](server::PeerService& p, const std::string& n) {
    return p.set_rules(n, change);
  });
}

std::string last_seen(const server::PeerView& peer, UnixTime now) {
  return peer.last_handshake.value ? human_age(*peer.last_handshake.value, now) : "never";
}

void print_table(const std::vector<server::PeerView>& peers, UnixTime now, Io& io) {
  std::vector<std::array<std::string, 6>> rows = {
      {"NAME", "ADDRESSES", "STATE", "LAST HANDSHAKE", "RECEIVED", "SENT"}};
  for (const server::PeerView& peer : peers) {
    rows.push_back({peer.name, joined(peer.addresses), peer.enabled ? "enabled" : "disabled",
                    last_seen(peer, now), human_bytes(peer.rx_bytes), human_bytes(peer.tx_bytes)});
  }
  std::array<std::size_t, 6> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 == row.size() ? row[i] : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    io.out("{}\n", line);
  }
}

int run_list(const Args& args, Io& io) {
  Place place;
  if (Status open = open_place(args, io, place); !open) return io.report("peer list", open.error());
  auto peers = place.peers->peers();
  if (!peers) return io.report("peer list", peers.error());
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(server::PeerListDocument{.peers = std::move(*peers)}));
    return kOk;
  }
  print_table(*peers, place.clock.now().unix, io);
  if (peers->empty() && !place.peers->is_running()) {
    io.err("peer list: no server runs here, and {} has no clients", place.peers_directory);
  }
  return kOk;
}

void print_peer(const server::PeerView& peer, bool is_running, UnixTime now, Io& io) {
  io.out("peer: {}\n", peer.name);
  io.out("public key: {}\n", peer.public_key.to_base64());
  io.out("state: {}\n", peer.enabled ? "enabled" : "disabled");
  io.out("addresses: {}\n", joined(peer.addresses));
  io.out("allowed ips: {}\n", joined(peer.allowed_ips));
  if (peer.allow.value) io.out("allow: {}\n", fmt::join(*peer.allow.value, "; "));
  if (!peer.deny.empty()) io.out("deny: {}\n", fmt::join(peer.deny, "; "));
  io.out("private key here: {}\n", peer.has_private_key ? "yes" : "no");
  io.out("preshared key: {}\n", peer.has_preshared_key ? "yes" : "no");
  io.out("from: {}\n", peer.source);
  if (peer.created.value) io.out("created: {}\n", *peer.created.value);
  if (peer.endpoint.value) io.out("endpoint: {}\n", peer.endpoint.value->to_string());
  io.out("last handshake: {}\n", last_seen(peer, now));
  io.out("handshakes: {}\n", peer.handshakes);
  for (const auto& [cause, count] : peer.handshake_failures) {
    io.out("handshakes failed ({}): {}\n", cause, count);
  }
  io.out("received: {}, sent: {}\n", human_bytes(peer.rx_bytes), human_bytes(peer.tx_bytes));
  if (!is_running) return;
  io.out("receiving: {}, sending: {}\n", human_rate(peer.rx_bytes_per_second.value.value_or(0)),
         human_rate(peer.tx_bytes_per_second.value.value_or(0)));
}

int run_show(const Args& args, Io& io) {
  Place place;
  if (Status open = open_place(args, io, place); !open) return io.report("peer show", open.error());
  const auto peer = place.peers->peer(std::string(args.positional(0)));
  if (!peer) return io.report("peer show", peer.error());
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(server::PeerDocument{.peer = *peer}));
  } else {
    print_peer(*peer, place.peers->is_running(), place.clock.now().unix, io);
  }
  return kOk;
}

int run_config(const Args& args, Io& io) {
  Place place;
  if (Status open = open_place(args, io, place); !open) {
    return io.report("peer config", open.error());
  }
  auto file = place.peers->client_file(std::string(args.positional(0)));
  if (!file) return io.report("peer config", file.error());
  if (io.out_is_exposed()) {
    io.err(
        "peer config: warning: other users may open the file this is written to; run \"umask "
        "077\" before");
  }
  io.write_out(*file);
  config::erase_text(*file);
  return kOk;
}

int run_qr(const Args& args, Io& io) {
  Place place;
  if (Status open = open_place(args, io, place); !open) return io.report("peer qr", open.error());
  const std::string name(args.positional(0));
  const auto peer = place.peers->peer(name);
  if (!peer) return io.report("peer qr", peer.error());
  if (!peer->has_private_key) {
    io.err(
        "peer qr: the private key of \"{}\" is not here, and a code without it is of no use; "
        "\"ginnel peer config {}\" prints the rest",
        name, name);
    return kFailed;
  }
  auto file = place.peers->client_file(name);
  if (!file) return io.report("peer qr", file.error());
  io.write_out(qr_text(*file, terminal_traits(io)));
  config::erase_text(*file);
  return kOk;
}

constexpr Argument kName[] = {{.name = "NAME", .help = "the peer's name"}};
constexpr Flag kJson{.name = "--json", .help = "print one JSON document"};
constexpr Flag kPlaceFlags[] = {kStateDirFlag, kServerConfigFlag, kWhichServerFlag};
constexpr Flag kPrintFlags[] = {kStateDirFlag, kServerConfigFlag, kWhichServerFlag, kJson};
constexpr Flag kAllowFlag{
    .name = "--allow",
    .value = "RULE",
    .help = "what it may open, and nothing else: \"192.168.7.0/24 tcp 22,80-90\"",
    .repeatable = true};
constexpr Flag kDenyFlag{.name = "--deny",
                         .value = "RULE",
                         .help = "what it may not open, allowed or not: \"private\"",
                         .repeatable = true};
constexpr Flag kSetFlags[] = {
    kStateDirFlag,
    kServerConfigFlag,
    kWhichServerFlag,
    kAllowFlag,
    {.name = "--no-allow", .help = "everything that is not denied"},
    kDenyFlag,
    {.name = "--no-deny", .help = "nothing is denied but what is not allowed"},
};
constexpr Flag kAddFlags[] = {
    kStateDirFlag,
    kServerConfigFlag,
    kWhichServerFlag,
    kJson,
    {.name = "--public-key",
     .value = "KEY",
     .help = "the client made its own key pair; its private key is never here"},
    {.name = "--address",
     .value = "ADDRESS",
     .help = "its address in the tunnel (default: the next free ones)",
     .repeatable = true},
    {.name = "--allowed-ips",
     .value = "CIDR",
     .help = "a network behind the client, besides its addresses",
     .repeatable = true},
    kAllowFlag,
    kDenyFlag,
    {.name = "--preshared-key",
     .value = "file:PATH|-",
     .help = "where to read a preshared key (default: made, unless --public-key is given)"},
    {.name = "--no-preshared-key", .help = "do without a preshared key"},
    {.name = "--endpoint",
     .value = "HOST:PORT",
     .help = "where the server finds the client, if it is to call it"},
    {.name = "--persistent-keepalive",
     .value = "SECONDS",
     .help = "how often the client's file says to keep NATs open, or \"off\" (25)"},
};

constexpr Exit kExits[] = {
    {kOk, "done"},
    {kFailed, "there is no such peer, or it failed"},
    {kNotPermitted, "files or control socket are not for you"},
    {kRefused, "it would conflict with something; nothing was changed"},
};

}  // namespace

constinit const Verb kPeerAdd{
    .name = "peer add",
    .summary = "make a client of the server, with keys and addresses",
    .arguments = kName,
    .flags = kAddFlags,
    .exits = kExits,
    .example = "sudo ginnel peer add anna",
    .page = "docs/server.md",
    .run = &run_add,
};

constinit const Verb kPeerRemove{
    .name = "peer remove",
    .summary = "remove a client for good",
    .arguments = kName,
    .flags = kPlaceFlags,
    .exits = kExits,
    .example = "sudo ginnel peer remove anna",
    .page = "docs/server.md",
    .run = &run_remove,
};

constinit const Verb kPeerEnable{
    .name = "peer enable",
    .summary = "let a disabled client in again",
    .arguments = kName,
    .flags = kPlaceFlags,
    .exits = kExits,
    .example = "sudo ginnel peer enable anna",
    .page = "docs/server.md",
    .run = &run_enable,
};

constinit const Verb kPeerDisable{
    .name = "peer disable",
    .summary = "keep a client out, and its keys and addresses for it",
    .arguments = kName,
    .flags = kPlaceFlags,
    .exits = kExits,
    .example = "sudo ginnel peer disable anna",
    .page = "docs/server.md",
    .run = &run_disable,
};

constinit const Verb kPeerSet{
    .name = "peer set",
    .summary = "change what a client may open",
    .arguments = kName,
    .flags = kSetFlags,
    .exits = kExits,
    .example = "sudo ginnel peer set anna --allow '192.168.7.0/24 tcp 22' --allow 'any udp 53'",
    .page = "docs/server.md",
    .run = &run_set,
};

constinit const Verb kPeerList{
    .name = "peer list",
    .summary = "list the server's clients",
    .flags = kPrintFlags,
    .exits = kExits,
    .example = "sudo ginnel peer list --json",
    .page = "docs/server.md",
    .run = &run_list,
};

constinit const Verb kPeerShow{
    .name = "peer show",
    .summary = "say all about one client",
    .arguments = kName,
    .flags = kPrintFlags,
    .exits = kExits,
    .example = "sudo ginnel peer show anna",
    .page = "docs/server.md",
    .run = &run_show,
};

constinit const Verb kPeerConfig{
    .name = "peer config",
    .summary = "print a client's wg-quick file and nothing else",
    .arguments = kName,
    .flags = kPlaceFlags,
    .exits = kExits,
    .example = "umask 077; sudo ginnel peer config anna > anna.conf",
    .page = "docs/server.md",
    .run = &run_config,
};

constinit const Verb kPeerQr{
    .name = "peer qr",
    .summary = "show a client's file as a code that the phone app scans",
    .arguments = kName,
    .flags = kPlaceFlags,
    .exits = kExits,
    .example = "sudo ginnel peer qr anna",
    .page = "docs/server.md",
    .run = &run_qr,
};

constinit const Verb kPeerForgetKey{
    .name = "peer forget-key",
    .summary = "erase the client's private key here; the client goes on working",
    .arguments = kName,
    .flags = kPlaceFlags,
    .exits = kExits,
    .example = "sudo ginnel peer forget-key anna",
    .page = "docs/server.md",
    .run = &run_forget_key,
};

}  // namespace ginnel::cli
