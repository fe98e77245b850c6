// The life of sessions: how they open, end and come back, and the cancels that their ends leave.
#include "core/engine_state.h"

namespace shmatch::core {

SessionSerial MatchingEngine::State::logon(SessionSlot slot, const Logon& logon) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kFree));
  const Index user = accounts_.user(logon.user_id);
  SHMATCH_CHECK(user != kNoIndex && valid_name(logon));
  SHMATCH_CHECK(!logon.resumable ||
                sessions_.find_resumable(logon.user_id, logon.name) == sessions_.size());
  ++sequence_;
  if (++last_serial_ == 0) ++last_serial_;  // 0 is no session
  sessions_[slot] = Session{.serial = last_serial_,
                            .user = user,
                            .theoretical_arrival = 0,
                            .last_request = 0,
                            .accounts = accounts_.row_of(user),
                            .state = SessionState::kOpen,
                            .entered_orders = false,
                            .permissions = accounts_.permissions(user),
                            .logon = logon};
  sessions_.subscribe(slot, accounts_);
  return last_serial_;
}

void MatchingEngine::State::end_session(SessionSlot slot) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kOpen) ||
                sessions_.is(slot, SessionState::kOrphaned));
  ++sequence_;
  Session& session = sessions_[slot];
  if (!session.logon.resumable) sessions_.unsubscribe(slot, accounts_);
  if (!session.entered_orders || !session.logon.cancel_on_disconnect) {
    session.state = session.state_at_rest();
    return;
  }
  session.state = SessionState::kSweeping;
  queue_sweep(slot);
}

bool MatchingEngine::State::sweep(TimeNs now) noexcept {
  if (sweep_count_ == 0) return false;
  ++sequence_;
  begin(now);
  const SessionSlot slot = swept_at(0);
  Session& session = sessions_[slot];
  const SessionSlot also = session.logon.resumable ? slot : kNoSession;
  const Index end = store_.slot_count();
  const Index stop =
      end - sweep_cursor_ < kSweepOrdersPerStep ? end : sweep_cursor_ + kSweepOrdersPerStep;
  Index cancelled = 0;
  for (; sweep_cursor_ < stop && cancelled < kSweepCancelsPerStep; ++sweep_cursor_) {
    if (store_.walk(sweep_cursor_).cancel_session != session.serial) continue;
    if (store_[sweep_cursor_].state != OrderState::kWorking) continue;
    cancel_working(sweep_cursor_, CancelReason::kCancelOnDisconnect, session.user, also, now);
    ++cancelled;
  }
  if (sweep_cursor_ == end) {
    session.entered_orders = false;
    session.state = session.state_at_rest();
    sweep_head_ = static_cast<std::uint32_t>((sweep_head_ + 1) % sweep_queue_.size());
    --sweep_count_;
    sweep_cursor_ = 0;
  }
  return true;
}

void MatchingEngine::State::restart() noexcept {
  ++sequence_;
  stopped_ = Detail::kNone;
  for (SessionSlot slot = 0; slot < sessions_.size(); ++slot) {
    Session& session = sessions_[slot];
    if (session.state != SessionState::kOpen) continue;
    session.state = SessionState::kOrphaned;
    // Its client is gone for good.
    if (!session.logon.resumable) sessions_.unsubscribe(slot, accounts_);
  }
}

void MatchingEngine::State::resume(SessionSlot slot, const Logon& logon) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kOrphaned) ||
                sessions_.is(slot, SessionState::kDetached));
  Session& session = sessions_[slot];
  SHMATCH_CHECK(session.logon.resumable);
  ++sequence_;
  sessions_.unsubscribe(slot, accounts_);
  session.logon.cancel_on_disconnect = logon.cancel_on_disconnect;
  session.logon.whole_objects = logon.whole_objects;
  session.logon.all_accounts = logon.all_accounts;
  session.state = SessionState::kOpen;
  sessions_.subscribe(slot, accounts_);
}

void MatchingEngine::State::forget_session(SessionSlot slot) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kDetached));
  ++sequence_;
  sessions_.unsubscribe(slot, accounts_);
  sessions_[slot].state = SessionState::kFree;
}

}  // namespace shmatch::core
