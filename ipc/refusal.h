// What a client is told when it may not log on, or when the engine ends its session: a reason for
// programs and a sentence for people.
#pragma once

#include <string>
#include <string_view>

#include "ipc/logon.h"
#include "ipc/session.h"
#include "ipc/session_registry.h"

namespace shmatch::ipc {

struct Refusal {
  FarewellReason reason{};
  std::string sentence;
};

Refusal stopping();
// `error` as in JournalThread::error.
Refusal journal_failed(int error);
// For the ends that are the engine's own wish; not for kFrozen, which is journal_failed.
Refusal ended_by_engine(EndReason reason);
// For the answers of a registry of `capacity` sessions that are no admissions.
Refusal not_admitted(SessionRegistry::Answer answer, std::size_t capacity);

Farewell farewell_of(const Refusal& refusal);

}  // namespace shmatch::ipc
