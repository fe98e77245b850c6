// Makes snapshots of a journal: a replica follows the records, and the state that they lead to is
// written down, read back and compared.
//
// Thread: any one thread. It takes memory for two engines for a while.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ipc/file_layer.h"
#include "ipc/recovery.h"

namespace shmatch::ipc {

struct SnapshotReport {
  core::Sequence sequence = 0;  // of the state written; 0: there was nothing new to write
  std::uint64_t digest = 0;
  std::uint64_t bytes = 0;
  std::string path;
  RecoveryReport recovery;           // how the state was reached
  std::vector<std::string> removed;  // files, when remove_segments was asked for
};

struct SnapshotOptions {
  // The newest input that is known to be on the disk, which ends a commit group.
  core::Sequence up_to = 0;
  std::uint32_t window_slots = 1U << 12;
  bool remove_segments = false;  // those that the snapshot makes superfluous, and older snapshots
};

// Makes a snapshot of the state after `options.up_to`, reads it back into another engine, and
// compares the digests; only then may anything be removed. Faults: as recover; the file system's;
// the snapshot that was read back is not the state that was written (it is then removed itself).
Fault make_snapshot(FileLayer& layer, const std::string& folder, const SnapshotOptions& options,
                    SnapshotReport& report);

}  // namespace shmatch::ipc
