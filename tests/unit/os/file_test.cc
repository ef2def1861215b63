#include "os/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_directory.h"

namespace ginnel::os {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat info{};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

struct FileTest : testing::Test {
  TemporaryDirectory directory;
  const std::string path = directory / "wg0.conf";
};

TEST_F(FileTest, IsReadWholeUpToItsLimit) {
  write_contents(path, std::string(100'000, 'x'));
  for (const auto& [limit, fits] :
       {std::pair<std::size_t, bool>(99'999, false), {100'000, true}, {100'001, true}}) {
    SCOPED_TRACE(limit);
    const auto read = read_file(path, limit);
    ASSERT_EQ(read.has_value(), fits);
    if (fits) {
      EXPECT_EQ(*read, std::string(100'000, 'x'));
    } else {
      EXPECT_EQ(read.error().code, ErrorCode::Exhausted);
      EXPECT_EQ(read.error().message,
                "read " + path + ": larger than 99999 bytes; is it the right file?");
    }
  }
}

TEST_F(FileTest, IsReadThoughItHasNoSize) {
  const auto status = read_file("/proc/self/status", 1 << 20);
  ASSERT_TRUE(status);
  EXPECT_NE(status->find("unit_os"), std::string::npos);
}

TEST_F(FileTest, NamesItselfWhenItCannotBeRead) {
  const auto missing = read_file(path, 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_EQ(missing.error().message, "open " + path + ": No such file or directory");
  EXPECT_FALSE(read_file(directory.path(), 10));
}

TEST_F(FileTest, IsReplacedWithItsModeAndNothingIsLeftBeside) {
  ASSERT_TRUE(write_file_atomically(path, "one"));
  EXPECT_EQ(contents_of(path), "one");
  EXPECT_EQ(mode_of(path), 0600u);
  chmod(path.c_str(), 0640);
  ASSERT_TRUE(write_file_atomically(path, ""));
  EXPECT_EQ(contents_of(path), "");
  EXPECT_EQ(mode_of(path), 0640u);
  ASSERT_TRUE(write_file_atomically(path, "three", 0644));
  EXPECT_EQ(mode_of(path), 0644u);
  EXPECT_EQ(*list_directory(directory.path()), std::vector<std::string>{"wg0.conf"});
}

TEST_F(FileTest, KeepsItsOwnerWhenRootReplacesIt) {
  ASSERT_TRUE(write_file_atomically(path, "one"));
  ASSERT_EQ(chown(path.c_str(), 1234, 5678), 0);
  ASSERT_TRUE(write_file_atomically(path, "two"));
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1234u);
  EXPECT_EQ(info.st_gid, 5678u);
}

TEST_F(FileTest, IsReplacedBehindASymbolicLink) {
  ASSERT_TRUE(write_file_atomically(path, "one"));
  const std::string link = directory / "link.conf";
  fs::create_symlink("wg0.conf", link);
  ASSERT_TRUE(write_file_atomically(link, "two"));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(contents_of(path), "two");
}

TEST_F(FileTest, StaysAsItWasWhenTheDiskIsFull) {
  ASSERT_TRUE(write_file_atomically(path, "precious"));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit few{.rlim_cur = 100, .rlim_max = 100};
    setrlimit(RLIMIT_FSIZE, &few);
    const Status written = write_file_atomically(path, std::string(1000, 'x'));
    _exit(!written && written.error().message.find(path) != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(contents_of(path), "precious");
  EXPECT_EQ(list_directory(directory.path())->size(), 1u);
}

TEST_F(FileTest, IsNotWrittenWhereThereIsNoDirectory) {
  const Status written = write_file_atomically(directory / "absent/x", "1");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::NotFound);
}

TEST_F(FileTest, DirectoriesAreMadeWithThoseAboveThem) {
  const std::string deep = directory / "a/b//c/";
  ASSERT_TRUE(make_directories(deep, 0750));
  EXPECT_TRUE(fs::is_directory(deep));
  EXPECT_EQ(mode_of(directory / "a/b"), 0750u);
  chmod((directory / "a").c_str(), 0700);
  EXPECT_TRUE(make_directories(deep, 0755));
  EXPECT_EQ(mode_of(directory / "a"), 0700u);

  write_contents(directory / "file", "");
  const Status blocked = make_directories(directory / "file/x", 0755);
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().message.find("make directory " + (directory / "file")), 0u)
      << blocked.error().message;
  EXPECT_FALSE(make_directories("", 0755));
  EXPECT_TRUE(make_directories("/", 0755));
}

TEST_F(FileTest, NamesInADirectoryAreSorted) {
  for (const char* const name : {"b", "a", ".hidden"}) write_contents(directory / name, "");
  EXPECT_EQ(*list_directory(directory.path()), (std::vector<std::string>{".hidden", "a", "b"}));
  EXPECT_EQ(list_directory(directory / "absent").error().code, ErrorCode::NotFound);
}

TEST_F(FileTest, IsRemovedOnceOrNotAtAll) {
  write_contents(path, "");
  EXPECT_TRUE(file_exists(path));
  EXPECT_TRUE(remove_file(path));
  EXPECT_FALSE(file_exists(path));
  EXPECT_TRUE(remove_file(path));
  EXPECT_FALSE(remove_file(directory.path()));
}

TEST_F(FileTest, IsOwnOrWouldBe) {
  EXPECT_TRUE(is_own_file(path));
  EXPECT_TRUE(is_own_file(directory / "missing/below"));
  write_contents(path, "");
  EXPECT_TRUE(is_own_file(path));
  ASSERT_EQ(chown(path.c_str(), 1000, getegid()), 0);
  EXPECT_FALSE(is_own_file(path));
  ASSERT_EQ(chown(path.c_str(), geteuid(), 1000), 0);
  EXPECT_FALSE(is_own_file(path));
  ASSERT_EQ(chown(path.c_str(), geteuid(), getegid()), 0);
  ASSERT_EQ(chown(directory.path().c_str(), 1000, getegid()), 0);
  EXPECT_TRUE(is_own_file(path));
  EXPECT_FALSE(is_own_file(directory / "missing/below"));
}

TEST_F(FileTest, WarnsWhenOthersCanReadItsSecrets) {
  EXPECT_EQ(exposure_warning(path), "");
  write_contents(path, "");
  struct Row {
    mode_t mode;
    const char* who;
  };
  for (const Row& row : {Row{0600, nullptr}, Row{0400, nullptr}, Row{0640, "its group"},
                         Row{0604, "everybody"}, Row{0666, "everybody"}}) {
    SCOPED_TRACE(row.mode);
    chmod(path.c_str(), row.mode);
    const std::string expected =
        row.who == nullptr
            ? ""
            : fmt::format(
                  "{} holds secrets and is accessible to {} (mode {:04o}); run chmod 600 {}", path,
                  row.who, row.mode, path);
    EXPECT_EQ(exposure_warning(path), expected);
  }
}

TEST_F(FileTest, IsLockedByOneAndSaysByWhom) {
  {
    const auto lock = FileLock::take(path);
    ASSERT_TRUE(lock);
    const auto second = FileLock::take(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
    EXPECT_EQ(second.error().message,
              fmt::format("lock {}: process {} (unit_os) has it; wait for its end, or stop it",
                          path, getpid()));
  }
  EXPECT_TRUE(FileLock::take(path));
}

TEST_F(FileTest, LockIsLookedAtWithoutBeingTaken) {
  EXPECT_FALSE(FileLock::is_taken(path));  // There is no such file.
  {
    const auto lock = FileLock::take(path);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(FileLock::is_taken(path));
    EXPECT_TRUE(FileLock::is_taken(path));
  }
  // Another who looks at the same moment is not its owner.
  const Fd other(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(flock(other.get(), LOCK_SH | LOCK_NB), 0);
  EXPECT_FALSE(FileLock::is_taken(path));
}

TEST_F(FileTest, LockIsFreeWhenItsProcessIsDead) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = FileLock::take(path);
    _exit(lock ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(contents_of(path), fmt::format("{}\n", child));
  EXPECT_TRUE(FileLock::take(path));
}

}  // namespace
}  // namespace ginnel::os
