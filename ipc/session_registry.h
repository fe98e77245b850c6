// SessionRegistry: the control thread's picture of the core's session slots: which are free, and
// which belong to resumable sessions and to whom. It looks at the core once, before the engine
// thread runs; afterwards it follows from what the control thread posts and what the engine tells.
//
//   admit    a logon gets a place, which is its owner's from then on
//   open     right before the session is handed to the engine; or release, when it never is
//   ended    the engine has ended the session; later comes freed or detached
//
// A resumable session that waits for its client keeps its slot. It gives way, the one that waits
// longest first, when a new session finds no free slot.
//
// Thread: the control thread's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/matching_engine.h"
#include "ipc/report_mark.h"

namespace shmatch::ipc {

class SessionRegistry {
 public:
  // `engine` is only looked at here: a fresh one, or a recovered one after its restart. `runs` are
  // those of Replica::runs.
  SessionRegistry(const core::MatchingEngine& engine, std::vector<core::EngineRun> runs);

  enum class Answer : std::uint8_t {
    kFresh,    // a new session
    kResumed,  // the session of this user and name goes on
    kInUse,    // that session has a client, or one that logs on just now
    kEnding,   // that session has ended just now: soon it can be resumed
    kWaiting,  // that session was open when the engine ended: it can only be resumed
    kFull,     // every slot is taken
  };
  struct Admission {
    Answer answer = Answer::kFull;
    core::SessionSlot slot = 0;    // of kFresh and kResumed
    Mark seen;                     // kResumed: `seen`, or less where inputs were lost
    core::Sequence lost_from = 0;  // kResumed: as in Serving
  };
  // `owner` is not 0. A resumable logon may want to `resume`, with what its client has `seen`, and
  // in which run of the engine.
  Admission admit(std::uint64_t owner, const core::Logon& logon, bool resume, const Mark& seen,
                  const core::EngineRun& seen_run);

  // True when the engine must forget the session that has the slot so far.
  bool open(core::SessionSlot slot);
  void release(core::SessionSlot slot);

  void ended(core::SessionSlot slot);
  void freed(core::SessionSlot slot);
  void detached(core::SessionSlot slot);

  // Nothing is open or ending: the engine has no notices to give.
  bool at_rest() const noexcept;
  std::size_t capacity() const noexcept { return places_.size(); }

 private:
  enum class State : std::uint8_t {
    kFree,
    kOpen,
    kEnding,
    kOrphaned,  // waits for its client since the start; ends when the grace is over
    kDetached,  // waits for its client
  };
  using Identity = std::pair<core::UserId, std::string>;  // without a name: of no resumable session
  struct Place {
    State state = State::kFree;
    std::uint64_t owner = 0;  // the logon or session that has it; 0: nobody
    Identity identity;        // of the session that is here
    bool resuming = false;    // the owner goes on with the session that is here
    Identity coming;          // else: of the session that the owner is about to open
    std::uint64_t detached_at = 0;
  };

  Admission resumed(core::SessionSlot slot, const Mark& seen,
                    const core::EngineRun& seen_run) const;
  core::Sequence end_of(const core::EngineRun& run) const noexcept;
  Admission fresh(std::uint64_t owner, const Identity& identity);
  core::SessionSlot longest_detached() const noexcept;

  std::vector<Place> places_;            // by slot
  std::vector<core::SessionSlot> free_;  // the last one is used next
  std::map<Identity, core::SessionSlot> identities_;
  std::vector<core::EngineRun> runs_;
  std::uint64_t detachments_ = 0;
};

}  // namespace shmatch::ipc
