// The folder of a journal: which files it holds, what they are called, and who owns it.
//
//   00000000000000000001.journal    a segment, named by the sequence number of its first record
//   00000000000000001234.snapshot   the state after that sequence number
//   lock                            locked by the engine that writes here
//   *.tmp                           files that were never finished; the owner removes them
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "ipc/file_layer.h"

namespace shmatch::ipc {

inline constexpr std::string_view kTemporarySuffix = ".tmp";

std::string segment_name(core::Sequence first_sequence);  // 20 digits and ".journal"
std::string snapshot_name(core::Sequence sequence);       // 20 digits and ".snapshot"

struct JournalFile {
  core::Sequence sequence = 0;
  std::string name;
};

// What lies in a journal's folder, each list in order of sequence numbers. Files of other names are
// not listed and never touched.
struct JournalListing {
  std::vector<JournalFile> segments;
  std::vector<JournalFile> snapshots;
  std::vector<std::string> unfinished;  // names ending with kTemporarySuffix
};

FileFault list_journal(FileLayer& layer, const std::string& folder, JournalListing& listing);

// Calls `read`, and again after a fault as long as files that had been listed before it have gone:
// while an engine writes here, retention may remove what somebody is about to open, and what `read`
// finds then is older than what there is. Returns the last fault.
Fault read_while_files_go(FileLayer& layer, const std::string& folder,
                          const std::function<Fault()>& read);

// Whether a live engine owns the folder. Takes nothing: it cannot get in an engine's way.
FileFault find_owner(FileLayer& layer, const std::string& folder, bool& owned);

// Owns a journal's folder: nobody else may write there. The lock ends with this object or with the
// process, however it ends.
class JournalFolder {
 public:
  explicit JournalFolder(FileLayer& layer) noexcept : layer_(layer) {}

  // Makes the folder if it is missing (its parent must be there), takes the lock, and removes files
  // that were never finished. Faults: no right to; a live engine owns it; not enough space.
  FileFault take(const std::string& path);

  const std::string& path() const noexcept { return path_; }

 private:
  FileLayer& layer_;
  std::string path_;
  File lock_;
};

}  // namespace shmatch::ipc
