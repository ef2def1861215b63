// What the names of endpoints were found to mean, so that a gateway that is locked needs to ask
// nobody in clear. A value and its text form; service/gateway keeps it in a file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace ginnel::gateway {

class PinnedNames {
 public:
  static constexpr std::size_t kMaxNames = 256;
  static constexpr std::size_t kMaxAddresses = 16;  // Of one name; the rest is left out.
  static constexpr std::size_t kMaxNameLength = 253;
  static constexpr std::size_t kMaxTextSize = std::size_t{256} * 1024;

  // Returns whether that is news. Nothing is pinned without an address, nor beyond kMaxNames.
  bool pin(const std::string& name, std::vector<net::Address> addresses);
  // In the order in which they were given; empty: the name is not known.
  std::vector<net::Address> find(const std::string& name) const;

  std::string to_text() const;
  // Fails, naming the line, on what to_text() did not write.
  static Result<PinnedNames> parse(std::string_view text);

  friend bool operator==(const PinnedNames&, const PinnedNames&) = default;

 private:
  std::map<std::string, std::vector<net::Address>> names_;
};

}  // namespace ginnel::gateway
