#include "store/database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store/choices.h"
#include "store/server_schema.h"

namespace ginnel::storage {
namespace {

class DatabaseFile : public testing::Test {
 protected:
  DatabaseFile() {
    std::string name = testing::TempDir() + "ginnel-database.XXXXXX";
    directory = mkdtemp(name.data());
    path = directory + "/state.db";
  }
  ~DatabaseFile() override { std::filesystem::remove_all(directory); }

  std::unique_ptr<Database> open(std::initializer_list<std::string_view> migrations) const {
    auto database = Database::open(path, {migrations.begin(), migrations.size()});
    EXPECT_TRUE(database) << (database ? "" : database.error().message);
    return std::move(*database);
  }
  std::int64_t count(const Database& database) const {
    auto rows = database.prepare("SELECT count(*) FROM t").value();
    EXPECT_TRUE(rows.step().value());
    return rows.integer(0);
  }

  std::string directory;
  std::string path;
};

constexpr std::string_view kFirst = "CREATE TABLE t (a INTEGER, b TEXT, c BLOB)";
constexpr std::string_view kSecond =
    "ALTER TABLE t ADD COLUMN d INTEGER; INSERT INTO t (a) VALUES (7)";
constexpr std::string_view kBroken = "INSERT INTO t (a) VALUES (8); INSERT INTO nowhere VALUES (1)";

TEST_F(DatabaseFile, KeepsWhatWasBound) {
  const std::string text("te\0xt", 5);
  const std::array<std::uint8_t, 3> blob = {0, 1, 255};
  {
    const auto database = open({kFirst});
    auto insert = database->prepare("INSERT INTO t VALUES (?, ?, ?)").value();
    ASSERT_TRUE(insert.bind(1, std::int64_t{-5}).bind(2, text).bind(3, ByteView(blob)).run());
    ASSERT_TRUE(insert.bind(1, std::int64_t{6}).run());  // The other parameters stay bound.
  }
  const auto database = open({kFirst});
  auto rows = database->prepare("SELECT a, b, c FROM t ORDER BY a").value();
  ASSERT_TRUE(rows.step().value());
  EXPECT_EQ(rows.integer(0), -5);
  EXPECT_EQ(rows.text(1), text);
  EXPECT_TRUE(std::ranges::equal(rows.blob(2), blob));
  ASSERT_TRUE(rows.step().value());
  EXPECT_EQ(rows.integer(0), 6);
  EXPECT_FALSE(rows.step().value());
}

TEST_F(DatabaseFile, MigratesFromAnyVersionOnce) {
  open({kFirst});
  EXPECT_EQ(count(*open({kFirst, kSecond})), 1);
  EXPECT_EQ(count(*open({kFirst, kSecond})), 1);
}

TEST_F(DatabaseFile, UndoesAMigrationThatFails) {
  open({kFirst});
  const std::string_view migrations[] = {kFirst, kBroken};
  EXPECT_FALSE(Database::open(path, migrations));
  EXPECT_EQ(count(*open({kFirst})), 0);
}

TEST_F(DatabaseFile, RefusesAFileOfANewerProgram) {
  open({kFirst, kSecond});
  const std::string_view migrations[] = {kFirst};
  const auto refused = Database::open(path, migrations);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            path +
                ": has schema version 2, this program knows up to 1; run the newer ginnel that "
                "wrote it");
}

TEST_F(DatabaseFile, SaysWhatIsWrongWithTheFile) {
  std::ofstream(path) << std::string(4096, 'x');
  const auto garbage = Database::open(path, {});
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().message,
            path +
                ": file is not a database; move the file away to start with an empty one, or "
                "restore it from a backup");

  const auto missing = Database::open(directory + "/none/state.db", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            directory +
                "/none/state.db: unable to open database file; check that its directory "
                "exists and can be written");
}

TEST_F(DatabaseFile, TakesATransactionWholeOrNotAtAll) {
  const auto database = open({kFirst});
  const auto insert = [&] { return database->run("INSERT INTO t (a) VALUES (1)"); };

  EXPECT_FALSE(database->in_transaction([&]() -> Status {
    if (Status inserted = insert(); !inserted) return inserted;
    return database->run("INSERT INTO nowhere VALUES (1)");
  }));
  EXPECT_EQ(count(*database), 0);

  EXPECT_TRUE(database->in_transaction([&]() -> Status {
    if (Status inserted = insert(); !inserted) return inserted;
    return insert();
  }));
  EXPECT_EQ(count(*database), 2);
}

TEST_F(DatabaseFile, UndoesATransactionThatItsProgramDidNotEnd) {
  {
    const auto database = open({kFirst});
    ASSERT_TRUE(database->run("BEGIN; INSERT INTO t (a) VALUES (1)"));
  }
  EXPECT_EQ(count(*open({kFirst})), 0);
}

TEST_F(DatabaseFile, IsUsableAfterAStatementFailed) {
  const auto database = open({"CREATE TABLE t (a INTEGER UNIQUE)"});
  auto insert = database->prepare("INSERT INTO t VALUES (?)").value();
  EXPECT_TRUE(insert.bind(1, std::int64_t{1}).run());
  EXPECT_FALSE(insert.bind(1, std::int64_t{1}).run());
  EXPECT_TRUE(insert.bind(1, std::int64_t{2}).run());
  EXPECT_FALSE(database->prepare("SELECT * FROM nowhere"));
  EXPECT_EQ(count(*database), 2);
}

TEST_F(DatabaseFile, KeepsTheFirstChoice) {
  const auto chosen = [&](std::string_view name, std::string_view proposed) {
    auto database = Database::open(path, server_schema());
    return keep_choice(**database, name, proposed).value();
  };
  EXPECT_EQ(chosen("subnet6", "fd00::/64"), "fd00::/64");
  EXPECT_EQ(chosen("subnet6", "fd01::/64"), "fd00::/64");
  EXPECT_EQ(chosen("other", "x"), "x");
}

TEST(DatabaseName, IsSqliteOnly) {
  struct Row {
    std::string_view text;
    std::string_view path;  // Empty: refused.
  };
  const Row rows[] = {
      {"sqlite:/var/lib/ginnel/server.db", "/var/lib/ginnel/server.db"},
      {"sqlite:server.db", "server.db"},
      {"sqlite:", ""},
      {"file:/etc/ginnel/postgres", ""},
      {"/var/lib/ginnel/server.db", ""},
      {"", ""},
      {"postgres://user:secret@host/db", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto name = DatabaseName::parse(row.text);
    ASSERT_EQ(name.has_value(), !row.path.empty());
    if (name) {
      EXPECT_EQ(name->path, row.path);
    } else {
      EXPECT_NE(name.error().message.find("sqlite:PATH"), std::string::npos);
      EXPECT_EQ(name.error().message.find("secret"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace ginnel::storage
