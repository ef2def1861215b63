#include "service/tunnel/uapi_client.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/config/secret_text.h"
#include "core/config/uapi_response.h"
#include "core/config/uapi_set.h"
#include "os/interface_index.h"
#include "os/unix_socket.h"

namespace ginnel::tunnel {
namespace {

constexpr std::string_view kSuffix = ".sock";
constexpr std::size_t kMaxInterfaceName = 15;

}  // namespace

std::string UapiClient::path_of(const std::string& interface) const {
  return fmt::format("{}/{}{}", directory_, interface, kSuffix);
}

Result<std::vector<std::string>> UapiClient::interfaces() const {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory_, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename();
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    const auto stream = os::UnixStream::connect(path_of(name));
    // One that we may not talk to exists all the same.
    if (stream || stream.error().code == ErrorCode::PermissionDenied) names.push_back(name);
  }
  if (!error) return names;
  return fail(error == std::errc::permission_denied ? ErrorCode::PermissionDenied : ErrorCode::Io,
              fmt::format("{}: {}; run this as root", directory_, error.message()));
}

Result<os::UnixStream> UapiClient::connect(const std::string& interface) const {
  if (interface.empty() || interface.size() > kMaxInterfaceName ||
      interface.find('/') != std::string::npos) {
    return fail(ErrorCode::NotFound, "not a name that an interface can have");
  }
  auto stream = os::UnixStream::connect(path_of(interface));
  if (stream || stream.error().code != ErrorCode::NotFound) return stream;
  return fail(ErrorCode::NotFound,
              fmt::format("no WireGuard interface in userspace has this name ({} does not exist)",
                          path_of(interface)));
}

bool UapiClient::answers(const std::string& interface) const {
  return connect(interface).has_value();
}

Status UapiClient::write(const std::string& interface, const wg::DeviceChange& change,
                         MonoTime deadline) const {
  auto stream = connect(interface);
  if (!stream) return pass(std::move(stream));
  std::string request = config::uapi_set_request(change);
  const Status sent = stream->send_all(request, deadline);
  config::erase_text(request);
  if (!sent) return sent;
  const auto text =
      stream->receive_until(config::is_complete_uapi_response, config::kMaxUapiLine, deadline);
  if (!text) return std::unexpected(text.error());
  // An answer to a set is that to a get without anything in it.
  const auto answer = config::parse_uapi_get_response(*text);
  return answer ? ok() : Status(std::unexpected(answer.error()));
}

Result<wg::DeviceStatus> UapiClient::read(const std::string& interface, MonoTime deadline) const {
  auto stream = connect(interface);
  if (!stream) return pass(std::move(stream));
  if (Status sent = stream->send_all(config::kUapiGetRequest, deadline); !sent) {
    return pass(std::move(sent));
  }
  auto text =
      stream->receive_until(config::is_complete_uapi_response, config::kMaxUapiResponse, deadline);
  if (!text) return pass(std::move(text));
  auto device = config::parse_uapi_get_response(*text, os::interface_index);
  config::erase_text(*text);
  return device;
}

}  // namespace ginnel::tunnel
