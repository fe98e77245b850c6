// The inside of the matching engine: its tables, and the rules by which inputs change them. Private
// to core.
//
// Split by what it does: rules.cpp judges requests and changes nothing, execution.cpp enters,
// matches and cancels orders, reports.cpp says what happened, queries.cpp answers questions,
// sessions.cpp opens, ends and sweeps sessions, state_digest.cpp and state_export.cpp look at all
// of it, matching_engine.cpp is the face.
#pragma once

#include "core/account_table.h"
#include "core/id_map.h"
#include "core/matching_engine.h"
#include "core/order_book.h"
#include "core/order_rules.h"
#include "core/order_store.h"
#include "core/report_port.h"
#include "core/session_table.h"
#include "core/state_words.h"

namespace shmatch::core {

// Sweep steps look at this many orders or cancel that many, whichever comes first: about 10
// microseconds.
inline constexpr Index kSweepOrdersPerStep = 16'384;
inline constexpr Index kSweepCancelsPerStep = 64;
// The same bound for one page of open orders.
inline constexpr Index kWalkOrdersPerPage = 16'384;
// Orders that one page of a book looks at to count the accounts of its levels.
inline constexpr Index kAccountWalkPerPage = 4'096;
// Four-slot messages on one page of a query; with the page end they stay below kReplySlotsMax.
inline constexpr std::uint32_t kMessagesPerPage = 14;
static_assert(kMessagesPerPage * kSlotsPerMessageMax + slots_of<PageEnd>() <= kReplySlotsMax);

// The instrument as the core needs it.
struct InstrumentEntry {
  InstrumentId id;
  Ticks last_trade_price;  // 0: none yet
  Increment tick;
  Increment lot;
};

// A refusal that several calls have in common.
constexpr Refusal wrong_oms(OmsId given) noexcept {
  return {ErrorCode::kInvalidRequest, Detail::kWrongOms, given, 0};
}

class MatchingEngine::State {
 public:
  State(Arena& arena, const Configuration& configuration, std::uint64_t hash_salt, ReportPort& port,
        bool keep_digest);
  void reset(const Configuration& configuration) noexcept;

  // ---- inputs (sessions.cpp; request: matching_engine.cpp)
  SessionSerial logon(SessionSlot slot, const Logon& logon) noexcept;
  void request(SessionSlot slot, Sequence request_sequence, const std::uint64_t* message,
               TimeNs now) noexcept;
  void cancel_replace(SessionSlot slot, Sequence request_sequence, const CancelOrder& cancel,
                      const NewOrder& request, TimeNs now) noexcept;  // cancel_replace.cpp
  void end_session(SessionSlot slot) noexcept;
  bool sweep(TimeNs now) noexcept;
  void stop_accepting(Detail why) noexcept {
    ++sequence_;
    stopped_ = why;
  }
  void restart() noexcept;
  void resume(SessionSlot slot, const Logon& logon) noexcept;
  void forget_session(SessionSlot slot) noexcept;

  // ---- state_digest.cpp
  std::uint64_t digest() const noexcept;
  void check_invariants() const noexcept;

  // ---- state_export.cpp, state_import.cpp
  bool export_to(WordSink& sink) const noexcept;
  const char* import_from(WordSource& source) noexcept;

 private:
  friend class MatchingEngine;
  friend class LookAhead;
  friend class StateView;

  // What the judge of a new order found out, so that its execution need not look again.
  struct JudgedOrder {
    Index account = kNoIndex;
    Index instrument = kNoIndex;
    Lots quantity = 0;
    Ticks price = 0;
    Ticks limit = 0;             // the worst price that the order takes
    bool rests = false;          // what is left of it stays in the book
    // With a client order id: where its index has it or would, and what put needs there.
    ClientIdPlace place = ClientIdPlace::kNone;
    std::uint8_t tag = 0;
  };
  // The session and request that an input came from.
  struct Origin {
    SessionSlot slot;
    Sequence request;
  };
  class Importer;  // state_import.cpp

  // ---- rules.cpp. Each answers whether the request may be executed; if not, `refusal` says why.
  bool may_accept(SessionSlot slot, TimeNs now, Refusal& refusal) noexcept;
  // The working order that is to be cancelled, or kNoIndex.
  Index judge_cancel(SessionSlot slot, const CancelOrder& request, TimeNs now,
                     Refusal& refusal) noexcept;
  Index find_named(const Session& session, const CancelOrder& request,
                   Refusal& refusal) const noexcept;
  Refusal how_it_ended(Index order) const noexcept;
  // Operators reach every account, others those that their user is associated with. kNoIndex (an
  // account that is not configured) is reached by Operators only.
  bool reaches(const Session& session, Index account) const noexcept {
    return (session.permissions & kPermissionOperator) != 0 ||
           (account != kNoIndex && AccountTable::in_row(session.accounts, account));
  }
  // `replaced` is the working order that goes before this one comes, or kNoIndex.
  bool judge_new_order(SessionSlot slot, const NewOrder& request, Index replaced,
                       JudgedOrder& judged, Refusal& refusal) const noexcept;
  // The same of all orders but plain ones (rules.cpp), and without row 3's look at the OMS id. By
  // value: what plain orders are judged by then has no address, and can be in registers.
  struct Judgement {
    bool accepted;
    JudgedOrder order;
    Refusal refusal;
  };
  Judgement judge_any_order(SessionSlot slot, const NewOrder& request,
                            Index replaced) const noexcept;
  bool judge_account(const Session& session, const NewOrder& request, JudgedOrder& judged,
                     Refusal& refusal) const noexcept;
  bool within_limits(const NewOrder& request, DecimalError quantity, DecimalError price,
                     Index replaced, JudgedOrder& judged, Refusal& refusal) const noexcept;
  bool opens_level(const NewOrder& request, const JudgedOrder& judged,
                   Index replaced) const noexcept;

  // ---- execution.cpp
  void cancel_order(Origin origin, const std::uint64_t* message, TimeNs now) noexcept;
  void new_order(Origin origin, const std::uint64_t* message, TimeNs now) noexcept;
  void start_order(const Origin& origin, const NewOrder& request, const JudgedOrder& judged,
                   TimeNs now) noexcept;
  void match(Index taker, Ticks limit, SessionSlot origin, TimeNs now) noexcept;
  void execute(Index taker, const Level& level, SessionSlot origin, TimeNs now) noexcept;
  void settle(Index taker, std::uint32_t kind, SessionSlot origin, TimeNs now) noexcept;
  void end_order(Index order, OrderState state, ChangeReason reason, CancelReason cancel_reason,
                 TimeNs now) noexcept;
  void cancel_working(Index order, CancelReason reason, Index by_user, SessionSlot also,
                      TimeNs now) noexcept;
  void remember(Index order) noexcept;

  // ---- reports.cpp: replies
  void report_receipt(SessionSlot to, Sequence request, RequestType type,
                      const Refusal& refusal) noexcept;
  void report_accepted(SessionSlot to, Sequence request, OrderId order_id,
                       ClOrdId cl_ord_id) noexcept;
  void report_pong(SessionSlot to, Sequence request) noexcept;
  void report_order_status(SessionSlot to, Sequence request, Index order) noexcept;
  void report_open_order(SessionSlot to, Sequence request, Index order) noexcept;
  void report_page_end(SessionSlot to, PageEnd end, bool more) noexcept;
  void report_l2_rows(SessionSlot to, const L2Rows& rows) noexcept;
  // Events; `also` is the session that gets the event whatever its accounts, or kNoSession. An
  // order's first state event (`kind`: side, order type and time in force, in one word as the event
  // has them), and its later ones:
  void report_entered(Index index, const Order& order, const OrderDetail& detail,
                      std::uint32_t kind, SessionSlot also) noexcept;
  // The same of an order that met nobody and rests, from what its record was written from.
  void report_resting(const OrderStore::Place& place, const NewOrder& request,
                      const JudgedOrder& judged, std::uint32_t kind, SessionSlot also) noexcept;
  void report_changed(Index order, SessionSlot also) noexcept;
  struct Execution {
    TradeId trade_id;
    Ticks price;
    Lots quantity;
    Direction direction;
  };
  // One side of an execution: `order` traded against `contra`, after both records were updated.
  void report_trade(const Execution& execution, Index order, Index contra, bool maker,
                    SessionSlot also) noexcept;
  template <class Message>
  void reply(SessionSlot to, Message message) noexcept;
  template <class Message>
  void send(SessionSlot to, std::uint32_t ordinal, Message message) noexcept;
  template <class Whole>
  Whole whole_order(Index order) const noexcept;
  // An event's forms, as reports.cpp makes them.
  struct EnteredEvent;
  struct ChangedEvent;
  struct TradeEvent;
  template <class Event>
  void fan_out(Index account, SessionSlot also, Event event) noexcept;
  template <class Event>
  void fan_out_to_many(Index account, SessionSlot also, std::uint32_t ordinal,
                       const Event& event) noexcept;
  template <class Event>
  void send_event(SessionSlot to, std::uint32_t ordinal, Event event) noexcept;

  // ---- state_digest.cpp
  OrderIds ids_of(Index order) const noexcept;
  UserId ended_by(const Order& order) const noexcept;
  void put_order(Index order, OrderWords& words) const noexcept;
  // The two parts of an order's digest.
  std::uint64_t entered_digest(Index order) const noexcept;
  std::uint64_t since_digest(Index order) const noexcept;
  // The order's record is complete, for the first time.
  void start_digest(Index order) noexcept {
    if (keep_digest_) store_.detail(order).entered_digest = entered_digest(order);
  }
  // The order has changed, or joins what is digested; all is in its record.
  void renew_digest(Index order) noexcept {
    if (!keep_digest_) return;
    const std::uint64_t renewed = store_.detail(order).entered_digest + since_digest(order);
    orders_digest_ += renewed - store_.digest(order);
    store_.digest(order) = renewed;
  }
  std::uint64_t walk_orders_digest() const noexcept;
  void put_counters(CounterWords& words) const noexcept;
  // Calls f(words) for each instrument that something has happened to.
  template <class F>
  void for_each_instrument_words(F f) const noexcept {
    for (Index i = 0; i < instruments_.size(); ++i) {
      const Ticks last = instruments_[i].last_trade_price;
      const std::uint64_t changes = books_.update_id(i);
      if (last == 0 && changes == 0) continue;
      f(InstrumentWords{static_cast<std::uint64_t>(instruments_[i].id),
                        static_cast<std::uint64_t>(last), changes});
    }
  }
  // Calls f(words) for each session, by slot.
  template <class F>
  void for_each_session_words(F f) const noexcept {
    for (SessionSlot slot = 0; slot < sessions_.size(); ++slot) {
      if (sessions_[slot].state == SessionState::kFree) continue;
      SessionWords words;
      put_session(slot, sessions_[slot], words);
      f(words);
    }
  }

  // ---- state_export.cpp
  void put_export_head(ExportHeadWords& words) const noexcept;

  // ---- queries.cpp: whatever takes no engine sequence number
  void answer(const Origin& origin, RequestType type, const std::uint64_t* message) noexcept;
  void order_status(const Origin& origin, const OrderStatusQuery& query) noexcept;
  void open_orders(const Origin& origin, const OpenOrdersQuery& query) noexcept;
  void l2_snapshot(const Origin& origin, const L2Query& query) noexcept;
  std::uint32_t count_accounts(const Level& level, Index& budget) noexcept;
  Refusal judge_order_status(SessionSlot slot, const OrderStatusQuery& query) const noexcept;
  Refusal judge_open_orders(SessionSlot slot, const OpenOrdersQuery& query) const noexcept;
  Refusal judge_l2(const L2Query& query) const noexcept;

  // An input begins: what is reported from here on is its doing.
  void begin(TimeNs now) noexcept {
    now_ = now;
    ordinal_ = 0;
  }

  // A request is an input: it has the next engine sequence number, and its own in its session.
  void take_number(const Origin& origin) noexcept {
    Session& session = sessions_[origin.slot];
    SHMATCH_CHECK(origin.request > session.last_request);
    session.last_request = origin.request;
    ++sequence_;
  }

  // The session that is swept after `place` others.
  SessionSlot swept_at(std::uint32_t place) const noexcept {
    return sweep_queue_[(sweep_head_ + place) % sweep_queue_.size()];
  }
  void queue_sweep(SessionSlot slot) noexcept {
    sweep_queue_[(sweep_head_ + sweep_count_++) % sweep_queue_.size()] = slot;
  }

  OmsId oms_id_;
  std::uint32_t rate_per_second_;
  TimeNs rate_interval_;
  TimeNs rate_tolerance_;
  Capacities capacities_;
  AccountTable accounts_;
  IdMap instrument_map_;
  std::span<InstrumentEntry> instruments_;
  std::span<std::uint64_t> account_marks_;  // count_accounts: which accounts this walk has met
  std::uint64_t walk_ = 0;
  SessionTable sessions_;
  OrderStore store_;
  OrderBooks books_;
  ReportPort* port_;
  Sequence sequence_ = 0;
  // Of the present input: its time, and how many reports it has caused.
  TimeNs now_ = 0;
  std::uint32_t ordinal_ = 0;
  TradeId last_trade_ = 0;
  SessionSerial last_serial_ = 0;
  Detail stopped_ = Detail::kNone;
  // Sessions whose orders wait to be swept, in the order in which they ended.
  std::span<SessionSlot> sweep_queue_;
  std::uint32_t sweep_head_ = 0;
  std::uint32_t sweep_count_ = 0;
  Index sweep_cursor_ = 0;
  bool keep_digest_;
  std::uint64_t orders_digest_ = 0;  // of all known orders, if it is kept
};

}  // namespace shmatch::core
