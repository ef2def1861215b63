// A question for a name, and an answer that says whom the resolver saw. The twin's own: a real
// resolver forwards them, nobody else asks.
#pragma once

#include <optional>

#include "core/dns/message.h"
#include "net/address.h"

namespace ginnel::leaktest {

dns::Bytes make_name_question(std::uint16_t id);
// Empty: it was no question.
dns::Bytes make_name_answer(ByteView question, const net::Address& asker);
// Whom the resolver saw, if this answers question `id`.
std::optional<net::Address> read_name_answer(ByteView answer, std::uint16_t id);

}  // namespace ginnel::leaktest
