// DNS messages (RFC 1035, 6891) as a forwarder needs them: the question, where the TTLs stand, and
// EDNS. Records are carried as they are. Everything here may be fed by an attacker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ginnel::dns {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::size_t kHeaderBytes = 12;
inline constexpr std::size_t kMaxMessageBytes = 65535;
inline constexpr std::size_t kMaxNameBytes = 255;
inline constexpr std::size_t kMaxQueryBytes = 4096;  // None that a resolver asks comes near it.
// What a datagram may hold for those who do not say (RFC 1035), and at most for those who do: more
// would be fragmented somewhere, and fragments are lost and forged (flag day 2020).
inline constexpr std::size_t kPlainDatagramBytes = 512;
inline constexpr std::size_t kMaxDatagramBytes = 1232;
// Whatever a record says, it is asked for again after a day, and what does not exist after an hour.
inline constexpr std::uint32_t kMaxTtlSeconds = 86400;
inline constexpr std::uint32_t kMaxNegativeTtlSeconds = 3600;

enum class Code : std::uint8_t {
  NoError = 0,
  FormatError = 1,
  ServerFailure = 2,
  NameError = 3,
  NotImplemented = 4,
  Refused = 5,
};

struct Question {
  std::string name;  // As on the wire, in the case it was written in.
  std::uint16_t type = 0;
  std::uint16_t space = 1;  // The "class"; 1 is the internet.

  friend bool operator==(const Question&, const Question&) = default;
};

struct Query {
  std::uint16_t id = 0;
  Question question;
  bool recursion_desired = false;
  bool checking_disabled = false;
  bool authentic_data = false;  // Wants to know whether the answer was verified.
  bool has_edns = false;
  bool dnssec_ok = false;
  std::uint16_t datagram_limit = kPlainDatagramBytes;

  // What two queries with the same answer have in common, their case apart.
  std::string key() const;
};

enum class QueryFlaw : std::uint8_t {
  NotAQuery,  // Not to be answered at all.
  Malformed,
  UnknownOperation,
  UnknownEdns,
  Unwanted,  // A zone transfer, or another class than the internet's.
};
Result<Query, QueryFlaw> parse_query(ByteView bytes);
// What to say to a query with a flaw; empty: nothing.
Bytes make_refusal(ByteView query, QueryFlaw flaw);

// An answer that is kept: EDNS, which belongs to one hop, is cut off.
struct StoredAnswer {
  Bytes bytes;
  std::vector<std::uint16_t> ttl_places;
};

struct Answer {
  std::uint16_t id = 0;
  Code code = Code::NoError;
  bool truncated = false;
  Question question;
  StoredAnswer stored;
  // How long it may be kept (RFC 2181, 2308); absent: not at all.
  std::optional<std::uint32_t> ttl_seconds;
};

enum class AnswerFlaw : std::uint8_t { NotAnAnswer, Malformed };
Result<Answer, AnswerFlaw> parse_answer(ByteView bytes);

struct UpstreamQuery {
  std::uint16_t id = 0;
  Question question;
  bool checking_disabled = false;
  bool dnssec_ok = false;
};
// Nothing of the client's but its question: its options, which may name it, stay here.
Bytes make_query(const UpstreamQuery& query);

// An answer without records.
Bytes make_reply(const Query& query, Code code);
// What was stored, as this client wants it: `age_seconds` off each TTL; without records and marked
// as truncated when it is longer than `limit`. REQUIRES: an answer to the same question.
Bytes make_reply(const Query& query, const StoredAnswer& answer, std::uint32_t age_seconds,
                 std::size_t limit);

// "example.com.", for messages and logs; what is no printable character is written as \DDD.
std::string printable_name(std::string_view name);

}  // namespace ginnel::dns
