// What went wrong in a replay, decoded for people: the inputs in question, and, where a snapshot
// allows it, what is different between the two states.
//
// Thread: one. Each reads the log again, and throws ExitError when that fails.
#pragma once

#include <string>

#include "tools/open_log.h"
#include "tools/replay_run.h"

namespace shmatch::tools {

std::string divergence_text(const LogChoice& log, const Divergence& divergence);
std::string bad_record_text(const LogChoice& log, const BadRecord& bad);

}  // namespace shmatch::tools
