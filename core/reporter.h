// Turns what happened into reports and hands them to the sessions that shall know: replies to the
// session that asked, events to every session that hears of the order's account, each in the form
// (compact or whole) that it chose at logon.
//
// Thread: the core's. Events and replies that every cancel and entry has are built in the room of
// the port (core/report_port.h), word by word; the rest are built as messages and copied there.
#pragma once

#include "core/account_table.h"
#include "core/matching_engine.h"
#include "core/order_book.h"
#include "core/order_store.h"
#include "core/session_table.h"

namespace shmatch::core {

// The instrument as the core needs it.
struct InstrumentEntry {
  InstrumentId id;
  Ticks last_trade_price;  // 0: none yet
  Increment tick;
  Increment lot;
};

class Reporter {
 public:
  Reporter(const AccountTable& accounts, const SessionTable& sessions, const OrderStore& store,
           const OrderBooks& books, const std::span<InstrumentEntry>& instruments, ReportPort& port)
      : accounts_(accounts),
        sessions_(sessions),
        store_(store),
        books_(books),
        instruments_(instruments),
        port_(&port) {}

  void set_port(ReportPort& port) noexcept { port_ = &port; }

  // Reports from here on belong to this input.
  void begin(Sequence sequence, TimeNs now) noexcept {
    sequence_ = sequence;
    now_ = now;
    ordinal_ = 0;
  }

  // ---- replies
  void receipt(SessionSlot to, Sequence request, RequestType type, const Refusal& refusal) noexcept;
  void accepted(SessionSlot to, Sequence request, OrderId order_id, ClOrdId cl_ord_id) noexcept;
  void pong(SessionSlot to, Sequence request) noexcept;
  void order_status(SessionSlot to, Sequence request, Index order) noexcept;
  void open_order(SessionSlot to, Sequence request, Index order) noexcept;
  void page_end(SessionSlot to, PageEnd end, bool more) noexcept;
  void l2_rows(SessionSlot to, const L2Rows& rows) noexcept;

  // ---- events; `also` is the session that gets the event whatever its accounts, or kNoSession
  // An order's first state event, and its later ones.
  void order_entered(Index order, SessionSlot also) noexcept;
  void order_changed(Index order, SessionSlot also) noexcept;

  struct Execution {
    TradeId trade_id;
    Ticks price;
    Lots quantity;
    Direction direction;
  };
  // One side of an execution: `order` traded against `contra`, after both records were updated.
  void trade(const Execution& execution, Index order, Index contra, bool maker,
             SessionSlot also) noexcept;

 private:
  template <class Message>
  void reply(SessionSlot to, Message message) noexcept;
  template <class Message>
  void send(SessionSlot to, std::uint32_t ordinal, Message message) noexcept;
  template <class Whole>
  Whole whole_order(Index order) const noexcept;
  template <class Message, class Compact, class Whole>
  [[gnu::always_inline]] inline void fan_out(Index account, SessionSlot also, Compact compact,
                                             Whole whole) noexcept;

  const AccountTable& accounts_;
  const SessionTable& sessions_;
  const OrderStore& store_;
  const OrderBooks& books_;
  const std::span<InstrumentEntry>& instruments_;
  ReportPort* port_;
  Sequence sequence_ = 0;
  TimeNs now_ = 0;
  std::uint32_t ordinal_ = 0;
};

}  // namespace shmatch::core
