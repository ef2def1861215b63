#include "service/server/server_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "os/file.h"
#include "store/choices.h"
#include "store/server_schema.h"

namespace ginnel::server {

Result<std::unique_ptr<storage::Database>> open_database(const ServerPaths& paths) {
  // What SQLite makes beside the file has the file's mode.
  if (!os::file_exists(paths.database())) {
    if (Status made = os::write_file_atomically(paths.database(), "", 0600); !made) {
      return pass(std::move(made));
    }
  }
  return storage::Database::open(paths.database(), storage::server_schema());
}

Result<net::Prefix> keep_subnet6(const storage::Database& database, const net::Prefix& proposed) {
  const auto kept = storage::keep_choice(database, "subnet6", proposed.to_string());
  if (!kept) return std::unexpected(kept.error());
  auto prefix = net::Prefix::parse(*kept);
  if (prefix) return prefix;
  return fail(ErrorCode::Io, fmt::format("{}: the subnet6 kept in it is damaged; choose one with "
                                         "--subnet6",
                                         database.path()));
}

storage::PeerKey store_key(const crypto::PublicKey& key) {
  storage::PeerKey bytes;
  std::ranges::copy(key.bytes(), bytes.begin());
  return bytes;
}

}  // namespace ginnel::server
