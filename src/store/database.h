// An SQLite database: the one owner of its handle, and prepared statements on it. Opened with
// write-ahead logging, so that a crash loses at most the last transactions and never the file.
// One thread uses a Database and its statements at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ginnel::storage {

// The value of --database, as "sqlite:PATH" or "file:CONNINFO". Only sqlite is built in here; the
// errors name the flag and what to write.
struct DatabaseName {
  std::string path;

  static Result<DatabaseName> parse(std::string_view text);
};

class Database;

// One prepared statement. Parameters are numbered from 1, columns from 0, as in SQL.
class Statement {
 public:
  // Takes over `statement`; Database::prepare() is the way to get one. The database outlives it.
  Statement(const Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind(int parameter, ByteView blob);

  // Runs to the next row: true when there is one, false at the end. At the end, and after an error,
  // the statement is ready to be bound and run again.
  Result<bool> step();
  // Runs a statement that returns no rows.
  Status run();

  // REQUIRES: step() returned true. Views last until the next step().
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  ByteView blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // How long a statement waits for another process that writes.
  static constexpr std::chrono::milliseconds kBusyTimeout{2000};

  // Opens or makes the file at `path` and brings its schema up to date: migration i takes it from
  // version i to i + 1, each in a transaction of its own. A file of a newer program is refused, and
  // so is one that is not a database. ":memory:" is a database that ends with the object.
  static Result<std::unique_ptr<Database>> open(std::string path,
                                                std::span<const std::string_view> migrations);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Statement> prepare(std::string_view sql) const;
  // Runs statements that return nothing of interest, separated by semicolons.
  Status run(const std::string& sql) const;

  // What `body` does takes effect whole or not at all: it returns a Status, and a failure undoes
  // everything.
  template <class Body>
  Status in_transaction(Body body) const {
    if (Status begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    Status done = body();
    if (done) done = run("COMMIT");
    // A rollback fails only when SQLite has rolled back by itself.
    if (!done) static_cast<void>(run("ROLLBACK"));
    return done;
  }

  const std::string& path() const { return path_; }
  // What SQLite's result code of the last call means, with the remedy.
  std::unexpected<Error> failure(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(std::string path) : path_(std::move(path)) {}
  Status migrate(std::span<const std::string_view> migrations) const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace ginnel::storage
