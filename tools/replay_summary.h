// What a replay says at its end, for people and as JSON.
//
// Thread: pure functions, any thread. Texts end with a line feed, JSON is one line without.
#pragma once

#include <cstdint>
#include <string>

#include "core/matching_engine.h"
#include "tools/replay_journal.h"
#include "tools/replay_live.h"
#include "tools/replay_run.h"
#include "tools/request_source.h"

namespace shmatch::tools {

// Where the records came from: exactly one of the two is set.
struct ReplayOrigin {
  std::string path;
  const RequestSource* source = nullptr;
  const JournalInput* journal = nullptr;
  bool counted = true;  // false: of what was read of `source` nothing belongs to the replay
};

// What was read of a log: counts, what was skipped and why, whether requests were derived; of a
// journal: where it starts, whether it is in use, a torn end.
std::string origin_text(const ReplayOrigin& origin);
// Members of a JSON object, each led by a comma.
std::string origin_json(const ReplayOrigin& origin);

std::string outcome_text(const ReplayOutcome& outcome, const core::MatchingEngine& engine);
// The members "records", "digest", "reports_digest", "seconds" and more, without braces.
std::string outcome_json(const ReplayOutcome& outcome, const core::MatchingEngine& engine);

std::string live_text(const LiveResult& result);
// Then nothing was sent, and there is nothing to count.
bool nobody_logged_on(const LiveResult& result);
// In one sentence what of the log the engine could not take for lack of users or instruments, and
// what it needs; empty: there is nothing of that kind.
std::string live_shortfall(const LiveResult& result);
// Members without braces.
std::string live_json(const LiveResult& result);

}  // namespace shmatch::tools
