#include "ipc/session_registry.h"

#include <algorithm>
#include <iterator>

#include "ipc/logon.h"

namespace shmatch::ipc {

SessionRegistry::SessionRegistry(const core::MatchingEngine& engine,
                                 std::vector<core::EngineRun> runs)
    : places_(engine.session_capacity()), runs_(std::move(runs)) {
  free_.reserve(places_.size());
  for (auto slot = static_cast<core::SessionSlot>(places_.size()); slot-- > 0;) {
    const core::SessionView session = engine.session(slot);
    if (session.state == core::SessionState::kFree) {
      free_.push_back(slot);
      continue;
    }
    Place& place = places_[slot];
    if (session.logon.resumable) {
      place.identity = {session.logon.user_id, std::string(get_text(session.logon.name))};
      identities_.emplace(place.identity, slot);
    }
    // An orphan that nobody can resume only ends.
    const bool resumable = session.logon.resumable;
    place.state = session.state == core::SessionState::kDetached                ? State::kDetached
                  : resumable && session.state == core::SessionState::kOrphaned ? State::kOrphaned
                                                                                : State::kEnding;
  }
}

SessionRegistry::Admission SessionRegistry::admit(std::uint64_t owner, const core::Logon& logon,
                                                  bool resume, const Mark& seen,
                                                  const core::EngineRun& seen_run) {
  if (!logon.resumable) return fresh(owner, {});
  const Identity identity{logon.user_id, std::string(get_text(logon.name))};
  const auto known = identities_.find(identity);
  if (known == identities_.end()) return fresh(owner, identity);
  Place& place = places_[known->second];
  if (place.owner != 0) return {.answer = Answer::kInUse, .seen = {}};
  if (place.state == State::kEnding) return {.answer = Answer::kEnding, .seen = {}};
  if (!resume && place.state == State::kOrphaned) return {.answer = Answer::kWaiting, .seen = {}};
  place.owner = owner;
  place.resuming = resume;
  if (resume) return resumed(known->second, seen, seen_run);
  // Its own earlier self gives way.
  place.coming = identity;
  return {.answer = Answer::kFresh, .slot = known->second, .seen = {}};
}

SessionRegistry::Admission SessionRegistry::resumed(core::SessionSlot slot, const Mark& seen,
                                                    const core::EngineRun& seen_run) const {
  Admission admission{.answer = Answer::kResumed, .slot = slot, .seen = seen};
  // What was seen in a run and is named behind its end was lost with it, and others have those
  // names now.
  if (const Mark end{end_of(seen_run), 0}; end < seen) {
    admission.seen = end;
    admission.lost_from = end.sequence;
  }
  return admission;
}

// The first number that does not name what it named in that run. When a run begins, what came
// before it is on the disk for good; of one that nobody knows any more nothing was kept.
core::Sequence SessionRegistry::end_of(const core::EngineRun& run) const noexcept {
  const auto known = std::ranges::find(runs_, run);
  if (known == runs_.end()) return std::max<core::Sequence>(run.first, 1);
  const auto next = std::next(known);
  return next != runs_.end() ? next->first : ~core::Sequence{0};
}

SessionRegistry::Admission SessionRegistry::fresh(std::uint64_t owner, const Identity& identity) {
  core::SessionSlot slot = 0;
  if (!free_.empty()) {
    slot = free_.back();
    free_.pop_back();
  } else if (slot = longest_detached(); slot == places_.size()) {
    return {.answer = Answer::kFull, .seen = {}};
  }
  places_[slot].owner = owner;
  places_[slot].resuming = false;
  places_[slot].coming = identity;
  if (!identity.second.empty()) identities_.emplace(identity, slot);
  return {.answer = Answer::kFresh, .slot = slot, .seen = {}};
}

core::SessionSlot SessionRegistry::longest_detached() const noexcept {
  std::size_t longest = places_.size();
  for (std::size_t slot = 0; slot < places_.size(); ++slot) {
    const Place& place = places_[slot];
    if (place.state != State::kDetached || place.owner != 0) continue;
    if (longest == places_.size() || place.detached_at < places_[longest].detached_at) {
      longest = slot;
    }
  }
  return static_cast<core::SessionSlot>(longest);
}

bool SessionRegistry::open(core::SessionSlot slot) {
  Place& place = places_[slot];
  const bool forget = place.state == State::kDetached && !place.resuming;
  if (!place.resuming) {
    if (place.identity != place.coming) identities_.erase(place.identity);
    place.identity = std::move(place.coming);
    place.coming = {};
  }
  place.state = State::kOpen;
  return forget;
}

void SessionRegistry::release(core::SessionSlot slot) {
  Place& place = places_[slot];
  place.owner = 0;
  if (place.coming != place.identity) identities_.erase(place.coming);
  place.coming = {};
  if (place.state == State::kFree) free_.push_back(slot);
}

void SessionRegistry::ended(core::SessionSlot slot) {
  places_[slot].owner = 0;
  places_[slot].state = State::kEnding;
}

void SessionRegistry::freed(core::SessionSlot slot) {
  Place& place = places_[slot];
  // Forgotten for a session that has the slot already.
  if (place.owner != 0) return;
  identities_.erase(place.identity);
  place = {};
  free_.push_back(slot);
}

void SessionRegistry::detached(core::SessionSlot slot) {
  Place& place = places_[slot];
  // It ended for want of a client, and was resumed before this was told.
  if (place.state == State::kOpen) return;
  place.state = State::kDetached;
  place.detached_at = ++detachments_;
}

bool SessionRegistry::at_rest() const noexcept {
  return std::all_of(places_.begin(), places_.end(), [](const Place& place) {
    return place.owner == 0 && (place.state == State::kFree || place.state == State::kDetached);
  });
}

}  // namespace shmatch::ipc
