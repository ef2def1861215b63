#include "service/server/started_flags.h"

#include "core/config/toml_reader.h"
#include "os/file.h"

namespace ginnel::server {
namespace {

using config::ServerFlags;

constexpr std::size_t kMaxFileBytes = 16u << 20;
constexpr std::string_view kPublicKey = "public_key";

struct TextFlag {
  const char* key;
  std::optional<std::string> ServerFlags::* flag;
};
constexpr TextFlag kTextFlags[] = {
    {"private_key_file", &ServerFlags::private_key_file},
    {"listen", &ServerFlags::listen},
    {"subnet", &ServerFlags::subnet},
    {"subnet6", &ServerFlags::subnet6},
    {"server_ip", &ServerFlags::server_ip},
    {"subnet_mask", &ServerFlags::subnet_mask},
    {"interface", &ServerFlags::interface},
    {"outbound_interface", &ServerFlags::outbound_interface},
    {"endpoint", &ServerFlags::endpoint},
    {"mtu", &ServerFlags::mtu},
};

struct ListFlag {
  const char* key;
  std::vector<std::string> ServerFlags::* flag;
};
constexpr ListFlag kListFlags[] = {
    {"dns", &ServerFlags::dns},
    {"peers", &ServerFlags::peers},
    {"peer_ips", &ServerFlags::peer_ips},
};

std::string file_of(const ServerPaths& paths) {
  return paths.state_directory + "/started-with.toml";
}

}  // namespace

Status save_started_flags(const ServerPaths& paths, const StartedFlags& started) {
  config::TomlEntries entries;
  for (const auto& [key, flag] : kTextFlags) {
    if (started.flags.*flag) entries.emplace_back(key, *(started.flags.*flag));
  }
  for (const auto& [key, flag] : kListFlags) {
    if (!(started.flags.*flag).empty()) entries.emplace_back(key, started.flags.*flag);
  }
  if (started.public_key) entries.emplace_back(kPublicKey, started.public_key->to_base64());
  return os::write_file_atomically(
      file_of(paths),
      "# The flags of the server's last start, written by it. Change server.toml instead.\n" +
          config::to_toml(entries),
      0600);
}

Result<StartedFlags> load_started_flags(const ServerPaths& paths) {
  auto text = os::read_file(file_of(paths), kMaxFileBytes);
  if (!text && text.error().code == ErrorCode::NotFound) return StartedFlags{};
  if (!text) return pass(std::move(text));
  const auto document = config::TomlDocument::parse(file_of(paths), std::move(*text));
  if (!document) return std::unexpected(document.error());
  StartedFlags started;
  config::TomlReader reader(*document, document->root(), "");
  for (const auto& [key, flag] : kTextFlags) {
    if (const auto value = reader.text(key)) started.flags.*flag = std::string(value->text);
  }
  for (const auto& [key, flag] : kListFlags) {
    for (const auto& value : reader.texts(key).value_or(std::vector<config::TomlReader::Text>())) {
      (started.flags.*flag).emplace_back(value.text);
    }
  }
  started.public_key = reader.parsed(kPublicKey, &crypto::PublicKey::parse);
  if (Status read = reader.finish(); !read) return pass(std::move(read));
  return started;
}

}  // namespace ginnel::server
