// A configuration file as it was asked for: found, read and understood. Nothing on the host is
// touched.
#pragma once

#include <functional>
#include <string>

#include "core/config/quick_device.h"
#include "service/quick/interruption.h"

namespace ginnel::quick {

struct Source {
  std::string path;  // With symbolic links resolved: this is the file that is written.
  std::string interface;
  std::string text;  // Holds keys.
  config::QuickFile file;
  std::vector<std::string> warnings;  // Of the file and of what is written in it.

  Source() = default;
  Source(Source&&) = default;
  Source& operator=(Source&&) = default;
  ~Source();
};

// The file's place and its interface, whether or not there is such a file: a bare name is
// /etc/wireguard/NAME.conf, as with wg-quick.
Result<Source> locate(const std::string& argument);

// Reads the file without understanding more than its name.
Result<Source> read_text(const std::string& argument);
// Neither says what there is to be warned of.
Result<Source> read_source(const std::string& argument);
void warn_of(const Source& source);

// The routing table that the file asks for, if it names one. Fails for a name that the host does
// not know.
Result<std::optional<std::uint32_t>> table_of(const Source& source);

// How often a name is tried that cannot be looked up for the moment.
inline constexpr unsigned kLookupRetries = 15;
inline constexpr unsigned kForEver = UINT32_MAX;

// Where the datagrams of this host's tunnel may go while the host is locked to it, in the order of
// the file's peers that have an Endpoint. Empty: it is not.
using LockedEndpoints = std::function<std::vector<net::Endpoint>(const std::string& interface)>;

// Looks up every name in the file, waiting between tries. Names that `locked` has an address for
// are not asked for: datagrams to any other would not leave, and nor would the question.
Result<config::QuickNames> look_up_names(const Source& source, unsigned retries,
                                         Interruption& interruption,
                                         const LockedEndpoints& locked = {});

}  // namespace ginnel::quick
