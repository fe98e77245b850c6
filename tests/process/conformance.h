// Whole runs of exec against the reference engine.
#pragma once

#include <cstdint>
#include <string>

#include "tests/process/expected_exec.h"

namespace shmatch::process_test {

// Sends `count` frames of the stream with this seed. Empty, or the first difference.
std::string compare_random_frames(std::uint64_t seed, std::uint64_t count, Totals& totals);

// Sends every line of an uncompressed request log to an engine with its default configuration,
// which must have just started. Empty, or the first difference.
std::string compare_log(const TestEngine& engine, const std::string& log, Totals& totals);

}  // namespace shmatch::process_test
