#include "bench/baseline_engine.h"

#include <algorithm>

namespace shmatch::bench {

using namespace core;

namespace {

constexpr SessionSlot kNobody = 0xFFFF'FFFF;

template <class Message>
void put_state(Message& message, OrderState state, CancelReason cancel, ChangeReason change) {
  message.header.a =
      pack_nibbles(static_cast<std::uint8_t>(state), static_cast<std::uint8_t>(cancel));
  message.header.b = static_cast<std::uint8_t>(change);
}

}  // namespace

std::size_t BaselineEngine::PairHash::operator()(const Pair& pair) const noexcept {
  // boost::unordered_flat_map mixes the bits of hashes that do not claim to be good.
  return static_cast<std::size_t>(pair.cl_ord_id) * 0x9E37'79B9'7F4A'7C15U + pair.account;
}

BaselineEngine::BaselineEngine(const Configuration& configuration, ReportPort& port)
    : configuration_(configuration), port_(&port) {
  for (const AccountId account : configuration.accounts) {
    const auto index = static_cast<std::uint32_t>(accounts_.size());
    accounts_[account] = index;
  }
  for (const Instrument& instrument : configuration.instruments) {
    instruments_[instrument.id] = static_cast<std::uint32_t>(books_.size());
    books_.emplace_back().instrument = instrument;
  }
  for (const User& user : configuration.users) {
    UserEntry& entry = users_.emplace_back();
    entry.id = user.id;
    entry.permissions = user.permissions;
    entry.accounts.resize(accounts_.size());
    for (const AccountId account : user.accounts) entry.accounts[accounts_.at(account)] = true;
  }
  sessions_.resize(configuration.capacities.sessions);
  listeners_.resize(accounts_.size());
  const std::size_t orders = std::size_t{configuration.capacities.working_orders} +
                             configuration.capacities.finished_orders + 1;
  by_id_.reserve(orders);
  by_pair_.reserve(orders);
}

// ------------------------------------------------------------------------------------------ inputs

void BaselineEngine::logon(SessionSlot slot, const Logon& logon, TimeNs) {
  ++sequence_;
  SessionEntry& session = sessions_[slot];
  for (std::uint32_t user = 0; user < users_.size(); ++user) {
    if (users_[user].id == logon.user_id) session.user = user;
  }
  const UserEntry& user = users_[session.user];
  const bool all = logon.all_accounts && (user.permissions & kPermissionOperator) != 0;
  for (std::size_t account = 0; account < listeners_.size(); ++account) {
    if (!all && !user.accounts[account]) continue;
    std::vector<SessionSlot>& slots = listeners_[account];
    slots.insert(std::lower_bound(slots.begin(), slots.end(), slot), slot);
  }
}

BaselineEngine::Call BaselineEngine::begin(SessionSlot slot, Sequence request_sequence,
                                           TimeNs now) {
  SessionEntry& session = sessions_[slot];
  session.last_request = request_sequence;
  ++sequence_;
  ordinal_ = 0;
  return {slot, request_sequence, session.user, now};
}

void BaselineEngine::request(SessionSlot slot, Sequence request_sequence,
                             const std::uint64_t* message, TimeNs now) {
  const auto type = static_cast<RequestType>(message[0] & 0xFF);
  if (type == RequestType::kCancelOrder) {
    const Call call = begin(slot, request_sequence, now);
    const JudgedCancel judged = judge_cancel(call, core::message_of<CancelOrder>(message));
    receipt(call, RequestType::kCancelOrder, judged.refusal);
    if (judged.refusal.code == ErrorCode::kOk) cancel(call, judged.order);
  } else if (type == RequestType::kNewOrder) {
    const Call call = begin(slot, request_sequence, now);
    const auto order = core::message_of<NewOrder>(message);
    const JudgedOrder judged = judge_order(call, order, nullptr);
    if (judged.refusal.code != ErrorCode::kOk) {
      return receipt(call, RequestType::kNewOrder, judged.refusal);
    }
    enter(call, order, judged);
  }
}

void BaselineEngine::cancel_replace(SessionSlot slot, Sequence request_sequence,
                                    const CancelOrder& cancel_request, const NewOrder& order,
                                    TimeNs now) {
  const Call call = begin(slot, request_sequence, now);
  const JudgedCancel goes = judge_cancel(call, cancel_request);
  if (goes.refusal.code != ErrorCode::kOk) {
    return receipt(call, RequestType::kCancelOrder, goes.refusal);
  }
  const JudgedOrder comes = judge_order(call, order, &*goes.order);
  if (comes.refusal.code != ErrorCode::kOk) {
    return receipt(call, RequestType::kNewOrder, comes.refusal);
  }
  cancel(call, goes.order);
  enter(call, order, comes);
}

// ------------------------------------------------------------------------------------------- views

std::uint32_t BaselineEngine::working_orders() const noexcept {
  return static_cast<std::uint32_t>(by_id_.size() - finished_.size());
}

Touch BaselineEngine::best(InstrumentId instrument, Side side) const {
  const Levels& levels = books_[instruments_.at(instrument)].sides[static_cast<int>(side)];
  if (levels.empty()) return {};
  const Level& level = levels.begin()->second;
  return {level.orders.front().price, level.quantity};
}

Wide BaselineEngine::quantity_at(InstrumentId instrument, Side side, Ticks price) const {
  const Levels& levels = books_[instruments_.at(instrument)].sides[static_cast<int>(side)];
  const auto found = levels.find(rank(side, price));
  return found == levels.end() ? 0 : found->second.quantity;
}

// ------------------------------------------------------------------------------------------ orders

void BaselineEngine::cancel(const Call& call, Place order) {
  Book& book = books_[order->instrument];
  const Levels::iterator at = order->level;
  Level& level = at->second;
  level.quantity -= static_cast<Wide>(order->leaves);
  level.changed = call.now;
  ++book.updates;
  order->flags |= kFlagRemovedFromBook;
  order->ended_by = call.user;
  end_order(*order, OrderState::kCanceled, ChangeReason::kUserModified,
            CancelReason::kUserModified);
  changed(*order, call.slot, call.now);
  const Side side = order->side;
  remember(level.orders, order);
  if (level.orders.empty()) book.sides[static_cast<int>(side)].erase(at);
}

void BaselineEngine::end_order(Order& order, OrderState state, ChangeReason reason,
                               CancelReason cancel_reason) {
  order.state = state;
  order.change_reason = reason;
  order.cancel_reason = cancel_reason;
  order.end_sequence = sequence_;
}

void BaselineEngine::remember(Orders& from, Place order) {
  finished_.splice(finished_.end(), from, order);
  if (finished_.size() <= configuration_.capacities.finished_orders) return;
  const Place oldest = finished_.begin();
  if (oldest->cl_ord_id != 0) {
    const auto named = by_pair_.find(Pair{oldest->account, oldest->cl_ord_id});
    if (named->second == oldest) by_pair_.erase(named);
  }
  by_id_.erase(oldest->order_id);
  finished_.pop_front();
}

void BaselineEngine::enter(const Call& call, const NewOrder& request, const JudgedOrder& judged) {
  Order& order = entering_.emplace_back();
  const Place place = entering_.begin();
  order.order_id = ++last_order_id_;
  order.cl_ord_id = request.cl_ord_id > 0 ? request.cl_ord_id : 0;
  order.price = judged.price;
  order.leaves = judged.quantity;
  order.orig_quantity = judged.quantity;
  order.account = judged.account;
  order.instrument = judged.instrument;
  order.entered_by = call.user;
  order.side = request.side;
  order.order_type = request.order_type;
  order.time_in_force = request.time_in_force;
  by_id_.emplace(order.order_id, place);
  if (order.cl_ord_id != 0) {
    by_pair_.insert_or_assign(Pair{order.account, order.cl_ord_id}, place);
  }
  OrderAccepted accepted;
  accepted.request_sequence = call.request;
  accepted.order_id = order.order_id;
  accepted.cl_ord_id = order.cl_ord_id;
  accepted.time_ns = call.now;
  reply(call.slot, accepted);

  match(call, order);
  const bool may_rest =
      order.order_type == OrderType::kLimit && order.time_in_force == TimeInForce::kGtc;
  if (order.leaves > 0 && may_rest) {
    rest(call, entering_, place);
    return entered(order, call.slot, call.now);
  }
  if (order.leaves == 0) {
    end_order(order, OrderState::kFullyExecuted, ChangeReason::kTrade, CancelReason::kNone);
  } else {
    end_order(order, OrderState::kCanceled, ChangeReason::kNoMoreMarket,
              CancelReason::kNoMoreMarket);
  }
  entered(order, call.slot, call.now);
  remember(entering_, place);
}

void BaselineEngine::rest(const Call& call, Orders& from, Place order) {
  Book& book = books_[order->instrument];
  if (order->leaves != order->orig_quantity) order->change_reason = ChangeReason::kTrade;
  order->flags |= kFlagAddedToBook;
  order->level =
      book.sides[static_cast<int>(order->side)].try_emplace(rank(order->side, order->price)).first;
  Level& level = order->level->second;
  level.orders.splice(level.orders.end(), from, order);
  level.quantity += static_cast<Wide>(order->leaves);
  level.changed = call.now;
  ++book.updates;
}

bool BaselineEngine::can_fill(const Order& taker, Ticks limit) const {
  const Levels& levels = books_[taker.instrument].sides[static_cast<int>(opposite(taker.side))];
  Wide found = 0;
  for (const auto& [level_rank, level] : levels) {
    const Ticks price = level.orders.front().price;
    if (taker.side == Side::kBuy ? price > limit : price < limit) return false;
    found += level.quantity;
    if (found >= static_cast<Wide>(taker.leaves)) return true;
  }
  return false;
}

void BaselineEngine::match(const Call& call, Order& taker) {
  Levels& levels = books_[taker.instrument].sides[static_cast<int>(opposite(taker.side))];
  Ticks limit = taker.price;
  if (taker.order_type == OrderType::kMarket) limit = taker.side == Side::kBuy ? INT64_MAX : 0;
  if (taker.time_in_force == TimeInForce::kFok && !can_fill(taker, limit)) return;
  while (taker.leaves > 0 && !levels.empty()) {
    const Levels::iterator best = levels.begin();
    const Ticks price = best->second.orders.front().price;
    if (taker.side == Side::kBuy ? price > limit : price < limit) return;
    execute(call, taker, best->second);
    if (best->second.orders.empty()) levels.erase(best);
  }
}

void BaselineEngine::execute(const Call& call, Order& taker, Level& level) {
  Book& book = books_[taker.instrument];
  const Place maker = level.orders.begin();
  const Lots quantity = std::min(taker.leaves, maker->leaves);
  const Ticks price = maker->price;
  const Ticks last = std::exchange(book.last_trade_price, price);
  const Direction direction = last == 0 || price == last ? Direction::kNoChange
                              : price > last             ? Direction::kUpTick
                                                         : Direction::kDownTick;
  ++last_trade_;
  for (Order* order : {&taker, &*maker}) {
    order->leaves -= quantity;
    order->gross += static_cast<Wide>(price) * static_cast<Wide>(quantity);
    order->last_trade = last_trade_;
  }
  level.quantity -= static_cast<Wide>(quantity);
  level.changed = call.now;
  ++book.updates;
  maker->change_reason = ChangeReason::kTrade;
  if (maker->leaves == 0) {
    maker->flags |= kFlagRemovedFromBook;
    end_order(*maker, OrderState::kFullyExecuted, ChangeReason::kTrade, CancelReason::kNone);
  }
  const Trade both{.header = {},
                   .trade_id = last_trade_,
                   .price = price,
                   .quantity = quantity,
                   .time_ns = call.now};
  trade(both, taker, direction, false, call.slot);
  trade(both, *maker, direction, true, kNobody);
  changed(*maker, kNobody, call.now);
  if (maker->leaves == 0) remember(level.orders, maker);
}

// ----------------------------------------------------------------------------------------- reports

template <class Message>
void BaselineEngine::reply(SessionSlot to, Message message) {
  message.header.ordinal = ordinal_++;
  message.header.engine_sequence = sequence_;
  Report report;
  report.assign(message);
  core::deliver(*port_, to, report);
}

template <class Message>
void BaselineEngine::event(std::uint32_t account, SessionSlot also, Message message) {
  message.header.ordinal = ordinal_++;
  message.header.engine_sequence = sequence_;
  Report report;
  report.assign(message);
  // In ascending order, `also` in its place.
  for (const SessionSlot slot : listeners_[account]) {
    if (also < slot) core::deliver(*port_, also, report);
    if (also <= slot) also = kNobody;
    core::deliver(*port_, slot, report);
  }
  if (also != kNobody) core::deliver(*port_, also, report);
}

void BaselineEngine::receipt(const Call& call, RequestType type, const Refusal& refusal) {
  Receipt message;
  message.request_sequence = call.request;
  message.code = refusal.code;
  message.detail = refusal.detail;
  message.request_type = static_cast<std::uint32_t>(type);
  message.argument0 = refusal.argument0;
  message.argument1 = refusal.argument1;
  message.time_ns = call.now;
  reply(call.slot, message);
}

void BaselineEngine::changed(const Order& order, SessionSlot also, TimeNs now) {
  OrderChanged message;
  put_state(message, order.state, order.cancel_reason, order.change_reason);
  message.order_id = order.order_id;
  message.cl_ord_id = order.cl_ord_id;
  message.leaves = order.state == OrderState::kWorking ? order.leaves : 0;
  message.executed = order.orig_quantity - order.leaves;
  message.time_ns = now;
  event(order.account, also, message);
}

void BaselineEngine::entered(const Order& order, SessionSlot also, TimeNs now) {
  OrderEntered message;
  put_state(message, order.state, order.cancel_reason, order.change_reason);
  message.order_id = order.order_id;
  message.cl_ord_id = order.cl_ord_id;
  message.account_id = configuration_.accounts[order.account];
  message.price = order.price;
  message.orig_quantity = order.orig_quantity;
  message.executed = order.orig_quantity - order.leaves;
  message.time_ns = now;
  message.instrument_id = static_cast<std::uint32_t>(books_[order.instrument].instrument.id);
  message.entered_by = static_cast<std::uint32_t>(users_[order.entered_by].id);
  message.side = order.side;
  message.order_type = order.order_type;
  message.time_in_force = order.time_in_force;
  message.order_flags = order.flags;
  message.gross_low = low_word(order.gross);
  message.gross_high = high_word(order.gross);
  event(order.account, also, message);
}

void BaselineEngine::trade(const Trade& both, const Order& order, Direction direction, bool maker,
                           SessionSlot also) {
  Trade message = both;
  message.header.a =
      pack_nibbles(static_cast<std::uint8_t>(order.side), static_cast<std::uint8_t>(direction));
  message.header.b = maker ? 1 : 2;
  message.order_id = order.order_id;
  event(order.account, also, message);
}

}  // namespace shmatch::bench
