#include "base/secret.h"
#include "cli/args.h"
#include "cli/io.h"
#include "cli/verbs.h"
#include "core/config/secret_text.h"
#include "core/config/wg_show.h"
#include "http/json.h"
#include "os/clock.h"
#include "os/interface_index.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::cli {
namespace {

constexpr unsigned kDefaultTimeoutSeconds = 10;
constexpr unsigned kMaxTimeoutSeconds = 3600;
constexpr std::string_view kVersionMember = "version";

// The switches that stock `wg` has, so that who relies on them need not learn others.
bool wants_colour(const Io& io) {
  const auto mode = io.environment("WG_COLOR_MODE");
  if (mode == "always") return true;
  if (mode == "never") return false;
  return io.out_is_terminal() && !io.environment("NO_COLOR");
}

bool hides_keys(const Io& io) { return io.environment("WG_HIDE_KEYS") != "never"; }

// Members that are none, 0 or off are left out, as the well-known script around `wg show dump` has
// always done.
class ShowJson {
 public:
  explicit ShowJson(bool hides) : hides_keys_(hides) {
    json_.begin_object();
    json_.key(kVersionMember);
    json_.integer(1);
  }

  void add_device(std::string_view interface, const wg::DeviceStatus& device) {
    json_.key(interface);
    json_.begin_object();
    if (device.private_key) secret("privateKey", *device.private_key);
    if (device.public_key) text("publicKey", device.public_key->to_base64());
    number("listenPort", device.listen_port);
    number("fwmark", device.fwmark);
    json_.key("peers");
    json_.begin_object();
    for (const wg::PeerStatus& peer : device.peers) add_peer(peer);
    json_.end_object();
    counters(device.counters);
    json_.end_object();
  }

  std::string take() {
    json_.end_object();
    return json_.take() + '\n';
  }

 private:
  void add_peer(const wg::PeerStatus& peer) {
    json_.key(peer.public_key.to_base64());
    json_.begin_object();
    if (peer.preshared_key) secret("presharedKey", *peer.preshared_key);
    if (peer.endpoint) {
      text("endpoint", config::wg_endpoint_text(*peer.endpoint, os::interface_name));
    }
    number("latestHandshake", static_cast<std::uint64_t>(config::wg_handshake_seconds(peer)));
    number("transferRx", peer.rx_bytes);
    number("transferTx", peer.tx_bytes);
    number("persistentKeepalive", peer.persistent_keepalive_seconds);
    if (!peer.allowed_ips.empty()) {
      json_.key("allowedIps");
      json_.begin_array();
      for (const net::Prefix& prefix : peer.allowed_ips) json_.string(prefix.to_string());
      json_.end_array();
    }
    counters(peer.counters);
    json_.end_object();
  }

  void text(std::string_view name, std::string_view value) {
    json_.key(name);
    json_.string(value);
  }
  void number(std::string_view name, std::uint64_t value) {
    if (value == 0) return;
    json_.key(name);
    json_.unsigned_integer(value);
  }
  template <class Key>
  void secret(std::string_view name, const Key& key) {
    text(name, hides_keys_ ? std::string("(hidden)") : key.expose_as_base64());
  }
  void counters(const std::vector<wg::NamedCounter>& counters) {
    if (counters.empty()) return;
    json_.key("counters");
    json_.begin_object();
    for (const wg::NamedCounter& counter : counters) {
      json_.key(counter.name);
      json_.unsigned_integer(counter.value);
    }
    json_.end_object();
  }

  const bool hides_keys_;
  http::JsonWriter json_;
};

struct Request {
  std::string_view interface;  // Empty: all.
  std::optional<config::WgField> field;
  bool json = false;
  Duration timeout{};

  static Result<Request> from(const Args& args) {
    Request request{.interface = args.positional(0), .json = args.flag("--json")};
    if (request.interface.empty() && !args.positionals().empty()) {
      return fail(ErrorCode::InvalidArgument, "the interface's name is empty");
    }
    if (request.interface == "all") request.interface = {};
    const auto seconds =
        args.number<unsigned>("--timeout", 1, kMaxTimeoutSeconds, kDefaultTimeoutSeconds);
    if (!seconds) return std::unexpected(seconds.error());
    request.timeout = std::chrono::seconds(*seconds);
    const std::string_view field = args.positional(1);
    if (field.empty()) return request;
    request.field = config::parse_wg_field(field);
    if (request.json || request.interface == "interfaces") {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("\"{}\" cannot be chosen here: this form has no fields", field));
    }
    if (!request.field) {
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("\"{}\" is not one of {}", field, config::wg_field_names()));
    }
    return request;
  }
};

int show_interfaces(const std::vector<std::string>& names, bool json, Io& io) {
  if (json) {
    http::JsonWriter writer;
    writer.begin_object();
    writer.key(kVersionMember);
    writer.integer(1);
    writer.key("interfaces");
    writer.begin_array();
    for (const std::string& name : names) writer.string(name);
    writer.end_array();
    writer.end_object();
    io.out("{}\n", writer.take());
  } else if (!names.empty()) {
    io.out("{}\n", fmt::join(names, " "));
  }
  return kOk;
}

std::string render(const Request& request, const std::string& name, const wg::DeviceStatus& device,
                   const Io& io) {
  if (request.field) {
    return config::wg_show_field(*request.field, request.interface.empty() ? name : "", device,
                                 os::interface_name);
  }
  return config::wg_show_pretty(
      name, device, os::Clock().now().unix,
      {.colour = wants_colour(io), .hides_keys = hides_keys(io), .zones = os::interface_name});
}

Result<wg::DeviceStatus> observe(const std::string& name, Duration timeout) {
  auto device = tunnel::find_device(name, timeout);
  if (device) return (*device)->observe();
  // One of another kind is none, to who asks for WireGuard.
  const ErrorCode code = device.error().code;
  return fail(code == ErrorCode::Conflict ? ErrorCode::NotFound : code, device.error().message);
}

// An interface that cannot be read does not keep the others from being shown, but nothing about
// this looks like success.
int show_devices(const Request& request, const std::vector<std::string>& names, Io& io) {
  ShowJson json(hides_keys(io));
  int status = kOk;
  for (const std::string& name : names) {
    const auto device = observe(name, request.timeout);
    if (!device) {
      status = io.report("show", device.error());
    } else if (request.json && name == kVersionMember) {
      status = io.report("show", {ErrorCode::Conflict,
                                  "version: an interface of this name cannot be told from the "
                                  "document's version; show it without --json"});
    } else if (request.json) {
      json.add_device(name, *device);
    } else {
      std::string text = render(request, name, *device, io);
      if (!request.field && &name != &names.back()) text += '\n';
      io.write_out(text);
      config::erase_text(text);
    }
  }
  if (!request.json || (status != kOk && names.size() == 1)) return status;
  std::string text = json.take();
  io.write_out(text);
  config::erase_text(text);
  return status;
}

int run_show(const Args& args, Io& io) {
  const auto request = Request::from(args);
  if (!request) return io.report("show", request.error());
  if (!request->interface.empty() && request->interface != "interfaces") {
    return show_devices(*request, {std::string(request->interface)}, io);
  }
  const auto names = tunnel::list_devices();
  if (!names) return io.report("show", names.error());
  if (request->interface == "interfaces") return show_interfaces(*names, request->json, io);
  return show_devices(*request, *names, io);
}

int run_showconf(const Args& args, Io& io) {
  const auto timeout =
      args.number<unsigned>("--timeout", 1, kMaxTimeoutSeconds, kDefaultTimeoutSeconds);
  if (!timeout) return io.report("showconf", timeout.error());
  const auto device = observe(std::string(args.positional(0)), std::chrono::seconds(*timeout));
  if (!device) return io.report("showconf", device.error());
  std::string text = config::wg_show_conf(*device, os::interface_name);
  io.write_out(text);
  config::erase_text(text);
  return kOk;
}

constexpr Argument kArguments[] = {
    {.name = "IFACE",
     .help = "an interface, \"all\" (the default), or \"interfaces\" for their names",
     .count = Count::Optional,
     .completes = Completes::Interface},
    {.name = "FIELD",
     .help = "print this only, in a form for scripts",
     .count = Count::Optional,
     .words =
         "public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips "
         "latest-handshakes transfer persistent-keepalive dump"},
};
constexpr Argument kShowconfArguments[] = {
    {.name = "IFACE", .help = "an interface", .completes = Completes::Interface}};
constexpr Flag kTimeout = {.name = "--timeout",
                           .value = "SECONDS",
                           .help = "how long an interface may take to answer (10)"};
constexpr Flag kFlags[] = {
    {.name = "--json", .help = "print one JSON document, with counters of drops and failures"},
    kTimeout,
};
constexpr Flag kShowconfFlags[] = {kTimeout};
constexpr Exit kExits[] = {
    {kOk, "shown"},
    {kFailed, "there is no such interface, or its answer made no sense"},
    {kNotPermitted, "it is another user's, or the kernel's and CAP_NET_ADMIN is missing"},
    {kNoConnection, "nobody answers on its control socket"},
    {kTimedOut, "--timeout passed"},
};

}  // namespace

constinit const Verb kShow{
    .name = "show",
    .summary = "show WireGuard interfaces and their peers, as wg show does",
    .arguments = kArguments,
    .flags = kFlags,
    .exits = kExits,
    .example = "sudo ginnel show wg0 latest-handshakes",
    .page = "docs/show.md",
    .run = &run_show,
};

constinit const Verb kShowconf{
    .name = "showconf",
    .summary = "print the configuration of an interface, with its keys, as wg showconf does",
    .arguments = kShowconfArguments,
    .flags = kShowconfFlags,
    .exits = kExits,
    .example = "sudo ginnel showconf wg0",
    .page = "docs/show.md",
    .run = &run_showconf,
};

}  // namespace ginnel::cli
