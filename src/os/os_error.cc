#include "os/os_error.h"

#include <errno.h>
#include <fmt/format.h>

#include <system_error>

namespace ginnel::os {
namespace {

// What helps whatever was tried. Everything else depends on the object, so the caller says it.
std::string_view usual_remedy(int number) {
  switch (number) {
    case EMFILE:
      return "raise the limit on open files (ulimit -n, LimitNOFILE=)";
    case ENFILE:
      return "raise the limit on open files of this machine (sysctl fs.file-max)";
    case EPERM:
      return "run it as root or with the capability it needs";
    case ENOSPC:
      return "free some space";
    case EROFS:
      return "choose a place that is not mounted read-only";
    default:
      return {};
  }
}

}  // namespace

ErrorCode code_of(int number) {
  switch (number) {
    case EINVAL:
    case E2BIG:
    case EDOM:
    case ERANGE:
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case EADDRNOTAVAIL:
      return ErrorCode::InvalidArgument;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ESRCH:
      return ErrorCode::NotFound;
    case EEXIST:
    case EADDRINUSE:
      return ErrorCode::AlreadyExists;
    case EPERM:
    case EACCES:
      return ErrorCode::PermissionDenied;
    case EBUSY:
    case ETXTBSY:
    case ENOTEMPTY:
    case ESTALE:
      return ErrorCode::Conflict;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::Exhausted;
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return ErrorCode::Unavailable;
    case ETIMEDOUT:
      return ErrorCode::TimedOut;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ENOPROTOOPT:
      return ErrorCode::Unsupported;
    default:
      return ErrorCode::Io;
  }
}

Error os_error(std::string_view what, int number, std::string_view remedy) {
  if (remedy.empty()) remedy = usual_remedy(number);
  return {code_of(number), fmt::format("{}: {}{}{}", what, std::generic_category().message(number),
                                       remedy.empty() ? "" : "; ", remedy)};
}

std::unexpected<Error> os_fail(std::string_view what, int number, std::string_view remedy) {
  return std::unexpected(os_error(what, number, remedy));
}

}  // namespace ginnel::os
