// What other clients cost the round trip of a cancel: engines with 1, 8, 64 and 256 sessions.
//
// `idle`: one session works, the others are logged on and silent. `active`: all of them work, each
// in its turn, one request under way at any time; this process is all the clients, so that their
// rings compete for one core's cache. Engines run in processes of their own, pinned to the same
// core, all but one of them stopped; a round (see steady_rounds.h) measures each engine in both
// ways.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <string>

#include "bench/json_writer.h"
#include "bench/steady_rounds.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

constexpr std::array kClientCounts = {1U, 8U, 64U, 256U};

struct Options {
  int rounds = 31;
  std::size_t count = 5'000;
  bool json = false;
};

struct Way {
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> ratio;  // p50 over the floor's
  tools::Samples samples;     // of the present round

  void keep(double floor_p50) {
    p50.push_back(samples.percentile_ns(0.5));
    p99.push_back(samples.percentile_ns(0.99));
    ratio.push_back(p50.back() / floor_p50);
  }
};

struct Measured {
  Subject subject;
  std::array<Way, 2> ways;  // idle, active
};

std::string measure(Measured& measured, std::size_t count) {
  measured.subject.resume();
  std::string error;
  const std::array clients = {measured.subject.clients().first(1), measured.subject.clients()};
  for (std::size_t way = 0; way < clients.size() && error.empty(); ++way) {
    tools::RoundTrips trips;
    tools::round_trips(clients[way], {}, count, trips, error);
    measured.ways[way].samples = std::move(trips.cancel_receipt);
  }
  measured.subject.pause();
  return error;
}

void print_text(const std::array<Measured, kClientCounts.size()>& all, const Options& options,
                const RoundsDone& rounds) {
  std::printf(
      "%d rounds of %zu cancels to their receipts, %d more discarded; floor p50 %.0f ns\n\n",
      options.rounds, options.count, rounds.discarded, tools::spread_of(rounds.floor_p50).median);
  std::printf("%-8s %10s %22s %12s %22s\n", "clients", "idle, ns", "/ floor (range)", "active, ns",
              "/ floor (range)");
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::printf("%-8u", kClientCounts[i]);
    for (const Way& way : all[i].ways) {
      const tools::Spread ratio = tools::spread_of(way.ratio);
      std::printf(" %10.0f  %6.2f (%5.2f to %5.2f)", tools::spread_of(way.p50).median, ratio.median,
                  ratio.low, ratio.high);
    }
    std::printf("\n");
  }
}

void print_json(const std::array<Measured, kClientCounts.size()>& all, const Options& options,
                const RoundsDone& rounds) {
  JsonWriter json;
  json.begin_array("clients");
  for (std::size_t i = 0; i < all.size(); ++i) {
    json.begin_object();
    json.count("n", kClientCounts[i]);
    json.count("rounds", static_cast<std::uint64_t>(options.rounds));
    json.count("rounds_discarded", static_cast<std::uint64_t>(rounds.discarded));
    json.number("floor_p50_ns", tools::spread_of(rounds.floor_p50).median);
    for (std::size_t way = 0; way < 2; ++way) {
      const std::string prefix = way == 0 ? "" : "active_";
      json.number((prefix + "p50_ns").c_str(), tools::spread_of(all[i].ways[way].p50).median);
      json.number((prefix + "p99_ns").c_str(), tools::spread_of(all[i].ways[way].p99).median);
      json.spread(prefix + "ratio_p50", tools::spread_of(all[i].ways[way].ratio));
    }
    json.end_object();
  }
  json.end_array();
  json.print();
}

int run(const Options& options) {
  const auto cores = two_cores();
  if (!cores) return 1;
  const TemporaryFolder folder("clients");
  std::array<Measured, kClientCounts.size()> all;
  std::string error;
  for (std::size_t i = 0; i < all.size() && error.empty(); ++i) {
    error = all[i].subject.start({.folder = folder.path() + "/" + std::to_string(kClientCounts[i]),
                                  .cpu = cores->engine,
                                  .clients = kClientCounts[i]});
    if (error.empty()) tools::prepare_book(all[i].subject.client(), {}, error);
    all[i].subject.pause();
  }
  const auto measure_round = [&](int round) {
    std::string failed;
    for (std::size_t i = 0; i < all.size() && failed.empty(); ++i) {
      failed = measure(all[(i + static_cast<std::size_t>(round)) % all.size()], options.count);
    }
    return failed;
  };
  const auto keep = [&](tools::Samples& bare) {
    for (Measured& one : all) {
      for (Way& way : one.ways) way.keep(bare.percentile_ns(0.5));
    }
  };
  RoundsDone rounds;
  if (error.empty()) {
    error = steady_rounds(*cores, options.rounds, 20'000, measure_round, keep, rounds);
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  (options.json ? print_json : print_text)(all, options, rounds);
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What other clients, idle or active, cost the round trip of a cancel."};
  shmatch::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds of floor and engines")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--count", options.count, "Cancels of each engine, way and round")
      ->check(CLI::Range(1000, 10'000'000))
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object instead of a table");
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
