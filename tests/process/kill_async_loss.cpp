// What durability async can lose, measured: engines with pipelining clients are killed at random
// instants, and what clients had been told and the journal does not have is counted.
//
//   build/release/bin/async_loss [ROUNDS]     rounds for each line, 100 if not given
//
// Power is taken away from a file layer whose syncs cost next to nothing, so the loss is what the
// intervals of the journal thread make of it; a real disk adds the time of one sync. Clients that
// are busy keep every core busy, and the journal thread waits for its turn.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/process/kill_run.h"

namespace shmatch::process_test {
namespace {

constexpr std::uint64_t kRoundsUsual = 100;
constexpr std::uint64_t kLivesEach = 10;  // on one journal

struct Losses {
  std::vector<double> inputs;
  std::vector<double> milliseconds;
};

double at_share(std::vector<double> values, double share) {
  std::ranges::sort(values);
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(share * last)];
}

// How engines are killed, and what their clients do.
struct Line {
  Disk disk = Disk::kWhole;
  bool at_leisure = false;
  std::chrono::milliseconds interval{0};
};

void print_line(const Line& line, const Losses& losses) {
  std::printf("%-8s %-11s %5lld ms ", line.disk == Disk::kWhole ? "process" : "power",
              line.at_leisure ? "at leisure" : "busy",
              static_cast<long long>(line.interval.count()));
  for (const double share : {0.5, 0.9, 1.0}) std::printf(" %7.0f", at_share(losses.inputs, share));
  std::printf("   ");
  for (const double share : {0.5, 0.9, 1.0}) {
    std::printf(" %7.2f", at_share(losses.milliseconds, share));
  }
  std::printf("\n");
  std::fflush(stdout);
}

// False, and a sentence, when anything but the end is lost.
bool measure(const Line& line, std::uint64_t rounds, Losses& losses) {
  for (std::uint64_t round = 0; round < rounds;) {
    KillRun run(round + 1, ipc::Durability::kAsync);
    for (std::uint64_t life = 0; life < kLivesEach && round < rounds; ++life, ++round) {
      EnginePlan plan = run.plan();
      plan.segment_bytes = 1U << 20;
      plan.sync_interval = line.interval;
      plan.at_leisure = line.at_leisure;
      const std::uint64_t least = line.at_leisure ? 1'000 : 50'000;
      const std::uint64_t replies = least + run.random().below(2 * least);
      const Findings findings = run.live(plan, {.replies = replies, .disk = line.disk});
      for (const std::string& fault : findings.faults) std::printf("%s\n", fault.c_str());
      if (!findings.faults.empty()) return false;
      losses.inputs.push_back(static_cast<double>(findings.lost_inputs));
      losses.milliseconds.push_back(static_cast<double>(findings.lost_time) / 1e6);
    }
  }
  return true;
}

int run(std::uint64_t rounds) {
  constexpr std::array kIntervals = {std::chrono::milliseconds{1}, std::chrono::milliseconds{10},
                                     std::chrono::milliseconds{100}};
  std::printf("acknowledged and lost, %llu rounds a line\n\n",
              static_cast<unsigned long long>(rounds));
  std::printf("                                orders and cancels         milliseconds\n");
  std::printf("died     clients     interval  median     p90     max     median     p90     max\n");
  for (const Disk disk : {Disk::kWhole, Disk::kUnsynced}) {
    for (const bool at_leisure : {true, false}) {
      for (const std::chrono::milliseconds interval : kIntervals) {
        Losses losses;
        const Line line{disk, at_leisure, interval};
        if (!measure(line, rounds, losses)) return 1;
        print_line(line, losses);
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace shmatch::process_test

int main(int argc, char** argv) {
  const std::uint64_t rounds =
      argc > 1 ? std::strtoull(argv[1], nullptr, 10) : shmatch::process_test::kRoundsUsual;
  return shmatch::process_test::run(std::max<std::uint64_t>(rounds, 1));
}
