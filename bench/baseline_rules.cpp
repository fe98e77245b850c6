// The baseline's rules: docs/PROTOCOL.md "What a cancel request is answered" has the tables.
#include "bench/baseline_engine.h"
#include "core/order_rules.h"

namespace shmatch::bench {

using namespace core;

namespace {

constexpr std::uint32_t kNone = 0xFFFF'FFFF;
constexpr std::uint8_t kMayTrade = kPermissionTrading | kPermissionOperator;

}  // namespace

std::uint32_t BaselineEngine::account_of(AccountId id) const {
  const auto found = accounts_.find(id);
  return found == accounts_.end() ? kNone : found->second;
}

bool BaselineEngine::reaches(std::uint32_t user, std::uint32_t account) const {
  const UserEntry& entry = users_[user];
  return (entry.permissions & kPermissionOperator) != 0 ||
         (account != kNone && entry.accounts[account]);
}

BaselineEngine::JudgedCancel BaselineEngine::judge_cancel(const Call& call,
                                                          const CancelOrder& request) {
  if (request.oms_id != configuration_.oms_id) {
    return {invalid(Detail::kWrongOms, request.oms_id)};
  }
  if (request.order_id <= 0) {
    if (request.cl_ord_id <= 0) return {invalid(Detail::kNoOrderKey)};
    if (request.account_id <= 0) return {invalid(Detail::kNoAccountForClOrdId)};
  }
  if ((users_[call.user].permissions & kMayTrade) == 0) {
    return {{ErrorCode::kNotAuthorized, Detail::kNoPermission}};
  }
  const std::uint32_t account = request.account_id > 0 ? account_of(request.account_id) : kNone;
  if (request.account_id > 0 && !reaches(call.user, account)) {
    return {{ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id}};
  }
  Place order;
  if (request.order_id > 0) {
    const auto found = by_id_.find(request.order_id);
    if (found == by_id_.end()) {
      return {{ErrorCode::kNotFound, Detail::kUnknownOrder, request.order_id}};
    }
    order = found->second;
    if (!reaches(call.user, order->account)) {
      return {{ErrorCode::kNotAuthorized, Detail::kForeignOrder, request.order_id}};
    }
    if ((request.account_id > 0 && account != order->account) ||
        (request.cl_ord_id > 0 && request.cl_ord_id != order->cl_ord_id)) {
      return {{ErrorCode::kNotFound, Detail::kKeysDisagree, request.order_id}};
    }
  } else {
    const auto found = by_pair_.find(Pair{account, request.cl_ord_id});
    if (found == by_pair_.end()) {
      return {
          {ErrorCode::kNotFound, Detail::kUnknownClOrdId, request.cl_ord_id, request.account_id}};
    }
    order = found->second;
  }
  if (order->state != OrderState::kWorking) return {how_it_ended(*order)};
  return {{}, order};
}

Refusal BaselineEngine::how_it_ended(const Order& order) const {
  const auto sequence = static_cast<std::int64_t>(order.end_sequence);
  if (order.state == OrderState::kFullyExecuted) {
    return {ErrorCode::kNotFound, Detail::kFilled, order.last_trade, sequence};
  }
  if (order.cancel_reason == CancelReason::kUserModified) {
    return {ErrorCode::kNotFound, Detail::kCanceledByUser, users_[order.ended_by].id, sequence};
  }
  return {ErrorCode::kNotFound, Detail::kNoMoreMarket, sequence, 0};
}

BaselineEngine::JudgedOrder BaselineEngine::judge_order(const Call& call, const NewOrder& request,
                                                        const Order* replaced) {
  if (request.oms_id != configuration_.oms_id) {
    return {invalid(Detail::kWrongOms, request.oms_id)};
  }
  JudgedOrder judged{judge_fields(request)};
  if (judged.refusal.code != ErrorCode::kOk) return judged;
  if ((users_[call.user].permissions & kMayTrade) == 0) {
    return {{ErrorCode::kNotAuthorized, Detail::kNoPermission}};
  }
  judged.account = account_of(request.account_id);
  if (!reaches(call.user, judged.account)) {
    return {{ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id}};
  }
  if (judged.account == kNone) {
    return {{ErrorCode::kNotFound, Detail::kUnknownAccount, request.account_id}};
  }
  const auto instrument = instruments_.find(request.instrument_id);
  if (instrument == instruments_.end()) {
    return {invalid(Detail::kUnknownInstrument, request.instrument_id)};
  }
  judged.instrument = instrument->second;
  const Instrument& facts = books_[judged.instrument].instrument;
  const Increments quantity = to_increments(request.quantity(), facts.lot);
  judged.refusal = judge_amount(Field::kQuantity, quantity.error);
  if (judged.refusal.code != ErrorCode::kOk) return judged;
  Increments price;
  if (needs_limit_price(request.order_type)) {
    price = to_increments(request.limit_price(), facts.tick);
    judged.refusal = judge_amount(Field::kLimitPrice, price.error);
    if (judged.refusal.code != ErrorCode::kOk) return judged;
  }
  judged.refusal = judge_support(request);
  if (judged.refusal.code != ErrorCode::kOk) return judged;
  judged.quantity = quantity.count;
  judged.price = price.count;
  judged.refusal = judge_limits(request, judged, quantity.error, price.error, replaced);
  return judged;
}

Refusal BaselineEngine::judge_limits(const NewOrder& request, const JudgedOrder& judged,
                                     DecimalError quantity, DecimalError price,
                                     const Order* replaced) {
  if (request.cl_ord_id > 0) {
    const auto other = by_pair_.find(Pair{judged.account, request.cl_ord_id});
    if (other != by_pair_.end() && &*other->second != replaced &&
        other->second->state == OrderState::kWorking) {
      return {ErrorCode::kOperationFailed, Detail::kDuplicateClOrdId, request.cl_ord_id};
    }
  }
  if (quantity == DecimalError::kAboveMaximum) {
    return {ErrorCode::kOperationFailed, Detail::kMaxQuantity};
  }
  if (price == DecimalError::kAboveMaximum) {
    return {ErrorCode::kOperationFailed, Detail::kMaxPrice};
  }
  const std::uint32_t most = configuration_.capacities.working_orders;
  const bool may_rest =
      request.order_type == OrderType::kLimit && request.time_in_force == TimeInForce::kGtc;
  if (may_rest && working_orders() - (replaced == nullptr ? 0 : 1) >= most) {
    return {ErrorCode::kOperationFailed, Detail::kMaxWorkingOrders, most};
  }
  if (last_order_id_ + 1 >= kOrderIdEnd) {
    return {ErrorCode::kOperationFailed, Detail::kMaxOrderIds};
  }
  return {};
}

}  // namespace shmatch::bench
