#include "core/dns/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace ginnel::dns {
namespace {

constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kTypeSoa = 6;
constexpr std::uint16_t kTypeOpt = 41;
constexpr std::uint16_t kTypeTkey = 249;
constexpr std::uint16_t kTypeTsig = 250;
constexpr std::uint16_t kTypeIxfr = 251;
constexpr std::uint16_t kTypeAxfr = 252;
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::size_t kSoaNumberBytes = 20;  // The five numbers behind its two names.
constexpr std::size_t kOptBytes = 11;        // Without options.
constexpr std::uint8_t kVersionRefused = 1;  // The upper bits of BADVERS (RFC 6891).

// The bits of the header's second 16 (RFC 1035, 4.1.1; RFC 4035, 3.2).
constexpr std::uint16_t kIsAnswer = 0x8000;
constexpr std::uint16_t kOperation = 0x7800;
constexpr std::uint16_t kTruncated = 0x0200;
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kRecursionAvailable = 0x0080;
constexpr std::uint16_t kAuthenticData = 0x0020;
constexpr std::uint16_t kCheckingDisabled = 0x0010;
constexpr std::uint16_t kCode = 0x000f;
constexpr std::uint32_t kDnssecOk = 0x8000;  // Among the flags of EDNS.

std::uint16_t field(ByteView bytes, std::size_t at) { return load<Be16>(bytes.subspan(at)); }
void append16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

struct Header {
  std::uint16_t id, flags, questions, answers, authorities, additionals;
};

std::optional<Header> read_header(ByteView bytes) {
  if (bytes.size() < kHeaderBytes || bytes.size() > kMaxMessageBytes) return std::nullopt;
  return Header{field(bytes, 0), field(bytes, 2), field(bytes, 4),
                field(bytes, 6), field(bytes, 8), field(bytes, 10)};
}

struct Record {
  std::uint16_t type = 0;
  std::uint16_t space = 0;
  std::size_t begin = 0;
  std::size_t ttl_place = 0;
  std::uint32_t ttl = 0;
  ByteView data;
  bool is_root = false;
};

// Goes through a message from its question on. Names are stepped over, never followed, so a pointer
// costs nothing wherever it leads.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  // The question's name is whole: there is nothing yet that a pointer could point to.
  std::optional<Question> question() {
    const std::size_t begin = at_;
    if (!skip_name(false) || at_ + 4 > bytes_.size()) return std::nullopt;
    Question question;
    question.name.assign(bytes_.begin() + std::ptrdiff_t(begin),
                         bytes_.begin() + std::ptrdiff_t(at_));
    question.type = field(bytes_, at_);
    question.space = field(bytes_, at_ + 2);
    at_ += 4;
    return question;
  }

  std::optional<Record> record() {
    constexpr std::size_t kFixedBytes = 10;
    Record record{.begin = at_};
    if (!skip_name(true) || at_ + kFixedBytes > bytes_.size()) return std::nullopt;
    record.is_root = at_ == record.begin + 1;
    record.type = field(bytes_, at_);
    record.space = field(bytes_, at_ + 2);
    record.ttl_place = at_ + 4;
    record.ttl = load<Be32>(bytes_.subspan(record.ttl_place));
    const std::size_t size = field(bytes_, at_ + 8);
    at_ += kFixedBytes;
    if (at_ + size > bytes_.size()) return std::nullopt;
    record.data = bytes_.subspan(at_, size);
    at_ += size;
    return record;
  }

  bool at_end() const { return at_ == bytes_.size(); }

 private:
  bool skip_name(bool may_point) {
    std::size_t length = 0;
    while (at_ < bytes_.size()) {
      const std::uint8_t label = bytes_[at_];
      if (label >= 0xc0) {
        at_ += 2;
        return may_point && at_ <= bytes_.size();
      }
      if (label > kMaxLabelBytes) return false;
      at_ += std::size_t{label} + 1;
      length += std::size_t{label} + 1;
      if (length > kMaxNameBytes) return false;
      if (label == 0) return true;
    }
    return false;
  }

  ByteView bytes_;
  std::size_t at_ = kHeaderBytes;
};

// Of a client that has EDNS itself.
void append_edns(Bytes& out, bool dnssec_ok, std::uint8_t upper_code = 0) {
  out.push_back(0);  // The root.
  append16(out, kTypeOpt);
  append16(out, kMaxDatagramBytes);
  out.push_back(upper_code);
  out.push_back(0);  // Version.
  append16(out, dnssec_ok ? kDnssecOk : 0);
  append16(out, 0);
}

void append_header(Bytes& out, const Header& header) {
  for (const std::uint16_t value : {header.id, header.flags, header.questions, header.answers,
                                    header.authorities, header.additionals}) {
    append16(out, value);
  }
}

void append_question(Bytes& out, const Question& question) {
  out.insert(out.end(), question.name.begin(), question.name.end());
  append16(out, question.type);
  append16(out, question.space);
}

std::uint16_t flags_for(const Query& query, Code code) {
  std::uint16_t flags = kIsAnswer | kRecursionAvailable | std::to_underlying(code);
  if (query.recursion_desired) flags |= kRecursionDesired;
  if (query.checking_disabled) flags |= kCheckingDisabled;
  return flags;
}

bool read_edns(const Record& record, Query& query) {
  if (query.has_edns || !record.is_root) return false;
  query.has_edns = true;
  query.dnssec_ok = (record.ttl & kDnssecOk) != 0;
  query.datagram_limit = static_cast<std::uint16_t>(
      std::clamp<std::size_t>(record.space, kPlainDatagramBytes, kMaxDatagramBytes));
  return true;
}

std::optional<QueryFlaw> flaw_of(const Question& question) {
  switch (question.type) {
    case kTypeOpt:
    case kTypeTkey:
    case kTypeTsig:
      return QueryFlaw::Malformed;
    case kTypeIxfr:
    case kTypeAxfr:
      return QueryFlaw::Unwanted;
    default:
      if (question.space != kInternet) return QueryFlaw::Unwanted;
      return std::nullopt;
  }
}

// A TTL with the uppermost bit is none (RFC 2181, 8).
std::uint32_t sane_ttl(std::uint32_t ttl) { return ttl > INT32_MAX ? 0 : ttl; }

void keep_at_most(std::optional<std::uint32_t>& ttl, std::uint32_t limit) {
  ttl = std::min(ttl.value_or(kMaxTtlSeconds), limit);
}

// RFC 2308, 5: how long it may be believed that something does not exist.
void note_soa(const Record& record, Answer& answer) {
  if (record.data.size() < kSoaNumberBytes + 2) return;
  const std::uint32_t minimum = load<Be32>(record.data.last(4));
  keep_at_most(answer.ttl_seconds,
               std::min({sane_ttl(record.ttl), sane_ttl(minimum), kMaxNegativeTtlSeconds}));
}

// Reads the records and notes where to cut: from EDNS on there is at most what an answer can do
// without.
bool read_records(Reader& reader, const Header& header, Answer& answer, Header& kept,
                  std::size_t& size) {
  const std::size_t before_additional = std::size_t{header.answers} + header.authorities;
  const std::size_t count = before_additional + header.additionals;
  bool has_edns = false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = reader.record();
    if (!record) return false;
    if (record->type == kTypeOpt) {
      if (has_edns || i < before_additional || !record->is_root) return false;
      has_edns = true;
      size = record->begin;
      kept.additionals = static_cast<std::uint16_t>(i - before_additional);
      // The upper bits of a code that we know have to be zero.
      if (record->ttl >> 24 != 0) answer.code = Code::ServerFailure;
      continue;
    }
    if (i < header.answers) keep_at_most(answer.ttl_seconds, sane_ttl(record->ttl));
    if (i >= header.answers && i < before_additional && record->type == kTypeSoa) {
      note_soa(*record, answer);
    }
    if (!has_edns) {
      answer.stored.ttl_places.push_back(static_cast<std::uint16_t>(record->ttl_place));
    }
  }
  return true;
}

}  // namespace

std::string Query::key() const {
  std::string key = question.name;
  // The bytes that tell lengths are below every letter.
  std::ranges::transform(key, key.begin(), &lower);
  for (const std::uint16_t number : {question.type, question.space}) {
    key.push_back(static_cast<char>(number >> 8));
    key.push_back(static_cast<char>(number));
  }
  key.push_back(static_cast<char>((checking_disabled ? 1 : 0) + (dnssec_ok ? 2 : 0)));
  return key;
}

Result<Query, QueryFlaw> parse_query(ByteView bytes) {
  const auto header = read_header(bytes);
  if (!header || (header->flags & kIsAnswer) != 0) return std::unexpected(QueryFlaw::NotAQuery);
  if ((header->flags & kOperation) != 0) return std::unexpected(QueryFlaw::UnknownOperation);
  Reader reader(bytes);
  const bool has_one_question =
      header->questions == 1 && header->answers == 0 && header->authorities == 0;
  auto question = has_one_question ? reader.question() : std::nullopt;
  if (!question) return std::unexpected(QueryFlaw::Malformed);
  Query query{.id = header->id,
              .question = std::move(*question),
              .recursion_desired = (header->flags & kRecursionDesired) != 0,
              .checking_disabled = (header->flags & kCheckingDisabled) != 0,
              .authentic_data = (header->flags & kAuthenticData) != 0};
  for (std::size_t i = 0; i < header->additionals; ++i) {
    const auto record = reader.record();
    if (!record) return std::unexpected(QueryFlaw::Malformed);
    if (record->type != kTypeOpt) continue;
    if (!read_edns(*record, query)) return std::unexpected(QueryFlaw::Malformed);
    if ((record->ttl >> 16 & 0xff) != 0) return std::unexpected(QueryFlaw::UnknownEdns);
  }
  if (!reader.at_end()) return std::unexpected(QueryFlaw::Malformed);
  if (const auto flaw = flaw_of(query.question)) return std::unexpected(*flaw);
  return query;
}

Bytes make_refusal(ByteView query, QueryFlaw flaw) {
  const auto header = read_header(query);
  if (!header || flaw == QueryFlaw::NotAQuery) return {};
  constexpr std::uint16_t kEchoed = kOperation | kRecursionDesired;
  auto flags =
      static_cast<std::uint16_t>(kIsAnswer | kRecursionAvailable | (header->flags & kEchoed));
  const bool says_version = flaw == QueryFlaw::UnknownEdns;
  if (flaw == QueryFlaw::Malformed) flags |= std::to_underlying(Code::FormatError);
  if (flaw == QueryFlaw::UnknownOperation) flags |= std::to_underlying(Code::NotImplemented);
  if (flaw == QueryFlaw::Unwanted) flags |= std::to_underlying(Code::Refused);
  Bytes reply;
  append_header(reply, {.id = header->id,
                        .flags = flags,
                        .additionals = static_cast<std::uint16_t>(says_version ? 1 : 0)});
  if (says_version) append_edns(reply, false, kVersionRefused);
  return reply;
}

Result<Answer, AnswerFlaw> parse_answer(ByteView bytes) {
  const auto header = read_header(bytes);
  const bool is_answer = header && (header->flags & kIsAnswer) != 0 &&
                         (header->flags & kOperation) == 0 && header->questions == 1;
  if (!is_answer) return std::unexpected(AnswerFlaw::NotAnAnswer);
  Reader reader(bytes);
  auto question = reader.question();
  if (!question) return std::unexpected(AnswerFlaw::Malformed);
  Answer answer{.id = header->id,
                .truncated = (header->flags & kTruncated) != 0,
                .question = std::move(*question)};
  const std::uint16_t code = header->flags & kCode;
  answer.code =
      code <= std::to_underlying(Code::Refused) ? static_cast<Code>(code) : Code::ServerFailure;
  // What was cut off may have been cut off anywhere.
  if (answer.truncated) return answer;
  Header kept = *header;
  std::size_t size = bytes.size();
  if (!read_records(reader, *header, answer, kept, size) || !reader.at_end()) {
    return std::unexpected(AnswerFlaw::Malformed);
  }
  if (answer.code != Code::NoError && answer.code != Code::NameError) answer.ttl_seconds.reset();
  answer.stored.bytes.assign(bytes.begin(), bytes.begin() + std::ptrdiff_t(size));
  store<Be16>(ByteSpan(answer.stored.bytes).subspan(10), kept.additionals);
  return answer;
}

Bytes make_query(const UpstreamQuery& query) {
  std::uint16_t flags = kRecursionDesired;
  if (query.checking_disabled) flags |= kCheckingDisabled;
  Bytes out;
  append_header(out, {.id = query.id, .flags = flags, .questions = 1, .additionals = 1});
  append_question(out, query.question);
  append_edns(out, query.dnssec_ok);
  return out;
}

Bytes make_reply(const Query& query, Code code) {
  Bytes out;
  append_header(out, {.id = query.id,
                      .flags = flags_for(query, code),
                      .questions = 1,
                      .additionals = static_cast<std::uint16_t>(query.has_edns ? 1 : 0)});
  append_question(out, query.question);
  if (query.has_edns) append_edns(out, query.dnssec_ok);
  return out;
}

Bytes make_reply(const Query& query, const StoredAnswer& answer, std::uint32_t age_seconds,
                 std::size_t limit) {
  const std::uint16_t stored_flags = field(answer.bytes, 2);
  const auto code = static_cast<Code>(stored_flags & kCode);
  std::uint16_t flags = flags_for(query, code);
  if (query.dnssec_ok || query.authentic_data) flags |= stored_flags & kAuthenticData;
  const bool adds_edns = query.has_edns && answer.bytes.size() + kOptBytes <= kMaxMessageBytes;
  if (answer.bytes.size() + (adds_edns ? kOptBytes : 0) > limit) {
    Bytes cut = make_reply(query, code);
    store<Be16>(ByteSpan(cut).subspan(2), static_cast<std::uint16_t>(flags | kTruncated));
    return cut;
  }
  Bytes out = answer.bytes;
  CHECK(out.size() >= kHeaderBytes + query.question.name.size());
  store<Be16>(ByteSpan(out), query.id);
  store<Be16>(ByteSpan(out).subspan(2), flags);
  std::ranges::copy(query.question.name, out.begin() + kHeaderBytes);
  for (const std::uint16_t place : answer.ttl_places) {
    const ByteSpan ttl = ByteSpan(out).subspan(place, 4);
    const std::uint32_t whole = sane_ttl(load<Be32>(ttl));
    store<Be32>(ttl, whole > age_seconds ? whole - age_seconds : 0);
  }
  if (adds_edns) {
    const ByteSpan count = ByteSpan(out).subspan(10);
    store<Be16>(count, static_cast<std::uint16_t>(load<Be16>(count) + 1));
    append_edns(out, query.dnssec_ok);
  }
  return out;
}

std::string printable_name(std::string_view name) {
  std::string text;
  while (!name.empty() && name[0] != 0) {
    const std::size_t size = static_cast<std::uint8_t>(name[0]);
    for (const char c : name.substr(1, size)) {
      const bool is_plain = c > ' ' && c <= '~' && c != '.' && c != '\\';
      if (is_plain) text.push_back(c);
      if (!is_plain) text += fmt::format("\\{:03}", static_cast<std::uint8_t>(c));
    }
    text.push_back('.');
    name.remove_prefix(std::min(name.size(), size + 1));
  }
  return text.empty() ? "." : text;
}

}  // namespace ginnel::dns
