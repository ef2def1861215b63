#include "service/server/server_files.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/config/secret_text.h"
#include "os/file.h"

namespace ginnel::server {
namespace {

constexpr std::string_view kPeerSuffix = ".toml";
constexpr std::size_t kMaxPeerFileBytes = 64u << 10;
constexpr std::size_t kMaxKeyFileBytes = 4096;  // A key, and room for white space.

Status write(const std::string& path, const std::optional<std::string>& contents) {
  if (!contents) return os::remove_file(path);
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash != 0) {
    if (Status made = os::make_directories(path.substr(0, slash), 0700); !made) return made;
  }
  return os::write_file_atomically(path, *contents);
}

// The file's text, or none; `edit` stands before the disk.
Result<std::optional<std::string>> read(const std::string& path, std::size_t limit,
                                        const FileEdit* edit) {
  if (edit != nullptr && edit->path == path) return edit->after;
  auto text = os::read_file(path, limit);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == ErrorCode::NotFound) return std::optional<std::string>();
  return pass(std::move(text));
}

Result<std::optional<config::TomlDocument>> read_document(const ServerPaths& paths,
                                                          const FileEdit* edit) {
  auto text = read(paths.config_file, config::kMaxTomlBytes, edit);
  if (!text) return pass(std::move(text));
  if (!*text) {
    if (!paths.config_file_is_named) return std::optional<config::TomlDocument>();
    return fail(ErrorCode::NotFound, fmt::format("--config {}: there is no such file; make it, or "
                                                 "leave the flag out",
                                                 paths.config_file));
  }
  auto document = config::TomlDocument::parse(paths.config_file, std::move(**text));
  if (!document) return pass(std::move(document));
  return std::optional(std::move(*document));
}

// What does not end in .toml (notes, editors' backups) is not a peer's.
Result<std::vector<std::string>> list_peer_files(const ServerPaths& paths, const FileEdit* edit) {
  std::vector<std::string> files;
  auto names = os::list_directory(paths.peers_directory);
  if (!names && names.error().code != ErrorCode::NotFound) return names;
  if (names) {
    for (const std::string& name : *names) {
      if (!name.ends_with(kPeerSuffix) || name.starts_with('.')) continue;
      files.push_back(paths.peers_directory + "/" + name);
    }
  }
  if (edit != nullptr && !edit->before && edit->path.starts_with(paths.peers_directory + "/")) {
    files.push_back(edit->path);
  }
  return files;
}

Result<std::vector<config::ServerPeer>> read_peers(const ServerPaths& paths, const FileEdit* edit) {
  auto files = list_peer_files(paths, edit);
  if (!files) return pass(std::move(files));
  std::vector<config::ServerPeer> peers;
  peers.reserve(files->size());
  for (const std::string& file : *files) {
    auto text = read(file, kMaxPeerFileBytes, edit);
    if (!text) return pass(std::move(text));
    if (!*text) continue;  // Removed by the edit, or between listing and reading.
    auto peer = config::parse_peer_file(file, std::move(**text));
    if (!peer) return pass(std::move(peer));
    peers.push_back(std::move(*peer));
  }
  return peers;
}

Result<crypto::PrivateKey> read_key(const std::string& file) {
  auto text = os::read_file(file, kMaxKeyFileBytes);
  if (!text) return pass(std::move(text));
  auto key = crypto::PrivateKey::parse(trim(*text));
  config::erase_text(*text);
  if (key && !key->is_zero()) return key;
  return fail(ErrorCode::InvalidArgument,
              fmt::format("{}: does not hold a private key; make one with \"ginnel genkey > {}\"",
                          file, file));
}

}  // namespace

FileEdit::~FileEdit() {
  if (before) config::erase_text(*before);
  if (after) config::erase_text(*after);
}

Status apply(const FileEdit& edit) { return write(edit.path, edit.after); }
Status undo(const FileEdit& edit) { return write(edit.path, edit.before); }

Result<config::ServerConfig> load_server_config(const ServerSource& source, const FileEdit* edit) {
  auto document = read_document(source.paths, edit);
  if (!document) return pass(std::move(document));
  auto peers = read_peers(source.paths, edit);
  if (!peers) return pass(std::move(peers));
  return config::make_server_config({.flags = source.flags,
                                     .file = *document ? &**document : nullptr,
                                     .peers = std::move(*peers),
                                     .generated_subnet6 = source.generated_subnet6});
}

net::Prefix propose_subnet6(const ServerPaths& paths, Rng& rng) {
  const net::Prefix random = config::choose_subnet6(rng);
  const auto peers = read_peers(paths, nullptr);
  if (!peers) return random;  // What is wrong with them is said when they are loaded.
  for (const config::ServerPeer& peer : *peers) {
    for (const net::Address& address : peer.addresses) {
      if (config::is_unique_local(address)) {
        return net::Prefix::masking(address, config::kSubnet6Length);
      }
    }
  }
  return random;
}

Result<ServerKey> load_server_key(const ServerPaths& paths, const config::ServerConfig& config,
                                  Rng& rng) {
  if (config.private_key) return ServerKey{config.private_key->duplicate(), "", false};
  const std::string file = config.private_key_file.value_or(paths.key_file());
  auto key = read_key(file);
  if (key) return ServerKey{std::move(*key), file, false};
  if (key.error().code != ErrorCode::NotFound) return pass(std::move(key));
  if (config.private_key_file) {
    return fail(ErrorCode::NotFound,
                fmt::format("private key file {} does not exist; make it with \"ginnel genkey > "
                            "{}\", or leave it out to have one made",
                            file, file));
  }
  return ServerKey{crypto::PrivateKey::generate(rng), file, true};
}

Status save_server_key(const ServerKey& key) {
  if (!key.is_new) return ok();
  std::string text = key.key.expose_as_base64();
  text += '\n';
  const Status written = os::write_file_atomically(key.file, text, 0600);
  config::erase_text(text);
  return written;
}

}  // namespace ginnel::server
