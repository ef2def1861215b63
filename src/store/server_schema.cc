#include "store/server_schema.h"

namespace ginnel::storage {
namespace {

constexpr std::string_view kMigrations[] = {
    "CREATE TABLE traffic ("
    "  peer BLOB PRIMARY KEY NOT NULL CHECK (length(peer) = 32),"
    "  rx_bytes INTEGER NOT NULL,"
    "  tx_bytes INTEGER NOT NULL,"
    "  handshakes INTEGER NOT NULL,"
    "  last_handshake_ns INTEGER NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE TABLE handshake_failures ("
    "  peer BLOB NOT NULL CHECK (length(peer) = 32),"
    "  cause TEXT NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  PRIMARY KEY (peer, cause)"
    ") WITHOUT ROWID;"
    "CREATE TABLE choices (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
    "ALTER TABLE traffic ADD COLUMN endpoint TEXT NOT NULL DEFAULT ''",
};

}  // namespace

std::span<const std::string_view> server_schema() { return kMigrations; }

}  // namespace ginnel::storage
