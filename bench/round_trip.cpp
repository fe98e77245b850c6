// The two-process round trip through a live engine beside the bare ping-pong of two cache lines, in
// one run.
//
// Engines (without a journal and with one, durability async; without one, with replies in place)
// run in processes of their own, spinning, pinned to one core, all but one of them stopped; this
// process is their client, pinned to another. A round measures the floor (with the engines stopped,
// so that their core is free), each engine, and the floor again; what it makes of a floor that
// moved is said in steady_rounds.h. The figure is the median over the rounds of the ratio of
// medians. The machine's jitter is measured between rounds.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <string>

#include "bench/activity.h"
#include "bench/jitter.h"
#include "bench/json_writer.h"
#include "bench/steady_rounds.h"
#include "tools/round_trip_table.h"

namespace shmatch::bench {
namespace {

struct Options {
  int rounds = 31;
  std::size_t count = 20'000;
  std::size_t resting_orders = 1000;
  int jitter_ms = 100;
  bool json = false;
};

struct Measured {
  const char* name = "";
  SubjectOptions options = {};
  Subject subject = {};
  tools::RoundTrips trips = {};  // of the present round
  tools::RoundTripTable table = {};
  // From before the first round trip of a round to behind its last, warming up included.
  Activity client = {};
  Activity engine = {};
};

using All = std::array<Measured, 3>;

struct Floor {
  RoundsDone rounds;
  Jitter jitter;
  std::vector<double> gaps_per_second;  // of each round
};

std::string start(Measured& measured, const std::string& folder, const Cores& cores,
                  const tools::RoundTripOptions& trip) {
  measured.options.folder = folder + "/" + measured.name;
  measured.options.cpu = cores.engine;
  std::string error = measured.subject.start(measured.options);
  if (error.empty()) tools::prepare_book(measured.subject.client(), trip, error);
  measured.subject.pause();
  return error;
}

std::string measure(Measured& measured, const tools::RoundTripOptions& trip, std::size_t count) {
  measured.trips = {};
  measured.trips.reserve(count);
  std::string error;
  measured.subject.resume();
  const Activity engine_before = engine_activity(measured.subject.engine_id());
  const Activity client_before = own_activity();
  tools::round_trips(measured.subject.client(), trip, count, measured.trips, error);
  measured.client += own_activity() - client_before;
  measured.engine += engine_activity(measured.subject.engine_id()) - engine_before;
  measured.subject.pause();
  return error;
}

void add_jitter(Floor& floor, const Cores& cores, int duration_ms) {
  Jitter jitter = spin_on(cores.engine, std::chrono::milliseconds(duration_ms));
  jitter += spin_on(cores.client, std::chrono::milliseconds(duration_ms));
  floor.gaps_per_second.push_back(jitter.gaps_per_second());
  floor.jitter += jitter;
}

void print_text(const All& all, const Floor& floor, const Options& options, const Cores& cores) {
  std::printf(
      "%d rounds of %zu round trips (%d more, during which the floor moved, were discarded), floor "
      "and engines alternating; engine on cpu %d, client on "
      "cpu %d, both spinning\n%zu resting orders; one timer reading costs %.0f ns\n"
      "the machine stops a spinning core %.0f times a second for more than a microsecond: %.2f %% "
      "of its time, at most %.1f ms\n",
      options.rounds, options.count, floor.rounds.discarded, cores.engine, cores.client,
      options.resting_orders, tools::timer_cost_ns(), floor.jitter.gaps_per_second(),
      100 * floor.jitter.lost_share(), floor.jitter.largest_ns / 1e6);
  for (const Measured& one : all) {
    std::printf("\n%s\n%-16s %8s %8s %8s %8s   p50 / floor p50 (range)\n", one.name, "ns", "p50",
                "p90", "p99", "p99.9");
    for (const tools::LatencyRow& row : one.table.rows()) {
      std::printf("%-16s", row.name.c_str());
      for (const double value : row.nanoseconds) std::printf(" %8.0f", value);
      std::printf("   %5.2f  (%.2f to %.2f)\n", row.ratio.median, row.ratio.low, row.ratio.high);
    }
  }
}

void write_row(JsonWriter& json, const tools::LatencyRow& row, const std::string& prefix) {
  constexpr std::array kNames = {"p50_ns", "p90_ns", "p99_ns", "p999_ns"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    json.number((prefix + kNames[i]).c_str(), row.nanoseconds[i]);
  }
  json.number((prefix + "p50_ns_low").c_str(), row.p50.low);
  json.number((prefix + "p50_ns_high").c_str(), row.p50.high);
  json.begin_array("curve_ns");
  for (const double value : row.curve) json.number(value);
  json.end_array();
}

void write_activity(JsonWriter& json, const char* key, const Activity& activity) {
  json.begin_object(key);
  json.count("voluntary_switches", activity.voluntary_switches);
  json.count("involuntary_switches", activity.involuntary_switches);
  json.count("minor_faults", activity.minor_faults);
  json.count("major_faults", activity.major_faults);
  json.end_object();
}

void write_floor(JsonWriter& json, const tools::LatencyRow& row, const Floor& floor) {
  json.begin_object("floor");
  write_row(json, row, "rtt_");
  json.number("timer_ns", tools::timer_cost_ns());
  json.begin_object("jitter");
  json.spread("gaps_per_second", tools::spread_of(floor.gaps_per_second));
  json.number("lost_share", floor.jitter.lost_share());
  json.number("largest_ns", floor.jitter.largest_ns);
  json.number("seconds", floor.jitter.seconds);
  json.end_object();
  json.end_object();
}

void print_json(const All& all, const Floor& floor, const Options& options, const Cores& cores) {
  JsonWriter json;
  json.begin_object("pinning");
  json.count("engine_cpu", static_cast<std::uint64_t>(cores.engine));
  json.count("client_cpu", static_cast<std::uint64_t>(cores.client));
  json.text("idle", "spin");
  json.end_object();
  json.begin_array("curve_fractions");
  for (const double fraction : tools::kCurvePercentiles) json.number(fraction);
  json.end_array();
  write_floor(json, all.front().table.rows().front(), floor);
  json.begin_object("rtt");
  json.count("rounds", static_cast<std::uint64_t>(options.rounds));
  json.count("rounds_discarded", static_cast<std::uint64_t>(floor.rounds.discarded));
  json.count("round_trips_a_round", options.count);
  json.count("resting_orders", options.resting_orders);
  constexpr std::array kKinds = {"", "send_receipt", "cancel_receipt", "cancel_outcome"};
  for (const Measured& one : all) {
    json.begin_object(one.name);
    const std::vector<tools::LatencyRow> rows = one.table.rows();
    for (std::size_t i = 1; i < kKinds.size(); ++i) {
      json.begin_object(kKinds[i]);
      write_row(json, rows[i], "");
      json.spread("ratio_p50", rows[i].ratio);
      json.end_object();
    }
    json.begin_object("window");
    write_activity(json, "client", one.client);
    write_activity(json, "engine", one.engine);
    json.end_object();
    json.end_object();
  }
  json.end_object();
  json.print();
}

int run(const Options& options) {
  const auto cores = two_cores();
  if (!cores) return 1;
  const TemporaryFolder folder("round-trip");
  tools::RoundTripOptions trip;
  trip.resting_orders = options.resting_orders;
  All all;
  all[0].name = "none";
  all[1].name = "async";
  all[1].options.durability = ipc::Durability::kAsync;
  all[2].name = "in_place";
  all[2].options.reply_in_place = true;
  std::string error;
  for (Measured& one : all) {
    if (error.empty()) error = start(one, folder.path(), *cores, trip);
  }
  Floor floor;
  const auto measure_round = [&](int round) {
    std::string failed;
    for (std::size_t i = 0; i < all.size() && failed.empty(); ++i) {
      failed =
          measure(all[(i + static_cast<std::size_t>(round)) % all.size()], trip, options.count);
    }
    return failed;
  };
  const auto keep = [&](tools::Samples& bare) {
    for (Measured& one : all) one.table.add(bare, one.trips);
    add_jitter(floor, *cores, options.jitter_ms);
  };
  if (error.empty()) {
    error = steady_rounds(*cores, options.rounds, options.count, measure_round, keep, floor.rounds);
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  (options.json ? print_json : print_text)(all, floor, options, *cores);
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"Round trips through live engines, beside the bare ping-pong of two cache lines."};
  shmatch::bench::Options options;
  app.add_option("--rounds", options.rounds, "Rounds of floor and engines")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--count", options.count, "Round trips of each kind a round")
      ->check(CLI::Range(1000, 100'000'000))
      ->capture_default_str();
  app.add_option("--resting", options.resting_orders, "Orders resting in the book")
      ->check(CLI::Range(0, 60'000))
      ->capture_default_str();
  app.add_option("--jitter-ms", options.jitter_ms, "Milliseconds of jitter a core and round")
      ->check(CLI::Range(1, 60'000))
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object instead of tables");
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
