// A cancel and an entry in one step. Both halves are judged before either changes anything.
#include "core/engine_state.h"

namespace shmatch::core {

// One function, as those of execution.cpp.
[[gnu::flatten]] void MatchingEngine::State::cancel_replace(SessionSlot slot,
                                                            Sequence request_sequence,
                                                            const CancelOrder& cancel,
                                                            const NewOrder& request,
                                                            TimeNs now) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kOpen));
  const Origin origin{slot, request_sequence};
  begin(now);
  take_number(origin);
  Refusal refusal;
  const Index goes = judge_cancel(slot, cancel, now, refusal);
  if (goes == kNoIndex) [[unlikely]] {
    return report_receipt(slot, request_sequence, RequestType::kCancelOrder, refusal);
  }
  JudgedOrder comes;
  if (!judge_new_order(slot, request, goes, comes, refusal)) [[unlikely]] {
    return report_receipt(slot, request_sequence, RequestType::kNewOrder, refusal);
  }
  cancel_working(goes, CancelReason::kUserModified, sessions_[slot].user, slot, now);
  start_order(origin, request, comes, now);
  store_.prefetch_next(comes.account, request.cl_ord_id);
}

void MatchingEngine::cancel_replace(SessionSlot slot, Sequence request_sequence,
                                    const CancelOrder& cancel, const NewOrder& order,
                                    TimeNs now) noexcept {
  state_->cancel_replace(slot, request_sequence, cancel, order, now);
}

}  // namespace shmatch::core
