// Who wants which DNS servers in /etc/resolv.conf, and what stood there before anybody did. The
// last who came is heard; when all are gone, the file is as it was. A value and its text form;
// os/resolv_conf.h keeps it in a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/hostnet/owner.h"

namespace ginnel::hostnet {

struct WantedResolver {
  std::vector<std::string> servers{};
  std::vector<std::string> search{};
  friend bool operator==(const WantedResolver&, const WantedResolver&) = default;
};

// The file that says so.
std::string resolv_conf_text(const Owner& owner, const WantedResolver& wanted);

class ResolverStack {
 public:
  static constexpr std::size_t kMaxOwners = 256;
  static constexpr std::size_t kMaxTextSize = std::size_t{1024} * 1024;

  // What is to be done with the file.
  struct Change {
    enum class Kind : std::uint8_t { None, Write, Remove };
    Kind kind = Kind::None;
    std::string text{};
    friend bool operator==(const Change&, const Change&) = default;
  };

  // `current` is the file as it is; nothing: there is none. Again for the same owner: what it wants
  // is replaced, in its place.
  Result<Change> push(const Owner& owner, const WantedResolver& wanted,
                      const std::optional<std::string>& current);
  // A file that somebody else wrote since is left alone.
  Change pop(const Owner& owner, const std::optional<std::string>& current);

  bool empty() const { return entries_.empty(); }
  std::vector<Owner> owners() const;
  // What stood there before the first came; nothing: there was no file.
  const std::optional<std::string>& original() const { return original_; }

  std::string to_text() const;
  static Result<ResolverStack> parse(std::string_view text);
  friend bool operator==(const ResolverStack&, const ResolverStack&) = default;

 private:
  struct Entry {
    Owner owner{};
    std::string text{};
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  std::optional<std::string> original_;  // Nothing: there was no file.
  std::vector<Entry> entries_;           // The last one's is in the file.
};

}  // namespace ginnel::hostnet
