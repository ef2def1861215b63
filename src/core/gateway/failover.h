// Which of several tunnels carries a gateway's traffic: the first that answers, in the order they
// were named. Sans-IO: told what each has sent and received, it says whom to greet and when to
// switch. Never sees a packet.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace ginnel::gateway {

// Bytes of one tunnel since it was made. Only what authenticated counts as received.
struct TunnelTraffic {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  MonoTime initiated = kNever;  // When the last handshake was begun, by whomever.
  friend bool operator==(const TunnelTraffic&, const TunnelTraffic&) = default;
};

class Failover {
 public:
  // After so long a time of sending without an answer, a handshake is begun,
  static constexpr Duration kSilenceLimit = 1500ms;
  // which has so long to be answered,
  static constexpr Duration kAnswerLimit = 1500ms;
  // and is begun at most so often.
  static constexpr Duration kGreetInterval = 5s;
  // While another tunnel carries the traffic, those before it are greeted so often, and one that
  // answers kAnswersToReturn times running has it back.
  static constexpr Duration kReturnInterval = 10s;
  static constexpr unsigned kAnswersToReturn = 2;
  // One that fails so soon after its return is waited for twice as long, up to the maximum.
  static constexpr Duration kTrialTime = 60s;
  static constexpr Duration kMaxReturnInterval = 160s;
  // A tunnel that failed is not chosen again for so long, as long as there is another.
  static constexpr Duration kRestTime = 30s;
  static constexpr std::size_t kMaxTunnels = 16;

  // What is to be done now. Both may be set; a tunnel that is switched to is to be greeted as well.
  struct Step {
    std::vector<std::size_t> greet{};
    std::optional<std::size_t> switch_to{};
    bool failed =
        false;  // The active tunnel did not answer. Alone it stays that, and is greeted again.
  };

  // The first is active, and greeted at once. REQUIRES: 1 to kMaxTunnels.
  Failover(std::size_t tunnels, MonoTime now);

  // What a tunnel has carried so far; to be told a few times a second, of every tunnel.
  void handle_traffic(MonoTime now, std::size_t tunnel, const TunnelTraffic& traffic);

  // Early, late and repeated calls are harmless.
  Step handle_timeout(MonoTime now);
  // Nothing is due before, unless traffic is told of.
  MonoTime next_timeout() const;

  std::size_t active() const { return active_; }
  // Whether anything has come from the active tunnel since it last failed or was switched to.
  bool is_answering() const { return tunnels_[active_].heard; }
  // Whether no tunnel was heard since it last failed, and each has failed.
  bool all_failed() const;
  // Whether nothing came from this one since it failed.
  bool has_failed(std::size_t tunnel) const { return tunnels_.at(tunnel).failed_at != kNever; }

 private:
  struct Tunnel {
    TunnelTraffic traffic{};
    bool heard = false;  // Since it became the active one, or failed.
    Deadline silence;    // Armed by the first thing sent since the last that was received.
    Deadline answer;     // Of the greeting.
    MonoTime greeted = kNever;
    MonoTime failed_at = kNever;
    unsigned answers = 0;  // To greetings running, while another is active.
  };

  static bool may_greet(const Tunnel& tunnel, MonoTime now);
  void greet(std::size_t tunnel, MonoTime now, Step& step);
  void watch_active(MonoTime now, Step& step);
  void watch_preferred(MonoTime now, Step& step);
  void give_up(MonoTime now, Step& step);
  void switch_to(std::size_t tunnel, MonoTime now, Step& step);
  std::size_t next_candidate(MonoTime now) const;

  std::vector<Tunnel> tunnels_;
  std::size_t active_ = 0;
  Deadline return_;  // Armed while a tunnel before the active one could have the traffic back.
  Duration return_interval_ = kReturnInterval;
  MonoTime returned_at_ = kNever;
};

}  // namespace ginnel::gateway
