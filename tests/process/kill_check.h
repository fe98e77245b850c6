// Compares what clients heard with what the engine's journal says: the judge of the kill tests.
//
// The journal's records are applied to an engine from the first one on. Every report that a client
// heard must come out of that again, byte by byte and in its place: what an input caused, and also
// the answers to questions, which are asked again where the live engine answered them. Beside that
// the judge keeps books of its own, which do not depend on the engine: no request and no order
// exists twice, every request in the journal is one that its client sent, in the order of sending,
// and what clients were told to have ended does not rest in a book.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "tests/process/kill_story.h"

namespace shmatch::process_test {

struct Findings {
  // Sentences; empty when everything heard came out again, or is lost and counted below.
  std::vector<std::string> faults;
  core::Sequence last_sequence = 0;  // of the journal
  std::uint64_t digest = 0;          // of the state after it
  std::uint64_t reports = 0;         // compared
  std::uint64_t answers = 0;         // of them, answers to questions
  std::uint64_t marks = 0;           // digests in the journal, compared
  // What clients heard, and the journal has not: reports of inputs after its last one.
  std::uint64_t lost_sessions = 0;
  std::uint64_t lost_reports = 0;
  std::uint64_t lost_inputs = 0;  // acknowledged orders and cancels among them
  core::TimeNs lost_time = 0;     // from the last input kept to the last one lost
};

// Judges the journal in `folder`, whose first segments may lie in `removed` instead. It may end
// torn. Reports that are lost are taken out of the stories, and so are sessions that never were:
// what remains must be found again whenever the journal is judged later.
Findings judge_journal(const std::string& folder, const std::string& removed,
                       std::vector<SessionStory>& stories);

}  // namespace shmatch::process_test
