// Looks for commit groups in a part of a segment file whose order is lost: behind a group that is
// not whole. What is found there says whether the bytes before it were once on disk, and what a
// person loses by cutting the file.
//
// Thread: a pure function, but that it reads.
#pragma once

#include <cstdint>
#include <functional>

#include "ipc/file_layer.h"
#include "ipc/journal_format.h"

namespace shmatch::ipc {

struct ScannedGroup {
  std::uint64_t offset = 0;
  GroupHeader header;  // is whole
  bool whole_records = false;
};

// Calls `found` for each group header in `file` that is whole, from byte `from` (a multiple of 8)
// on, in order; looks behind a whole group, but into one that is not. `used_end` becomes the place
// behind the last byte that is not zero, at least `from`. Time is linear in the file's length,
// whatever is in it. Faults: the file system's.
FileFault scan_groups(const File& file, std::uint32_t segment_checksum, std::uint64_t from,
                      const std::function<void(const ScannedGroup&)>& found,
                      std::uint64_t& used_end);

}  // namespace shmatch::ipc
