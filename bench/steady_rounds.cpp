#include "bench/steady_rounds.h"

#include <cmath>

namespace shmatch::bench {

std::string steady_rounds(const Cores& cores, int rounds, std::size_t ping_pongs,
                          const std::function<std::string(int)>& measure,
                          const std::function<void(tools::Samples&)>& keep, RoundsDone& done) {
  for (int kept = 0; kept < rounds;) {
    tools::Samples before = tools::ping_pong(cores.client, cores.engine, ping_pongs);
    if (before.count() == 0) return "the ping-pong's partner could not be pinned";
    std::string error = measure(kept + done.discarded);
    if (!error.empty()) return error;
    tools::Samples after = tools::ping_pong(cores.client, cores.engine, ping_pongs);
    const double p50 = before.percentile_ns(0.5);
    const bool steady = std::abs(std::log(after.percentile_ns(0.5) / p50)) < std::log1p(kSteady);
    if (!steady && done.discarded < rounds) {
      ++done.discarded;
      continue;
    }
    done.floor_p50.push_back(p50);
    keep(before);
    ++kept;
  }
  return {};
}

}  // namespace shmatch::bench
