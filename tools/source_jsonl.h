// JSON Lines of AlphaPoint frames: what `shmatch exec` reads and `shmatchd --capture` writes.
//
// Thread: one thread at a time.
#pragma once

#include <memory>

#include "tools/file_head.h"
#include "tools/input_file.h"
#include "tools/request_source.h"

namespace shmatch::tools {

inline constexpr const char* kJsonlName = "jsonl";

// True when one of the lines is a frame.
bool looks_like_jsonl(const FileHead& head);

// As open_source().
std::unique_ptr<RequestSource> open_jsonl(std::unique_ptr<InputFile> file,
                                          const SourceOptions& options, ipc::Fault& fault);

}  // namespace shmatch::tools
