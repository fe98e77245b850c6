#include "tests/reference/lockstep.h"

#include <algorithm>

#include "core/input_record.h"
#include "tests/reference/report_text.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr std::uint64_t kHashSalt = 0x5EED'0F7E'575A'1700;
constexpr std::uint32_t kSweepStepsMax = 100'000;
constexpr OrderId kUnknownOrderId = 999'999'999'998;

}  // namespace

Lockstep::Lockstep(const Configuration& configuration, const Logon& observer,
                   std::uint32_t full_check_every)
    : configuration_(configuration),
      observer_slot_(configuration.capacities.sessions - 1),
      full_check_every_(full_check_every),
      observer_(observer),
      fast_(configuration, kHashSalt),
      reference_(configuration, plain_sink_) {
  last_serial_ = fast_.logon(observer_slot_, observer, 0);
  reference_.logon(observer_slot_, observer, 0);
}

bool Lockstep::applicable(const Command& command) const {
  // The engine may still be sweeping what the reference calls settled.
  const SessionState state = fast_.session(command.slot).state;
  switch (command.kind) {
    case Command::Kind::kLogon:
      return fast_.slot_free(command.slot) && reference_.slot_free(command.slot);
    case Command::Kind::kRequest:
      return state == SessionState::kOpen;
    case Command::Kind::kEndSession:
      return state == SessionState::kOpen || state == SessionState::kOrphaned;
    case Command::Kind::kResume:
      return fast_.session(command.slot).logon.resumable &&
             (state == SessionState::kOrphaned || state == SessionState::kDetached);
    case Command::Kind::kForgetSession:
      return state == SessionState::kDetached;
    case Command::Kind::kRestart:
    case Command::Kind::kSweep:
    case Command::Kind::kSweepAll:
    case Command::Kind::kStopAccepting:
      return true;
  }
  return false;
}

Difference Lockstep::apply(const Command& command) {
  accepted_ = false;
  refusal_ = {};
  ++command_count_;
  Difference difference;
  bool more = false;
  switch (command.kind) {
    case Command::Kind::kLogon:
      difference = apply_logon(command);
      break;
    case Command::Kind::kRequest:
      difference = apply_request(command);
      break;
    case Command::Kind::kEndSession:
      fast_.end_session(command.slot, command.now);
      reference_.end_session(command.slot, command.now);
      break;
    case Command::Kind::kSweep:
      difference = apply_sweep_step(command.now, more);
      break;
    case Command::Kind::kSweepAll:
      difference = apply_sweep_to_end(command.now);
      break;
    case Command::Kind::kStopAccepting:
      fast_.stop_accepting(command.why, command.now);
      reference_.stop_accepting(command.why, command.now);
      break;
    case Command::Kind::kRestart:
      fast_.restart(command.now);
      reference_.restart(command.now);
      fast_.resume(observer_slot_, observer_, command.now);
      reference_.resume(observer_slot_, observer_, command.now);
      break;
    case Command::Kind::kResume:
      fast_.resume(command.slot, command.logon, command.now);
      reference_.resume(command.slot, command.logon, command.now);
      break;
    case Command::Kind::kForgetSession:
      fast_.forget_session(command.slot, command.now);
      reference_.forget_session(command.slot, command.now);
      break;
  }
  if (!difference && !fast_.difference().empty()) difference = fast_.difference();
  if (!difference) difference = compare_reports(fast_.take_received(), plain_sink_.take());
  if (!difference) difference = compare_after(command);
  return difference;
}

// ------------------------------------------------------------------------------------------ inputs

Difference Lockstep::apply_logon(const Command& command) {
  const SessionSerial serial = fast_.logon(command.slot, command.logon, command.now);
  reference_.logon(command.slot, command.logon, command.now);
  if (serial <= last_serial_) return "the session's serial was given before";
  last_serial_ = serial;
  return {};
}

Difference Lockstep::apply_request(const Command& command) {
  const Request request = resolved(command);
  if (!well_formed(request)) return "the engine calls this request malformed";
  if (continues(request)) return give_continuation(command.slot, request, command.now);
  if (paged(request)) return compare_answers(command.slot, request, command.now);
  ++request_sequence_;
  give(fast_, command, request);
  const Received received = fast_.take_received();
  if (Difference difference = note_reply(command, received)) return difference;
  give(reference_, command, request);
  return compare_reports(received, plain_sink_.take());
}

Request Lockstep::resolved(const Command& command) const {
  Request request = command.request;
  if (command.order_of == 0) return request;
  const auto found = order_ids_.find(command.order_of);
  const OrderId id = found == order_ids_.end() ? kUnknownOrderId : found->second;
  if (request.is<CancelOrder>()) {
    auto cancel = request.as<CancelOrder>();
    cancel.order_id = id;
    request.assign(cancel);
  } else if (request.is<OrderStatusQuery>()) {
    auto status = request.as<OrderStatusQuery>();
    status.order_id = id;
    request.assign(status);
  }
  return request;
}

// The engine chooses order ids; the reference follows it if the choice keeps the rules.
Difference Lockstep::note_reply(const Command& command, const Received& received) {
  const auto own = received.find(command.slot);
  if (own == received.end() || own->second.empty()) return "a request got no reply";
  // A replacement's acceptance comes behind the end of the order that it replaces.
  const bool replaced = command.replacement && own->second.size() > 1;
  const Report& reply = own->second[replaced ? 1 : 0];
  if (reply.is<Receipt>()) refusal_ = reply.as<Receipt>().refusal();
  if (!reply.is<OrderAccepted>()) return {};
  const OrderId id = reply.as<OrderAccepted>().order_id;
  if (id <= last_order_id_ || id >= kOrderIdEnd) {
    return "order id " + std::to_string(id) + " after " + std::to_string(last_order_id_);
  }
  accepted_ = true;
  last_order_id_ = id;
  order_ids_[command.id] = id;
  reference_.next_order_id(id);
  return {};
}

// The engine chooses which orders a step cancels, and in which order; the reference follows what
// the observer hears.
Difference Lockstep::apply_sweep_step(TimeNs now, bool& more) {
  const bool sweeping = fast_.sweeping();
  more = fast_.sweep(now);
  if (more != sweeping) return differ("whether a sweep step had work", more, sweeping);
  Received received = fast_.take_received();
  if (!more) return compare_reports(received, {});
  std::vector<OrderId> orders;
  for (const Report& report : received[observer_slot_]) {
    if (report.is<OrderChanged>()) orders.push_back(report.as<OrderChanged>().order_id);
  }
  if (!reference_.sweep_step(now, orders)) {
    return "a sweep step cancelled an order that no ended session left";
  }
  return compare_reports(received, plain_sink_.take());
}

Difference Lockstep::apply_sweep_to_end(TimeNs now) {
  bool more = true;
  for (std::uint32_t step = 0; more; ++step) {
    if (step == kSweepStepsMax) return "the sweep does not end";
    if (Difference difference = apply_sweep_step(now, more)) return difference;
  }
  if (reference_.sweeping()) return "the sweep has ended, and orders of ended sessions still work";
  return compare_slots();
}

// ------------------------------------------------------------------------------------- comparisons

Difference Lockstep::compare_reports(Received fast, Received plain) const {
  for (SessionSlot slot = 0; slot < configuration_.capacities.sessions; ++slot) {
    const std::vector<Report>& a = fast[slot];
    const std::vector<Report>& b = plain[slot];
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && same_words(a[i], b[i])) continue;
      return "report " + std::to_string(i) + " to slot " + std::to_string(slot) +
             ":\n  engine    " + (i < a.size() ? to_text(a[i]) : "nothing") + "\n  reference " +
             (i < b.size() ? to_text(b[i]) : "nothing");
    }
  }
  return {};
}

Difference Lockstep::compare_counts() const {
  Difference difference =
      differ("the sequence number", fast_.last_sequence(), reference_.last_sequence());
  if (!difference) {
    difference =
        differ("the number of working orders", fast_.working_orders(), reference_.working_orders());
  }
  if (!difference) {
    difference = differ("the number of finished orders", fast_.finished_orders(),
                        reference_.finished_orders());
  }
  if (!difference) {
    difference = differ("the number of trades", fast_.trade_count(), reference_.trade_count());
  }
  if (!difference && reference_.sweeping() && !fast_.sweeping()) {
    difference = "orders of ended sessions are left, and the engine is not sweeping";
  }
  return difference;
}

Difference Lockstep::compare_touches() const {
  for (const Instrument& instrument : configuration_.instruments) {
    for (const Side side : {Side::kBuy, Side::kSell}) {
      const Touch fast = fast_.best(instrument.id, side);
      const Touch plain = reference_.best(instrument.id, side);
      Difference difference = differ(instrument.symbol + " best price", fast.price, plain.price);
      if (!difference) {
        difference = differ(instrument.symbol + " best quantity", fast.quantity, plain.quantity);
      }
      if (difference) return difference;
    }
    Difference difference =
        differ(instrument.symbol + " last trade price", fast_.last_trade_price(instrument.id),
               reference_.last_trade_price(instrument.id));
    if (difference) return difference;
  }
  return {};
}

// Quantities at every price that the reference has, beside each of them, and at the other side's
// prices.
Difference Lockstep::compare_depth(InstrumentId instrument) const {
  const Book* book = reference_.book(instrument);
  if (book == nullptr) return {};
  for (const Side with_levels : {Side::kBuy, Side::kSell}) {
    for (const auto& [price, level] : book->levels(with_levels)) {
      for (const Ticks near : {price - 1, price, price + 1}) {
        for (const Side side : {Side::kBuy, Side::kSell}) {
          Difference difference = differ("quantity at " + std::to_string(near),
                                         fast_.quantity_at(instrument, side, near),
                                         reference_.quantity_at(instrument, side, near));
          if (difference) return difference;
        }
      }
    }
  }
  return {};
}

Difference Lockstep::compare_slots() const {
  for (SessionSlot slot = 0; slot < configuration_.capacities.sessions; ++slot) {
    if (Difference difference = compare_session(slot)) return difference;
  }
  return {};
}

Difference Lockstep::compare_session(SessionSlot slot) const {
  const SessionView fast = fast_.session(slot);
  const SessionView plain = reference_.session(slot);
  const std::string what = "of the session in slot " + std::to_string(slot);
  // An ended session may stay as it is until the engine's next step has looked at it.
  const bool pending =
      fast.state == SessionState::kSweeping && fast_.sweeping() &&
      (plain.state == SessionState::kFree || plain.state == SessionState::kDetached);
  Difference difference;
  if (!pending) {
    difference = differ("the state " + what, static_cast<std::uint8_t>(fast.state),
                        static_cast<std::uint8_t>(plain.state));
  }
  if (difference || plain.state == SessionState::kFree) return difference;
  difference = differ("the last request " + what, fast.last_request, plain.last_request);
  if (difference) return difference;
  if (fast.logon.user_id != plain.logon.user_id ||
      logon_flags(fast.logon) != logon_flags(plain.logon) ||
      !std::equal(fast.logon.name, fast.logon.name + kSessionNameBytes, plain.logon.name)) {
    return "the logon " + what + " differs";
  }
  return {};
}

Difference Lockstep::compare_open_orders(AccountId account, TimeNs now) {
  OpenOrdersQuery query;
  query.oms_id = configuration_.oms_id;
  query.account_id = account;
  Request request;
  request.assign(query);
  return compare_answers(observer_slot_, request, now);
}

Difference Lockstep::compare_l2(InstrumentId instrument, TimeNs now) {
  L2Query query;
  query.oms_id = configuration_.oms_id;
  query.instrument_id = instrument;
  query.depth = 1'000'000;
  Request request;
  request.assign(query);
  return compare_answers(observer_slot_, request, now);
}

Difference Lockstep::check_everything(TimeNs now) {
  fast_.check_invariants();
  for (const AccountId account : configuration_.accounts) {
    if (Difference difference = compare_open_orders(account, now)) return difference;
  }
  for (const Instrument& instrument : configuration_.instruments) {
    if (Difference difference = compare_l2(instrument.id, now)) return difference;
    if (Difference difference = compare_depth(instrument.id)) return difference;
  }
  return compare_slots();
}

// Cheap comparisons after every command; what grows with the book in turns, and all of it now and
// then.
Difference Lockstep::compare_after(const Command& command) {
  if (Difference difference = compare_counts()) return difference;
  if (Difference difference = compare_touches()) return difference;
  if (command_count_ % full_check_every_ == 0) return check_everything(command.now);
  if (!command.request.is<NewOrder>()) return {};
  const auto order = command.request.as<NewOrder>();
  const Instrument* instrument = nullptr;
  for (const Instrument& known : configuration_.instruments) {
    if (known.id == order.instrument_id) instrument = &known;
  }
  if (instrument == nullptr) return {};
  const Ticks price = count_increments(order.limit_price(), instrument->tick).count;
  for (const Side side : {Side::kBuy, Side::kSell}) {
    Difference difference = differ("quantity at " + std::to_string(price),
                                   fast_.quantity_at(instrument->id, side, price),
                                   reference_.quantity_at(instrument->id, side, price));
    if (difference) return difference;
  }
  return {};
}

}  // namespace shmatch::reference
