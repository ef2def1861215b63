#include "core/dns/forwarder.h"

#include <algorithm>

#include "base/check.h"
#include "core/dns/special_names.h"

namespace ginnel::dns {

void Forwarder::set_upstreams(MonoTime now, const std::vector<net::Endpoint>& endpoints,
                              ForwarderOutbox& out) {
  upstreams_ = Upstreams(endpoints);
  cache_.clear();
  std::vector<AttemptId> open;
  open.reserve(questions_.size());
  for (const auto& [id, question] : questions_) open.push_back(id);
  for (const AttemptId id : open) {
    const Place place = questions_.find(id);
    place->second.asked = 0;
    place->second.rounds = 1;
    place->second.gives_up = now + kPatience;
    ask_next(now, place, out);
  }
}

void Forwarder::handle_query(MonoTime now, const Asker& asker, ByteView bytes,
                             ForwarderOutbox& out) {
  counters_.add(Count::Queries);
  if (!limiter_.admit(now, source_network(asker.path.remote.address))) {
    counters_.add(Count::DroppedRateLimited);
    return;
  }
  auto query = parse_query(bytes);
  if (!query) {
    counters_.add(Count::QueriesMalformed);
    Bytes refusal = make_refusal(bytes, query.error());
    if (!refusal.empty()) out.replies.push_back({asker, std::move(refusal)});
    return;
  }
  if (const auto special = answer_special(*query)) {
    counters_.add(Count::AnsweredHere);
    reply({asker, std::move(*query)}, *special, 0, out);
    return;
  }
  const std::string key = query->key();
  if (const auto hit = cache_.find(now, key)) {
    counters_.add(Count::AnsweredFromCache);
    reply({asker, std::move(*query)}, *hit->answer, hit->age_seconds, out);
    return;
  }
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    if (!join(questions_.at(known->second), asker, *query)) {
      counters_.add(Count::DroppedOverload);
    }
    return;
  }
  ask(now, asker, std::move(*query), out);
}

// A client that asks again, because it got no answer yet, waits once.
bool Forwarder::join(Open& open, const Asker& asker, const Query& query) {
  const auto is_same = [&](const Waiting& waiting) {
    return waiting.asker == asker && waiting.query.id == query.id;
  };
  if (std::ranges::any_of(open.waiting, is_same)) return true;
  if (open.waiting.size() >= kMaxWaiting) return false;
  open.waiting.push_back({asker, query});
  return true;
}

void Forwarder::ask(MonoTime now, const Asker& asker, Query query, ForwarderOutbox& out) {
  const net::Prefix source = source_network(asker.path.remote.address);
  const auto of_source = by_source_.find(source);
  if (questions_.size() >= kMaxInFlight ||
      (of_source != by_source_.end() && of_source->second >= kMaxInFlightPerSource)) {
    counters_.add(Count::DroppedOverload);
    return;
  }
  Open open{.key = query.key(),
            .sent = {.question = query.question,
                     .checking_disabled = query.checking_disabled,
                     .dnssec_ok = query.dnssec_ok},
            .source = source,
            .gives_up = now + kPatience};
  open.waiting.push_back({asker, std::move(query)});
  ++by_source_[source];
  const AttemptId id{++last_attempt_};
  by_key_.emplace(open.key, id);
  ask_next(now, questions_.emplace(id, std::move(open)).first, out);
}

void Forwarder::ask_next(MonoTime now, Place place, ForwarderOutbox& out) {
  Open& open = place->second;
  if (now >= open.gives_up) return fail(place, out);
  auto chosen = upstreams_.choose(now, open.asked);
  if (!chosen && open.asked != 0 && open.rounds < kMaxRounds) {
    ++open.rounds;
    open.asked = 0;
    chosen = upstreams_.choose(now, open.asked);
  }
  if (!chosen) return fail(place, out);
  open.upstream = *chosen;
  open.asked |= std::uint32_t{1} << *chosen;
  begin_attempt(now, place, false, out);
}

// Every attempt has a number of its own, so that what belongs to an ended one finds nobody.
void Forwarder::begin_attempt(MonoTime now, Place place, bool by_stream, ForwarderOutbox& out) {
  if (by_stream && streams_ >= kMaxStreamsInFlight) {
    counters_.add(Count::DroppedOverload);
    return fail(place, out);
  }
  out.ended.push_back(place->first);
  auto node = questions_.extract(place);
  node.key() = AttemptId{++last_attempt_};
  Open& open = node.mapped();
  by_key_.at(open.key) = node.key();
  if (open.by_stream) --streams_;
  open.by_stream = by_stream;
  if (by_stream) ++streams_;
  open.mismatches = 0;
  open.attempt_ends = std::min(now + (by_stream ? kStreamTime : kAttemptTime), open.gives_up);
  open.sent.id = rng_.number<std::uint16_t>();
  open.sent.question.name = mix_case(std::move(open.sent.question.name));
  counters_.add(Count::UpstreamQueries);
  if (by_stream) counters_.add(Count::UpstreamStreams);
  out.attempts.push_back(
      {node.key(), upstreams_.at(open.upstream), by_stream, make_query(open.sent)});
  questions_.insert(std::move(node));
}

std::string Forwarder::mix_case(std::string name) {
  if (!mixes_case_) return name;
  // Lengths of labels are below every letter.
  for (char& c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_letter && rng_.below(2) != 0) c = static_cast<char>(c ^ 0x20);
  }
  return name;
}

void Forwarder::handle_answer(MonoTime now, AttemptId id, ByteView bytes, ForwarderOutbox& out) {
  const Place place = questions_.find(id);
  if (place == questions_.end()) return;
  Open& open = place->second;
  auto answer = parse_answer(bytes);
  if (!answer || answer->id != open.sent.id || answer->question != open.sent.question) {
    return note_mismatch(now, place, out);
  }
  upstreams_.note_answer(open.upstream);
  if (answer->truncated && !open.by_stream) return begin_attempt(now, place, true, out);
  const bool is_final =
      !answer->truncated && (answer->code == Code::NoError || answer->code == Code::NameError);
  if (!is_final) return ask_next(now, place, out);
  finish(now, place, std::move(*answer), out);
}

void Forwarder::note_mismatch(MonoTime now, Place place, ForwarderOutbox& out) {
  counters_.add(Count::AnswersMismatched);
  if (++place->second.mismatches < kMaxMismatches) return;
  if (place->second.by_stream) return ask_next(now, place, out);
  begin_attempt(now, place, true, out);
}

void Forwarder::handle_failure(MonoTime now, AttemptId id, ForwarderOutbox& out) {
  const Place place = questions_.find(id);
  if (place == questions_.end()) return;
  counters_.add(Count::UpstreamErrors);
  ask_next(now, place, out);
}

void Forwarder::handle_timeout(MonoTime now, ForwarderOutbox& out) {
  std::vector<AttemptId> due;
  for (const auto& [id, open] : questions_) {
    if (now >= open.attempt_ends) due.push_back(id);
  }
  for (const AttemptId id : due) {
    const Place place = questions_.find(id);
    counters_.add(Count::UpstreamTimeouts);
    upstreams_.note_silence(now, place->second.upstream);
    ask_next(now, place, out);
  }
}

MonoTime Forwarder::next_timeout() const {
  MonoTime next = kNever;
  for (const auto& [id, open] : questions_) next = std::min(next, open.attempt_ends);
  return next;
}

void Forwarder::fail(Place place, ForwarderOutbox& out) {
  for (const Waiting& waiting : place->second.waiting) {
    counters_.add(Count::Failures);
    out.replies.push_back({waiting.asker, make_reply(waiting.query, Code::ServerFailure)});
  }
  close(place, out);
}

void Forwarder::finish(MonoTime now, Place place, Answer answer, ForwarderOutbox& out) {
  const Open& open = place->second;
  for (const Waiting& waiting : open.waiting) {
    counters_.add(Count::AnsweredFromUpstream);
    reply(waiting, answer.stored, 0, out);
  }
  if (answer.ttl_seconds) {
    cache_.put(now, open.key, std::move(answer.stored), *answer.ttl_seconds);
  }
  close(place, out);
}

void Forwarder::reply(const Waiting& to, const StoredAnswer& answer, std::uint32_t age,
                      ForwarderOutbox& out) {
  const std::size_t limit = to.asker.by_stream ? kMaxMessageBytes : to.query.datagram_limit;
  out.replies.push_back({to.asker, make_reply(to.query, answer, age, limit)});
}

void Forwarder::close(Place place, ForwarderOutbox& out) {
  const Open& open = place->second;
  if (open.by_stream) --streams_;
  const auto of_source = by_source_.find(open.source);
  CHECK(of_source != by_source_.end() && of_source->second > 0);
  if (--of_source->second == 0) by_source_.erase(of_source);
  by_key_.erase(open.key);
  out.ended.push_back(place->first);
  questions_.erase(place);
}

}  // namespace ginnel::dns
