// What a journal costs the round trip of a cancel, at a steady rate of requests.
//
// Two engines in processes of their own, one without a journal and one with durability async, both
// pinned to the same core, of which one is stopped while the other is measured; this process is the
// client of both. A pair measures one and then the other, the next pair the other way round. The
// timer's steps are wider than the difference, so that means of the middle half are compared.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/subject.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

struct Options {
  int pairs = 31;
  std::size_t count = 20'000;
  double rate = 100'000;
};

struct Measured {
  Subject subject;
  std::vector<double> p50;
  std::vector<double> middle;
};

// A sentence when it did not go as it should.
std::string start(Measured& measured, const SubjectOptions& options,
                  const tools::RoundTripOptions& trip) {
  std::string error = measured.subject.start(options);
  if (error.empty()) tools::prepare_book(measured.subject.client(), trip, error);
  measured.subject.pause();
  return error;
}

std::string measure(Measured& measured, const Options& options,
                    const tools::RoundTripOptions& trip) {
  measured.subject.resume();
  tools::RoundTrips trips;
  std::string error;
  if (tools::round_trips(measured.subject.client(), trip, options.count, trips, error)) {
    measured.p50.push_back(trips.cancel_receipt.percentile_ns(0.5));
    measured.middle.push_back(trips.cancel_receipt.midmean_ns());
  }
  measured.subject.pause();
  return error;
}

int run(const Options& options) {
  const auto cores = two_cores();
  if (!cores) return 1;
  const TemporaryFolder folder("journal-round-trip");
  tools::RoundTripOptions trip;
  trip.interval_ns = 2e9 / options.rate;  // two requests a round trip
  std::array<Measured, 2> subjects;
  std::string error =
      start(subjects[0], {.folder = folder.path() + "/none", .cpu = cores->engine}, trip);
  if (error.empty()) {
    error = start(subjects[1],
                  {.folder = folder.path() + "/async",
                   .cpu = cores->engine,
                   .durability = ipc::Durability::kAsync},
                  trip);
  }
  std::vector<double> floors;
  for (int pair = 0; error.empty() && pair < options.pairs; ++pair) {
    tools::Samples bare = tools::ping_pong(cores->client, cores->engine, options.count);
    floors.push_back(bare.percentile_ns(0.5));
    for (std::size_t i = 0; i < 2 && error.empty(); ++i) {
      error = measure(subjects[(i + static_cast<std::size_t>(pair)) % 2], options, trip);
    }
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < floors.size(); ++i) {
    ratios.push_back(subjects[1].middle[i] / subjects[0].middle[i]);
  }
  const auto [low, high] = tools::median_interval(ratios);
  std::printf("%d pairs of %zu cancels at %.0f requests a second; floor %.0f ns\n\n", options.pairs,
              options.count, options.rate, tools::spread_of(floors).median);
  std::printf("cancel to receipt, p50: none %.0f ns, async %.0f ns\n",
              tools::spread_of(subjects[0].p50).median, tools::spread_of(subjects[1].p50).median);
  std::printf("mean of the middle half: none %.1f ns, async %.1f ns\n",
              tools::spread_of(subjects[0].middle).median,
              tools::spread_of(subjects[1].middle).median);
  std::printf("async / none: %.3f (95 %%: %.3f to %.3f)\n", tools::spread_of(ratios).median, low,
              high);
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What a journal costs the round trip of a cancel, at a steady rate of requests."};
  shmatch::bench::Options options;
  app.add_option("--pairs", options.pairs, "Measurements of each engine")
      ->check(CLI::Range(5, 1000))
      ->capture_default_str();
  app.add_option("--count", options.count, "Cancels a measurement")
      ->check(CLI::Range(1000, 10'000'000))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Requests a second")
      ->check(CLI::Range(1000.0, 10e6))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return shmatch::bench::run(options);
}
