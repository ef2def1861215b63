#include <memory>
#include <optional>

#include "cli/args.h"
#include "cli/io.h"
#include "cli/verbs.h"
#include "http/json.h"
#include "service/bench/crypto_bench.h"
#include "service/bench/no_aead.h"
#include "service/bench/path_bench.h"

namespace ginnel::cli {

struct AeadRow {
  std::string library;
  std::size_t bytes = 0;
  double seal_ns = 0;
  double open_ns = 0;
  double seal_gigabytes_per_second = 0;
};
BOOST_DESCRIBE_STRUCT(AeadRow, (), (library, bytes, seal_ns, open_ns, seal_gigabytes_per_second))

struct PathRow {
  double tunnel_gbit_per_second = 0;
  double tunnel_cpu_seconds_per_gb = 0;
  http::Nullable<double> without_crypto_gbit_per_second;
  http::Nullable<double> without_crypto_cpu_seconds_per_gb;
  http::Nullable<double> share_of_without_crypto;
};
BOOST_DESCRIBE_STRUCT(PathRow, (),
                      (tunnel_gbit_per_second, tunnel_cpu_seconds_per_gb,
                       without_crypto_gbit_per_second, without_crypto_cpu_seconds_per_gb,
                       share_of_without_crypto))

struct BenchDocument {
  int version = 1;
  std::vector<AeadRow> aead;
  http::Nullable<double> x25519_us;
  http::Nullable<PathRow> path;
};
BOOST_DESCRIBE_STRUCT(BenchDocument, (), (version, aead, x25519_us, path));

namespace {

constexpr unsigned kMaxRounds = 100;
constexpr unsigned kMaxSeconds = 3600;

struct Wanted {
  unsigned rounds = 3;
  Duration time{};
  bool crypto = true;
  bool path = true;
  bool path_by_name = false;
};

Result<Wanted> wanted_of(const Args& args) {
  Wanted wanted;
  const std::string_view what = args.positional(0);
  if (!what.empty() && what != "crypto" && what != "path") {
    return fail(ErrorCode::InvalidArgument, fmt::format("\"{}\" is not one of crypto, path", what));
  }
  wanted.crypto = what != "path";
  wanted.path = what != "crypto";
  wanted.path_by_name = what == "path";
  const auto rounds = args.number<unsigned>("--rounds", 1, kMaxRounds, wanted.rounds);
  if (!rounds) return std::unexpected(rounds.error());
  wanted.rounds = *rounds;
  const auto seconds = args.number<unsigned>("--seconds", 1, kMaxSeconds, 2);
  if (!seconds) return std::unexpected(seconds.error());
  wanted.time = std::chrono::seconds(*seconds);
  return wanted;
}

// One kind of path, and what its streams carried. They all take the same time, so means are totals.
class Series {
 public:
  static Result<Series> start(const bench::PathOptions& options) {
    auto path = bench::make_path(options);
    if (!path) return pass(std::move(path));
    return Series(std::move(*path));
  }

  Status measure(Duration time) {
    const auto speed = path_->measure(time);
    if (!speed) return std::unexpected(speed.error());
    gbit_ += speed->gbit_per_second;
    cpu_seconds_ += speed->cpu_seconds_per_gb * speed->gbit_per_second / 8;
    ++streams_;
    return ok();
  }

  // REQUIRES: something was measured.
  double gbit_per_second() const { return gbit_ / streams_; }
  double cpu_seconds_per_gb() const { return cpu_seconds_ / (gbit_ / 8); }

 private:
  explicit Series(std::unique_ptr<bench::Path> path) : path_(std::move(path)) {}

  std::unique_ptr<bench::Path> path_;
  double gbit_ = 0;
  double cpu_seconds_ = 0;  // For each second of a stream.
  unsigned streams_ = 0;
};

// A stream of each kind in turn, through tunnels that stand throughout, so that what else the
// machine does strikes both. Who is first changes: tunnel, without, without, tunnel, and so on.
Result<PathRow> measure_rounds(const Wanted& wanted) {
  auto tunnel = Series::start({});
  if (!tunnel) return std::unexpected(tunnel.error());
  std::optional<Series> bare;
  if (bench::has_no_aead()) {
    auto started = Series::start({.encrypted = false});
    if (!started) return std::unexpected(started.error());
    bare = std::move(*started);
  }
  for (unsigned round = 0; round < wanted.rounds; ++round) {
    for (const bool second : {false, true}) {
      const bool bare_turn = second == (round % 2 == 0);
      if (bare_turn && !bare) continue;
      Status measured = (bare_turn ? *bare : *tunnel).measure(wanted.time);
      if (!measured) return std::unexpected(measured.error());
    }
  }
  PathRow row{.tunnel_gbit_per_second = tunnel->gbit_per_second(),
              .tunnel_cpu_seconds_per_gb = tunnel->cpu_seconds_per_gb()};
  if (bare) {
    row.without_crypto_gbit_per_second = bare->gbit_per_second();
    row.without_crypto_cpu_seconds_per_gb = bare->cpu_seconds_per_gb();
    row.share_of_without_crypto = tunnel->gbit_per_second() / bare->gbit_per_second();
  }
  return row;
}

void measure_crypto(BenchDocument& document) {
  for (const bench::AeadCost& cost : bench::measure_aead()) {
    document.aead.push_back(
        {.library = cost.library,
         .bytes = cost.bytes,
         .seal_ns = cost.seal_ns,
         .open_ns = cost.open_ns,
         .seal_gigabytes_per_second = static_cast<double>(cost.bytes) / cost.seal_ns});
  }
  document.x25519_us = bench::measure_x25519_us();
}

void print(const BenchDocument& document, Io& io) {
  if (!document.aead.empty()) {
    io.out("{:<22}{:>8}{:>12}{:>12}{:>10}\n", "ChaCha20-Poly1305", "bytes", "seal ns", "open ns",
           "GB/s");
  }
  for (const AeadRow& row : document.aead) {
    io.out("{:<22}{:>8}{:>12.0f}{:>12.0f}{:>10.2f}\n", row.library, row.bytes, row.seal_ns,
           row.open_ns, row.seal_gigabytes_per_second);
  }
  if (document.x25519_us.value) io.out("\nX25519: {:.1f} us\n", *document.x25519_us.value);
  if (!document.path.value) return;
  const PathRow& path = *document.path.value;
  io.out("\n{:<22}{:>12}{:>14}\n", "one TCP stream", "Gbit/s", "CPU s/GB");
  if (path.share_of_without_crypto.value) {
    io.out("{:<22}{:>12.2f}{:>14.2f}\n", "without cryptography",
           *path.without_crypto_gbit_per_second.value,
           *path.without_crypto_cpu_seconds_per_gb.value);
  }
  io.out("{:<22}{:>12.2f}{:>14.2f}\n", "tunnel", path.tunnel_gbit_per_second,
         path.tunnel_cpu_seconds_per_gb);
  if (path.share_of_without_crypto.value) {
    io.out("{:<22}{:>12.2f}\n", "share", *path.share_of_without_crypto.value);
  }
}

int run_bench(const Args& args, Io& io) {
  const auto wanted = wanted_of(args);
  if (!wanted) return io.report("bench", wanted.error());
  BenchDocument document;
  if (wanted->crypto) measure_crypto(document);
  if (wanted->path) {
    const auto row = measure_rounds(*wanted);
    const bool skipped = !row && row.error().code == ErrorCode::PermissionDenied;
    if (!row && (wanted->path_by_name || !skipped)) return io.report("bench", row.error());
    if (row) document.path = *row;
    if (skipped) io.err("bench: the data path is not measured: {}", row.error().message);
  }
  if (args.flag("--json")) {
    io.out("{}\n", http::to_json_text(document));
  } else {
    print(document, io);
  }
  return kOk;
}

constexpr Argument kArguments[] = {
    {.name = "WHAT",
     .help =
         "crypto: the AEAD by library and packet size, and X25519; path: one TCP stream through "
         "two tunnels in network namespaces of their own, which takes root; default: both, path "
         "only as root",
     .count = Count::Optional,
     .words = "crypto path"}};
constexpr Flag kFlags[] = {
    {.name = "--seconds", .value = "N", .help = "how long each stream runs (2)"},
    {.name = "--rounds", .value = "N", .help = "how many streams; all count (3)"},
    {.name = "--json", .help = "print one JSON document"},
};
constexpr Exit kExits[] = {
    {kOk, "measured"},
    {kFailed, "the data path could not be measured"},
    {kNotPermitted, "path was asked for by name, and takes root"},
};

}  // namespace

constinit const Verb kBench{
    .name = "bench",
    .summary = "measure this machine: cryptography and data path",
    .arguments = kArguments,
    .flags = kFlags,
    .exits = kExits,
    .example = "sudo ginnel bench",
    .page = "docs/benchmarks.md",
    .run = &run_bench,
};

}  // namespace ginnel::cli
