// The other half of EngineLoop: how sessions begin, go on and end. Nothing here is on the way of a
// request.
#include "core/check.h"
#include "ipc/engine_loop.h"

namespace shmatch::ipc {

void EngineLoop::open(Session& session) noexcept {
  const bool resume = session.entry().resume;
  const EndReason refusal = frozen_                                ? EndReason::kFrozen
                            : resume && !resumable(session.slot()) ? EndReason::kNotResumable
                                                                   : EndReason::kNone;
  if (refusal != EndReason::kNone) {
    session.doom(refusal);
    ended_.push_back(&session);
    return;
  }
  by_slot_[session.slot()] = &session;
  polling_.add(session);
  const core::SessionSerial serial = resume ? resume_session(session) : log_on(session);
  // What it missed was more than it had room for, or its client lies about its progress.
  if (by_slot_[session.slot()] != &session) return;
  // What a window keeps as well is copied anyway.
  if (!windows_.keeps(session.slot())) session.lend_rooms(&rooms_[session.slot()]);
  polling_.renew(session);  // its requests may have another first number
  opened_.push_back({engine_.last_sequence(), Notice{.kind = Notice::Kind::kOpened,
                                                     .slot = session.slot(),
                                                     .serial = serial,
                                                     .number = session.number()}});
}

bool EngineLoop::resumable(core::SessionSlot slot) const noexcept {
  const core::SessionView view = engine_.session(slot);
  return view.logon.resumable && by_slot_[slot] == nullptr &&
         (view.state == core::SessionState::kDetached ||
          view.state == core::SessionState::kOrphaned);
}

core::SessionSerial EngineLoop::log_on(Session& session) noexcept {
  SHMATCH_CHECK(engine_.slot_free(session.slot()));
  const core::TimeNs now = clock_.now();
  log_.logon(session.slot(), session.logon(), now);
  windows_.begin(session.slot(), session.logon().resumable);
  return engine_.logon(session.slot(), session.logon(), now);
}

core::SessionSerial EngineLoop::resume_session(Session& session) noexcept {
  const core::SessionSlot slot = session.slot();
  const core::TimeNs now = clock_.now();
  log_.resume(slot, session.logon(), now);
  engine_.resume(slot, session.logon(), now);
  std::erase(orphans_, slot);
  const core::SessionView view = engine_.session(slot);
  session.number_requests_from(view.last_request + 1);

  const Mark& seen = session.entry().seen;
  core::Resumed resumed;
  resumed.header.engine_sequence = engine_.last_sequence();
  resumed.last_request = view.last_request;
  windows_.for_each_from(slot, seen, [&](const core::Report&) { ++resumed.missed; });
  if (!windows_.covers(slot, seen)) {
    resumed.header.a = 1;
    const Mark kept_from = windows_.kept_from(slot);
    resumed.gap_end_sequence = kept_from.sequence;
    resumed.gap_end_ordinal = kept_from.ordinal;
  }
  core::Report report;
  report.assign(resumed);
  bool fits = session.deliver(report);
  windows_.for_each_from(slot, seen, [&](const core::Report& missed) {
    if (fits) fits = session.deliver(missed);
  });
  if (!fits) end_soon(session);
  settle();
  return view.serial;
}

void EngineLoop::forget(core::SessionSlot slot) noexcept {
  if (frozen_ || by_slot_[slot] != nullptr ||
      engine_.session(slot).state != core::SessionState::kDetached) {
    return;
  }
  const core::TimeNs now = clock_.now();
  log_.forget_session(slot, now);
  engine_.forget_session(slot, now);
  channel_.post(Notice{.kind = Notice::Kind::kSlotFree, .slot = slot});
}

// Nobody came back for them in time: they end as if their clients had gone just now.
void EngineLoop::end_orphans() noexcept {
  for (std::uint32_t i = 0; i < kOrphansAtOnce && !orphans_.empty() && log_.room(1); ++i) {
    const core::SessionSlot slot = orphans_.back();
    orphans_.pop_back();
    const core::TimeNs now = clock_.now();
    log_.end_session(slot, now);
    engine_.end_session(slot, now);
    sweeping_slots_.push_back(slot);
  }
  sweeping_ = true;
  log_.publish();
}

void EngineLoop::report_free_slots() noexcept {
  std::erase_if(sweeping_slots_, [this](core::SessionSlot slot) {
    const core::SessionState state = engine_.session(slot).state;
    if (state == core::SessionState::kSweeping) return false;
    const bool free = state == core::SessionState::kFree;
    channel_.post(
        Notice{.kind = free ? Notice::Kind::kSlotFree : Notice::Kind::kDetached, .slot = slot});
    return true;
  });
}

// ---- the end

void EngineLoop::doom(Session& session, EndReason reason) noexcept {
  if (session.doom(reason)) end_soon(session);
}

void EngineLoop::end_soon(Session& session) noexcept { doomed_.push_back(&session); }

// Ending one session may doom another one, which then follows.
void EngineLoop::end_doomed() noexcept {
  for (std::size_t i = 0; i < doomed_.size(); ++i) end(*doomed_[i]);
  doomed_.clear();
}

void EngineLoop::end(Session& session) noexcept {
  if (!frozen_) {
    const core::TimeNs now = clock_.now();
    log_.end_session(session.slot(), now);
    engine_.end_session(session.slot(), now);
    sweeping_slots_.push_back(session.slot());
    sweeping_ = true;
  }
  by_slot_[session.slot()] = nullptr;
  rooms_[session.slot()] = nullptr;
  session.lend_rooms(nullptr);  // the slot may be another session's soon
  polling_.remove(session);
  std::erase_if(opened_,
                [&](const Opened& opened) { return opened.notice.number == session.number(); });
  ended_.push_back(&session);
}

void EngineLoop::release_ended() noexcept {
  for (const Session* session : ended_) {
    channel_.post(Notice{.kind = Notice::Kind::kEnded,
                         .reason = session->doomed(),
                         .slot = session->slot(),
                         .number = session->number()});
  }
  ended_.clear();
  log_.publish();
  work_ = kHousekeepingWork;
}

void EngineLoop::tell_opened() noexcept {
  // In the order of their inputs.
  auto opened = opened_.begin();
  for (; opened != opened_.end() && opened->sequence <= released_; ++opened) {
    channel_.post(opened->notice);
  }
  opened_.erase(opened_.begin(), opened);
}

}  // namespace shmatch::ipc
