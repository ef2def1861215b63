// An Io that keeps what is written, and takes its input and environment from the test.
#pragma once

#include <map>
#include <string>

#include "cli/io.h"

namespace ginnel::cli {

struct StringIo final : Io {
  void write_out(std::string_view text) override { out_text += text; }
  void write_err(std::string_view text) override { err_text += text; }
  Result<std::string> read_in(std::size_t limit) override {
    if (in_text.size() > limit)
      return fail(ErrorCode::InvalidArgument, "standard input is too long");
    return in_text;
  }
  bool out_is_exposed() const override { return exposed; }
  bool out_is_terminal() const override { return terminal; }
  std::optional<std::string> environment(const std::string& name) const override {
    const auto found = variables.find(name);
    if (found == variables.end() || found->second.empty()) return std::nullopt;
    return found->second;
  }

  std::string in_text, out_text, err_text;
  bool exposed = false;
  bool terminal = false;
  std::map<std::string, std::string> variables;
};

}  // namespace ginnel::cli
