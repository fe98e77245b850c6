// An independent reading of what the engine's calls mean, as plain and slow as it can be: the same
// inputs as core::MatchingEngine, and the reports that every session must receive for them, made by
// other code.
//
// What the engine may choose freely is handed to the reference instead: the id of the next accepted
// order (next_order_id) and which orders one sweep step cancels (sweep_step). Long answers come in
// one page, open orders by ascending OrderId.
//
// Thread: one at a time. Only tests link it.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/configuration.h"
#include "core/matching_engine.h"
#include "core/message.h"
#include "tests/reference/reference_book.h"

namespace shmatch::reference {

// How many increments a decimal is, computed apart from core/decimal.cpp.
core::Increments count_increments(core::Decimal value, core::Increment increment);

class ReferenceEngine {
 public:
  ReferenceEngine(const core::Configuration& configuration, core::ReportSink& sink);

  core::SessionSerial logon(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now);
  void request(core::SessionSlot slot, core::Sequence request_sequence,
               const core::Request& request, core::TimeNs now);
  void cancel_replace(core::SessionSlot slot, core::Sequence request_sequence,
                      const core::CancelOrder& cancel, const core::NewOrder& order,
                      core::TimeNs now);
  void end_session(core::SessionSlot slot, core::TimeNs now);
  // Cancels all orders that ended sessions left, by ascending OrderId. False when no
  // session is being swept.
  bool sweep(core::TimeNs now);
  // Cancels these orders, in this order, as one step. False when one of them is not an order that
  // an ended session left working.
  bool sweep_step(core::TimeNs now, const std::vector<core::OrderId>& orders);
  void stop_accepting(core::Detail why, core::TimeNs now);
  void restart(core::TimeNs now);
  void resume(core::SessionSlot slot, const core::Logon& logon, core::TimeNs now);
  void forget_session(core::SessionSlot slot, core::TimeNs now);

  // The id that the next accepted order gets; without a call it is the largest so far plus one.
  void next_order_id(core::OrderId id) { next_order_id_ = id; }

  bool slot_free(core::SessionSlot slot) const;
  core::SessionView session(core::SessionSlot slot) const;
  bool sweeping() const;
  core::Sequence last_sequence() const { return sequence_; }
  std::uint32_t working_orders() const;
  std::uint32_t finished_orders() const { return static_cast<std::uint32_t>(finished_.size()); }
  std::uint64_t trade_count() const { return static_cast<std::uint64_t>(trade_count_); }
  core::Touch best(core::InstrumentId instrument, core::Side side) const;
  core::Wide quantity_at(core::InstrumentId instrument, core::Side side, core::Ticks price) const;
  core::Ticks last_trade_price(core::InstrumentId instrument) const;
  // The book itself; nullptr for an instrument that is not configured.
  const Book* book(core::InstrumentId instrument) const;

 private:
  struct Session {
    core::SessionState state = core::SessionState::kOpen;
    core::SessionSerial serial = 0;
    const core::User* user = nullptr;
    core::Logon options;
    core::Sequence last_request = 0;
    core::TimeNs rate_tat = 0;  // theoretical arrival time of the next request
  };

  // The request that is being answered.
  struct Call {
    core::SessionSlot slot = 0;
    Session* session = nullptr;
    core::Sequence request_sequence = 0;
    core::RequestType type = core::RequestType::kNone;
  };

  // Calls, reference_calls.cpp.
  void cancel_order(const Call& call, const core::CancelOrder& request);
  void send_order(const Call& call, const core::NewOrder& request);
  void accept_order(const Call& call, const core::NewOrder& request);
  void replace_order(Call call, const core::CancelOrder& cancel, const core::NewOrder& request);
  void order_status(const Call& call, const core::OrderStatusQuery& request);
  void open_orders(const Call& call, const core::OpenOrdersQuery& request);
  void l2_snapshot(const Call& call, const core::L2Query& request);
  core::Refusal judge_availability(const Call& call);
  core::Refusal judge_cancel(const Call& call, const core::CancelOrder& request) const;
  core::Refusal judge_order(const Call& call, const core::NewOrder& request) const;
  core::Refusal judge_order_fields(const core::NewOrder& request) const;
  core::Refusal judge_order_amounts(const core::NewOrder& request) const;
  core::Refusal judge_order_support(const core::NewOrder& request) const;
  core::Refusal judge_order_limits(const core::NewOrder& request) const;
  bool lacks_level(const core::NewOrder& request) const;
  core::Refusal how_it_ended(const Order& order) const;
  const Order* named_order(const core::CancelOrder& request) const;
  const Order* find_order(core::OrderId id) const;
  // The working order with this pair of keys, else the remembered one that was entered last.
  const Order* find_order(core::AccountId account, core::ClOrdId cl_ord_id) const;
  const core::Instrument* find_instrument(core::InstrumentId id) const;
  bool account_exists(core::AccountId account) const;

  // Orders and events, reference_engine.cpp.
  void enter(Order& order, core::SessionSlot sender);
  void match(Order& taker, core::SessionSlot sender);
  void execute(Order& taker, Order& maker, core::SessionSlot sender);
  void cancel_working(Order& order, core::CancelReason reason, core::UserId by,
                      core::SessionSlot sender);
  void remember(Order& order);
  void forget(core::OrderId id);
  // The slot of the session that ended with this order still to be cancelled, or kNoSender.
  core::SessionSlot left_by(const Order& order) const;
  bool has_working_orders(const Session& session) const;
  void settle_ended_sessions();

  template <class Message>
  void reply(const Call& call, Message message);
  void reply_receipt(const Call& call, const core::Refusal& refusal);
  template <class Object>
  Object order_object(const Order& order) const;
  void report_state(Order& order, core::SessionSlot sender);
  void report_trade(const Order& order, const Order& contra, core::Lots quantity,
                    core::Direction direction, bool maker, core::SessionSlot sender);
  void report(core::AccountId account, core::SessionSlot sender, const core::Report& compact,
              const core::Report& whole);
  core::ReportHeader next_header();

  core::Configuration configuration_;
  core::ReportSink& sink_;
  std::map<core::InstrumentId, Book> books_;
  std::map<core::OrderId, Order> orders_;  // working and remembered
  std::deque<core::OrderId> finished_;     // oldest first
  // The ids of all known orders by their pair of keys; orders without client order id are left out.
  std::map<std::pair<core::AccountId, core::ClOrdId>, std::set<core::OrderId>> ids_by_pair_;
  std::map<core::SessionSlot, Session> sessions_;  // all that are not free
  core::SessionSerial last_serial_ = 0;
  core::Sequence sequence_ = 0;
  core::TradeId trade_count_ = 0;
  core::OrderId next_order_id_ = 1;
  core::Detail stopped_ = core::Detail::kNone;
  const Order* replaced_ = nullptr;  // will be cancelled before the order that is judged comes
  core::TimeNs now_ = 0;
  std::uint32_t ordinal_ = 0;
};

// Whether `user` is associated with `account`.
bool is_associated(const core::User& user, core::AccountId account);
bool has_permission(const core::User& user, std::uint8_t permission);

template <class Message>
void ReferenceEngine::reply(const Call& call, Message message) {
  const core::ReportHeader packed = message.header;
  message.header = next_header();
  message.header.a = packed.a;
  message.header.b = packed.b;
  message.request_sequence = call.request_sequence;
  core::Report report;
  report.assign(message);
  sink_.deliver(call.slot, report);
}

template <class Object>
Object ReferenceEngine::order_object(const Order& order) const {
  const Book& book = books_.at(order.instrument_id);
  const core::Touch bid = book.best(core::Side::kBuy);
  const core::Touch ask = book.best(core::Side::kSell);
  Object object;
  object.header.a = core::pack_nibbles(static_cast<std::uint8_t>(order.state),
                                       static_cast<std::uint8_t>(order.cancel_reason));
  object.header.b = static_cast<std::uint8_t>(order.change_reason);
  object.order_id = order.order_id;
  object.cl_ord_id = order.cl_ord_id;
  object.account_id = order.account_id;
  object.price = order.price;
  object.orig_quantity = order.orig_quantity;
  object.leaves = order.leaves;
  object.executed = order.executed;
  object.gross_low = core::low_word(order.gross);
  object.gross_high = core::high_word(order.gross);
  object.receive_time_ns = order.receive_time;
  object.update_time_ns = order.update_time;
  object.inside_bid = bid.price;
  object.inside_ask = ask.price;
  object.inside_bid_size_low = core::low_word(bid.quantity);
  object.inside_bid_size_high = core::high_word(bid.quantity);
  object.inside_ask_size_low = core::low_word(ask.quantity);
  object.inside_ask_size_high = core::high_word(ask.quantity);
  object.last_trade_price = book.last_trade_price;
  object.instrument_id = static_cast<std::uint32_t>(order.instrument_id);
  object.entered_by = static_cast<std::uint32_t>(order.entered_by);
  object.side = order.side;
  object.order_type = order.type;
  object.time_in_force = order.time_in_force;
  object.order_flags = order.flags;
  return object;
}

}  // namespace shmatch::reference
