// The addresses of one name, as a stub resolver asks a server for them.
#pragma once

#include <string_view>
#include <vector>

#include "core/dns/message.h"
#include "net/address.h"

namespace ginnel::dns {

inline constexpr std::size_t kMaxAddressesInAnswer = 64;  // The rest is left out.

// The question for a host's addresses of one family. Nothing: that is no name.
std::optional<Question> address_question(std::string_view host, net::Family family);

// What an answer to such a question says. The server has followed aliases: whatever name an address
// stands with, it is the one that was asked for.
std::vector<net::Address> addresses_in(const Answer& answer);

}  // namespace ginnel::dns
