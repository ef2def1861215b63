// The forwarder: which question is asked of whom, which answer is believed, and who is told. One
// thread owns it, and carries out what it puts into the outbox. It opens no socket and reads no
// clock, and there is no server that it would ask besides those it was given.
#pragma once

#include <map>

#include "base/rng.h"
#include "core/dns/cache.h"
#include "core/dns/counters.h"
#include "core/dns/source_limiter.h"
#include "core/dns/upstreams.h"

namespace ginnel::dns {

// Who asked, and how he is reached; handed back with the reply.
struct Asker {
  net::PathAddress path{};
  std::uint64_t channel = 0;  // The socket or connection.
  bool by_stream = false;

  friend bool operator==(const Asker&, const Asker&) = default;
};

enum class AttemptId : std::uint64_t {};

struct Reply {
  Asker to;
  Bytes bytes;
};
// One question to one upstream. It goes out of a port that nothing else uses, chosen by chance, and
// only what comes from there, from the upstream, is handed to handle_answer().
struct Attempt {
  AttemptId id{};
  net::Endpoint upstream;
  bool by_stream = false;
  Bytes bytes;
};

// What is to be done, in this order: close what ended, send, reply.
struct ForwarderOutbox {
  std::vector<AttemptId> ended;
  std::vector<Attempt> attempts;
  std::vector<Reply> replies;
};

class Forwarder {
 public:
  static constexpr std::size_t kMaxInFlight = 256;
  static constexpr std::size_t kMaxInFlightPerSource = 100;
  static constexpr std::size_t kMaxStreamsInFlight = 64;
  // Of those who ask the same while it is in flight.
  static constexpr std::size_t kMaxWaiting = 64;
  // Answers that do not fit, until datagrams are given up for this question: somebody is guessing.
  static constexpr unsigned kMaxMismatches = 8;
  static constexpr unsigned kMaxRounds = 2;  // Through all upstreams.
  static constexpr Duration kAttemptTime = 1500ms;
  static constexpr Duration kStreamTime = 3s;
  // Clients give up after five seconds.
  static constexpr Duration kPatience = 4500ms;

  // `mixes_case`: the question's letters are big or small by chance, and the answer must have them
  // so too (0x20). Some servers answer in small letters.
  explicit Forwarder(Rng& rng, bool mixes_case = false) : rng_(rng), mixes_case_(mixes_case) {}

  // Forgets all answers: the new servers may know other names. What is in flight is asked again.
  void set_upstreams(MonoTime now, const std::vector<net::Endpoint>& endpoints,
                     ForwarderOutbox& out);
  std::vector<net::Endpoint> upstreams() const { return upstreams_.endpoints(); }

  void handle_query(MonoTime now, const Asker& asker, ByteView bytes, ForwarderOutbox& out);
  void handle_answer(MonoTime now, AttemptId id, ByteView bytes, ForwarderOutbox& out);
  // It could not be sent, or the connection ended.
  void handle_failure(MonoTime now, AttemptId id, ForwarderOutbox& out);
  void handle_timeout(MonoTime now, ForwarderOutbox& out);
  MonoTime next_timeout() const;

  // For what the owner of the sockets drops.
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  std::size_t in_flight() const { return questions_.size(); }

 private:
  struct Waiting {
    Asker asker;
    Query query;
  };
  // A question in flight. It has one attempt at any time.
  struct Open {
    std::string key;
    UpstreamQuery sent;
    net::Prefix source;  // Of the one who asked first.
    std::vector<Waiting> waiting;
    std::size_t upstream = 0;
    std::uint32_t asked = 0;  // Upstreams of this round.
    unsigned rounds = 1;
    unsigned mismatches = 0;
    bool by_stream = false;
    MonoTime gives_up{};
    MonoTime attempt_ends{};
  };
  using Place = std::map<AttemptId, Open>::iterator;

  void ask(MonoTime now, const Asker& asker, Query query, ForwarderOutbox& out);
  bool join(Open& open, const Asker& asker, const Query& query);
  // Asks the next upstream that is worth it, or ends the question. The place is invalid then.
  void ask_next(MonoTime now, Place place, ForwarderOutbox& out);
  void begin_attempt(MonoTime now, Place place, bool by_stream, ForwarderOutbox& out);
  void note_mismatch(MonoTime now, Place place, ForwarderOutbox& out);
  void fail(Place place, ForwarderOutbox& out);
  void finish(MonoTime now, Place place, Answer answer, ForwarderOutbox& out);
  void reply(const Waiting& to, const StoredAnswer& answer, std::uint32_t age,
             ForwarderOutbox& out);
  void close(Place place, ForwarderOutbox& out);
  std::string mix_case(std::string name);

  Rng& rng_;
  const bool mixes_case_;
  Upstreams upstreams_;
  Cache cache_;
  SourceLimiter limiter_;
  Counters counters_;
  std::map<AttemptId, Open> questions_;
  std::map<std::string, AttemptId, std::less<>> by_key_;
  std::map<net::Prefix, std::size_t> by_source_;
  std::size_t streams_ = 0;
  std::uint64_t last_attempt_ = 0;
};

}  // namespace ginnel::dns
