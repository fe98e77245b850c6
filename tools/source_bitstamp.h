// Bitstamp's order events (created, changed, deleted), as comma-separated lines of the columns id,
// timestamp, price, volume, action, direction, or as JSON lines of its live_orders channel.
//
// Thread: one thread at a time.
#pragma once

#include <memory>

#include "tools/file_head.h"
#include "tools/input_file.h"
#include "tools/request_source.h"

namespace shmatch::tools {

inline constexpr const char* kBitstampName = "bitstamp";

// True when one of the lines is the columns' names, or an event in JSON.
bool looks_like_bitstamp(const FileHead& head);

// As open_source().
std::unique_ptr<RequestSource> open_bitstamp(std::unique_ptr<InputFile> file,
                                             const SourceOptions& options, ipc::Fault& fault);

}  // namespace shmatch::tools
