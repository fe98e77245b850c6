// Rounds of a measurement, each between two measurements of the floor.
//
// The host of a virtual machine moves its processors: the floor jumps, in one machine seen between
// 60, 130 and 490 nanoseconds, several times a minute. A round whose floor was another one behind
// it than before it compares two machines, and is made again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/subject.h"
#include "tools/measure.h"

namespace shmatch::bench {

// Floors that differ by more are different.
inline constexpr double kSteady = 0.2;

struct RoundsDone {
  std::vector<double> floor_p50;  // of the rounds kept
  int discarded = 0;              // rounds made again
};

// Calls measure(i) until `rounds` rounds were kept, and keep(floor) behind each that is. Where the
// machine never stands still, rounds are kept as they are after 3 * `rounds` were not. Empty, or
// the sentence that `measure` returned.
std::string steady_rounds(const Cores& cores, int rounds, std::size_t ping_pongs,
                          const std::function<std::string(int)>& measure,
                          const std::function<void(tools::Samples&)>& keep, RoundsDone& done);

}  // namespace shmatch::bench
