// What a logon request may ask for, judged by the configuration alone: who the client may be, the
// sizes of its rings, its session's name.
//
// Thread: any; a pure function of its arguments.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/matching_engine.h"
#include "ipc/logon.h"
#include "ipc/refusal.h"
#include "ipc/server.h"

namespace shmatch::ipc {

// Text from a client, made harmless for a log line or a sentence.
std::string printable(std::string_view text);

// Judges a well-formed request of a process of `uid`. On success `user` is one of the
// configuration's and `logon` is what the engine is to be told.
std::optional<Refusal> check_logon(const ServerOptions& options, uid_t uid,
                                   const LogonRequest& request, const core::User*& user,
                                   core::Logon& logon);

// Judges whether a process of `uid` may watch the counters: whoever may log on as anybody may.
std::optional<Refusal> check_watch(const ServerOptions& options, uid_t uid);

}  // namespace shmatch::ipc
