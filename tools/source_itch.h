// Nasdaq TotalView-ITCH 5.0 files: binary book events.
//
// Thread: one thread at a time.
#pragma once

#include <memory>

#include "tools/file_head.h"
#include "tools/input_file.h"
#include "tools/request_source.h"

namespace shmatch::tools {

inline constexpr const char* kItchName = "itch";

// True when the file begins with messages of known type and length, whatever frames them.
bool looks_like_itch(const FileHead& head);

// As open_source().
std::unique_ptr<RequestSource> open_itch(std::unique_ptr<InputFile> file,
                                         const SourceOptions& options, ipc::Fault& fault);

}  // namespace shmatch::tools
