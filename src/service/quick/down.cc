#include <fmt/format.h>

#include "base/log.h"
#include "os/capability.h"
#include "service/quick/hooks.h"
#include "service/quick/quick.h"
#include "service/quick/save.h"
#include "service/quick/standing.h"
#include "service/tunnel/found_devices.h"

namespace ginnel::quick {
namespace {

// Whether the file is as it was when the tunnel came up, as far as that can be told.
enum class FileIs : std::uint8_t { Good, Wrong, Lost };

struct Remains {
  Source source;
  FileIs file = FileIs::Good;
  Error problem{};  // With it.
};

// A mistake in the file, or its loss, keeps nobody from taking down what it once brought up.
Result<Remains> read_remains(const std::string& argument) {
  auto source = read_text(argument);
  if (!source && source.error().code != ErrorCode::NotFound) return pass(std::move(source));
  if (!source) {
    auto lost = locate(argument);
    if (!lost) return pass(std::move(lost));
    return Remains{std::move(*lost), FileIs::Lost, source.error()};
  }
  auto file = config::parse_quick_file(source->path, source->text);
  if (file) {
    source->file = std::move(*file);
    return Remains{.source = std::move(*source)};
  }
  source->file.hooks = config::quick_commands(source->text);
  return Remains{std::move(*source), FileIs::Wrong, file.error()};
}

// Only the tunnel that this very file made is known without it.
Status check_standing(const Remains& remains, const Standing& standing) {
  const Source& source = remains.source;
  const auto& record = standing.record();
  const bool is_known = record && record->configuration == source.path;
  if (remains.file == FileIs::Lost && record && !is_known) {
    return fail(ErrorCode::NotFound,
                fmt::format("{}; {} was brought up by {}", remains.problem.message,
                            source.interface, record->configuration));
  }
  if (remains.file == FileIs::Lost && !is_known) return std::unexpected(remains.problem);
  if (record) return ok();
  auto device = tunnel::find_device(source.interface);
  if (!device) return pass(std::move(device));
  return fail(ErrorCode::Conflict,
              fmt::format("interface {} was not brought up by ginnel; take it down with what did",
                          source.interface));
}

void warn_of(const Remains& remains) {
  warn_of(remains.source);
  if (remains.file == FileIs::Lost) {
    log::warn("{}: there is no such file any more; {} is taken down without its commands",
              remains.source.path, remains.source.interface);
  } else if (remains.file == FileIs::Wrong) {
    log::warn("{}", remains.problem.message);
    log::warn("{} is taken down all the same, and nothing is saved", remains.source.interface);
  }
}

}  // namespace

Status down(const QuickOptions& options, Interruption& interruption) {
  const auto remains = read_remains(options.configuration);
  if (!remains) return std::unexpected(remains.error());
  const Source& source = remains->source;
  if (Status may = os::require_capability(os::Capability::NetAdmin, "a tunnel"); !may) return may;
  auto standing = Standing::open(options.run_directory, source.interface, interruption);
  if (!standing) return pass(std::move(standing));
  if (Status known = check_standing(*remains, *standing); !known) return known;
  warn_of(*remains);
  Status ran = run_hooks("PreDown", source.file.hooks.pre_down, source, interruption);
  if (!ran) return ran;
  if (source.file.save_config) {
    // The tunnel's process may be gone, and with it what there was to save.
    Status saved = save_into(source, *standing);
    if (!saved && saved.error().code != ErrorCode::NotFound) return saved;
  }
  if (Status undone = standing->take_down(); !undone) return undone;
  return run_hooks("PostDown", source.file.hooks.post_down, source, interruption);
}

}  // namespace ginnel::quick
