#include "tools/demo_latency.h"

#include <chrono>

#include "ipc/client.h"

namespace shmatch::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 9;
constexpr std::size_t kRoundTrips = 20'000;
// On a machine that others keep busy, fewer rounds are made.
constexpr std::chrono::seconds kTimeMax{3};

[[noreturn]] void fail(const std::string& error) {
  throw DemoError(kDemoFailed, "the latency could not be measured: " + error);
}

}  // namespace

Latency measure_latency(const PrivateFolder& folder, const std::vector<int>& cpus,
                        const StopSignals& signals) {
  Latency latency;
  latency.client_cpu = cpus[0];
  latency.engine_cpu = cpus[1];
  latency.round_trips = kRoundTrips;
  DemoEngine engine(folder, "latency",
                    {"--idle", "spin", "--cpu", std::to_string(latency.engine_cpu)}, signals);
  Client client;
  LogonOptions logon;
  logon.socket = engine.socket();
  logon.user = "trader1";
  if (const Failure failure = client.logon(logon)) fail(failure.text);
  if (!pin_to_cpu(latency.client_cpu)) fail("a processor was taken away");
  const RoundTripOptions options;
  std::string error;
  if (!prepare_book(client, options, error)) fail(error);

  RoundTripTable table;
  const auto deadline = Clock::now() + kTimeMax;
  while (table.rounds() < kRounds && (table.rounds() == 0 || Clock::now() < deadline)) {
    signals.check();
    engine.pause();
    Samples bare = ping_pong(latency.client_cpu, latency.engine_cpu, kRoundTrips);
    engine.resume();
    if (bare.count() == 0) fail("the floor's partner could not be started");
    RoundTrips trips;
    if (!round_trips(client, options, kRoundTrips, trips, error)) fail(error);
    table.add(bare, trips);
  }
  latency.rounds = table.rounds();
  latency.timer_cost_ns = timer_cost_ns();
  latency.rows = table.rows();
  client.logoff();
  engine.stop(signals);
  return latency;
}

}  // namespace shmatch::tools
