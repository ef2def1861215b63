#include "core/wg/peer_path.h"

#include <benchmark/benchmark.h>

namespace ginnel::wg {
namespace {

// What a peer's own counters and time stamps add to a run of its packets, however long the run is,
// here in both directions. Expect 30 ns, beside 390 for opening one packet.
void BM_NoteRun(benchmark::State& state) {
  PeerPath path(PeerSlot{1});
  MonoTime now{};
  for (auto _ : state) {
    now += 1us;
    path.sent.add(64 * 1452, 64);
    bool news = path.note_sent(now, true);
    benchmark::DoNotOptimize(news);
    path.received.add(64 * 1452, 64);
    news = path.note_received(now, true);
    benchmark::DoNotOptimize(news);
  }
}
BENCHMARK(BM_NoteRun);

}  // namespace
}  // namespace ginnel::wg
