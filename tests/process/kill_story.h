// What ledgers tell, session by session.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/message.h"
#include "tests/process/kill_ledger.h"

namespace shmatch::process_test {

// One session as its clients saw it.
struct SessionStory {
  struct Sent {
    RequestId number = 0;
    core::Request request;
  };
  struct Heard {
    Report report;
    std::size_t question = kNone;   // index of what it answers, when it answers a question
    std::uint64_t resumptions = 0;  // of the session, before this was heard
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  core::SessionSerial serial = 0;
  std::vector<Sent> inputs;  // SendOrder and CancelOrder, with ascending numbers
  std::vector<Sent> questions;
  std::vector<Heard> heard;
  std::uint64_t resumptions = 0;
  std::size_t connection = 0;    // the first question since the session last went on
  core::Sequence lost_from = 0;  // the first report that was heard and lost
};

// How far a ledger was read, and whose story it tells there.
struct LedgerPlace {
  std::size_t at = 0;
  core::SessionSerial serial = 0;
};

// Adds to the stories what the ledger holds behind `place`, which becomes its end. `faults` gets a
// sentence for each thing that an engine should not have said when a session went on.
void read_ledger(const Ledger& ledger, LedgerPlace& place, std::vector<SessionStory>& stories,
                 std::vector<std::string>& faults);

}  // namespace shmatch::process_test
