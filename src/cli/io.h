// Where a verb reads and writes. Results go to out, everything else to err.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ginnel::cli {

class Io {
 public:
  virtual ~Io() = default;

  template <class... Args>
  void out(fmt::format_string<Args...> format, Args&&... args) {
    write_out(fmt::format(format, std::forward<Args>(args)...));
  }
  // Adds the line's end.
  template <class... Args>
  void err(fmt::format_string<Args...> format, Args&&... args) {
    write_err(fmt::format(format, std::forward<Args>(args)...) + "\n");
  }

  virtual void write_out(std::string_view text) = 0;
  virtual void write_err(std::string_view text) = 0;
  // All of standard input; an error when it is longer than `limit`.
  virtual Result<std::string> read_in(std::size_t limit) = 0;
  // Whether out is a file that users other than the owner may open: secrets do not belong there.
  virtual bool out_is_exposed() const = 0;
  virtual bool out_is_terminal() const = 0;
  // The environment variable, if it is set and not empty.
  virtual std::optional<std::string> environment(const std::string& name) const = 0;

  // Tells `error` as a verb does, and returns the exit code that goes with it.
  int report(std::string_view verb, const Error& error);
};

// The streams and the environment of this process.
class ProcessIo final : public Io {
 public:
  void write_out(std::string_view text) override;
  void write_err(std::string_view text) override;
  Result<std::string> read_in(std::size_t limit) override;
  bool out_is_exposed() const override;
  bool out_is_terminal() const override;
  std::optional<std::string> environment(const std::string& name) const override;

  // Writes what is buffered. An error if any of it was lost: a full disk must not look like
  // success.
  Status finish();
};

}  // namespace ginnel::cli
