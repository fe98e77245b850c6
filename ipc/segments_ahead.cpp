#include "ipc/segments_ahead.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace shmatch::ipc {

FileFault SegmentsAhead::list() { return list_journal(layer_, folder_, listing_); }

bool SegmentsAhead::listed(const std::string& name) const {
  return std::ranges::find(listing_.segments, name, &JournalFile::name) != listing_.segments.end();
}

FileFault SegmentsAhead::start(core::Sequence from) {
  entered_ = 0;
  while (true) {
    if (FileFault fault = list()) return fault;
    ahead_.clear();
    auto first = listing_.segments.begin();
    if (from != 0 && first != listing_.segments.end()) {
      first = std::ranges::upper_bound(listing_.segments, from, {}, &JournalFile::sequence);
      if (first == listing_.segments.begin()) {
        return file_fault("the journal in " + folder_ + " begins with record " +
                          std::to_string(first->sequence) + ", and record " + std::to_string(from) +
                          " is asked for");
      }
      --first;
    }
    for (; first != listing_.segments.end(); ++first) ahead_.push_back({*first, {}});
    const std::string gone = hold();
    if (gone.empty()) return {};
    if (FileFault fault = list()) return fault;
    // A name without a file that stays is no retention: opening it says what it is.
    if (listed(gone)) return {};
  }
}

FileFault SegmentsAhead::look() {
  if (FileFault fault = list()) return fault;
  auto place = ahead_.begin();
  for (const JournalFile& segment : listing_.segments) {
    if (segment.sequence <= entered_) continue;
    while (place != ahead_.end() && place->name.sequence < segment.sequence) ++place;
    if (place == ahead_.end() || place->name.sequence != segment.sequence) {
      place = ahead_.insert(place, {segment, {}});
    }
  }
  hold();
  return {};
}

// Opens the files that are to be held. Returns the first name that has no file any more, or "".
std::string SegmentsAhead::hold() {
  if (!hold_) return "";
  std::string gone;
  const std::size_t count = std::min(ahead_.size(), kHeldMax);
  for (std::size_t i = 0; i < count; ++i) {
    if (ahead_[i].held) continue;
    const std::string& name = ahead_[i].name.name;
    // Other faults are told when the file is entered, if they last.
    const FileFault fault = ahead_[i].held.open(layer_, folder_ + "/" + name, OpenMode::kRead);
    if (fault && fault.error == ENOENT && gone.empty()) gone = name;
  }
  return gone;
}

FileFault SegmentsAhead::open(File& file) {
  Segment segment = std::move(ahead_.front());
  ahead_.pop_front();
  entered_ = segment.name.sequence;
  FileFault fault = file.open(layer_, folder_ + "/" + segment.name.name, OpenMode::kRead);
  if (!fault || fault.error != ENOENT || !hold_) return fault;
  if (!segment.held) {
    return file_fault(folder_ + "/" + segment.name.name +
                      " was removed before it could be read: read the journal again");
  }
  file = std::move(segment.held);
  return {};
}

bool SegmentsAhead::overtaken(const std::string& name, core::Sequence next) const {
  return hold_ && !listed(name) && !listing_.snapshots.empty() &&
         listing_.snapshots.back().sequence + 1 >= next;
}

}  // namespace shmatch::ipc
