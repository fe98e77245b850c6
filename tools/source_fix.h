// FIX 4.x logs: orders, cancels and replaces out of the messages of both directions.
//
// Thread: one thread at a time.
#pragma once

#include <memory>

#include "tools/file_head.h"
#include "tools/input_file.h"
#include "tools/request_source.h"

namespace shmatch::tools {

inline constexpr const char* kFixName = "fix";

// True when a FIX message begins in one of the lines.
bool looks_like_fix(const FileHead& head);

// As open_source().
std::unique_ptr<RequestSource> open_fix(std::unique_ptr<InputFile> file,
                                        const SourceOptions& options, ipc::Fault& fault);

}  // namespace shmatch::tools
