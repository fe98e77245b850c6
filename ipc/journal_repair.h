// What changes the end of a journal: recovery, retention and repair. All of it needs the folder's
// lock (JournalFolder), and leaves the files as they were when it cannot do what it is asked.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/types.h"
#include "ipc/file_layer.h"
#include "ipc/journal_reader.h"

namespace shmatch::ipc {

// Makes the end of a journal durable after a crash, so that new records may follow it: cuts a torn
// end, and writes again what is whole but not known to be on disk, because the kernel may still
// hold in memory what a failed sync never wrote. `reader` has read to kEnd or kTornEnd.
FileFault settle_journal(FileLayer& layer, const JournalReader& reader);

// Removes the segments whose records all lie at or before `sequence`, oldest first, and never the
// last segment. There must be a snapshot of `sequence` whose file is whole; that its state is right
// must have been verified by the caller: an import that recomputed the digest.
FileFault remove_segments_behind(FileLayer& layer, const std::string& folder,
                                 core::Sequence sequence, std::vector<std::string>& removed);

// Removes the snapshots of states before `sequence`. Nothing needs them once a later one has been
// verified and the journal is not to be examined from further back.
FileFault remove_snapshots_before(FileLayer& layer, const std::string& folder,
                                  core::Sequence sequence, std::vector<std::string>& removed);

// What a repair takes away.
struct Loss {
  std::uint64_t bytes = 0;
  std::uint64_t groups = 0;           // that are whole
  std::uint64_t records = 0;          // in those groups
  core::Sequence first_sequence = 0;  // of them, 0 when there is none
  core::Sequence last_sequence = 0;
  core::Sequence remaining_sequence = 0;  // the last record that the journal still has
  std::vector<std::string> removed;       // whole files: later segments, snapshots of a later state
};

// Forces the journal to end at byte `offset` of the segment `name`, where a group starts or should
// start; offset 0 takes the whole segment away. Later segments, and snapshots of states that the
// journal no longer leads to, are removed, and `loss` says what was in all that. Faults: no such
// segment; what lies before is not whole either (its place is named: repair there); no group starts
// there. `only_look` changes nothing.
FileFault truncate_journal(FileLayer& layer, const std::string& folder, const std::string& name,
                           std::uint64_t offset, bool only_look, Loss& loss);

}  // namespace shmatch::ipc
