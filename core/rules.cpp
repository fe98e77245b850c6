// The order in which requests are judged: docs/PROTOCOL.md "What a cancel request is answered" has
// the table whose rows the comments name. Nothing here changes the engine, but for the session's
// rate budget.
#include "core/engine_state.h"

namespace shmatch::core {

namespace {

constexpr std::uint8_t kMayTrade = kPermissionTrading | kPermissionOperator;

bool offered(TimeInForce time_in_force) noexcept {
  constexpr unsigned kOffered = 1U << static_cast<unsigned>(TimeInForce::kGtc) |
                                1U << static_cast<unsigned>(TimeInForce::kIoc) |
                                1U << static_cast<unsigned>(TimeInForce::kFok);
  const auto bit = static_cast<unsigned>(time_in_force);
  return bit < 32 && (kOffered >> bit & 1) != 0;
}

bool names_both(const NewOrder& request) noexcept {
  return request.account_id > 0 && request.instrument_id > 0;
}

// A limit order with its amounts in increments, as nearly all are: whether the rules have no
// objection to it in rows 3, 6 and 7. Its small fields are one word; all but side and time in force
// have one value.
bool plain(const NewOrder& request) noexcept {
  static_assert(static_cast<unsigned>(Side::kBuy) == 0 && static_cast<unsigned>(Side::kSell) == 1);
  constexpr auto kIncrements = static_cast<std::uint64_t>(kExponentIncrements);
  constexpr std::uint64_t kPlain =
      kIncrements | kIncrements << 8 | static_cast<std::uint64_t>(OrderType::kLimit) << 24;
  constexpr std::uint64_t kFree = std::uint64_t{1} << 16 | std::uint64_t{0xFF} << 32;
  return (small_fields(request) & ~kFree) == kPlain && offered(request.time_in_force) &&
         names_both(request) && is_amount(request.quantity_mantissa) &&
         is_amount(request.limit_price_mantissa);
}

// Of any other order: whether the rules have no objection to it in rows 3 and 7, in a few
// instructions.
bool of_a_usual_kind(const NewOrder& request) noexcept {
  const bool limit = request.order_type == OrderType::kLimit;
  return names_both(request) && request.side <= Side::kSell &&
         (limit || request.order_type == OrderType::kMarket) && offered(request.time_in_force) &&
         request.features == 0 && request.quantity_exponent != kExponentAbsent &&
         (!limit || request.limit_price_exponent != kExponentAbsent);
}

// The worst price that an order takes; a market order takes any.
Ticks limit_of(const NewOrder& request, Ticks price) noexcept {
  if (request.order_type != OrderType::kMarket) return price;
  return request.side == Side::kBuy ? INT64_MAX : 0;
}

// For those who answer whether a request may be executed.
template <class Answer>
Answer refused(Answer answer, const Refusal& why, Refusal& refusal) noexcept {
  refusal = why;
  return answer;
}

}  // namespace

// Rows 1 and 2 of both tables.
bool MatchingEngine::State::may_accept(SessionSlot slot, TimeNs now, Refusal& refusal) noexcept {
  if (stopped_ != Detail::kNone) [[unlikely]] {
    return refused(false, {ErrorCode::kServerError, stopped_, 0, 0}, refusal);
  }
  if (rate_per_second_ == 0) return true;
  TimeNs& arrival = sessions_[slot].theoretical_arrival;
  if (arrival > now + rate_tolerance_) {
    return refused(false, {ErrorCode::kOperationFailed, Detail::kRateLimited, rate_per_second_, 0},
                   refusal);
  }
  arrival = (arrival > now ? arrival : now) + rate_interval_;
  return true;
}

Index MatchingEngine::State::judge_cancel(SessionSlot slot, const CancelOrder& request, TimeNs now,
                                          Refusal& refusal) noexcept {
  const Session& session = sessions_[slot];
  if (!may_accept(slot, now, refusal)) [[unlikely]] {
    return kNoIndex;
  }
  if (request.oms_id != oms_id_) [[unlikely]] {  // 3
    return refused(kNoIndex, wrong_oms(request.oms_id), refusal);
  }
  if (request.order_id <= 0) {
    if (request.cl_ord_id <= 0) return refused(kNoIndex, invalid(Detail::kNoOrderKey), refusal);
    if (request.account_id <= 0) {
      return refused(kNoIndex, invalid(Detail::kNoAccountForClOrdId), refusal);
    }
  }
  if ((session.permissions & kMayTrade) == 0) [[unlikely]] {  // 4
    return refused(kNoIndex, {ErrorCode::kNotAuthorized, Detail::kNoPermission}, refusal);
  }
  const Index order = find_named(session, request, refusal);
  if (order == kNoIndex) [[unlikely]] {
    return kNoIndex;
  }
  if (store_[order].state != OrderState::kWorking) [[unlikely]] {  // 9
    return refused(kNoIndex, how_it_ended(order), refusal);
  }
  return order;
}

// Rows 5 to 8: the order that the request names, if the session's user may know of it.
Index MatchingEngine::State::find_named(const Session& session, const CancelOrder& request,
                                        Refusal& refusal) const noexcept {
  Index account = kNoIndex;
  if (request.account_id > 0) {
    account = accounts_.account(request.account_id);
    if (!reaches(session, account)) [[unlikely]] {  // 5
      return refused(kNoIndex,
                     {ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id},
                     refusal);
    }
  }
  if (request.order_id <= 0) {
    const Index order = account == kNoIndex ? kNoIndex : store_.find(account, request.cl_ord_id);
    if (order == kNoIndex) [[unlikely]] {  // 7
      refusal = {ErrorCode::kNotFound, Detail::kUnknownClOrdId, request.cl_ord_id,
                 request.account_id};
    }
    return order;
  }
  const Index order = store_.find(request.order_id);
  if (order == kNoIndex) [[unlikely]] {  // 7
    return refused(kNoIndex, {ErrorCode::kNotFound, Detail::kUnknownOrder, request.order_id},
                   refusal);
  }
  const Order& named = store_[order];
  if (!reaches(session, named.account)) [[unlikely]] {  // 6
    return refused(kNoIndex, {ErrorCode::kNotAuthorized, Detail::kForeignOrder, request.order_id},
                   refusal);
  }
  const bool agrees = (request.account_id <= 0 || account == named.account) &&
                      (request.cl_ord_id <= 0 || request.cl_ord_id == named.cl_ord_id);
  if (!agrees) [[unlikely]] {  // 8
    return refused(kNoIndex, {ErrorCode::kNotFound, Detail::kKeysDisagree, request.order_id},
                   refusal);
  }
  return order;
}

Refusal MatchingEngine::State::how_it_ended(Index order) const noexcept {
  const auto sequence = static_cast<std::int64_t>(store_.end_of(order).end_sequence);
  if (store_[order].state == OrderState::kFullyExecuted) {
    return {ErrorCode::kNotFound, Detail::kFilled, store_.detail(order).last_trade, sequence};
  }
  switch (store_[order].cancel_reason) {
    case CancelReason::kUserModified:
      return {ErrorCode::kNotFound, Detail::kCanceledByUser,
              accounts_.user_id(store_[order].ended_by), sequence};
    case CancelReason::kCancelOnDisconnect:
      return {ErrorCode::kNotFound, Detail::kCanceledOnDisconnect,
              accounts_.user_id(store_[order].ended_by), sequence};
    case CancelReason::kNoMoreMarket:
      return {ErrorCode::kNotFound, Detail::kNoMoreMarket, sequence, 0};
    case CancelReason::kNone:
      break;
  }
  check_failed("an ended order has a reason", __FILE__, __LINE__);
}

bool MatchingEngine::State::judge_new_order(SessionSlot slot, const NewOrder& request,
                                            Index replaced, JudgedOrder& judged,
                                            Refusal& refusal) const noexcept {
  if (request.oms_id != oms_id_) [[unlikely]] {  // 3
    return refused(false, wrong_oms(request.oms_id), refusal);
  }
  if (plain(request)) [[likely]] {
    judged.quantity = request.quantity_mantissa;
    judged.price = request.limit_price_mantissa;
    judged.limit = judged.price;
    judged.rests = may_rest(OrderType::kLimit, request.time_in_force);
    return judge_account(sessions_[slot], request, judged, refusal) &&
           within_limits(request, DecimalError::kNone, DecimalError::kNone, replaced, judged,
                         refusal);
  }
  const Judgement judgement = judge_any_order(slot, request, replaced);
  judged = judgement.order;
  refusal = judgement.refusal;
  return judgement.accepted;
}

// Not inline: what is plain pays nothing for what is not.
[[gnu::noinline]] MatchingEngine::State::Judgement MatchingEngine::State::judge_any_order(
    SessionSlot slot, const NewOrder& request, Index replaced) const noexcept {
  Judgement judgement{};
  const auto refuse = [&judgement](const Refusal& why) noexcept {
    judgement.refusal = why;
    return judgement;
  };
  JudgedOrder& judged = judgement.order;
  const bool usual = of_a_usual_kind(request);
  if (!usual) [[unlikely]] {
    if (const Refusal why = judge_fields(request); why.code != ErrorCode::kOk) return refuse(why);
  }
  if (!judge_account(sessions_[slot], request, judged, judgement.refusal)) [[unlikely]] {
    return judgement;
  }
  const InstrumentEntry& instrument = instruments_[judged.instrument];
  const Increments quantity = to_increments(request.quantity(), instrument.lot);
  Increments price;
  if (quantity.error != DecimalError::kNone) [[unlikely]] {  // 6
    const Refusal why = judge_amount(Field::kQuantity, quantity.error);
    if (why.code != ErrorCode::kOk) return refuse(why);
  }
  if (needs_limit_price(request.order_type)) {
    price = to_increments(request.limit_price(), instrument.tick);
    if (price.error != DecimalError::kNone) [[unlikely]] {
      const Refusal why = judge_amount(Field::kLimitPrice, price.error);
      if (why.code != ErrorCode::kOk) return refuse(why);
    }
  }
  if (!usual) [[unlikely]] {
    return refuse(judge_support(request));  // 7
  }
  judged.quantity = quantity.count;
  judged.price = price.count;
  judged.limit = limit_of(request, price.count);
  judged.rests = may_rest(request.order_type, request.time_in_force);
  judgement.accepted =
      within_limits(request, quantity.error, price.error, replaced, judged, judgement.refusal);
  return judgement;
}

// Rows 4 and 5.
bool MatchingEngine::State::judge_account(const Session& session, const NewOrder& request,
                                          JudgedOrder& judged, Refusal& refusal) const noexcept {
  if ((session.permissions & kMayTrade) == 0) [[unlikely]] {
    return refused(false, {ErrorCode::kNotAuthorized, Detail::kNoPermission}, refusal);
  }
  judged.account = accounts_.account(request.account_id);
  if (!reaches(session, judged.account)) [[unlikely]] {
    return refused(false, {ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id},
                   refusal);
  }
  if (judged.account == kNoIndex) [[unlikely]] {
    return refused(false, {ErrorCode::kNotFound, Detail::kUnknownAccount, request.account_id},
                   refusal);
  }
  judged.instrument = instrument_map_.find(request.instrument_id);
  if (judged.instrument == kNoIndex) [[unlikely]] {
    return refused(false, invalid(Detail::kUnknownInstrument, request.instrument_id), refusal);
  }
  return true;
}

// Whether the order, if it rests at once, joins no level that is there and takes the place of none
// that closes.
bool MatchingEngine::State::opens_level(const NewOrder& request, const JudgedOrder& judged,
                                        Index replaced) const noexcept {
  if (books_.at(judged.instrument, request.side, judged.price) != nullptr) return false;
  return replaced == kNoIndex || !books_.alone(replaced);
}

// Rows 8 and 9. What row 9 looks at, in this order: quantity, price, working orders, price levels,
// order ids. All of it is the state before the request: what a new order will trade away does not
// count.
bool MatchingEngine::State::within_limits(const NewOrder& request, DecimalError quantity,
                                          DecimalError price, Index replaced, JudgedOrder& judged,
                                          Refusal& refusal) const noexcept {
  const auto limit = [&refusal](Detail detail, std::int64_t argument = 0) noexcept {
    return refused(false, {ErrorCode::kOperationFailed, detail, argument, 0}, refusal);
  };
  if (request.cl_ord_id > 0) {
    const auto [place, other, tag] = store_.client_ids().locate(judged.account, request.cl_ord_id);
    judged.place = place;
    judged.tag = tag;
    if (other != kNoIndex && other != replaced && store_[other].state == OrderState::kWorking) {
      return limit(Detail::kDuplicateClOrdId, request.cl_ord_id);
    }
  }
  if (quantity == DecimalError::kAboveMaximum) [[unlikely]] {
    return limit(Detail::kMaxQuantity);
  }
  if (price == DecimalError::kAboveMaximum) [[unlikely]] {
    return limit(Detail::kMaxPrice);
  }
  const std::uint32_t leaving = replaced == kNoIndex ? 0 : 1;
  if (judged.rests && store_.working_count() - leaving >= capacities_.working_orders) [[unlikely]] {
    return limit(Detail::kMaxWorkingOrders, capacities_.working_orders);
  }
  if (books_.full()) [[unlikely]] {
    if (judged.rests && opens_level(request, judged, replaced)) {
      return limit(Detail::kMaxPriceLevels, capacities_.levels());
    }
  }
  if (store_.ids_used_up()) [[unlikely]] {
    return limit(Detail::kMaxOrderIds);
  }
  return true;
}

}  // namespace shmatch::core
