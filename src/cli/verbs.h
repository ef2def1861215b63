// The verb table. A verb is in it when it works; until then its name is in kPlanned. How to add one
// is in CONTRIBUTING.md.
#pragma once

#include <span>
#include <string_view>

#include "cli/verb.h"

namespace ginnel::cli {

extern const Verb kBench;
extern const Verb kCage;
extern const Verb kCompletion;
extern const Verb kDev;
extern const Verb kDown;
extern const Verb kGateway;
extern const Verb kGatewayReload;
extern const Verb kGatewayStatus;
extern const Verb kGatewayTest;
extern const Verb kGenkey;
extern const Verb kGenpsk;
extern const Verb kKillSwitchConfirm;
extern const Verb kKillSwitchOff;
extern const Verb kKillSwitchOn;
extern const Verb kKillSwitchStatus;
extern const Verb kKillSwitchTest;
extern const Verb kKillSwitchWatch;
extern const Verb kPeerAdd;
extern const Verb kPeerConfig;
extern const Verb kPeerDisable;
extern const Verb kPeerEnable;
extern const Verb kPeerForgetKey;
extern const Verb kPeerSet;
extern const Verb kPeerList;
extern const Verb kPeerQr;
extern const Verb kPeerRemove;
extern const Verb kPeerShow;
extern const Verb kPubkey;
extern const Verb kReload;
extern const Verb kSave;
extern const Verb kServer;
extern const Verb kServerReload;
extern const Verb kServerStatus;
extern const Verb kShow;
extern const Verb kShowconf;
extern const Verb kStrip;
extern const Verb kUp;
extern const Verb kVersion;

// In the order in which help lists them.
std::span<const Verb* const> verbs();

// Names that the program will have and does not have yet.
std::span<const std::string_view> planned_verbs();

// The verb whose name the words begin with, and how many of them that name takes; the longest wins.
struct Found {
  const Verb* verb = nullptr;
  std::size_t words = 0;
};
Found find_verb(std::span<const std::string> words);

}  // namespace ginnel::cli
