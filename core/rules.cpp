// The order in which requests are judged: docs/PROTOCOL.md "What a cancel request is answered" has
// the table whose rows the comments name. Nothing here changes the engine, but for the session's
// rate budget.
#include "core/engine_state.h"

namespace shmatch::core {

// Rows 1 and 2 of both tables.
Refusal MatchingEngine::State::judge_acceptance(SessionSlot slot, TimeNs now) noexcept {
  if (stopped_ != Detail::kNone) return {ErrorCode::kServerError, stopped_, 0, 0};
  if (rate_per_second_ == 0) return {};
  TimeNs& arrival = sessions_[slot].theoretical_arrival;
  if (arrival > now + rate_tolerance_) {
    return {ErrorCode::kOperationFailed, Detail::kRateLimited, rate_per_second_, 0};
  }
  arrival = (arrival > now ? arrival : now) + rate_interval_;
  return {};
}

// Row 3 of the cancel table.
Refusal MatchingEngine::State::judge_cancel_keys(const CancelOrder& request) const noexcept {
  if (request.oms_id != oms_id_) return wrong_oms(request.oms_id);
  if (request.order_id > 0) return {};
  if (request.cl_ord_id <= 0) return invalid(Detail::kNoOrderKey);
  if (request.account_id <= 0) return invalid(Detail::kNoAccountForClOrdId);
  return {};
}

MatchingEngine::State::JudgedCancel MatchingEngine::State::judge_cancel(SessionSlot slot,
                                                                        const CancelOrder& request,
                                                                        TimeNs now) noexcept {
  if (const Refusal refusal = judge_acceptance(slot, now); refusal.code != ErrorCode::kOk) {
    return {refusal};
  }
  const Index user = sessions_[slot].user;
  if (const Refusal refusal = judge_cancel_keys(request); refusal.code != ErrorCode::kOk) {
    return {refusal};
  }
  if (!accounts_.may(user, kPermissionTrading | kPermissionOperator)) {  // 4
    return {{ErrorCode::kNotAuthorized, Detail::kNoPermission}};
  }
  const Index account = accounts_.account(request.account_id);
  if (request.account_id > 0 && !accounts_.reaches(user, account)) {  // 5
    return {{ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id}};
  }
  Index order = kNoIndex;
  if (request.order_id > 0) {
    order = store_.find(request.order_id);
    if (order == kNoIndex) {  // 7
      return {{ErrorCode::kNotFound, Detail::kUnknownOrder, request.order_id}};
    }
    if (!accounts_.reaches(user, store_[order].account)) {  // 6
      return {{ErrorCode::kNotAuthorized, Detail::kForeignOrder, request.order_id}};
    }
    const bool agrees = (request.account_id <= 0 || account == store_[order].account) &&
                        (request.cl_ord_id <= 0 || request.cl_ord_id == store_[order].cl_ord_id);
    if (!agrees) {  // 8
      return {{ErrorCode::kNotFound, Detail::kKeysDisagree, request.order_id}};
    }
  } else {
    order = account == kNoIndex ? kNoIndex : store_.find(account, request.cl_ord_id);
    if (order == kNoIndex) {  // 7
      return {
          {ErrorCode::kNotFound, Detail::kUnknownClOrdId, request.cl_ord_id, request.account_id}};
    }
  }
  if (store_[order].state != OrderState::kWorking) return {how_it_ended(order)};  // 9
  return {{}, order};
}

Refusal MatchingEngine::State::how_it_ended(Index order) const noexcept {
  const OrderDetail& detail = store_.detail(order);
  const auto sequence = static_cast<std::int64_t>(detail.end_sequence);
  if (store_[order].state == OrderState::kFullyExecuted) {
    return {ErrorCode::kNotFound, Detail::kFilled, detail.last_trade, sequence};
  }
  switch (store_[order].cancel_reason) {
    case CancelReason::kUserModified:
      return {ErrorCode::kNotFound, Detail::kCanceledByUser, accounts_.user_id(detail.ended_by),
              sequence};
    case CancelReason::kCancelOnDisconnect:
      return {ErrorCode::kNotFound, Detail::kCanceledOnDisconnect,
              accounts_.user_id(detail.ended_by), sequence};
    case CancelReason::kNoMoreMarket:
      return {ErrorCode::kNotFound, Detail::kNoMoreMarket, sequence, 0};
    case CancelReason::kNone:
      break;
  }
  check_failed("an ended order has a reason", __FILE__, __LINE__);
}

MatchingEngine::State::JudgedOrder MatchingEngine::State::judge_new_order(
    SessionSlot slot, const NewOrder& request, Index replaced) const noexcept {
  const Index user = sessions_[slot].user;
  JudgedOrder judged;
  const auto refused = [&judged](const Refusal& refusal) noexcept {
    judged.refusal = refusal;
    return refusal.code != ErrorCode::kOk;
  };
  if (request.oms_id != oms_id_) {  // 3
    refused(wrong_oms(request.oms_id));
    return judged;
  }
  if (refused(judge_fields(request))) return judged;
  judged.account = accounts_.account(request.account_id);
  if (!accounts_.may(user, kPermissionTrading | kPermissionOperator)) {  // 4
    judged.refusal = {ErrorCode::kNotAuthorized, Detail::kNoPermission};
    return judged;
  }
  if (!accounts_.reaches(user, judged.account)) {
    judged.refusal = {ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id};
    return judged;
  }
  if (judged.account == kNoIndex) {
    judged.refusal = {ErrorCode::kNotFound, Detail::kUnknownAccount, request.account_id};
    return judged;
  }
  judged.instrument = instrument_map_.find(request.instrument_id);
  if (judged.instrument == kNoIndex) {  // 5
    judged.refusal = invalid(Detail::kUnknownInstrument, request.instrument_id);
    return judged;
  }
  const InstrumentEntry& instrument = instruments_[judged.instrument];
  const Increments quantity = to_increments(request.quantity(), instrument.lot);
  Increments price;
  if (refused(judge_amount(Field::kQuantity, quantity.error))) return judged;  // 6
  if (needs_limit_price(request.order_type)) {
    price = to_increments(request.limit_price(), instrument.tick);
    if (refused(judge_amount(Field::kLimitPrice, price.error))) return judged;
  }
  if (refused(judge_support(request))) return judged;  // 7
  judged.quantity = quantity.count;
  judged.price = price.count;
  judged.refusal = judge_new_order_limits(request, judged, quantity.error, price.error, replaced);
  return judged;
}

// Rows 8 and 9.
Refusal MatchingEngine::State::judge_new_order_limits(const NewOrder& request,
                                                      const JudgedOrder& judged,
                                                      DecimalError quantity, DecimalError price,
                                                      Index replaced) const noexcept {
  const auto limit = [](Detail detail, std::int64_t argument = 0) noexcept {
    return Refusal{ErrorCode::kOperationFailed, detail, argument, 0};
  };
  if (request.cl_ord_id > 0) {
    const Index other = store_.find(judged.account, request.cl_ord_id);
    if (other != kNoIndex && other != replaced && store_[other].state == OrderState::kWorking) {
      return limit(Detail::kDuplicateClOrdId, request.cl_ord_id);
    }
  }
  if (quantity == DecimalError::kAboveMaximum) return limit(Detail::kMaxQuantity);
  if (price == DecimalError::kAboveMaximum) return limit(Detail::kMaxPrice);
  const bool may_rest =
      request.order_type == OrderType::kLimit && request.time_in_force == TimeInForce::kGtc;
  const std::uint32_t leaving = replaced == kNoIndex ? 0 : 1;
  if (may_rest && store_.working_count() - leaving >= capacities_.working_orders) {
    return limit(Detail::kMaxWorkingOrders, capacities_.working_orders);
  }
  if (store_.ids_used_up()) return limit(Detail::kMaxOrderIds);
  return {};
}

}  // namespace shmatch::core
