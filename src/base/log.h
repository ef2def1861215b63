// Structured log lines for services: a sentence, then key=value pairs. core/ never logs. Keys are
// never logged; user addresses and names only at debug.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace ginnel::log {

enum class Level { Trace, Debug, Info, Warn, Error };

enum class Target {
  StandardError,
  SystemLog,  // syslog, which journald keeps too. Without either, nowhere.
};

// Sends lines of at least `level` there. Call once, before threads start.
void start(Level level, Target target = Target::StandardError);
void write(Level level, std::string_view line);
bool enabled(Level level);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Debug)) write(Level::Debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Info)) write(Level::Info, fmt::format(format, std::forward<Args>(args)...));
}
// Somebody should look.
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Warn)) write(Level::Warn, fmt::format(format, std::forward<Args>(args)...));
}
// A promise is broken.
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::Error)) write(Level::Error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace ginnel::log
