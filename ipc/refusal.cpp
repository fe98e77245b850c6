#include "ipc/refusal.h"

#include <system_error>

namespace shmatch::ipc {

Refusal stopping() { return {FarewellReason::kStopping, "the engine is stopping"}; }

Refusal journal_failed(int error) {
  const std::string why =
      error > 0 ? std::generic_category().message(error) : "a file is not what it should be";
  return {FarewellReason::kJournalFailed,
          "the engine's journal has failed (" + why + "): nobody can log on until it starts again"};
}

Refusal ended_by_engine(EndReason reason) {
  switch (reason) {
    case EndReason::kSlowReader:
      return {
          FarewellReason::kSlowReader,
          "slow reader: this session fell further behind than its report ring and backlog hold"};
    case EndReason::kNotResumable:
      return not_admitted(SessionRegistry::Answer::kEnding, 0);
    default:
      return {FarewellReason::kBreach, "this session broke the ring protocol"};
  }
}

Refusal not_admitted(SessionRegistry::Answer answer, std::size_t capacity) {
  switch (answer) {
    case SessionRegistry::Answer::kInUse:
      return {FarewellReason::kSessionInUse,
              "another client of this user has the session of this name"};
    case SessionRegistry::Answer::kWaiting:
      return {FarewellReason::kSessionInUse,
              "the session of this name waits for its client since the engine started: resume it, "
              "or wait until it has ended"};
    case SessionRegistry::Answer::kEnding:
      return {FarewellReason::kNotResumable,
              "the session of this name has ended and is not ready to be resumed: try again"};
    default:
      return {FarewellReason::kSessionsFull,
              "all " + std::to_string(capacity) + " sessions of this engine are taken"};
  }
}

Farewell farewell_of(const Refusal& refusal) {
  Farewell farewell;
  farewell.reason = refusal.reason;
  set_text(farewell.sentence, refusal.sentence);
  return farewell;
}

}  // namespace shmatch::ipc
