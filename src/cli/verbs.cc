#include "cli/verbs.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace ginnel::cli {
namespace {

constinit const std::array kVerbs = {
    &kServer,
    &kServerReload,
    &kServerStatus,
    &kPeerAdd,
    &kPeerRemove,
    &kPeerEnable,
    &kPeerDisable,
    &kPeerList,
    &kPeerShow,
    &kPeerConfig,
    &kPeerQr,
    &kPeerForgetKey,
    &kPeerSet,
    &kUp,
    &kDown,
    &kReload,
    &kSave,
    &kStrip,
    &kKillSwitchOn,
    &kKillSwitchOff,
    &kKillSwitchConfirm,
    &kKillSwitchStatus,
    &kKillSwitchTest,
    &kKillSwitchWatch,
    &kGateway,
    &kGatewayStatus,
    &kGatewayReload,
    &kGatewayTest,
    &kCage,
    &kDev,
    &kShow,
    &kShowconf,
    &kGenkey,
    &kPubkey,
    &kGenpsk,
    &kBench,
    &kVersion,
    &kCompletion,
};

constexpr std::string_view kPlanned[] = {
    "api",    "backup", "cert",   "coordinator", "dns",        "doctor",  "exit-node", "file",
    "get",    "ip",     "join",   "leave",       "lock",       "metrics", "nc",        "netcheck",
    "ping",   "policy", "relay",  "restore",     "routecheck", "serve",   "set",       "ssh",
    "status", "switch", "update", "wait",        "whoami",     "whois",   "why",
};

}  // namespace

std::span<const Verb* const> verbs() { return kVerbs; }

std::span<const std::string_view> planned_verbs() { return kPlanned; }

Found find_verb(std::span<const std::string> words) {
  Found best;
  for (const Verb* verb : kVerbs) {
    const auto name = split(verb->name, ' ');
    if (name.size() > best.words && name.size() <= words.size() &&
        std::equal(name.begin(), name.end(), words.begin())) {
      best = {verb, name.size()};
    }
  }
  return best;
}

}  // namespace ginnel::cli
