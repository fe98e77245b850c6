// The segments that a journal's reader has not entered yet.
//
// While an engine writes the journal, retention may remove old segments at any moment
// (`keep = "snapshot"`, or a snapshot by hand). A file that is open outlives its name: so a reader
// of such a journal holds the next segments open from the moment on that it has seen their names,
// and looks for new ones as it reads.
//
// Thread: one at a time. Allocates.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "core/types.h"
#include "ipc/file_layer.h"
#include "ipc/journal_folder.h"

namespace shmatch::ipc {

class SegmentsAhead {
 public:
  // Segments held open at once. Behind a snapshot few are left; with more than these before it, a
  // reader can still be overtaken, and says so.
  static constexpr std::size_t kHeldMax = 64;

  // With `hold` files are held open. Both must outlive it.
  SegmentsAhead(FileLayer& layer, const std::string& folder, bool hold) noexcept
      : layer_(layer), folder_(folder), hold_(hold) {}

  // Begins with the segment that holds record `from`, or will; 0: with the first that there is.
  // Looks again when a name has gone before its file was opened. Faults: the journal begins behind
  // `from`; the file system's.
  FileFault start(core::Sequence from);

  // Lists the folder again, and appends what has come since. Faults: the file system's.
  FileFault look();

  // Null: there is none, as far as was looked. Valid until the next call of start, look or open.
  const JournalFile* next() const noexcept {
    return ahead_.empty() ? nullptr : &ahead_.front().name;
  }

  // Opens the next one, which is then ahead no more. Its name counts before the file held under it:
  // a start replaces a segment that got no record. Faults: the file system's; it was removed and
  // not held.
  FileFault open(File& file);

  // As of the last look: the segment `name` was removed behind a snapshot that leads to `next`, the
  // first record of the next one. Then records before `next` that were not seen are no damage.
  bool overtaken(const std::string& name, core::Sequence next) const;

 private:
  struct Segment {
    JournalFile name;
    File held;
  };

  FileFault list();
  bool listed(const std::string& name) const;
  std::string hold();

  FileLayer& layer_;
  const std::string& folder_;
  bool hold_;
  core::Sequence entered_ = 0;  // first record of the segment opened last
  JournalListing listing_;
  std::deque<Segment> ahead_;
};

}  // namespace shmatch::ipc
