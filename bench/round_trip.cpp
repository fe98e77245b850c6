// The two-process round trip through a live engine beside the bare ping-pong of two cache lines, in
// one run.
//
// The engine runs in a process of its own, spinning, pinned to one core; this process is its
// client, pinned to another. A round measures the floor (with the engine stopped, so that its core
// is free) and then the engine; rounds follow each other, so that a drift of the machine falls on
// both. The figure is the median over the rounds of the ratio of medians.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bench/engine_process.h"
#include "tools/round_trip_table.h"

namespace shmatch::bench {
namespace {

struct Options {
  int rounds = 7;
  std::size_t count = 200'000;
  std::size_t resting_orders = 1000;
  bool in_place = false;
  bool pairs = false;
};

void print(const std::vector<tools::LatencyRow>& rows) {
  std::printf("%-16s %8s %8s %8s %8s   p50 / floor p50 (range)\n", "ns", "p50", "p90", "p99",
              "p99.9");
  for (const tools::LatencyRow& row : rows) {
    std::printf("%-16s", row.name.c_str());
    for (const double value : row.nanoseconds) std::printf(" %8.0f", value);
    std::printf("   %5.2f  (%.2f to %.2f)\n", row.ratio.median, row.ratio.low, row.ratio.high);
  }
}

int run(const Options& options) {
  const std::vector<int> cpus = tools::allowed_cpus();
  if (cpus.size() < 2) {
    std::fputs("a round trip needs two processors: engine and client each spin on their own\n",
               stderr);
    return 1;
  }
  const auto folder =
      std::filesystem::temp_directory_path() / ("shmatch-round-trip-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string socket = folder / "engine.sock";
  const EngineProcess engine(socket, cpus[1]);
  Client client;
  LogonOptions logon;
  logon.socket = socket;
  logon.reply_in_place = options.in_place;
  logon.paired_replies = options.pairs;
  std::string error;
  tools::RoundTripOptions trip;
  trip.resting_orders = options.resting_orders;
  if (engine.started()) {
    if (const Failure failure = client.logon(logon)) error = failure.text;
  } else {
    error = "the engine did not start";
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  tools::pin_to_cpu(cpus[0]);
  if (error.empty()) tools::prepare_book(client, trip, error);

  tools::RoundTripTable table;
  while (error.empty() && table.rounds() < options.rounds) {
    engine.pause();
    tools::Samples bare = tools::ping_pong(cpus[0], cpus[1], options.count);
    engine.resume();
    if (bare.count() == 0) error = "the ping-pong's partner could not be pinned";
    tools::RoundTrips trips;
    if (!error.empty() || !tools::round_trips(client, trip, options.count, trips, error)) break;
    table.add(bare, trips);
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  std::printf(
      "%d rounds of %zu round trips, floor and engine alternating; engine on cpu %d, client "
      "on cpu %d, both spinning\n%zu resting orders; durability none; replies %s; one timer "
      "reading costs %.0f ns\n\n",
      options.rounds, options.count, cpus[1], cpus[0], options.resting_orders,
      options.in_place ? "in place" : "by the ring", tools::timer_cost_ns());
  print(table.rows());
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"Round trips through a live engine, beside the bare ping-pong of two cache lines."};
  shmatch::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds of floor and engine")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--count", options.count, "Round trips of each kind a round")
      ->check(CLI::Range(1000, 100'000'000))
      ->capture_default_str();
  app.add_option("--resting", options.resting_orders, "Orders resting in the book")
      ->check(CLI::Range(0, 60'000))
      ->capture_default_str();
  app.add_flag("--in-place", options.in_place, "Take each reply from its request's own line");
  app.add_flag("--pairs", options.pairs, "Let a reply and its first event come in one message");
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
