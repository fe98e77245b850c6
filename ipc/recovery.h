// Recovery: from a journal's folder to the state that its records lead to.
//
// The newest snapshot that is whole, and whose words make the state that its header names, comes
// first; then every record that follows it is applied by the code that serves. Digest marks are
// compared on the way.
// Nothing is changed on disk: settle_journal (ipc/journal_repair.h) does that afterwards.
//
// Thread: one at a time; it allocates and takes as long as it takes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ipc/journal_reader.h"
#include "ipc/replica.h"

namespace shmatch::ipc {

struct RecoveryReport {
  core::Sequence snapshot_sequence = 0;  // 0: none was used
  std::uint64_t records = 0;             // replayed
  std::uint64_t marks = 0;               // digests compared
  double seconds = 0;
  core::Sequence last_sequence = 0;
  std::vector<std::string> notes;  // one sentence each: snapshots that were skipped
};

struct RecoveryOptions {
  core::Sequence up_to = 0;  // stop after this input; 0: go to the end
  bool use_snapshots = true;
};

// Brings `replica` to the state after the journal's last record, or after `up_to`. A journal
// without records leaves it without an engine (report.last_sequence is 0). `reader`, made for the
// journal's folder and not opened yet, stands behind the last record afterwards. Faults, each
// naming file and offset where it is about one: the journal is damaged; it begins behind the newest
// usable snapshot; a record cannot follow the state before it; a digest differs (the program is not
// the one that wrote the journal, or memory is failing); no memory.
Fault recover(FileLayer& layer, JournalReader& reader, const RecoveryOptions& options,
              Replica& replica, RecoveryReport& report);

// Names the program that writes journals and snapshots: its compiler and the journal's version.
std::uint64_t build_digest() noexcept;

// "recovered 12345 records in 0.12 s (102,875 a second) from ..." for a person.
std::string describe(const RecoveryReport& report);

}  // namespace shmatch::ipc
