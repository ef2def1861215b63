// Compiles core/hostnet's rulesets into nf_tables messages: one batch is one transaction. The only
// file that writes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "core/hostnet/nft_expression.h"
#include "core/hostnet/nft_tree.h"

namespace ginnel::os {

// A rule of somebody else's that is to get ours before or after it, or ours that is to go.
struct NftPlace {
  hostnet::nft::Family family = hostnet::nft::Family::Inet;
  std::string table{};
  std::string chain{};
};

class NftBatch {
 public:
  NftBatch();

  // Creates the table with all that is in it. Adds to it when it exists.
  Status add_table(const hostnet::nft::Table& table);
  // Puts the table in the place of the one of its name, if any.
  Status replace_table(const hostnet::nft::Table& table);
  // The table must exist when the batch is committed.
  void delete_table(hostnet::nft::Family family, const std::string& name);
  // As "nft flush ruleset" does: what others own stays.
  void delete_all_tables();

  // Puts a rule at the head of a chain.
  Status insert_rule(const NftPlace& place, const hostnet::nft::Rule& rule);
  void delete_rule(const NftPlace& place, std::uint64_t handle);

  // For os/nft_socket.h: the messages, numbered from 1, closed by this call.
  ByteView finish();
  // The message that is to be acknowledged: the first that does something.
  std::uint32_t acknowledged() const { return 1; }
  bool empty() const { return objects_.empty(); }
  // What message `sequence` is about, for a refusal of it.
  std::string_view object(std::uint32_t sequence) const;

 private:
  template <class Build>
  void append(std::uint16_t type, hostnet::nft::Family family, std::uint16_t flags,
              std::string object, Build&& build);
  void append_table(const hostnet::nft::Table& table);
  void append_chain(const hostnet::nft::Table& table, const hostnet::nft::Chain& chain);
  Status append_rule(const NftPlace& place, const hostnet::nft::Rule& rule, std::uint16_t flags);
  void append_set(const NftPlace& place, const hostnet::nft::Set& set, const std::string& object);

  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> message_;  // The one that is being built; zero between two.
  std::vector<std::string> objects_;   // By sequence number, less one.
  std::uint32_t next_set_id_ = 1;
};

}  // namespace ginnel::os
