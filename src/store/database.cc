#include "store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"

namespace ginnel::storage {

Result<DatabaseName> DatabaseName::parse(std::string_view text) {
  if (text.starts_with("sqlite:") && text.size() > 7) {
    return DatabaseName{std::string(text.substr(7))};
  }
  if (text.starts_with("file:")) {
    return fail(ErrorCode::Unsupported,
                "--database file:CONNINFO: PostgreSQL is not available here; write sqlite:PATH");
  }
  // A URL may hold a password, so the text is not repeated.
  return fail(ErrorCode::InvalidArgument, "--database: write sqlite:PATH");
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement_.get(), parameter, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  CHECK(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int parameter, ByteView blob) {
  CHECK(sqlite3_bind_blob64(statement_.get(), parameter, blob.data(), blob.size(),
                            SQLITE_TRANSIENT) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  // The message belongs to the step, so it is read before the reset.
  Result<bool> result = false;
  if (code != SQLITE_DONE) result = database_->failure(code);
  sqlite3_reset(statement_.get());
  return result;
}

Status Statement::run() {
  auto row = step();
  if (!row) return pass(std::move(row));
  CHECK(!*row);
  return ok();
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

ByteView Statement::blob(int column) const {
  const auto* bytes =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<std::unique_ptr<Database>> Database::open(std::string path,
                                                 std::span<const std::string_view> migrations) {
  std::unique_ptr<Database> database(new Database(std::move(path)));
  sqlite3* handle = nullptr;
  // Without SQLITE_OPEN_URI: a path that starts with "file:" is a path.
  const int code = sqlite3_open_v2(
      database->path_.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  database->handle_.reset(handle);
  if (code != SQLITE_OK) return database->failure(code);
  sqlite3_busy_timeout(handle, static_cast<int>(kBusyTimeout.count()));
  // NORMAL is safe against crashes of the program with a write-ahead log; a loss of power may take
  // the last transactions, never the consistency.
  Status prepared = database->run(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
  if (prepared) prepared = database->migrate(migrations);
  if (!prepared) return pass(std::move(prepared));
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return Statement(*this, statement);
}

Status Database::run(const std::string& sql) const {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(code);
  return ok();
}

Status Database::migrate(std::span<const std::string_view> migrations) const {
  const auto known = static_cast<std::int64_t>(migrations.size());
  // Read inside the transaction, so that two programs that start at once do not migrate twice.
  for (;;) {
    bool is_current = false;
    Status step = in_transaction([&]() -> Status {
      auto query = prepare("PRAGMA user_version");
      if (!query) return pass(std::move(query));
      auto row = query->step();
      if (!row) return pass(std::move(row));
      const std::int64_t version = query->integer(0);
      if (version > known) {
        return fail(ErrorCode::Unsupported,
                    fmt::format("{}: has schema version {}, this program knows up to {}; run the "
                                "newer ginnel that wrote it",
                                path_, version, known));
      }
      is_current = version == known;
      if (is_current) return ok();
      return run(fmt::format("{}; PRAGMA user_version = {};",
                             migrations[static_cast<std::size_t>(version)], version + 1));
    });
    if (!step || is_current) return step;
  }
}

std::unexpected<Error> Database::failure(int code) const {
  const char* reason = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(ErrorCode::Unavailable,
                  fmt::format("{}: another process keeps the database locked; end it, or name "
                              "another file with --database",
                              path_));
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return fail(ErrorCode::Io,
                  fmt::format("{}: {}; move the file away to start with an empty one, or restore "
                              "it from a backup",
                              path_, reason));
    case SQLITE_FULL:
      return fail(ErrorCode::Exhausted,
                  fmt::format("{}: the disk is full; make room on its file system", path_));
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return fail(ErrorCode::PermissionDenied,
                  fmt::format("{}: {}; give this user write access to the file and its directory",
                              path_, reason));
    case SQLITE_CANTOPEN:
      return fail(
          ErrorCode::Io,
          fmt::format("{}: {}; check that its directory exists and can be written", path_, reason));
    default:
      return fail(ErrorCode::Io,
                  fmt::format("{}: {}; look whether its file system has room", path_, reason));
  }
}

}  // namespace ginnel::storage
