#include "tests/reference/reference_engine.h"

#include <algorithm>
#include <iterator>

namespace shmatch::reference {

using namespace core;

namespace {

constexpr SessionSlot kNoSender = 0xFFFF'FFFF;

// Ids are positive: 0 and whatever else is not one is an id that was not given.
template <class Message>
Message with_positive_ids(Message message) {
  const auto clean = [](std::int64_t& id) { id = std::max<std::int64_t>(id, 0); };
  if constexpr (requires { message.account_id; }) clean(message.account_id);
  if constexpr (requires { message.order_id; }) clean(message.order_id);
  if constexpr (requires { message.cl_ord_id; }) clean(message.cl_ord_id);
  if constexpr (requires { message.instrument_id; }) clean(message.instrument_id);
  return message;
}

}  // namespace

bool is_associated(const User& user, AccountId account) {
  return std::find(user.accounts.begin(), user.accounts.end(), account) != user.accounts.end();
}

bool has_permission(const User& user, std::uint8_t permission) {
  return (user.permissions & permission) != 0;
}

ReferenceEngine::ReferenceEngine(const Configuration& configuration, ReportSink& sink)
    : configuration_(configuration), sink_(sink) {
  for (const Instrument& instrument : configuration_.instruments) books_[instrument.id];
}

// ------------------------------------------------------------------------------------------ inputs

SessionSerial ReferenceEngine::logon(SessionSlot slot, const Logon& logon, TimeNs now) {
  now_ = now;
  ++sequence_;
  Session session;
  session.serial = ++last_serial_;
  session.options = logon;
  for (const User& user : configuration_.users) {
    if (user.id == logon.user_id) session.user = &user;
  }
  sessions_[slot] = session;
  return session.serial;
}

void ReferenceEngine::request(SessionSlot slot, Sequence request_sequence, const Request& request,
                              TimeNs now) {
  now_ = now;
  ordinal_ = 0;
  const Call call{slot, &sessions_.at(slot), request_sequence,
                  static_cast<RequestType>(request.type())};
  switch (call.type) {
    case RequestType::kCancelOrder:
      ++sequence_;
      call.session->last_request = request_sequence;
      return cancel_order(call, with_positive_ids(request.as<CancelOrder>()));
    case RequestType::kNewOrder:
      ++sequence_;
      call.session->last_request = request_sequence;
      return send_order(call, with_positive_ids(request.as<NewOrder>()));
    case RequestType::kOrderStatus:
      return order_status(call, with_positive_ids(request.as<OrderStatusQuery>()));
    case RequestType::kOpenOrders:
      return open_orders(call, with_positive_ids(request.as<OpenOrdersQuery>()));
    case RequestType::kL2Snapshot:
      return l2_snapshot(call, with_positive_ids(request.as<L2Query>()));
    case RequestType::kPing:
      return reply(call, Pong{});
    case RequestType::kNone:
      return;
  }
}

void ReferenceEngine::cancel_replace(SessionSlot slot, Sequence request_sequence,
                                     const CancelOrder& cancel, const NewOrder& order, TimeNs now) {
  now_ = now;
  ordinal_ = 0;
  ++sequence_;
  const Call call{slot, &sessions_.at(slot), request_sequence};
  call.session->last_request = request_sequence;
  replace_order(call, with_positive_ids(cancel), with_positive_ids(order));
}

void ReferenceEngine::end_session(SessionSlot slot, TimeNs now) {
  now_ = now;
  ++sequence_;
  sessions_.at(slot).state = SessionState::kSweeping;
  settle_ended_sessions();
}

bool ReferenceEngine::sweep(TimeNs now) {
  if (!sweeping()) return false;
  std::vector<OrderId> orders;
  for (const auto& [id, order] : orders_) {
    if (left_by(order) != kNoSender) orders.push_back(id);
  }
  sweep_step(now, orders);
  return true;
}

bool ReferenceEngine::sweep_step(TimeNs now, const std::vector<OrderId>& orders) {
  now_ = now;
  ordinal_ = 0;
  ++sequence_;
  for (const OrderId id : orders) {
    const auto found = orders_.find(id);
    if (found == orders_.end()) return false;
    const SessionSlot slot = left_by(found->second);
    if (slot == kNoSender) return false;
    const Session& session = sessions_.at(slot);
    cancel_working(found->second, CancelReason::kCancelOnDisconnect, session.user->id,
                   session.options.resumable ? slot : kNoSender);
  }
  settle_ended_sessions();
  return true;
}

void ReferenceEngine::stop_accepting(Detail why, TimeNs now) {
  now_ = now;
  ++sequence_;
  stopped_ = why;
}

void ReferenceEngine::restart(TimeNs now) {
  now_ = now;
  ++sequence_;
  stopped_ = Detail::kNone;
  for (auto& [slot, session] : sessions_) {
    if (session.state == SessionState::kOpen) session.state = SessionState::kOrphaned;
  }
}

void ReferenceEngine::resume(SessionSlot slot, const Logon& logon, TimeNs now) {
  now_ = now;
  ++sequence_;
  Session& session = sessions_.at(slot);
  session.state = SessionState::kOpen;
  session.options.cancel_on_disconnect = logon.cancel_on_disconnect;
  session.options.whole_objects = logon.whole_objects;
  session.options.all_accounts = logon.all_accounts;
}

void ReferenceEngine::forget_session(SessionSlot slot, TimeNs now) {
  now_ = now;
  ++sequence_;
  sessions_.erase(slot);
}

// Sessions that have ended, and have no orders to be cancelled with them any more.
void ReferenceEngine::settle_ended_sessions() {
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    Session& session = entry->second;
    const bool settled = session.state == SessionState::kSweeping &&
                         !(session.options.cancel_on_disconnect && has_working_orders(session));
    if (settled && session.options.resumable) session.state = SessionState::kDetached;
    entry = settled && !session.options.resumable ? sessions_.erase(entry) : std::next(entry);
  }
}

SessionSlot ReferenceEngine::left_by(const Order& order) const {
  if (order.state != OrderState::kWorking) return kNoSender;
  for (const auto& [slot, session] : sessions_) {
    if (session.state == SessionState::kSweeping && order.session == session.serial) return slot;
  }
  return kNoSender;
}

bool ReferenceEngine::has_working_orders(const Session& session) const {
  return std::any_of(orders_.begin(), orders_.end(), [&](const auto& entry) {
    return entry.second.state == OrderState::kWorking && entry.second.session == session.serial;
  });
}

// ------------------------------------------------------------------------------------------- views

bool ReferenceEngine::slot_free(SessionSlot slot) const { return !sessions_.contains(slot); }

SessionView ReferenceEngine::session(SessionSlot slot) const {
  const auto found = sessions_.find(slot);
  if (found == sessions_.end()) return {};
  const Session& session = found->second;
  return {session.state, session.serial, session.last_request, session.options};
}

bool ReferenceEngine::sweeping() const {
  return std::any_of(sessions_.begin(), sessions_.end(), [](const auto& entry) {
    return entry.second.state == SessionState::kSweeping;
  });
}

std::uint32_t ReferenceEngine::working_orders() const {
  return static_cast<std::uint32_t>(orders_.size() - finished_.size());
}

const Book* ReferenceEngine::book(InstrumentId instrument) const {
  const auto found = books_.find(instrument);
  return found == books_.end() ? nullptr : &found->second;
}

Touch ReferenceEngine::best(InstrumentId instrument, Side side) const {
  const Book* book = this->book(instrument);
  return book == nullptr ? Touch{} : book->best(side);
}

Wide ReferenceEngine::quantity_at(InstrumentId instrument, Side side, Ticks price) const {
  const Book* book = this->book(instrument);
  if (book == nullptr) return 0;
  const auto found = book->levels(side).find(price);
  return found == book->levels(side).end() ? 0 : found->second.quantity();
}

Ticks ReferenceEngine::last_trade_price(InstrumentId instrument) const {
  const Book* book = this->book(instrument);
  return book == nullptr ? 0 : book->last_trade_price;
}

// ------------------------------------------------------------------------------------------ orders

void ReferenceEngine::enter(Order& order, SessionSlot sender) {
  Book& book = books_.at(order.instrument_id);
  const bool kills = order.time_in_force == TimeInForce::kFok && !book.can_fill(order);
  if (!kills) match(order, sender);

  const bool may_rest = order.type == OrderType::kLimit && order.time_in_force == TimeInForce::kGtc;
  if (order.leaves == 0) {
    order.state = OrderState::kFullyExecuted;
    order.change_reason = ChangeReason::kTrade;
  } else if (may_rest) {
    order.state = OrderState::kWorking;
    order.change_reason =
        order.executed > 0 ? ChangeReason::kTrade : ChangeReason::kNewInputAccepted;
    order.flags = kFlagAddedToBook;
    book.add(order, now_);
  } else {
    order.state = OrderState::kCanceled;
    order.change_reason = ChangeReason::kNoMoreMarket;
    order.cancel_reason = CancelReason::kNoMoreMarket;
    order.leaves = 0;
  }
  report_state(order, sender);
  if (order.state != OrderState::kWorking) remember(order);
}

void ReferenceEngine::match(Order& taker, SessionSlot sender) {
  Book& book = books_.at(taker.instrument_id);
  while (taker.leaves > 0) {
    Order* maker = book.first_maker(taker);
    if (maker == nullptr) return;
    execute(taker, *maker, sender);
  }
}

void ReferenceEngine::execute(Order& taker, Order& maker, SessionSlot sender) {
  Book& book = books_.at(taker.instrument_id);
  const Lots quantity = std::min(taker.leaves, maker.leaves);
  const Ticks price = maker.price;
  Direction direction = Direction::kNoChange;
  if (book.last_trade_price != 0 && price > book.last_trade_price) direction = Direction::kUpTick;
  if (book.last_trade_price != 0 && price < book.last_trade_price) direction = Direction::kDownTick;

  ++trade_count_;
  for (Order* order : {&taker, &maker}) {
    order->leaves -= quantity;
    order->executed += quantity;
    order->gross += static_cast<Wide>(price) * static_cast<Wide>(quantity);
    order->last_trade = trade_count_;
    order->update_time = now_;
  }
  book.trade(maker, now_);
  maker.change_reason = ChangeReason::kTrade;
  if (maker.leaves == 0) {
    maker.state = OrderState::kFullyExecuted;
    maker.flags |= kFlagRemovedFromBook;
    book.remove(maker, now_);
  }

  report_trade(taker, maker, quantity, direction, false, sender);
  report_trade(maker, taker, quantity, direction, true, kNoSender);
  report_state(maker, kNoSender);
  if (maker.leaves == 0) remember(maker);
}

void ReferenceEngine::cancel_working(Order& order, CancelReason reason, UserId by,
                                     SessionSlot sender) {
  books_.at(order.instrument_id).remove(order, now_);
  order.state = OrderState::kCanceled;
  order.change_reason = ChangeReason::kUserModified;
  order.cancel_reason = reason;
  order.flags |= kFlagRemovedFromBook;
  order.leaves = 0;
  order.update_time = now_;
  order.ended_by = by;
  report_state(order, sender);
  remember(order);
}

// The finished order joins those that stay known, and the oldest of them may have to go. `order`
// itself is gone afterwards when nothing finished is remembered.
void ReferenceEngine::remember(Order& order) {
  order.ended_sequence = sequence_;
  finished_.push_back(order.order_id);
  if (finished_.size() > configuration_.capacities.finished_orders) {
    forget(finished_.front());
    finished_.pop_front();
  }
}

void ReferenceEngine::forget(OrderId id) {
  const Order& order = orders_.at(id);
  const auto ids = ids_by_pair_.find({order.account_id, order.cl_ord_id});
  if (ids != ids_by_pair_.end()) ids->second.erase(id);
  orders_.erase(id);
}

// ----------------------------------------------------------------------------------------- reports

ReportHeader ReferenceEngine::next_header() {
  ReportHeader header;
  header.ordinal = ordinal_++;
  header.engine_sequence = sequence_;
  return header;
}

void ReferenceEngine::reply_receipt(const Call& call, const Refusal& refusal) {
  Receipt receipt;
  receipt.code = refusal.code;
  receipt.detail = refusal.detail;
  receipt.request_type = static_cast<std::uint32_t>(call.type);
  receipt.argument0 = refusal.argument0;
  receipt.argument1 = refusal.argument1;
  receipt.time_ns = now_;
  reply(call, receipt);
}

void ReferenceEngine::report_state(Order& order, SessionSlot sender) {
  auto whole = order_object<OrderStateWhole>(order);
  const ReportHeader packed = whole.header;
  whole.header = next_header();
  whole.header.a = packed.a;
  whole.header.b = packed.b;

  Report compact_report;
  if (order.entered_reported) {
    OrderChanged changed;
    changed.header = whole.header;
    changed.order_id = order.order_id;
    changed.cl_ord_id = order.cl_ord_id;
    changed.leaves = order.leaves;
    changed.executed = order.executed;
    changed.time_ns = now_;
    compact_report.assign(changed);
  } else {
    OrderEntered entered;
    entered.header = whole.header;
    entered.order_id = order.order_id;
    entered.cl_ord_id = order.cl_ord_id;
    entered.account_id = order.account_id;
    entered.price = order.price;
    entered.orig_quantity = order.orig_quantity;
    entered.executed = order.executed;
    entered.time_ns = now_;
    entered.instrument_id = whole.instrument_id;
    entered.entered_by = whole.entered_by;
    entered.side = order.side;
    entered.order_type = order.type;
    entered.time_in_force = order.time_in_force;
    entered.order_flags = order.flags;
    entered.gross_low = low_word(order.gross);
    entered.gross_high = high_word(order.gross);
    compact_report.assign(entered);
  }
  order.entered_reported = true;
  Report whole_report;
  whole_report.assign(whole);
  report(order.account_id, sender, compact_report, whole_report);
}

void ReferenceEngine::report_trade(const Order& order, const Order& contra, Lots quantity,
                                   Direction direction, bool maker, SessionSlot sender) {
  TradeWhole whole;
  whole.header = next_header();
  whole.header.a =
      pack_nibbles(static_cast<std::uint8_t>(order.side), static_cast<std::uint8_t>(direction));
  whole.header.b = maker ? 1 : 2;
  whole.trade_id = trade_count_;
  whole.order_id = order.order_id;
  whole.price = maker ? order.price : contra.price;
  whole.quantity = quantity;
  whole.time_ns = now_;
  whole.cl_ord_id = order.cl_ord_id;
  whole.account_id = order.account_id;
  whole.contra_account_id = contra.account_id;
  whole.leaves = order.leaves;
  whole.instrument_id = static_cast<std::uint32_t>(order.instrument_id);
  whole.entered_by = static_cast<std::uint32_t>(order.entered_by);
  whole.order_type = order.type;

  Trade compact;
  compact.header = whole.header;
  compact.trade_id = whole.trade_id;
  compact.order_id = whole.order_id;
  compact.price = whole.price;
  compact.quantity = whole.quantity;
  compact.time_ns = whole.time_ns;

  Report compact_report;
  Report whole_report;
  compact_report.assign(compact);
  whole_report.assign(whole);
  report(order.account_id, sender, compact_report, whole_report);
}

void ReferenceEngine::report(AccountId account, SessionSlot sender, const Report& compact,
                             const Report& whole) {
  for (const auto& [slot, session] : sessions_) {
    const bool listens = session.state == SessionState::kOpen || session.options.resumable;
    if (!listens) continue;
    const bool hears_all =
        session.options.all_accounts && has_permission(*session.user, kPermissionOperator);
    if (slot == sender || hears_all || is_associated(*session.user, account)) {
      sink_.deliver(slot, session.options.whole_objects ? whole : compact);
    }
  }
}

}  // namespace shmatch::reference
