// LOBSTER message files: book events of one stock and day, comma-separated.
//
// Thread: one thread at a time.
#pragma once

#include <memory>

#include "tools/file_head.h"
#include "tools/input_file.h"
#include "tools/request_source.h"

namespace shmatch::tools {

inline constexpr const char* kLobsterName = "lobster";

// True when one of the lines is a message.
bool looks_like_lobster(const FileHead& head);

// As open_source().
std::unique_ptr<RequestSource> open_lobster(std::unique_ptr<InputFile> file,
                                            const SourceOptions& options, ipc::Fault& fault);

}  // namespace shmatch::tools
