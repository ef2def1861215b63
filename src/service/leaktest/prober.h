// Sends the attacks of a catalogue on a twin. One thread.
#pragma once

#include <vector>

#include "core/leaks/attack.h"
#include "core/leaks/certificate.h"
#include "service/leaktest/twin.h"

namespace ginnel::leaktest {

class Prober {
 public:
  // Opens a socket for each attack while all is well. `twin` and `catalogue` are borrowed.
  static Result<Prober> open(const Twin& twin, const leaks::Catalogue& catalogue,
                             std::uint64_t run);

  // Connects the live flows anew, by the way that is theirs now.
  Status reconnect();
  void send_live(std::size_t phase, leaks::Tally& tally) const;

  void send(std::size_t attack, std::size_t phase, leaks::Tally& tally) const;
  void send_all(std::size_t phase, leaks::Tally& tally) const;

 private:
  struct Armed {
    std::optional<os::ProbeSocket> socket{};
    leaks::MacAddress near{};  // Of a frame's sender,
    leaks::MacAddress far{};   // and of who is to take it.
  };

  Prober(const Twin& twin, const leaks::Catalogue& catalogue, std::uint64_t run)
      : twin_(&twin), catalogue_(&catalogue), run_(run), armed_(catalogue.attacks.size()) {}

  Status arm(std::size_t index);
  Status arm_local(const leaks::Attack& attack, Armed& armed) const;
  Status arm_remote(const leaks::Attack& attack, Armed& armed) const;
  leaks::Bytes bytes_of(const leaks::Attack& attack, const Armed& armed,
                        const leaks::ProbeTag& tag) const;

  const Twin* twin_;
  const leaks::Catalogue* catalogue_;
  std::uint64_t run_;
  std::vector<Armed> armed_;
};

}  // namespace ginnel::leaktest
