// What each call answers: the tables of rules, one after the other, in the order in which they are
// judged.
#include "tests/reference/reference_engine.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr Refusal kFine{};

Refusal refuse(ErrorCode code, Detail detail, std::int64_t argument0 = 0,
               std::int64_t argument1 = 0) {
  return {code, detail, argument0, argument1};
}

Refusal missing(Field field) {
  return refuse(ErrorCode::kInvalidRequest, Detail::kFieldMissing,
                static_cast<std::int64_t>(field));
}

Refusal unknown_enum(Field field, std::int64_t value) {
  return refuse(ErrorCode::kInvalidRequest, Detail::kUnknownEnum, static_cast<std::int64_t>(field),
                value);
}

bool needs_limit_price(OrderType type) {
  return type == OrderType::kLimit || type == OrderType::kStopLimit;
}

bool may_trade(const User& user) {
  return has_permission(user, kPermissionTrading | kPermissionOperator);
}

// Operators reach every account, others those they are associated with.
bool reaches(const User& user, AccountId account) {
  return has_permission(user, kPermissionOperator) || is_associated(user, account);
}

Refusal judge_amount(Field field, DecimalError error) {
  switch (error) {
    case DecimalError::kNotPositive:
      return refuse(ErrorCode::kInvalidRequest, Detail::kNotPositive,
                    static_cast<std::int64_t>(field));
    case DecimalError::kNotMultiple:
      return refuse(ErrorCode::kInvalidRequest, Detail::kNotMultiple,
                    static_cast<std::int64_t>(field));
    case DecimalError::kNone:
    case DecimalError::kAboveMaximum:  // a limit, judged later
      return kFine;
  }
  return kFine;
}

}  // namespace

Increments count_increments(Decimal value, Increment increment) {
  if (value.exponent == kExponentIncrements) {
    if (value.mantissa <= 0) return {0, DecimalError::kNotPositive};
    if (value.mantissa > kAmountMax) return {0, DecimalError::kAboveMaximum};
    return {value.mantissa, DecimalError::kNone};
  }
  if (value.exponent == kExponentHuge && value.mantissa == 1) {
    return {0, DecimalError::kAboveMaximum};
  }
  if (value.exponent > kExponentMax || value.exponent < kExponentMin) {
    return {0, DecimalError::kNotMultiple};
  }
  if (value.mantissa <= 0) return {0, DecimalError::kNotPositive};

  // value / increment = numerator / denominator, with the powers of ten moved to where they are
  // whole. A numerator that has grown past kHuge only needs its remainder: it is above every
  // maximum.
  constexpr Wide kHuge = static_cast<Wide>(kAmountMax) * 1'000'000;
  const Wide denominator = static_cast<Wide>(increment.mantissa);
  Wide numerator = static_cast<Wide>(value.mantissa);
  int exponent = value.exponent - increment.exponent;
  for (; exponent < 0; ++exponent) {
    if (numerator % 10 != 0) return {0, DecimalError::kNotMultiple};
    numerator /= 10;
  }
  Wide remainder = numerator % denominator;
  for (; exponent > 0; --exponent) {
    if (numerator < kHuge) numerator *= 10;
    remainder = remainder * 10 % denominator;
  }
  if (remainder != 0) return {0, DecimalError::kNotMultiple};
  const Wide count = numerator / denominator;
  if (count > static_cast<Wide>(kAmountMax)) return {0, DecimalError::kAboveMaximum};
  return {static_cast<std::int64_t>(count), DecimalError::kNone};
}

// ------------------------------------------------------------------------- rules of both order
// calls

Refusal ReferenceEngine::judge_availability(const Call& call) {
  if (stopped_ != Detail::kNone) return refuse(ErrorCode::kServerError, stopped_);
  if (configuration_.rate_per_second == 0) return kFine;
  const TimeNs interval = 1'000'000'000 / configuration_.rate_per_second;
  const TimeNs tolerance = (static_cast<TimeNs>(configuration_.rate_burst) - 1) * interval;
  TimeNs& tat = call.session->rate_tat;
  if (tat > now_ + tolerance) {
    return refuse(ErrorCode::kOperationFailed, Detail::kRateLimited,
                  configuration_.rate_per_second);
  }
  tat = (tat > now_ ? tat : now_) + interval;
  return kFine;
}

const Order* ReferenceEngine::find_order(OrderId id) const {
  const auto found = orders_.find(id);
  return found == orders_.end() ? nullptr : &found->second;
}

const Order* ReferenceEngine::find_order(AccountId account, ClOrdId cl_ord_id) const {
  const auto ids = ids_by_pair_.find({account, cl_ord_id});
  if (ids == ids_by_pair_.end() || ids->second.empty()) return nullptr;
  for (const OrderId id : ids->second) {
    if (orders_.at(id).state == OrderState::kWorking) return &orders_.at(id);
  }
  return &orders_.at(*ids->second.rbegin());
}

const Instrument* ReferenceEngine::find_instrument(InstrumentId id) const {
  for (const Instrument& instrument : configuration_.instruments) {
    if (instrument.id == id) return &instrument;
  }
  return nullptr;
}

bool ReferenceEngine::account_exists(AccountId account) const {
  for (const AccountId known : configuration_.accounts) {
    if (known == account) return true;
  }
  return false;
}

// ------------------------------------------------------------------------------------- CancelOrder

const Order* ReferenceEngine::named_order(const CancelOrder& request) const {
  if (request.order_id != 0) return find_order(request.order_id);
  return find_order(request.account_id, request.cl_ord_id);
}

Refusal ReferenceEngine::judge_cancel(const Call& call, const CancelOrder& request) const {
  const User& user = *call.session->user;
  if (request.oms_id != configuration_.oms_id) {
    return refuse(ErrorCode::kInvalidRequest, Detail::kWrongOms, request.oms_id);
  }
  if (request.order_id == 0 && request.cl_ord_id == 0) {
    return refuse(ErrorCode::kInvalidRequest, Detail::kNoOrderKey);
  }
  // An OrderId identifies by itself; only a ClOrderId needs the account that it belongs to.
  if (request.order_id == 0 && request.account_id == 0) {
    return refuse(ErrorCode::kInvalidRequest, Detail::kNoAccountForClOrdId);
  }
  if (!may_trade(user)) return refuse(ErrorCode::kNotAuthorized, Detail::kNoPermission);
  if (request.account_id != 0 && !reaches(user, request.account_id)) {
    return refuse(ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id);
  }
  const Order* order = named_order(request);
  if (order != nullptr && !reaches(user, order->account_id)) {
    return refuse(ErrorCode::kNotAuthorized, Detail::kForeignOrder, order->order_id);
  }
  if (order == nullptr && request.order_id != 0) {
    return refuse(ErrorCode::kNotFound, Detail::kUnknownOrder, request.order_id);
  }
  if (order == nullptr) {
    return refuse(ErrorCode::kNotFound, Detail::kUnknownClOrdId, request.cl_ord_id,
                  request.account_id);
  }
  const bool keys_agree = (request.account_id == 0 || request.account_id == order->account_id) &&
                          (request.cl_ord_id == 0 || request.cl_ord_id == order->cl_ord_id);
  if (!keys_agree) {
    return refuse(ErrorCode::kNotFound, Detail::kKeysDisagree, order->order_id);
  }
  return order->state == OrderState::kWorking ? kFine : how_it_ended(*order);
}

Refusal ReferenceEngine::how_it_ended(const Order& order) const {
  const auto sequence = static_cast<std::int64_t>(order.ended_sequence);
  if (order.state == OrderState::kFullyExecuted) {
    return refuse(ErrorCode::kNotFound, Detail::kFilled, order.last_trade, sequence);
  }
  switch (order.cancel_reason) {
    case CancelReason::kUserModified:
      return refuse(ErrorCode::kNotFound, Detail::kCanceledByUser, order.ended_by, sequence);
    case CancelReason::kCancelOnDisconnect:
      return refuse(ErrorCode::kNotFound, Detail::kCanceledOnDisconnect, order.ended_by, sequence);
    case CancelReason::kNoMoreMarket:
    case CancelReason::kNone:
      break;
  }
  return refuse(ErrorCode::kNotFound, Detail::kNoMoreMarket, sequence);
}

void ReferenceEngine::cancel_order(const Call& call, const CancelOrder& request) {
  Refusal refusal = judge_availability(call);
  if (refusal == kFine) refusal = judge_cancel(call, request);
  reply_receipt(call, refusal);
  if (refusal != kFine) return;
  Order& order = orders_.at(named_order(request)->order_id);
  cancel_working(order, CancelReason::kUserModified, call.session->user->id, call.slot);
}

// --------------------------------------------------------------------------------------- SendOrder

Refusal ReferenceEngine::judge_order_fields(const NewOrder& request) const {
  if (request.oms_id != configuration_.oms_id) {
    return refuse(ErrorCode::kInvalidRequest, Detail::kWrongOms, request.oms_id);
  }
  if (request.account_id == 0) return missing(Field::kAccountId);
  if (request.instrument_id == 0) return missing(Field::kInstrumentId);
  if (request.side == Side::kAbsent) return missing(Field::kSide);
  if (request.order_type == OrderType::kAbsent) return missing(Field::kOrderType);
  if (request.quantity_exponent == kExponentAbsent) return missing(Field::kQuantity);
  if (needs_limit_price(request.order_type) && request.limit_price_exponent == kExponentAbsent) {
    return missing(Field::kLimitPrice);
  }
  const int side = static_cast<int>(request.side);
  const int type = static_cast<int>(request.order_type);
  const int time_in_force = static_cast<int>(request.time_in_force);
  if (side > 2) return unknown_enum(Field::kSide, side);
  if (type < 1 || type > 7) return unknown_enum(Field::kOrderType, type);
  if (time_in_force < 1 || time_in_force > 6) {
    return unknown_enum(Field::kTimeInForce, time_in_force);
  }
  return kFine;
}

Refusal ReferenceEngine::judge_order_amounts(const NewOrder& request) const {
  const Instrument& instrument = *find_instrument(request.instrument_id);
  const Refusal quantity =
      judge_amount(Field::kQuantity, count_increments(request.quantity(), instrument.lot).error);
  if (quantity != kFine || !needs_limit_price(request.order_type)) return quantity;
  return judge_amount(Field::kLimitPrice,
                      count_increments(request.limit_price(), instrument.tick).error);
}

Refusal ReferenceEngine::judge_order_support(const NewOrder& request) const {
  constexpr ErrorCode kCode = ErrorCode::kNotSupported;
  const TimeInForce tif = request.time_in_force;
  if (request.side != Side::kBuy && request.side != Side::kSell) {
    return refuse(kCode, Detail::kUnsupportedSide, static_cast<int>(request.side));
  }
  if (request.order_type != OrderType::kMarket && request.order_type != OrderType::kLimit) {
    return refuse(kCode, Detail::kUnsupportedType, static_cast<int>(request.order_type));
  }
  if (tif != TimeInForce::kGtc && tif != TimeInForce::kIoc && tif != TimeInForce::kFok) {
    return refuse(kCode, Detail::kUnsupportedTimeInForce, static_cast<int>(tif));
  }
  if (request.features != 0) {
    return refuse(kCode, Detail::kUnsupportedFeature, request.features);
  }
  return kFine;
}

// Whether the order would be the only one at its price, and all levels are those of others.
bool ReferenceEngine::lacks_level(const NewOrder& request) const {
  std::size_t used = 0;
  for (const auto& [instrument, book] : books_) {
    used += book.levels(Side::kBuy).size() + book.levels(Side::kSell).size();
  }
  if (used < configuration_.capacities.levels()) return false;
  if (replaced_ != nullptr) {
    const Book& book = books_.at(replaced_->instrument_id);
    if (book.levels(replaced_->side).at(replaced_->price).orders.size() == 1) return false;
  }
  const Ticks price =
      count_increments(request.limit_price(), find_instrument(request.instrument_id)->tick).count;
  return !books_.at(request.instrument_id).levels(request.side).contains(price);
}

Refusal ReferenceEngine::judge_order_limits(const NewOrder& request) const {
  constexpr ErrorCode kCode = ErrorCode::kOperationFailed;
  const Instrument& instrument = *find_instrument(request.instrument_id);
  if (request.cl_ord_id != 0) {
    const Order* same = find_order(request.account_id, request.cl_ord_id);
    if (same != nullptr && same != replaced_ && same->state == OrderState::kWorking) {
      return refuse(kCode, Detail::kDuplicateClOrdId, request.cl_ord_id);
    }
  }
  if (count_increments(request.quantity(), instrument.lot).error == DecimalError::kAboveMaximum) {
    return refuse(kCode, Detail::kMaxQuantity);
  }
  const bool limit = request.order_type == OrderType::kLimit;
  if (limit && count_increments(request.limit_price(), instrument.tick).error ==
                   DecimalError::kAboveMaximum) {
    return refuse(kCode, Detail::kMaxPrice);
  }
  const bool may_rest = limit && request.time_in_force == TimeInForce::kGtc;
  const bool full = working_orders() == configuration_.capacities.working_orders;
  if (may_rest && full && replaced_ == nullptr) {
    return refuse(kCode, Detail::kMaxWorkingOrders, configuration_.capacities.working_orders);
  }
  if (may_rest && lacks_level(request)) {
    return refuse(kCode, Detail::kMaxPriceLevels, configuration_.capacities.levels());
  }
  if (next_order_id_ >= kOrderIdEnd) return refuse(kCode, Detail::kMaxOrderIds);
  return kFine;
}

Refusal ReferenceEngine::judge_order(const Call& call, const NewOrder& request) const {
  const User& user = *call.session->user;
  Refusal refusal = judge_order_fields(request);
  if (refusal != kFine) return refusal;
  if (!may_trade(user)) return refuse(ErrorCode::kNotAuthorized, Detail::kNoPermission);
  if (!reaches(user, request.account_id)) {
    return refuse(ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id);
  }
  if (!account_exists(request.account_id)) {
    return refuse(ErrorCode::kNotFound, Detail::kUnknownAccount, request.account_id);
  }
  if (find_instrument(request.instrument_id) == nullptr) {
    return refuse(ErrorCode::kInvalidRequest, Detail::kUnknownInstrument, request.instrument_id);
  }
  refusal = judge_order_amounts(request);
  if (refusal == kFine) refusal = judge_order_support(request);
  if (refusal == kFine) refusal = judge_order_limits(request);
  return refusal;
}

void ReferenceEngine::send_order(const Call& call, const NewOrder& request) {
  Refusal refusal = judge_availability(call);
  if (refusal == kFine) refusal = judge_order(call, request);
  if (refusal != kFine) return reply_receipt(call, refusal);
  accept_order(call, request);
}

void ReferenceEngine::accept_order(const Call& call, const NewOrder& request) {
  const Instrument& instrument = *find_instrument(request.instrument_id);
  Order order;
  order.order_id = next_order_id_++;
  order.cl_ord_id = request.cl_ord_id;
  order.account_id = request.account_id;
  order.instrument_id = request.instrument_id;
  order.entered_by = call.session->user->id;
  order.session = call.session->serial;
  order.side = request.side;
  order.type = request.order_type;
  order.time_in_force = request.time_in_force;
  if (order.type == OrderType::kLimit) {
    order.price = count_increments(request.limit_price(), instrument.tick).count;
  }
  order.orig_quantity = count_increments(request.quantity(), instrument.lot).count;
  order.leaves = order.orig_quantity;
  order.receive_time = now_;
  order.update_time = now_;

  OrderAccepted accepted;
  accepted.order_id = order.order_id;
  accepted.cl_ord_id = order.cl_ord_id;
  accepted.time_ns = now_;
  reply(call, accepted);
  if (order.cl_ord_id != 0) {
    ids_by_pair_[{order.account_id, order.cl_ord_id}].insert(order.order_id);
  }
  enter(orders_[order.order_id] = order, call.slot);
}

// A cancel, then an entry; but neither unless both are fine.
void ReferenceEngine::replace_order(Call call, const CancelOrder& cancel, const NewOrder& request) {
  call.type = RequestType::kCancelOrder;
  Refusal refusal = judge_availability(call);
  if (refusal == kFine) refusal = judge_cancel(call, cancel);
  if (refusal != kFine) return reply_receipt(call, refusal);
  Order& old = orders_.at(named_order(cancel)->order_id);
  call.type = RequestType::kNewOrder;
  replaced_ = &old;
  refusal = judge_order(call, request);
  replaced_ = nullptr;
  if (refusal != kFine) return reply_receipt(call, refusal);
  cancel_working(old, CancelReason::kUserModified, call.session->user->id, call.slot);
  accept_order(call, request);
}

// ----------------------------------------------------------------------------------------- queries

void ReferenceEngine::order_status(const Call& call, const OrderStatusQuery& request) {
  const User& user = *call.session->user;
  if (request.oms_id != configuration_.oms_id) {
    return reply_receipt(call,
                         refuse(ErrorCode::kInvalidRequest, Detail::kWrongOms, request.oms_id));
  }
  if (request.order_id == 0) return reply_receipt(call, missing(Field::kOrderId));
  if (!may_trade(user)) {
    return reply_receipt(call, refuse(ErrorCode::kNotAuthorized, Detail::kNoPermission));
  }
  const Order* order = find_order(request.order_id);
  const bool known = order != nullptr && reaches(user, order->account_id) &&
                     (request.account_id == 0 || request.account_id == order->account_id);
  if (!known) {
    return reply_receipt(call,
                         refuse(ErrorCode::kNotFound, Detail::kUnknownOrder, request.order_id));
  }
  reply(call, order_object<OrderStatusReply>(*order));
}

void ReferenceEngine::open_orders(const Call& call, const OpenOrdersQuery& request) {
  const User& user = *call.session->user;
  if (request.oms_id != configuration_.oms_id) {
    return reply_receipt(call,
                         refuse(ErrorCode::kInvalidRequest, Detail::kWrongOms, request.oms_id));
  }
  if (request.account_id == 0) return reply_receipt(call, missing(Field::kAccountId));
  if (user.permissions == 0) {
    return reply_receipt(call, refuse(ErrorCode::kNotAuthorized, Detail::kNoPermission));
  }
  if (!reaches(user, request.account_id)) {
    return reply_receipt(
        call, refuse(ErrorCode::kNotAuthorized, Detail::kForeignAccount, request.account_id));
  }
  for (const auto& [id, order] : orders_) {
    if (order.account_id == request.account_id && order.state == OrderState::kWorking) {
      reply(call, order_object<OpenOrderRow>(order));
    }
  }
  reply(call, PageEnd{});
}

void ReferenceEngine::l2_snapshot(const Call& call, const L2Query& request) {
  if (request.oms_id != configuration_.oms_id) {
    return reply_receipt(call,
                         refuse(ErrorCode::kInvalidRequest, Detail::kWrongOms, request.oms_id));
  }
  if (request.instrument_id == 0) return reply_receipt(call, missing(Field::kInstrumentId));
  if (request.depth == 0) return reply_receipt(call, missing(Field::kDepth));
  if (request.depth < 0) {
    return reply_receipt(call, refuse(ErrorCode::kInvalidRequest, Detail::kNotPositive,
                                      static_cast<std::int64_t>(Field::kDepth)));
  }
  const Book* book = this->book(request.instrument_id);
  PageEnd end;
  if (book != nullptr) {
    end.md_update_id = book->change_count;
    for (const Side side : {Side::kBuy, Side::kSell}) {
      std::int64_t depth = 0;
      for (const auto& [price, level] : book->levels(side)) {
        if (depth++ == request.depth) break;
        L2Rows rows;
        rows.header.a = 1;
        rows.header.b = static_cast<std::uint8_t>(side);
        rows.md_update_id = book->change_count;
        rows.last_trade_price = book->last_trade_price;
        rows.rows[0] = {price,
                        low_word(level.quantity()),
                        high_word(level.quantity()),
                        static_cast<std::uint32_t>(level.orders.size()),
                        level.account_count(),
                        level.changed};
        reply(call, rows);
      }
    }
  }
  reply(call, end);
}

}  // namespace shmatch::reference
