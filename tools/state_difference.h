// What is different between two engines that should be in the same state, in words.
//
// Thread: pure functions, any thread, while neither engine works.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/configuration.h"
#include "core/matching_engine.h"

namespace shmatch::tools {

// At most `most` sentences, each with both values: counters, sessions, books order by order. Empty
// where all of that is equal; ended orders are not looked at. Both engines are of `configuration`.
std::vector<std::string> state_differences(const core::MatchingEngine& expected,
                                           const core::MatchingEngine& got,
                                           const core::Configuration& configuration,
                                           std::size_t most);

}  // namespace shmatch::tools
