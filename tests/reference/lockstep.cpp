#include "tests/reference/lockstep.h"

#include <algorithm>

#include "tests/reference/report_text.h"

namespace shmatch::reference {

using namespace core;

namespace {

constexpr std::uint64_t kHashSalt = 0x5EED'0F7E'575A'1700;
constexpr std::uint32_t kPagesMax = 100'000;
constexpr std::uint32_t kSweepStepsMax = 100'000;
constexpr OrderId kUnknownOrderId = 999'999'999'998;

// All that travels of the two is the same, padding included.
bool same_words(const Report& a, const Report& b) {
  const std::size_t words = std::min<std::size_t>(a.slots() * kSlotWords, kMessageWordsMax);
  return a.slots() == b.slots() && std::equal(a.words, a.words + words, b.words);
}

bool paged(const Request& request) {
  return request.is<OpenOrdersQuery>() || request.is<L2Query>();
}

bool continues(const Request& request) {
  return (request.is<OpenOrdersQuery>() && request.as<OpenOrdersQuery>().continuation != 0) ||
         (request.is<L2Query>() && request.as<L2Query>().continuation != 0);
}

template <class Value>
Difference differ(const std::string& what, const Value& fast, const Value& plain) {
  if (fast == plain) return {};
  return what + " is " + wide_text(static_cast<Wide>(fast)) + ", the reference says " +
         wide_text(static_cast<Wide>(plain));
}

// Rows of an open-orders answer compare without what depends on their place in it.
std::string row_text(OpenOrderRow row) {
  row.header.ordinal = 0;
  row.request_sequence = 0;
  Report report;
  report.assign(row);
  return to_text(report);
}

std::string level_text(Side side, const L2Row& row) {
  return (side == Side::kBuy ? "bid " : "ask ") + std::to_string(row.price) + " quantity " +
         wide_text(wide(row.quantity_low, row.quantity_high)) + " orders " +
         std::to_string(row.order_count) + " accounts " + std::to_string(row.account_count) +
         " changed " + std::to_string(row.time_ns);
}

template <class List, class Text>
Difference differ_in_lists(const std::string& what, const List& fast, const List& plain,
                           Text text) {
  for (std::size_t i = 0; i < std::max(fast.size(), plain.size()); ++i) {
    const std::string a = i < fast.size() ? text(fast[i]) : "nothing";
    const std::string b = i < plain.size() ? text(plain[i]) : "nothing";
    if (a != b)
      return what + ", row " + std::to_string(i) + ":\n  engine    " + a + "\n  reference " + b;
  }
  return {};
}

}  // namespace

Lockstep::Lockstep(const Configuration& configuration, const Logon& observer,
                   std::uint32_t full_check_every)
    : configuration_(configuration),
      observer_slot_(configuration.capacities.sessions - 1),
      full_check_every_(full_check_every),
      fast_(make_fast_engine(configuration, kHashSalt)),
      reference_(configuration, plain_sink_) {
  last_serial_ = fast_->logon(observer_slot_, observer, 0);
  reference_.logon(observer_slot_, observer, 0);
}

bool Lockstep::applicable(const Command& command) const {
  switch (command.kind) {
    case Command::Kind::kLogon:
      return fast_->slot_free(command.slot) && reference_.slot_free(command.slot);
    case Command::Kind::kRequest:
    case Command::Kind::kEndSession:
      return reference_.has_session(command.slot);
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
      fast_->end_session(command.slot, command.now);
      reference_.end_session(command.slot, command.now);
      break;
    case Command::Kind::kSweep:
      difference = apply_sweep_step(command.now, more);
      break;
    case Command::Kind::kSweepAll:
      difference = apply_sweep_to_end(command.now);
      break;
    case Command::Kind::kStopAccepting:
      fast_->stop_accepting(command.why, command.now);
      reference_.stop_accepting(command.why, command.now);
      break;
  }
  if (!difference) difference = compare_reports(fast_->take_received(), plain_sink_.take());
  if (!difference) difference = compare_after(command);
  return difference;
}

// ------------------------------------------------------------------------------------------ inputs

Difference Lockstep::apply_logon(const Command& command) {
  const SessionSerial serial = fast_->logon(command.slot, command.logon, command.now);
  reference_.logon(command.slot, command.logon, command.now);
  if (serial <= last_serial_) return "the session's serial was given before";
  last_serial_ = serial;
  return {};
}

template <class Engine>
void Lockstep::give_request(Engine& engine, SessionSlot slot, const Request& request, TimeNs now) {
  engine.request(slot, request_sequence_, request, now);
}

Difference Lockstep::apply_request(const Command& command) {
  const Request request = resolved(command);
  if (!well_formed(request)) return "the engine calls this request malformed";
  if (continues(request)) return give_continuation(command.slot, request, command.now);
  if (paged(request)) return compare_answers(command.slot, request, command.now);
  ++request_sequence_;
  give_request(*fast_, command.slot, request, command.now);
  const Received received = fast_->take_received();
  if (Difference difference = note_reply(command, received)) return difference;
  give_request(reference_, command.slot, request, command.now);
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
  const Report& reply = own->second.front();
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
  const bool sweeping = fast_->sweeping();
  more = fast_->sweep(now);
  if (more != sweeping) return differ("whether a sweep step had work", more, sweeping);
  Received received = fast_->take_received();
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

// -------------------------------------------------------------------------------- paged query
// answers

void Lockstep::add_page(const std::vector<Report>& page, Sequence request_sequence, Answer& answer,
                        PageEnd& end) const {
  std::uint32_t ordinal = 0;
  for (const Report& report : page) {
    const auto header = report.as<ReportHeader>();
    const bool in_place = header.ordinal == ordinal++ &&
                          header.engine_sequence == reference_.last_sequence() &&
                          report.as<Pong>().request_sequence == request_sequence;
    if (!in_place) answer.fault = "a row with a wrong header: " + to_text(report);
    if (report.is<OpenOrderRow>()) {
      answer.orders.push_back(report.as<OpenOrderRow>());
    } else if (report.is<L2Rows>()) {
      const auto rows = report.as<L2Rows>();
      for (std::size_t i = 0; i < rows.header.a; ++i) {
        answer.levels.emplace_back(static_cast<Side>(rows.header.b), rows.rows[i]);
      }
      answer.last_trade_price = rows.last_trade_price;
      answer.md_update_id = rows.md_update_id;
    } else if (report.is<PageEnd>() && ordinal == page.size()) {
      end = report.as<PageEnd>();
      if (answer.levels.empty()) answer.md_update_id = end.md_update_id;
      if (answer.md_update_id != end.md_update_id) answer.fault = "pages of different books";
    } else if (report.is<Receipt>() && page.size() == 1) {
      answer.refusal = report.as<Receipt>().refusal();
    } else {
      answer.fault = "out of place: " + to_text(report);
    }
  }
}

template <class Engine>
Lockstep::Answer Lockstep::collect(Engine& engine, SessionSlot slot, Request request, TimeNs now) {
  Answer answer;
  for (std::uint32_t page = 0; page < kPagesMax; ++page) {
    ++request_sequence_;
    give_request(engine, slot, request, now);
    const Received received = take(engine);
    if (received.size() != 1 || received.begin()->first != slot) {
      answer.fault = "an answer that went to several sessions or to none";
      return answer;
    }
    PageEnd end;
    add_page(received.begin()->second, request_sequence_, answer, end);
    if (end.header.a == 0 || !answer.fault.empty()) return answer;
    if (request.is<OpenOrdersQuery>()) {
      auto query = request.as<OpenOrdersQuery>();
      query.continuation = end.continuation;
      request.assign(query);
    } else {
      auto query = request.as<L2Query>();
      query.continuation = end.continuation;
      query.continuation_price = end.continuation_price;
      request.assign(query);
    }
  }
  answer.fault = "an answer without end";
  return answer;
}

// A continuation that no answer gave may be answered with any page or none, but it must be
// answered, and may change nothing.
Difference Lockstep::give_continuation(SessionSlot slot, const Request& request, TimeNs now) {
  ++request_sequence_;
  give_request(*fast_, slot, request, now);
  const Received received = fast_->take_received();
  if (received.size() != 1 || received.begin()->first != slot) {
    return "a query with a continuation of its own was answered to others or not at all";
  }
  const Report& last = received.begin()->second.back();
  if (last.is<PageEnd>() || last.is<Receipt>()) return {};
  return "a page without end: " + to_text(last);
}

Difference Lockstep::compare_answers(SessionSlot slot, const Request& request, TimeNs now) {
  Answer fast = collect(*fast_, slot, request, now);
  const Answer plain = collect(reference_, slot, request, now);
  const std::string what = "answer to " + to_text(request);
  if (!fast.fault.empty()) return what + ": " + fast.fault;
  if (!plain.fault.empty()) return what + " of the reference: " + plain.fault;
  if (fast.refusal != plain.refusal) {
    return what + ": engine code " + std::to_string(static_cast<int>(fast.refusal.code)) +
           " detail " + std::to_string(static_cast<int>(fast.refusal.detail)) +
           ", reference code " + std::to_string(static_cast<int>(plain.refusal.code)) + " detail " +
           std::to_string(static_cast<int>(plain.refusal.detail)) + " (or other arguments)";
  }
  std::sort(fast.orders.begin(), fast.orders.end(),
            [](const auto& a, const auto& b) { return a.order_id < b.order_id; });
  Difference difference = differ_in_lists(what, fast.orders, plain.orders, row_text);
  if (difference) return difference;
  difference = differ_in_lists(what, fast.levels, plain.levels, [](const auto& level) {
    return level_text(level.first, level.second);
  });
  if (difference) return difference;
  difference =
      differ("LastTradePrice in the " + what, fast.last_trade_price, plain.last_trade_price);
  if (difference || !request.is<L2Query>() || fast.refusal.code != ErrorCode::kOk) {
    return difference;
  }
  return compare_book_version(request.as<L2Query>().instrument_id, fast.md_update_id);
}

// md_update_id must grow with each change of the book and must not change without one.
Difference Lockstep::compare_book_version(InstrumentId instrument, std::uint64_t md_update_id) {
  const Book* book = reference_.book(instrument);
  if (book == nullptr) return {};
  const auto known = book_versions_.find(instrument);
  if (known != book_versions_.end()) {
    const auto [changes, id] = known->second;
    const bool kept = changes == book->change_count ? md_update_id == id : md_update_id > id;
    if (!kept) {
      return "md_update_id went from " + std::to_string(id) + " to " +
             std::to_string(md_update_id) + " while the book changed " +
             std::to_string(book->change_count - changes) + " times";
    }
  }
  book_versions_[instrument] = {book->change_count, md_update_id};
  return {};
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
      differ("the sequence number", fast_->last_sequence(), reference_.last_sequence());
  if (!difference) {
    difference = differ("the number of working orders", fast_->working_orders(),
                        reference_.working_orders());
  }
  if (!difference) {
    difference = differ("the number of finished orders", fast_->finished_orders(),
                        reference_.finished_orders());
  }
  if (!difference) {
    difference = differ("the number of trades", fast_->trade_count(), reference_.trade_count());
  }
  if (!difference && reference_.sweeping() && !fast_->sweeping()) {
    difference = "orders of ended sessions are left, and the engine is not sweeping";
  }
  return difference;
}

Difference Lockstep::compare_touches() const {
  for (const Instrument& instrument : configuration_.instruments) {
    for (const Side side : {Side::kBuy, Side::kSell}) {
      const Touch fast = fast_->best(instrument.id, side);
      const Touch plain = reference_.best(instrument.id, side);
      Difference difference = differ(instrument.symbol + " best price", fast.price, plain.price);
      if (!difference) {
        difference = differ(instrument.symbol + " best quantity", fast.quantity, plain.quantity);
      }
      if (difference) return difference;
    }
    Difference difference =
        differ(instrument.symbol + " last trade price", fast_->last_trade_price(instrument.id),
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
                                         fast_->quantity_at(instrument, side, near),
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
    const bool fast = fast_->slot_free(slot);
    const bool plain = reference_.slot_free(slot);
    // An ended session's slot may stay taken until the engine's next step has looked at it.
    const bool pending = fast_->sweeping() && !reference_.has_session(slot);
    if (fast != plain && !(pending && !fast)) {
      return differ("whether slot " + std::to_string(slot) + " is free", fast, plain);
    }
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
  fast_->check_invariants();
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
                                   fast_->quantity_at(instrument->id, side, price),
                                   reference_.quantity_at(instrument->id, side, price));
    if (difference) return difference;
  }
  return {};
}

}  // namespace shmatch::reference
