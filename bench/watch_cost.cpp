// What it costs an engine that somebody watches its counters: round trips with and without a
// watcher, in turn.
//
// The engine runs in a process of its own, spinning, pinned to one core; this process is its
// client, pinned to another. The watcher is a third process that looks at all counters a given
// number of times a second (shmatch top: once), on the client's core or, where there is one, on a
// third. It is stopped by a signal for the rounds without it, so that both kinds see the same
// memory. A pair measures one kind and then the other, the next pair the other way round. The
// timer's steps are wider than the difference, so that means of the middle half are compared.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bench/engine_process.h"
#include "ipc/observer.h"
#include "tools/json_object.h"
#include "tools/measure.h"

namespace shmatch::bench {
namespace {

struct Options {
  int pairs = 31;
  std::size_t count = 20'000;
  double looks = 10;
  bool json = false;
};

[[noreturn]] void watch(const std::string& socket, double looks_per_second, int cpu, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || !tools::pin_to_cpu(cpu)) _exit(1);
  ipc::Observer observer;
  if (observer.connect(socket)) _exit(1);
  const auto ns = static_cast<std::int64_t>(1e9 / looks_per_second);
  const timespec pause{ns / 1'000'000'000, ns % 1'000'000'000};
  ipc::CountersLook look;
  while (observer.look(look)) nanosleep(&pause, nullptr);
  _exit(1);
}

class Watcher {
 public:
  Watcher(const std::string& socket, double looks_per_second, int cpu) {
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) watch(socket, looks_per_second, cpu, parent);
  }
  ~Watcher() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  bool runs() const { return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0; }
  void pause() {
    // The kernel tells of a stop once.
    if (std::exchange(paused_, true)) return;
    kill(pid_, SIGSTOP);
    waitpid(pid_, nullptr, WUNTRACED);
  }
  void resume() {
    paused_ = false;
    kill(pid_, SIGCONT);
  }

 private:
  pid_t pid_ = -1;
  bool paused_ = false;
};

struct Kind {
  const char* name;
  std::vector<double> p50 = {};
  std::vector<double> p99 = {};
  std::vector<double> middle = {};
};

void report(const Options& options, const std::array<Kind, 2>& kinds, double floor,
            int watcher_cpu) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < kinds[0].middle.size(); ++i) {
    ratios.push_back(kinds[1].middle[i] / kinds[0].middle[i]);
  }
  const auto [low, high] = tools::median_interval(ratios);
  const double ratio = tools::spread_of(ratios).median;
  if (options.json) {
    tools::JsonObject json;
    json.add("pairs", options.pairs).add("count", options.count);
    json.add_decimal("looks_per_second", options.looks, 1).add("watcher_cpu", watcher_cpu);
    json.add_decimal("floor_p50_ns", floor, 1);
    for (const Kind& kind : kinds) {
      tools::JsonObject figures;
      figures.add_decimal("p50_ns", tools::spread_of(kind.p50).median, 1);
      figures.add_decimal("p99_ns", tools::spread_of(kind.p99).median, 1);
      figures.add_decimal("middle_half_mean_ns", tools::spread_of(kind.middle).median, 2);
      json.add(kind.name, figures);
    }
    json.add_decimal("ratio", ratio, 4).add_decimal("ratio_low", low, 4);
    json.add_decimal("ratio_high", high, 4);
    std::printf("%s\n", json.text().c_str());
    return;
  }
  std::printf("%d pairs of %zu cancels; %.0f looks a second from cpu %d; floor %.0f ns\n\n",
              options.pairs, options.count, options.looks, watcher_cpu, floor);
  std::printf("%-10s %8s %8s   mean of the middle half\n", "ns", "p50", "p99");
  for (const Kind& kind : kinds) {
    std::printf("%-10s %8.0f %8.0f   %.1f\n", kind.name, tools::spread_of(kind.p50).median,
                tools::spread_of(kind.p99).median, tools::spread_of(kind.middle).median);
  }
  std::printf("\nwatched / unwatched: %.3f (95 %%: %.3f to %.3f)\n", ratio, low, high);
}

int run(const Options& options, const std::string& folder) {
  const std::vector<int> cpus = tools::allowed_cpus();
  if (cpus.size() < 2) {
    std::fputs("a round trip needs two processors\n", stderr);
    return 1;
  }
  const int watcher_cpu = cpus.size() > 2 ? cpus[2] : cpus[0];
  std::filesystem::create_directories(folder);
  const std::string socket = folder + "/engine.sock";
  const EngineProcess engine(socket, cpus[1]);
  tools::RoundTripOptions trip;
  std::string error;
  Client client;
  LogonOptions logon;
  logon.socket = socket;
  if (!engine.started()) {
    error = "the engine did not start";
  } else if (const Failure failure = client.logon(logon)) {
    error = failure.text;
  }
  Watcher watcher(socket, options.looks, watcher_cpu);
  tools::pin_to_cpu(cpus[0]);
  if (error.empty()) tools::prepare_book(client, trip, error);
  std::array<Kind, 2> kinds{{{"unwatched"}, {"watched"}}};
  std::vector<double> floors;
  for (int pair = 0; error.empty() && pair < options.pairs; ++pair) {
    watcher.pause();
    engine.pause();
    tools::Samples bare = tools::ping_pong(cpus[0], cpus[1], options.count / 4);
    floors.push_back(bare.percentile_ns(0.5));
    engine.resume();
    for (std::size_t i = 0; i < 2 && error.empty(); ++i) {
      Kind& kind = kinds[(i + static_cast<std::size_t>(pair)) % 2];
      const bool watched = &kind == &kinds[1];
      watched ? watcher.resume() : watcher.pause();
      tools::RoundTrips trips;
      if (!tools::round_trips(client, trip, options.count, trips, error)) break;
      kind.p50.push_back(trips.cancel_receipt.percentile_ns(0.5));
      kind.p99.push_back(trips.cancel_receipt.percentile_ns(0.99));
      kind.middle.push_back(trips.cancel_receipt.midmean_ns());
      if (watched && !watcher.runs()) error = "the watcher has ended";
    }
  }
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  report(options, kinds, tools::spread_of(floors).median, watcher_cpu);
  return 0;
}

}  // namespace
}  // namespace shmatch::bench

int main(int argc, char** argv) {
  CLI::App app{"What it costs an engine that somebody watches its counters."};
  shmatch::bench::Options options;
  app.add_option("--pairs", options.pairs, "Measurements of each kind")
      ->check(CLI::Range(5, 1000))
      ->capture_default_str();
  app.add_option("--count", options.count, "Cancels a measurement")
      ->check(CLI::Range(1000, 10'000'000))
      ->capture_default_str();
  app.add_option("--looks", options.looks, "Looks a second of the watcher; shmatch top has one")
      ->check(CLI::Range(0.1, 10'000.0))
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object");
  CLI11_PARSE(app, argc, argv);
  const std::string folder =
      std::filesystem::temp_directory_path() / ("shmatch-watch-cost-" + std::to_string(getpid()));
  const int result = shmatch::bench::run(options, folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return result;
}
