// The books of a replay's engine, as text.
//
// Thread: pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/configuration.h"
#include "core/matching_engine.h"

namespace shmatch::tools {

// The ladders of `instrument`, which must exist, or with 0 of every instrument that has orders or
// trades, with at most `depth` levels a side.
std::string book_text(const core::MatchingEngine& engine, const core::Configuration& configuration,
                      core::InstrumentId instrument, std::uint32_t depth);

// {"sequence":N,"books":[{"instrument","symbol","snapshot":[...]}]}; `snapshot` is the API's reply
// to GetL2Snapshot.
std::string book_json(const core::MatchingEngine& engine, const core::Configuration& configuration,
                      core::InstrumentId instrument, std::uint32_t depth);

}  // namespace shmatch::tools
