// The servers that are asked, in the order of preference, and which of them is worth asking now.
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"
#include "net/endpoint.h"

namespace ginnel::dns {

class Upstreams {
 public:
  static constexpr std::size_t kMaxUpstreams = 8;
  // Questions in a row that one left open. More than one page with a dead name in it brings.
  static constexpr unsigned kMaxSilences = 6;
  // One that is silent is asked one question in this time, and the others go elsewhere, or are
  // refused at once: a client that is told so does not wait for its own patience to end.
  static constexpr Duration kRest = 2s;

  Upstreams() = default;
  // More than kMaxUpstreams are left out.
  explicit Upstreams(const std::vector<net::Endpoint>& endpoints);

  // The first that is worth asking and not among those `asked` (a bit for each).
  std::optional<std::size_t> choose(MonoTime now, std::uint32_t asked);
  void note_silence(MonoTime now, std::size_t index);
  void note_answer(std::size_t index) { list_[index].silences = 0; }

  const net::Endpoint& at(std::size_t index) const { return list_[index].endpoint; }
  std::size_t size() const { return list_.size(); }
  std::vector<net::Endpoint> endpoints() const;

 private:
  struct Upstream {
    net::Endpoint endpoint;
    unsigned silences = 0;
    MonoTime rests_until{};
  };

  std::vector<Upstream> list_;
};

}  // namespace ginnel::dns
