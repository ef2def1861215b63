// What clients and upstreams send to the resolver: queries, answers, and TCP streams of both. What
// ldns takes for an answer is taken for one here too, with the same TTLs; what is made of any
// answer can be read again.
#include <ldns/ldns.h>

#include <algorithm>

#include "base/check.h"
#include "core/dns/address_question.h"
#include "core/dns/special_names.h"
#include "core/dns/stream_framer.h"
#include "fuzz/fuzz_input.h"

namespace ginnel::dns {
namespace {

void check_query(ByteView bytes) {
  const auto query = parse_query(bytes);
  if (!query) {
    const Bytes refusal = make_refusal(bytes, query.error());
    CHECK(refusal.empty() == (query.error() == QueryFlaw::NotAQuery));
    CHECK(refusal.size() <= kHeaderBytes + 11);
    CHECK(!parse_query(refusal));
    return;
  }
  CHECK(printable_name(query->question.name).ends_with('.'));
  const Bytes sent = make_query({.id = query->id,
                                 .question = query->question,
                                 .checking_disabled = query->checking_disabled,
                                 .dnssec_ok = query->dnssec_ok});
  const auto again = parse_query(sent);
  CHECK(again && again->key() == query->key());
  if (const auto special = answer_special(*query)) {
    CHECK(parse_answer(make_reply(*query, *special, 0, kMaxMessageBytes)).has_value());
  }
  const auto reply = parse_answer(make_reply(*query, Code::ServerFailure));
  CHECK(reply && reply->question == query->question && reply->code == Code::ServerFailure);
}

// As a client with and without EDNS would get it.
void check_reply(const Answer& answer) {
  if (answer.truncated) return;
  Query query{.id = 7, .question = answer.question};
  for (const bool has_edns : {false, true}) {
    query.has_edns = has_edns;
    const Bytes reply = make_reply(query, answer.stored, 10, kMaxMessageBytes);
    const auto again = parse_answer(reply);
    CHECK(again && again->id == 7 && again->question == answer.question);
    CHECK(again->stored.ttl_places == answer.stored.ttl_places);
    CHECK(make_reply(query, answer.stored, 10, kPlainDatagramBytes).size() <=
          std::max(kPlainDatagramBytes, kHeaderBytes + answer.question.name.size() + 15));
  }
}

std::size_t count_of(const ldns_pkt* packet) {
  return ldns_pkt_ancount(packet) + ldns_pkt_nscount(packet) + ldns_pkt_arcount(packet);
}

void compare_with_ldns(ByteView bytes, const Result<Answer, AnswerFlaw>& answer) {
  ldns_pkt* packet = nullptr;
  if (ldns_wire2pkt(&packet, bytes.data(), bytes.size()) != LDNS_STATUS_OK) return;
  const std::unique_ptr<ldns_pkt, decltype(&ldns_pkt_free)> held(packet, &ldns_pkt_free);
  const bool is_plain = ldns_pkt_qr(packet) && ldns_pkt_get_opcode(packet) == LDNS_PACKET_QUERY &&
                        ldns_pkt_qdcount(packet) == 1 && !ldns_pkt_tc(packet) &&
                        !ldns_pkt_edns(packet) && ldns_pkt_tsig(packet) == nullptr;
  if (!is_plain || !answer) return;
  CHECK(answer->stored.ttl_places.size() == count_of(packet));
  if (ldns_pkt_ancount(packet) == 0) return;
  // Behind a record whose data are longer than its type wants, ldns is out of step.
  const std::uint32_t ttl = ldns_rr_ttl(ldns_rr_list_rr(ldns_pkt_answer(packet), 0));
  const ByteView place = ByteView(bytes).subspan(answer->stored.ttl_places[0], 4);
  CHECK(load<Be32>(place) == ttl);
  CHECK(!answer->ttl_seconds || *answer->ttl_seconds <= ttl);
}

void check_stream(FuzzInput& in) {
  StreamFramer framer(kMaxQueryBytes);
  while (!in.empty() && !framer.is_hopeless()) {
    framer.append(in.bytes(std::min<std::size_t>(in.byte(), framer.room())));
    while (const auto message = framer.next()) CHECK(message->size() <= kMaxQueryBytes);
    CHECK(framer.is_hopeless() || framer.room() > 0);
  }
}

void receive(ByteView input) {
  FuzzInput in(input);
  const bool is_stream = in.byte() % 4 == 0;
  if (is_stream) return check_stream(in);
  // Of its own size, so that a read behind it is found.
  const ByteView rest = in.rest();
  const Bytes bytes(rest.begin(), rest.end());
  check_query(bytes);
  const auto answer = parse_answer(bytes);
  if (answer) check_reply(*answer);
  if (answer) CHECK(addresses_in(*answer).size() <= kMaxAddressesInAnswer);
  compare_with_ldns(bytes, answer);
}

}  // namespace
}  // namespace ginnel::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 70000) ginnel::dns::receive({data, size});
  return 0;
}
