// A cancel and an entry in one step. Both halves are judged before either changes anything.
#include "core/engine_state.h"

namespace shmatch::core {

// One function, as MatchingEngine::State::request is.
[[gnu::flatten]] void MatchingEngine::State::cancel_replace(SessionSlot slot,
                                                            Sequence request_sequence,
                                                            const CancelOrder& cancel,
                                                            const NewOrder& request,
                                                            TimeNs now) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kOpen));
  Session& session = sessions_[slot];
  SHMATCH_CHECK(request_sequence > session.last_request);
  session.last_request = request_sequence;
  ++sequence_;
  reporter_.begin(sequence_, now);
  const Origin origin{slot, request_sequence};
  if (cancel.order_id > 0) store_.prefetch(store_.slot_of(cancel.order_id));
  const JudgedCancel goes = judge_cancel(slot, cancel, now);
  if (goes.refusal.code != ErrorCode::kOk) {
    reporter_.receipt(slot, request_sequence, RequestType::kCancelOrder, goes.refusal);
    return;
  }
  const JudgedOrder comes = judge_new_order(slot, request, goes.order);
  if (comes.refusal.code != ErrorCode::kOk) {
    reporter_.receipt(slot, request_sequence, RequestType::kNewOrder, comes.refusal);
    return;
  }
  cancel_working(goes.order, CancelReason::kUserModified, session.user, slot, now);
  start_order(origin, request, comes, now);
}

void MatchingEngine::cancel_replace(SessionSlot slot, Sequence request_sequence,
                                    const CancelOrder& cancel, const NewOrder& order,
                                    TimeNs now) noexcept {
  state_->cancel_replace(slot, request_sequence, cancel, order, now);
}

}  // namespace shmatch::core
