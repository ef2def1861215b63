#include "core/config/quick_file.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "core/config/quick_lines.h"
#include "core/config/secret_text.h"
#include "core/config/stock_values.h"

namespace ginnel::config {
namespace {

constexpr std::size_t kMaxShown = 64;  // Of a wrong value, in a message.
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string shown(std::string_view text) {
  std::string result;
  for (char c : text.substr(0, kMaxShown)) result += c >= ' ' && c <= '~' ? c : '?';
  return result;
}

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::InvalidArgument, std::move(message));
}

bool is_off(std::string_view value) { return equal_ignoring_case(value, "off"); }

// What is read from a line, and what there is to be said of it.
struct Entry {
  std::string_view value;
  std::size_t number = 0;
  std::vector<std::string> oddities{};

  // Stock tools understand it, and people might understand something else.
  void note(std::string_view text, std::string_view meaning) {
    oddities.push_back(
        fmt::format("\"{}\" is taken as {}, as wg-quick takes it; write that, or what was meant",
                    shown(text), meaning));
  }
};

// The pieces between commas and spaces, as bash splits them: empty ones do not exist.
std::vector<std::string_view> words_of(std::string_view value) {
  std::vector<std::string_view> words;
  constexpr std::string_view kSeparators = ", \t";
  for (std::size_t at = value.find_first_not_of(kSeparators); at != std::string_view::npos;) {
    const std::size_t end = std::min(value.find_first_of(kSeparators, at), value.size());
    words.push_back(value.substr(at, end - at));
    at = value.find_first_not_of(kSeparators, end);
  }
  return words;
}

// Written as people read it, too.
bool is_plain(std::string_view text, const net::InterfaceAddress& meaning) {
  if (const auto strict = net::InterfaceAddress::parse(text)) return *strict == meaning;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const bool has_mask =
      slash < text.size() && net::Address::parse(text.substr(slash + 1)).has_value();
  return has_mask && meaning.address.is_v4() && net::Address::parse(text.substr(0, slash));
}

Result<net::InterfaceAddress> read_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = ip_tool_address(text.substr(0, slash));
  if (!address) {
    return wrong(
        fmt::format("\"{}\" is no address; write one like 10.0.0.2/24 or fd00::2/64", shown(text)));
  }
  net::InterfaceAddress result{*address, address->bits()};
  if (slash == std::string_view::npos) return result;
  const auto length = ip_tool_length(text.substr(slash + 1));
  if (!length || *length > address->bits()) {
    return wrong(fmt::format("\"{}\": the length behind the slash is a number from 0 to {}",
                             shown(text), address->bits()));
  }
  result.length = *length;
  return result;
}

Status read_addresses(Entry& line, QuickFile& file) {
  for (std::string_view word : words_of(line.value)) {
    if (word == "default") {
      line.note(word, "no address at all");
      continue;
    }
    auto address = read_address(word);
    if (!address) return pass(std::move(address));
    if (file.addresses.size() >= kMaxQuickAddresses) {
      return wrong(fmt::format("more than {} addresses; leave some out", kMaxQuickAddresses));
    }
    if (!is_plain(word, *address)) line.note(word, address->to_string());
    file.addresses.push_back(*address);
  }
  return ok();
}

// What reads /etc/resolv.conf takes numbers of any base.
std::string read_server(std::string_view word, Entry& line) {
  const auto address = resolver_address(word);
  if (!address || address->to_string() == word) return std::string(word);
  line.note(word, address->to_string());
  return address->to_string();
}

Status read_dns(Entry& line, QuickFile& file) {
  for (std::string_view word : words_of(line.value)) {
    if (file.dns_servers.size() + file.search_domains.size() >= kMaxQuickDns) {
      return wrong(fmt::format("more than {} servers and domains; leave some out", kMaxQuickDns));
    }
    const bool is_server = word.find(':') != std::string_view::npos ||
                           word.find_first_not_of("0123456789.") == std::string_view::npos;
    if (is_server) {
      file.dns_servers.push_back(read_server(word, line));
    } else {
      file.search_domains.emplace_back(word);
    }
  }
  return ok();
}

Status read_mtu(Entry& line, QuickFile& file) {
  file.mtu.reset();
  if (line.value.empty()) return ok();
  const auto mtu = line.value.starts_with('-') ? std::nullopt : parse_c_number(line.value, 0);
  if (!mtu || *mtu == 0 || *mtu > INT32_MAX) {
    return wrong(
        fmt::format("\"{}\" is no number of bytes; write one like 1420, or leave the line out",
                    shown(line.value)));
  }
  const std::string plain = fmt::format("{}", *mtu);
  if (line.value != plain) line.note(line.value, plain);
  file.mtu = static_cast<std::uint32_t>(*mtu);
  return ok();
}

Status read_table(Entry& line, QuickFile& file) {
  file.table = line.value.empty() ? "auto" : line.value;
  file.table_line = line.number;
  return ok();
}

Status read_save_config(Entry& line, QuickFile& file) {
  file.save_config = equal_ignoring_case(line.value, "true");
  if (file.save_config || equal_ignoring_case(line.value, "false")) return ok();
  return wrong(fmt::format("\"{}\" is neither true nor false", shown(line.value)));
}

template <auto kHooks>
Status read_hook(Entry& line, QuickFile& file) {
  std::vector<QuickHook>& hooks = file.hooks.*kHooks;
  if (hooks.size() >= kMaxQuickHooks) {
    return wrong(
        fmt::format("more than {} of them; put the commands into a script", kMaxQuickHooks));
  }
  hooks.push_back({.text = std::string(line.value), .line = line.number});
  return ok();
}

struct OwnKey {
  std::string_view name;     // In lower case.
  std::string_view spelled;  // For messages.
  Status (*read)(Entry&, QuickFile&);
};
constexpr OwnKey kOwnKeys[] = {
    {"address", "Address", &read_addresses},
    {"dns", "DNS", &read_dns},
    {"mtu", "MTU", &read_mtu},
    {"table", "Table", &read_table},
    {"preup", "PreUp", &read_hook<&QuickHooks::pre_up>},
    {"postup", "PostUp", &read_hook<&QuickHooks::post_up>},
    {"predown", "PreDown", &read_hook<&QuickHooks::pre_down>},
    {"postdown", "PostDown", &read_hook<&QuickHooks::post_down>},
    {"saveconfig", "SaveConfig", &read_save_config},
};

// The message of `problem`, with the place in front.
std::unexpected<Error> at(std::string_view name, const QuickLine& line, std::string_view key,
                          const Error& problem) {
  return fail(problem.code, fmt::format("{}:{}: {}: {}", name, line.number, key, problem.message));
}

void keep_oddities(std::string_view name, const Entry& entry, std::string_view key,
                   QuickFile& file) {
  for (const std::string& oddity : entry.oddities) {
    if (file.warnings.size() >= kMaxQuickWarnings) return;
    file.warnings.push_back(fmt::format("{}:{}: {}: {}", name, entry.number, key, oddity));
  }
}

// Without '=' wg-quick takes the key for the value. With these it may go on all the same.
bool may_lack_value(std::string_view key) {
  return key == "dns" || key == "table" || key == "predown" || key == "postdown";
}

Status read_own(std::string_view name, const QuickLine& line, QuickFile& file) {
  const auto* key = std::ranges::find(kOwnKeys, line.key, &OwnKey::name);
  Entry entry{.value = line.value, .number = line.number};
  Status read = ok();
  if (!line.has_value && !may_lack_value(line.key)) {
    read = wrong(fmt::format("there is no '='; write {} = VALUE", key->spelled));
  } else {
    read = key->read(entry, file);
  }
  if (!read) return at(name, line, key->spelled, read.error());
  if (!line.has_value) {
    entry.oddities.push_back(
        fmt::format("there is no '=', so the value is taken to be \"{}\", as wg-quick takes it; "
                    "write {} = VALUE",
                    shown(line.value), key->spelled));
  }
  keep_oddities(name, entry, key->spelled, file);
  return ok();
}

// From here on, what `wg` reads.

Status read_private_key(Entry& line, QuickFile& file) {
  auto key = crypto::PrivateKey::parse(line.value);
  if (!key) return pass(std::move(key));
  file.private_key = std::move(*key);
  return ok();
}

// In numbers, a port; else the name of a service, which the host has to know.
Result<PortText> read_port(std::string_view text) {
  if (const auto port = resolver_port(text)) return fmt::format("{}", *port);
  const bool is_name = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '+';
  });
  if (is_name && (text.front() < '0' || text.front() > '9') && text.front() != '-') {
    return std::string(text);
  }
  return wrong(fmt::format("\"{}\" is no port; write a number from 0 to 65535", shown(text)));
}

bool is_plain_port(std::string_view text, const PortText& meaning) {
  return text == meaning || parse_number<std::uint16_t>(text, 0, UINT16_MAX);
}

Status read_listen_port(Entry& line, QuickFile& file) {
  auto port = read_port(line.value);
  if (!port) return pass(std::move(port));
  if (!is_plain_port(line.value, *port)) line.note(line.value, *port);
  file.listen_port = std::move(*port);
  file.listen_port_line = line.number;
  return ok();
}

Status read_fwmark(Entry& line, QuickFile& file) {
  std::string_view text = line.value;
  file.fwmark.reset();
  if (is_off(text)) file.fwmark = 0;
  if (text.starts_with("0x")) {
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
    if (text.size() > 2 && error == std::errc() && end == text.data() + text.size()) {
      file.fwmark = value;
    }
  } else if (!file.fwmark && !text.starts_with('-')) {
    file.fwmark = parse_number<std::uint32_t>(text, 0, UINT32_MAX);
  }
  if (file.fwmark) return ok();
  return wrong(
      fmt::format("\"{}\" is no mark; write off, or a number like 51820 or 0xca6c", shown(text)));
}

Status read_public_key(Entry& line, QuickPeer& peer) {
  const auto key = crypto::PublicKey::parse(line.value);
  if (!key) return std::unexpected(key.error());
  peer.public_key = *key;
  peer.has_public_key = true;
  return ok();
}

Status read_preshared_key(Entry& line, QuickPeer& peer) {
  auto key = crypto::PresharedKey::parse(line.value);
  if (!key) return pass(std::move(key));
  peer.preshared_key = std::move(*key);
  return ok();
}

Status read_allowed_ips(Entry& line, QuickPeer& peer) {
  for (std::string_view word : split(line.value, ',')) {
    const bool is_removal = word.starts_with('-');
    const bool is_signed = is_removal || word.starts_with('+');
    const auto prefix = net::Prefix::parse_masking(word.substr(is_signed ? 1 : 0));
    if (!prefix) {
      return wrong(word.empty() ? std::string("a comma with nothing behind it; remove it")
                                : fmt::format("\"{}\" is no range of addresses; write one like "
                                              "10.0.0.0/24 or 0.0.0.0/0",
                                              shown(word)));
    }
    if (is_signed) peer.replace_allowed_ips = false;
    peer.allowed_ips.push_back({*prefix, is_removal});
    peer.allowed_ip_lines.push_back(line.number);
  }
  return ok();
}

Status read_endpoint(Entry& line, QuickPeer& peer) {
  const std::string_view text = line.value;
  const auto bad = [&] {
    return wrong(
        fmt::format("\"{}\" is no endpoint; write one like vpn.example.org:51820, "
                    "192.0.2.1:51820 or [2001:db8::1]:51820",
                    shown(text)));
  };
  const bool is_bracketed = text.starts_with('[');
  const std::size_t close = is_bracketed ? text.find(']') : std::string_view::npos;
  const std::size_t colon = is_bracketed ? close + 1 : text.rfind(':');
  if ((is_bracketed && close == std::string_view::npos) || colon >= text.size()) return bad();
  if (text[colon] != ':') return bad();
  const std::string_view host = is_bracketed ? text.substr(1, close - 1) : text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.empty() || port.empty()) return bad();
  auto meant = read_port(port);
  if (!meant) return pass(std::move(meant));
  const auto address = resolver_address(host);
  peer.endpoint = {.host = address ? address->to_string() : std::string(host),
                   .port = std::move(*meant)};
  peer.endpoint_line = line.number;
  if (peer.endpoint->host != host || !is_plain_port(port, peer.endpoint->port)) {
    line.note(text, is_bracketed ? fmt::format("[{}]:{}", peer.endpoint->host, peer.endpoint->port)
                                 : fmt::format("{}:{}", peer.endpoint->host, peer.endpoint->port));
  }
  return ok();
}

Status read_keepalive(Entry& line, QuickPeer& peer) {
  peer.persistent_keepalive_seconds = is_off(line.value)
                                          ? std::uint16_t{0}
                                          : parse_number<std::uint16_t>(line.value, 0, UINT16_MAX);
  if (peer.persistent_keepalive_seconds) return ok();
  return wrong(fmt::format("\"{}\" is no number of seconds; write off, or one from 1 to 65535",
                           shown(line.value)));
}

template <class Target>
struct WgKey {
  std::string_view name;
  std::string_view spelled;
  Status (*read)(Entry&, Target&);
};
constexpr WgKey<QuickFile> kInterfaceKeys[] = {
    {"privatekey", "PrivateKey", &read_private_key},
    {"listenport", "ListenPort", &read_listen_port},
    {"fwmark", "FwMark", &read_fwmark},
};
constexpr WgKey<QuickPeer> kPeerKeys[] = {
    {"publickey", "PublicKey", &read_public_key},
    {"presharedkey", "PresharedKey", &read_preshared_key},
    {"allowedips", "AllowedIPs", &read_allowed_ips},
    {"endpoint", "Endpoint", &read_endpoint},
    {"persistentkeepalive", "PersistentKeepalive", &read_keepalive},
};

// What a key could be meant for that stands where it cannot be.
std::string unknown_key(const QuickLine& line, std::string_view section) {
  const auto is_it = [&](const auto& key) { return key.name == line.key; };
  const bool is_of_interface =
      std::ranges::any_of(kInterfaceKeys, is_it) || std::ranges::any_of(kOwnKeys, is_it);
  const bool is_of_peer = std::ranges::any_of(kPeerKeys, is_it);
  if (is_of_interface) return "belongs into [Interface]";
  if (is_of_peer) return "belongs into [Peer]";
  return fmt::format("unknown in {}; comments begin with '#'", section);
}

// Reads `wg`'s lines one by one; remembers in which section it is.
class WgReader {
 public:
  WgReader(std::string_view name, QuickFile& file) : name_(name), file_(file) {}

  Status read(const QuickLine& line) {
    if (line.kind == QuickLine::Kind::Section) return open(line);
    if (section_ == Section::Interface)
      return read_with(kInterfaceKeys, line, "[Interface]", file_);
    if (section_ == Section::Peer) return read_with(kPeerKeys, line, "[Peer]", peers_.back());
    return wrong(fmt::format("{}:{}: \"{}\" stands before any section; write [Interface] above it",
                             name_, line.number, shown(line.key)));
  }

  // Puts sections of one key together as `wg` applies them: one after the other.
  Status finish() {
    std::map<crypto::PublicKey, std::size_t> places;
    for (QuickPeer& peer : peers_) {
      if (!peer.has_public_key) {
        return wrong(fmt::format("{}:{}: [Peer]: the PublicKey line is missing", name_, peer.line));
      }
      const auto [place, is_new] = places.try_emplace(peer.public_key, file_.peers.size());
      if (is_new) {
        file_.peers.push_back(std::move(peer));
      } else {
        merge(std::move(peer), file_.peers[place->second]);
      }
    }
    return check_owners();
  }

 private:
  enum class Section : std::uint8_t { None, Interface, Peer };

  Status open(const QuickLine& line) {
    if (line.key == "[interface]") {
      section_ = Section::Interface;
      return ok();
    }
    if (line.key == "[peer]") {
      section_ = Section::Peer;
      if (peers_.size() >= kMaxQuickPeers) {
        return wrong(fmt::format("{}:{}: more than {} peers", name_, line.number, kMaxQuickPeers));
      }
      peers_.emplace_back().line = line.number;
      return ok();
    }
    return wrong(fmt::format("{}:{}: \"{}\" is no section; there are [Interface] and [Peer]", name_,
                             line.number, shown(line.key)));
  }

  template <class Keys, class Target>
  Status read_with(const Keys& keys, const QuickLine& line, std::string_view section,
                   Target& target) {
    for (const auto& key : keys) {
      if (key.name != line.key) continue;
      Entry entry{.value = line.value, .number = line.number};
      Status read = line.has_value && !line.value.empty()
                        ? key.read(entry, target)
                        : Status(wrong("there is no value; write one or remove the line"));
      if (!read) return at(name_, line, key.spelled, read.error());
      keep_oddities(name_, entry, key.spelled, file_);
      return ok();
    }
    return wrong(fmt::format("{}:{}: {}: {}", name_, line.number, shown(line.key),
                             unknown_key(line, section)));
  }

  static void merge(QuickPeer&& later, QuickPeer& peer) {
    if (later.replace_allowed_ips) {
      peer.allowed_ips.clear();
      peer.allowed_ip_lines.clear();
    }
    std::ranges::move(later.allowed_ips, std::back_inserter(peer.allowed_ips));
    std::ranges::move(later.allowed_ip_lines, std::back_inserter(peer.allowed_ip_lines));
    if (later.preshared_key) peer.preshared_key = std::move(later.preshared_key);
    if (later.endpoint) peer.endpoint = std::move(later.endpoint);
    if (later.endpoint_line != 0) peer.endpoint_line = later.endpoint_line;
    if (later.persistent_keepalive_seconds) {
      peer.persistent_keepalive_seconds = later.persistent_keepalive_seconds;
    }
  }

  // `wg` would silently give a prefix to the last peer that names it.
  Status check_owners() const {
    struct Owner {
      const QuickPeer* peer;
      std::size_t line;
    };
    std::map<net::Prefix, Owner> owners;
    for (const QuickPeer& peer : file_.peers) {
      for (std::size_t i = 0; i < peer.allowed_ips.size(); ++i) {
        const wg::AllowedIpChange& allowed = peer.allowed_ips[i];
        if (allowed.remove) continue;
        const std::size_t line = peer.allowed_ip_lines[i];
        const auto [owner, is_new] = owners.try_emplace(allowed.prefix, Owner{&peer, line});
        if (is_new || owner->second.peer == &peer) continue;
        return wrong(fmt::format(
            "{}:{}: AllowedIPs: {} is in line {} as well, and can be one peer's only; remove it "
            "from {} or {}",
            name_, line, allowed.prefix.to_string(), owner->second.line,
            owner->second.peer->public_key.to_base64(), peer.public_key.to_base64()));
      }
    }
    return ok();
  }

  std::string_view name_;
  QuickFile& file_;
  std::vector<QuickPeer> peers_;
  Section section_ = Section::None;
};

// Their values are keys.
struct ErasedLines {
  std::vector<QuickLine> lines;
  ~ErasedLines() {
    for (QuickLine& line : lines) erase_text(line.value);
  }
};

Status check_text(std::string_view name, std::string_view text) {
  if (text.size() > kMaxQuickFile) {
    return fail(ErrorCode::Exhausted, fmt::format("{}: larger than {} MiB; is it the right file?",
                                                  name, kMaxQuickFile >> 20));
  }
  const std::size_t zero = text.find('\0');
  if (zero == std::string_view::npos) return ok();
  const auto line = 1 + std::ranges::count(text.substr(0, zero), '\n');
  return wrong(fmt::format("{}:{}: a zero byte; is it a text file?", name, line));
}

}  // namespace

Result<QuickFile> parse_quick_file(std::string_view name, std::string_view text) {
  if (Status good = check_text(name, text); !good) return pass(std::move(good));
  if (text.starts_with(kByteOrderMark)) {
    return wrong(fmt::format(
        "{}:1: begins with a byte order mark, which wg refuses; save it as UTF-8 without one",
        name));
  }
  QuickFile file;
  WgReader reader(name, file);
  const ErasedLines erased{quick_lines(text)};
  for (const QuickLine& line : erased.lines) {
    if (line.kind == QuickLine::Kind::Blank) continue;
    Status read =
        line.kind == QuickLine::Kind::Own ? read_own(name, line, file) : reader.read(line);
    if (!read) return pass(std::move(read));
  }
  if (Status finished = reader.finish(); !finished) return pass(std::move(finished));
  return file;
}

QuickHooks quick_commands(std::string_view text) {
  QuickFile file;
  if (!check_text("", text)) return {};
  const ErasedLines erased{quick_lines(text)};
  for (const QuickLine& line : erased.lines) {
    const bool is_command = line.key.starts_with("pre") || line.key.starts_with("post");
    if (line.kind != QuickLine::Kind::Own || !is_command) continue;
    if (!read_own("", line, file)) continue;  // As much as is allowed, and has a value.
  }
  return std::move(file.hooks);
}

Result<std::string> strip_quick_file(std::string_view name, std::string_view text) {
  if (Status good = check_text(name, text); !good) return pass(std::move(good));
  QuickFile file;
  std::string result;
  const ErasedLines erased{quick_lines(text)};
  for (const QuickLine& line : erased.lines) {
    if (line.kind != QuickLine::Kind::Own) {
      const std::size_t begin = std::min(line.text.find_first_not_of(" \t"), line.text.size());
      const std::size_t end = line.text.find_last_not_of(" \t") + 1;
      if (begin < end) result += line.text.substr(begin, end - begin);
      result += '\n';
    } else if (line.key == "saveconfig") {
      if (Status read = read_own(name, line, file); !read) return pass(std::move(read));
    }
  }
  return result;
}

}  // namespace ginnel::config
