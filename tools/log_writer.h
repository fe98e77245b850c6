// Writes input records to files that `shmatch replay` reads: a journal, or AlphaPoint frames.
//
// Thread: one.
#pragma once

#include <string>

#include "ipc/fault.h"
#include "tools/replay_minimize.h"

namespace shmatch::tools {

// A journal in the new folder `folder`, with the log's configuration, configuration changes and
// digest marks. Fault: the folder holds a journal already; the file system's.
ipc::Fault write_journal(const LoadedLog& log, const std::string& folder);

// One frame a line. Only requests can be frames: what else the log holds is left out, so this is
// for logs that came from frames. Fault: the file system's.
ipc::Fault write_frames(const LoadedLog& log, const std::string& path);

}  // namespace shmatch::tools
