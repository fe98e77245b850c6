// The configuration file of an engine (TOML), and the configuration that serves without one.
//
// docs/shmatchd.toml shows every key with its meaning and default. What the file does not say keeps
// its default; what it says wrongly is refused, never mended: unknown keys, duplicate ids and
// names, values out of range, unknown names of Unix users and groups.
//
// Thread: call on one thread, before the engine starts (names of Unix users are looked up).
// Ownership: results are plain values.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "ipc/fault.h"
#include "ipc/server.h"

namespace shmatch::tools {

// Reads `path` into `options`. A fault is one sentence, "FILE:LINE: reason" wherever a line is to
// blame, and leaves `options` unchanged. The caller's action: show it and stop.
ipc::Fault load_config_file(const std::string& path, ipc::ServerOptions& options);

// The same for a text that is already in memory; `name` stands for the file in the sentence.
ipc::Fault parse_config(std::string_view text, const std::string& name,
                        ipc::ServerOptions& options);

// What serves without a file: tools/default_configuration.h, as whose users `uid` may log on; its
// default is the first, operator.
ipc::ServerOptions default_options(uid_t uid);

// The durability that `text` ("none", "async", "sync") names; false when it names none.
bool parse_durability(std::string_view text, ipc::Durability& durability) noexcept;

// The idle mode that `text` ("spin", "yield", "sleep") names; false when it names none.
bool parse_idle_mode(std::string_view text, ipc::IdleMode& mode) noexcept;

}  // namespace shmatch::tools
