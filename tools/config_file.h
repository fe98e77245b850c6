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

// What serves without a file: OMS 1; instruments BTCUSD, ETHUSD and TEST; accounts 1 to 8; `uid`
// may log on as operator (its default) or as trader1 to trader4, where trader K has the accounts K
// and K+4.
ipc::ServerOptions default_options(uid_t uid);

// The idle mode that `text` ("spin", "yield", "sleep") names; false when it names none.
bool parse_idle_mode(std::string_view text, ipc::IdleMode& mode) noexcept;

}  // namespace shmatch::tools
