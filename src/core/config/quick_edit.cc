#include "core/config/quick_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/config/quick_lines.h"

namespace ginnel::config {
namespace {

// A section's lines, from its header on.
struct Section {
  std::size_t first = 0;
  std::size_t end = 0;  // Behind the last one.
  bool is_interface = false;
  std::optional<crypto::PublicKey> peer;
};

// The file as lines that can be replaced, removed or added to.
class Editor {
 public:
  explicit Editor(std::string_view text) : lines_(quick_lines(text)), texts_(lines_.size()) {
    for (std::size_t i = 0; i < lines_.size(); ++i) texts_[i] = std::string(lines_[i].text);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].kind != QuickLine::Kind::Section) continue;
      if (!sections_.empty()) sections_.back().end = i;
      sections_.push_back({.first = i, .is_interface = lines_[i].key == "[interface]"});
    }
    if (!sections_.empty()) sections_.back().end = lines_.size();
    for (Section& section : sections_) note_peer(section);
  }

  const std::vector<Section>& sections() const { return sections_; }

  // Makes the section say this of `key`, once: in the place of its first such line, or behind its
  // last line that says anything. An empty value removes the lines.
  void set(const Section& section, std::string_view key, const std::string& value) {
    const std::string lowered = lower(key);
    bool is_said = value.empty();
    for (std::size_t i = section.first + 1; i < section.end; ++i) {
      if (lines_[i].key != lowered) continue;
      texts_[i] = is_said ? std::nullopt : std::optional(with_value(lines_[i], value));
      is_said = true;
    }
    if (is_said) return;
    std::size_t last = section.first;
    for (std::size_t i = section.first; i < section.end; ++i) {
      if (lines_[i].kind != QuickLine::Kind::Blank) last = i;
    }
    added_[last] += fmt::format("{} = {}\n", key, value);
  }

  // With the comment that stands right above it, which is about it.
  void remove(const Section& section) {
    std::size_t first = section.first;
    while (first > 0 && is_comment(lines_[first - 1])) --first;
    std::size_t end = section.end;
    // The comment above the next section is that one's.
    if (end < lines_.size()) {
      while (end > section.first + 1 && is_comment(lines_[end - 1])) --end;
    }
    for (std::size_t i = first; i < end; ++i) texts_[i].reset();
  }

  void append(const std::string& text) { tail_ += text; }

  std::string take() const {
    std::string result;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (texts_[i]) result += *texts_[i] + '\n';
      if (const auto added = added_.find(i); added != added_.end()) result += added->second;
    }
    return result + tail_;
  }

 private:
  static std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return result;
  }
  static bool is_comment(const QuickLine& line) {
    return line.kind == QuickLine::Kind::Blank && line.text.find('#') != std::string_view::npos;
  }
  // The line as it stands, key, spaces and comment, but for the value.
  static std::string with_value(const QuickLine& line, const std::string& value) {
    const std::size_t hash = std::min(line.text.find('#'), line.text.size());
    const std::string_view plain = line.text.substr(0, hash);
    const std::size_t equals = plain.find('=');
    const std::size_t begin = std::min(plain.find_first_not_of(" \t\r", equals + 1), plain.size());
    const std::size_t end = plain.find_last_not_of(" \t\r") + 1;
    return fmt::format("{}{}{}", line.text.substr(0, begin), value,
                       line.text.substr(std::max(begin, end)));
  }
  void note_peer(Section& section) {
    if (section.is_interface) return;
    for (std::size_t i = section.first; i < section.end; ++i) {
      if (lines_[i].key != "publickey") continue;
      if (const auto key = crypto::PublicKey::parse(lines_[i].value)) section.peer = *key;
    }
  }

  std::vector<QuickLine> lines_;
  std::vector<std::optional<std::string>> texts_;  // Nothing: removed.
  std::map<std::size_t, std::string> added_;       // Behind a line.
  std::vector<Section> sections_;
  std::string tail_;
};

std::string joined(const std::vector<net::Prefix>& prefixes) {
  std::string text;
  for (const net::Prefix& prefix : prefixes) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", prefix.to_string());
  }
  return text;
}

bool has_prefixes(const QuickPeer& peer, const wg::PeerStatus& status) {
  std::set<net::Prefix> said;
  for (const wg::AllowedIpChange& allowed : peer.allowed_ips) {
    if (!allowed.remove) said.insert(allowed.prefix);
  }
  return said == std::set(status.allowed_ips.begin(), status.allowed_ips.end());
}

template <class Key>
bool is_same(const std::optional<Key>& a, const std::optional<Key>& b) {
  const Key none;
  return equal_in_constant_time(a ? a->expose() : none.expose(), b ? b->expose() : none.expose());
}

std::string endpoint_text(const QuickEndpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
               : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

// The name of a host stays: it was written because the address changes.
bool has_endpoint(const QuickPeer& peer, const wg::PeerStatus& status) {
  if (!status.endpoint) return true;
  if (!peer.endpoint) return false;
  if (!net::Address::parse(peer.endpoint->host)) return true;
  const auto parsed = net::Endpoint::parse(endpoint_text(*peer.endpoint));
  return parsed && *parsed == *status.endpoint;
}

std::string keepalive_text(const wg::PeerStatus& status) {
  return status.persistent_keepalive_seconds == 0
             ? std::string()
             : fmt::format("{}", status.persistent_keepalive_seconds);
}

std::string secret_text_of(const wg::PeerStatus& status) {
  const bool is_none = !status.preshared_key || status.preshared_key->is_zero();
  return is_none ? std::string() : status.preshared_key->expose_as_base64();
}

// `rewrite` says everything anew: the peer had several sections, of which only this one stays.
void edit_peer(const QuickPeer& peer, const wg::PeerStatus& status, const Section& section,
               bool rewrite, Editor& editor) {
  if (rewrite || !is_same(peer.preshared_key, status.preshared_key)) {
    editor.set(section, "PresharedKey", secret_text_of(status));
  }
  if (rewrite || !has_prefixes(peer, status)) {
    editor.set(section, "AllowedIPs", joined(status.allowed_ips));
  }
  if (!has_endpoint(peer, status)) {
    editor.set(section, "Endpoint", status.endpoint->to_string());
  } else if (rewrite && peer.endpoint) {
    editor.set(section, "Endpoint", endpoint_text(*peer.endpoint));
  }
  if (rewrite ||
      peer.persistent_keepalive_seconds.value_or(0) != status.persistent_keepalive_seconds) {
    editor.set(section, "PersistentKeepalive", keepalive_text(status));
  }
}

std::string new_peer(const wg::PeerStatus& status) {
  std::string text = fmt::format("\n[Peer]\nPublicKey = {}\n", status.public_key.to_base64());
  if (const std::string secret = secret_text_of(status); !secret.empty()) {
    text += fmt::format("PresharedKey = {}\n", secret);
  }
  if (!status.allowed_ips.empty()) {
    text += fmt::format("AllowedIPs = {}\n", joined(status.allowed_ips));
  }
  if (status.endpoint) text += fmt::format("Endpoint = {}\n", status.endpoint->to_string());
  if (status.persistent_keepalive_seconds != 0) {
    text += fmt::format("PersistentKeepalive = {}\n", status.persistent_keepalive_seconds);
  }
  return text;
}

// In the first section of the interface; what others say of the key would come after it, and count.
void set_in_interface(std::string_view key, const std::string& value, Editor& editor) {
  bool is_first = true;
  for (const Section& section : editor.sections()) {
    if (!section.is_interface) continue;
    editor.set(section, key, is_first ? value : std::string());
    is_first = false;
  }
}

void edit_interface(const QuickFile& file, const QuickLive& live, Editor& editor) {
  const wg::DeviceStatus& device = live.device;
  if (file.private_key && device.private_key && !is_same(file.private_key, device.private_key)) {
    set_in_interface("PrivateKey", device.private_key->expose_as_base64(), editor);
  }
  const std::string port = fmt::format("{}", device.listen_port);
  const bool is_chance = device.listen_port == live.automatic_port && !file.listen_port;
  // The name of a service is left to stand for its number, and 0 for any.
  const std::string said_port = file.listen_port.value_or("");
  const bool is_number = said_port.find_first_not_of("0123456789") == std::string::npos;
  if (!is_chance && is_number && said_port != port && said_port != "0") {
    set_in_interface("ListenPort", port, editor);
  }
  const bool is_ours = device.fwmark == live.automatic_fwmark && file.fwmark.value_or(0) == 0;
  const std::uint32_t mark = is_ours ? 0 : device.fwmark;
  if (mark != file.fwmark.value_or(0)) {
    set_in_interface("FwMark", mark == 0 ? std::string() : fmt::format("{:#x}", mark), editor);
  }
  const std::set<net::InterfaceAddress> said(file.addresses.begin(), file.addresses.end());
  if (said == std::set(live.addresses.begin(), live.addresses.end())) return;
  std::string addresses;
  for (const net::InterfaceAddress& address : live.addresses) {
    addresses += fmt::format("{}{}", addresses.empty() ? "" : ", ", address.to_string());
  }
  set_in_interface("Address", addresses, editor);
}

}  // namespace

std::string edit_quick_file(std::string_view text, const QuickFile& file, const QuickLive& live) {
  Editor editor(text);
  std::map<crypto::PublicKey, const wg::PeerStatus*> present;
  for (const wg::PeerStatus& peer : live.device.peers) present[peer.public_key] = &peer;
  std::map<crypto::PublicKey, std::size_t> sections;
  for (const Section& section : editor.sections()) {
    if (section.peer) ++sections[*section.peer];
  }
  edit_interface(file, live, editor);
  std::set<crypto::PublicKey> seen;
  for (const Section& section : editor.sections()) {
    if (!section.peer) continue;
    const auto found = present.find(*section.peer);
    if (found == present.end() || !seen.insert(*section.peer).second) {
      editor.remove(section);
      continue;
    }
    const auto said = std::ranges::find(file.peers, *section.peer, &QuickPeer::public_key);
    if (said == file.peers.end()) continue;
    edit_peer(*said, *found->second, section, sections[*section.peer] > 1, editor);
  }
  for (const wg::PeerStatus& peer : live.device.peers) {
    if (!seen.contains(peer.public_key)) editor.append(new_peer(peer));
  }
  return editor.take();
}

}  // namespace ginnel::config
