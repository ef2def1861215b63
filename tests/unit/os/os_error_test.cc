#include "os/os_error.h"

#include <errno.h>
#include <gtest/gtest.h>

namespace ginnel::os {
namespace {

TEST(OsError, NamesTheObjectTheReasonAndTheRemedy) {
  const Error error = os_error("open /etc/x", ENOENT, "create it");
  EXPECT_EQ(error.code, ErrorCode::NotFound);
  EXPECT_EQ(error.message, "open /etc/x: No such file or directory; create it");
}

TEST(OsError, KnowsTheUsualRemedyUnlessTheCallerKnowsBetter) {
  EXPECT_EQ(os_error("socket", EMFILE).message,
            "socket: Too many open files; raise the limit on open files (ulimit -n, LimitNOFILE=)");
  EXPECT_EQ(os_error("socket", EMFILE, "use fewer").message,
            "socket: Too many open files; use fewer");
  EXPECT_EQ(os_error("read x", EIO).message, "read x: Input/output error");
}

TEST(OsError, SaysWhatACallerCanDoAboutIt) {
  struct Row {
    int number;
    ErrorCode code;
  };
  const Row rows[] = {
      {EADDRINUSE, ErrorCode::AlreadyExists},
      {EACCES, ErrorCode::PermissionDenied},
      {EPERM, ErrorCode::PermissionDenied},
      {ECONNREFUSED, ErrorCode::Unavailable},
      {EAFNOSUPPORT, ErrorCode::Unsupported},
      {ENOSPC, ErrorCode::Exhausted},
      {EADDRNOTAVAIL, ErrorCode::InvalidArgument},
      {ENODEV, ErrorCode::NotFound},
      {EBUSY, ErrorCode::Conflict},
      {ETIMEDOUT, ErrorCode::TimedOut},
      {EIO, ErrorCode::Io},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.number);
    EXPECT_EQ(code_of(row.number), row.code);
    EXPECT_EQ(os_fail("x", row.number).error().code, row.code);
  }
}

}  // namespace
}  // namespace ginnel::os
