// What happened, as reports to the sessions that shall know: replies to the session that asked,
// events to every session that hears of the order's account, each in the form (compact or whole)
// that it chose at logon. What every cancel and entry brings is built in the room of the port
// (core/report_port.h), word by word; the rest is built as messages and copied there.
#include "core/engine_state.h"

namespace shmatch::core {
namespace {

std::uint8_t state_and_cancel_reason(const Order& order) noexcept {
  return pack_nibbles(static_cast<std::uint8_t>(order.state),
                      static_cast<std::uint8_t>(order.cancel_reason));
}

// A message that is written straight into its room, each word once. Whatever it is made of must be
// read before: the compiler takes it that a store may change anything.
template <class Message>
class InRoom {
 public:
  static constexpr std::uint32_t kSlots = slots_of<Message>();

  explicit InRoom(std::uint64_t* room) noexcept : room_(room) {}

  // The header's words, and zeros behind the message.
  void begin(std::uint8_t a, std::uint8_t b, std::uint32_t ordinal, Sequence sequence) noexcept {
    room_[0] = static_cast<std::uint64_t>(Message::kType) | (std::uint64_t{kSlots} << 8) |
               (std::uint64_t{a} << 16) | (std::uint64_t{b} << 24) | (std::uint64_t{ordinal} << 32);
    room_[1] = sequence;
    for (std::size_t word = sizeof(Message) / 8; word < kSlots * kSlotWords; ++word) {
      room_[room_place(word)] = 0;
    }
  }
  // The word that begins `Offset` bytes into the message.
  template <std::size_t Offset, class Value>
  void word(Value value) noexcept {
    static_assert(Offset % 8 == 0 && Offset >= sizeof(ReportHeader) && Offset < sizeof(Message));
    static_assert(sizeof(Value) == 8);
    room_[room_place(Offset / 8)] = static_cast<std::uint64_t>(value);
  }

 private:
  std::uint64_t* room_;
};
static_assert(offsetof(ReportHeader, ordinal) == 4 && offsetof(ReportHeader, a) == 2 &&
              offsetof(ReportHeader, engine_sequence) == 8);

constexpr std::uint64_t join(std::uint32_t low, std::uint32_t high) noexcept {
  return low | (std::uint64_t{high} << 32);
}

}  // namespace

// Not inline, and made anew for each session that wants it: what all others hear pays nothing for
// it.
template <class Message>
[[gnu::noinline]] void MatchingEngine::State::send(SessionSlot to, std::uint32_t ordinal,
                                                   Message message) noexcept {
  message.header.ordinal = ordinal;
  message.header.engine_sequence = sequence_;
  Report report;
  report.assign(message);
  deliver(*port_, to, report);
}

template <class Message>
void MatchingEngine::State::reply(SessionSlot to, Message message) noexcept {
  send(to, ordinal_++, message);
}

// An event knows its order, writes itself into a room, and makes its other form.
template <class Event>
[[gnu::always_inline]] inline void MatchingEngine::State::send_event(SessionSlot to,
                                                                     std::uint32_t ordinal,
                                                                     Event event) noexcept {
  if (sessions_[to].logon.whole_objects) [[unlikely]] {
    return send(to, ordinal, event.whole(*this));
  }
  constexpr std::uint32_t kSlots = slots_of<typename Event::Message>();
  ReportPort& port = *port_;
  event.write(*this, InRoom<typename Event::Message>(port.room(to)), ordinal);
  port.send(to, kSlots);
}

template <class Event>
[[gnu::always_inline]] inline void MatchingEngine::State::fan_out(Index account, SessionSlot also,
                                                                  Event event) noexcept {
  const std::uint32_t ordinal = ordinal_++;
  SessionSlot only = kNoSession;
  if (!sessions_.only_receiver(account, also, only)) [[unlikely]] {
    // A copy, so that the event itself has no address and can be in registers.
    const Event copy = event;
    return fan_out_to_many(account, also, ordinal, copy);
  }
  if (only != kNoSession) send_event(only, ordinal, event);
}

// Not inline: what has one receiver pays nothing for it.
template <class Event>
[[gnu::noinline]] void MatchingEngine::State::fan_out_to_many(Index account, SessionSlot also,
                                                              std::uint32_t ordinal,
                                                              const Event& event) noexcept {
  sessions_.for_each_receiver(account, also, [this, ordinal, &event](SessionSlot slot) noexcept {
    send_event(slot, ordinal, event);
  });
}

void MatchingEngine::State::report_receipt(SessionSlot to, Sequence request, RequestType type,
                                           const Refusal& refusal) noexcept {
  const std::uint32_t ordinal = ordinal_++;
  const Sequence sequence = sequence_;
  const TimeNs now = now_;
  ReportPort& port = *port_;
  InRoom<Receipt> message(port.room(to));
  message.begin(0, 0, ordinal, sequence);
  message.word<offsetof(Receipt, request_sequence)>(request);
  static_assert(offsetof(Receipt, detail) == offsetof(Receipt, code) + 2 &&
                offsetof(Receipt, request_type) == offsetof(Receipt, code) + 4);
  message.word<offsetof(Receipt, code)>(join(
      static_cast<std::uint32_t>(refusal.code) | static_cast<std::uint32_t>(refusal.detail) << 16,
      static_cast<std::uint32_t>(type)));
  message.word<offsetof(Receipt, argument0)>(refusal.argument0);
  message.word<offsetof(Receipt, argument1)>(refusal.argument1);
  message.word<offsetof(Receipt, time_ns)>(now);
  port.send(to, slots_of<Receipt>());
}

void MatchingEngine::State::report_accepted(SessionSlot to, Sequence request, OrderId order_id,
                                            ClOrdId cl_ord_id) noexcept {
  const std::uint32_t ordinal = ordinal_++;
  const Sequence sequence = sequence_;
  const TimeNs now = now_;
  ReportPort& port = *port_;
  InRoom<OrderAccepted> message(port.room(to));
  message.begin(0, 0, ordinal, sequence);
  message.word<offsetof(OrderAccepted, request_sequence)>(request);
  message.word<offsetof(OrderAccepted, order_id)>(order_id);
  message.word<offsetof(OrderAccepted, cl_ord_id)>(cl_ord_id);
  message.word<offsetof(OrderAccepted, time_ns)>(now);
  port.send(to, slots_of<OrderAccepted>());
}

void MatchingEngine::State::report_pong(SessionSlot to, Sequence request) noexcept {
  Pong message;
  message.request_sequence = request;
  reply(to, message);
}

void MatchingEngine::State::report_order_status(SessionSlot to, Sequence request,
                                                Index order) noexcept {
  auto message = whole_order<OrderStatusReply>(order);
  message.request_sequence = request;
  reply(to, message);
}

void MatchingEngine::State::report_open_order(SessionSlot to, Sequence request,
                                              Index order) noexcept {
  auto message = whole_order<OpenOrderRow>(order);
  message.request_sequence = request;
  reply(to, message);
}

void MatchingEngine::State::report_page_end(SessionSlot to, PageEnd end, bool more) noexcept {
  end.header.a = more ? 1 : 0;
  reply(to, end);
}

void MatchingEngine::State::report_l2_rows(SessionSlot to, const L2Rows& rows) noexcept {
  reply(to, rows);
}

template <class Whole>
Whole MatchingEngine::State::whole_order(Index index) const noexcept {
  const Order& order = store_[index];
  const OrderDetail& detail = store_.detail(index);
  Whole message;
  message.header.a = state_and_cancel_reason(order);
  message.header.b = static_cast<std::uint8_t>(order.change_reason);
  message.order_id = order.order_id;
  message.cl_ord_id = order.cl_ord_id;
  message.account_id = accounts_.account_id(order.account);
  message.price = detail.price;
  message.orig_quantity = order.orig_quantity;
  message.leaves = open_quantity(order);
  message.executed = executed(order);
  message.gross_low = low_word(detail.gross);
  message.gross_high = high_word(detail.gross);
  message.receive_time_ns = detail.receive_time;
  message.update_time_ns = store_.end_of(index).update_time;
  if (const Level* bid = books_.best(order.instrument, Side::kBuy)) {
    message.inside_bid = bid->price;
    message.inside_bid_size_low = low_word(bid->quantity);
    message.inside_bid_size_high = high_word(bid->quantity);
  }
  if (const Level* ask = books_.best(order.instrument, Side::kSell)) {
    message.inside_ask = ask->price;
    message.inside_ask_size_low = low_word(ask->quantity);
    message.inside_ask_size_high = high_word(ask->quantity);
  }
  message.last_trade_price = instruments_[order.instrument].last_trade_price;
  message.instrument_id = static_cast<std::uint32_t>(instruments_[order.instrument].id);
  message.entered_by = static_cast<std::uint32_t>(accounts_.user_id(order.entered_by));
  message.side = order.side;
  message.order_type = order.order_type;
  message.time_in_force = order.time_in_force;
  message.order_flags = order.flags;
  return message;
}

// It has its words by value: a new order's record is in registers when this is made.
struct MatchingEngine::State::EnteredEvent {
  using Message = OrderEntered;
  Index index;
  std::uint8_t a;
  std::uint8_t b;
  OrderId order_id;
  ClOrdId cl_ord_id;
  AccountId account_id;
  Ticks price;
  Lots orig_quantity;
  Lots executed;
  std::uint64_t ids;
  std::uint64_t kind;
  Wide gross;

  void write(const State& state, InRoom<Message> room, std::uint32_t ordinal) const noexcept {
    const TimeNs now = state.now_;
    room.begin(a, b, ordinal, state.sequence_);
    room.word<offsetof(OrderEntered, order_id)>(order_id);
    room.word<offsetof(OrderEntered, cl_ord_id)>(cl_ord_id);
    room.word<offsetof(OrderEntered, account_id)>(account_id);
    room.word<offsetof(OrderEntered, price)>(price);
    room.word<offsetof(OrderEntered, orig_quantity)>(orig_quantity);
    room.word<offsetof(OrderEntered, executed)>(executed);
    room.word<offsetof(OrderEntered, time_ns)>(now);
    room.word<offsetof(OrderEntered, instrument_id)>(ids);
    room.word<offsetof(OrderEntered, side)>(kind);
    room.word<offsetof(OrderEntered, gross_low)>(low_word(gross));
    room.word<offsetof(OrderEntered, gross_high)>(high_word(gross));
  }
  OrderStateWhole whole(const State& state) const noexcept {
    return state.whole_order<OrderStateWhole>(index);
  }
};

struct MatchingEngine::State::ChangedEvent {
  using Message = OrderChanged;
  Index index;

  void write(const State& state, InRoom<Message> room, std::uint32_t ordinal) const noexcept {
    const Order& order = state.store_[index];
    const OrderId order_id = order.order_id;
    const ClOrdId cl_ord_id = order.cl_ord_id;
    const Lots leaves = open_quantity(order);
    const Lots so_far = executed(order);
    const TimeNs now = state.now_;
    room.begin(state_and_cancel_reason(order), static_cast<std::uint8_t>(order.change_reason),
               ordinal, state.sequence_);
    room.word<offsetof(OrderChanged, order_id)>(order_id);
    room.word<offsetof(OrderChanged, cl_ord_id)>(cl_ord_id);
    room.word<offsetof(OrderChanged, leaves)>(leaves);
    room.word<offsetof(OrderChanged, executed)>(so_far);
    room.word<offsetof(OrderChanged, time_ns)>(now);
  }
  OrderStateWhole whole(const State& state) const noexcept {
    return state.whole_order<OrderStateWhole>(index);
  }
};

struct MatchingEngine::State::TradeEvent {
  using Message = Trade;
  Execution execution;
  Index index;
  Index contra;
  bool maker;

  std::uint8_t side_and_direction(const Order& order) const noexcept {
    return pack_nibbles(static_cast<std::uint8_t>(order.side),
                        static_cast<std::uint8_t>(execution.direction));
  }
  std::uint8_t liquidity() const noexcept { return maker ? 1 : 2; }

  void write(const State& state, InRoom<Message> room, std::uint32_t ordinal) const noexcept {
    const Order& order = state.store_[index];
    const OrderId order_id = order.order_id;
    const TimeNs now = state.now_;
    room.begin(side_and_direction(order), liquidity(), ordinal, state.sequence_);
    room.word<offsetof(Trade, trade_id)>(execution.trade_id);
    room.word<offsetof(Trade, order_id)>(order_id);
    room.word<offsetof(Trade, price)>(execution.price);
    room.word<offsetof(Trade, quantity)>(execution.quantity);
    room.word<offsetof(Trade, time_ns)>(now);
  }
  TradeWhole whole(const State& state) const noexcept {
    const Order& order = state.store_[index];
    TradeWhole message;
    message.header.a = side_and_direction(order);
    message.header.b = liquidity();
    message.trade_id = execution.trade_id;
    message.order_id = order.order_id;
    message.price = execution.price;
    message.quantity = execution.quantity;
    message.time_ns = state.now_;
    message.cl_ord_id = order.cl_ord_id;
    message.account_id = state.accounts_.account_id(order.account);
    message.contra_account_id = state.accounts_.account_id(state.store_[contra].account);
    message.leaves = order.leaves;
    message.instrument_id = static_cast<std::uint32_t>(state.instruments_[order.instrument].id);
    message.entered_by = static_cast<std::uint32_t>(state.accounts_.user_id(order.entered_by));
    message.order_type = order.order_type;
    return message;
  }
};

void MatchingEngine::State::report_entered(Index index, const Order& order,
                                           const OrderDetail& detail, std::uint32_t kind,
                                           SessionSlot also) noexcept {
  static_assert(offsetof(OrderEntered, order_type) == offsetof(OrderEntered, side) + 1 &&
                offsetof(OrderEntered, time_in_force) == offsetof(OrderEntered, side) + 2 &&
                offsetof(OrderEntered, order_flags) == offsetof(OrderEntered, side) + 3);
  fan_out(order.account, also,
          EnteredEvent{.index = index,
                       .a = state_and_cancel_reason(order),
                       .b = static_cast<std::uint8_t>(order.change_reason),
                       .order_id = order.order_id,
                       .cl_ord_id = order.cl_ord_id,
                       .account_id = accounts_.account_id(order.account),
                       .price = detail.price,
                       .orig_quantity = order.orig_quantity,
                       .executed = executed(order),
                       .ids = join(static_cast<std::uint32_t>(instruments_[order.instrument].id),
                                   static_cast<std::uint32_t>(accounts_.user_id(order.entered_by))),
                       .kind = kind | (std::uint64_t{order.flags} << 24),
                       .gross = detail.gross});
}

void MatchingEngine::State::report_resting(const OrderStore::Place& place, const NewOrder& request,
                                           const JudgedOrder& judged, std::uint32_t kind,
                                           SessionSlot also) noexcept {
  constexpr std::uint64_t kFlags = std::uint64_t{kFlagAddedToBook} << 24;
  const Index user = sessions_[also].user;
  fan_out(judged.account, also,
          EnteredEvent{.index = place.slot,
                       .a = pack_nibbles(static_cast<std::uint8_t>(OrderState::kWorking),
                                         static_cast<std::uint8_t>(CancelReason::kNone)),
                       .b = static_cast<std::uint8_t>(ChangeReason::kNewInputAccepted),
                       .order_id = place.order_id,
                       .cl_ord_id = request.cl_ord_id > 0 ? request.cl_ord_id : 0,
                       .account_id = request.account_id,
                       .price = judged.price,
                       .orig_quantity = judged.quantity,
                       .executed = 0,
                       .ids = join(static_cast<std::uint32_t>(request.instrument_id),
                                   static_cast<std::uint32_t>(accounts_.user_id(user))),
                       .kind = kind | kFlags,
                       .gross = 0});
}

void MatchingEngine::State::report_changed(Index order, SessionSlot also) noexcept {
  fan_out(store_[order].account, also, ChangedEvent{order});
}

void MatchingEngine::State::report_trade(const Execution& execution, Index order, Index contra,
                                         bool maker, SessionSlot also) noexcept {
  fan_out(store_[order].account, also, TradeEvent{execution, order, contra, maker});
}

}  // namespace shmatch::core
