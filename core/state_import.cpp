// Puts an exported state into a fresh engine. Nothing of the stream is believed: every value that
// later behaviour relies on is judged before it is used.
#include <algorithm>
#include <iterator>

#include "core/engine_state.h"
#include "core/state_export.h"

namespace shmatch::core {
namespace {

bool in_range(std::int64_t value, std::int64_t low, std::int64_t high) noexcept {
  return value >= low && value <= high;
}

// What holds for every order, whatever became of it.
bool possible(const Order& order, const OrderDetail& detail) noexcept {
  const bool limit = order.order_type == OrderType::kLimit;
  const bool known_kind =
      (limit || order.order_type == OrderType::kMarket) &&
      (order.side == Side::kBuy || order.side == Side::kSell) &&
      (order.time_in_force == TimeInForce::kGtc || order.time_in_force == TimeInForce::kIoc ||
       order.time_in_force == TimeInForce::kFok);
  return known_kind && order.cl_ord_id >= 0 &&
         in_range(detail.price, limit ? 1 : 0, limit ? kAmountMax : 0) &&
         in_range(order.orig_quantity, 1, kAmountMax) &&
         in_range(order.leaves, 0, order.orig_quantity);
}

bool possible_working(const Order& order, const OrderEnd& end) noexcept {
  return order.state == OrderState::kWorking && order.order_type == OrderType::kLimit &&
         order.time_in_force == TimeInForce::kGtc && order.leaves > 0 &&
         (order.change_reason == ChangeReason::kNewInputAccepted ||
          order.change_reason == ChangeReason::kTrade) &&
         order.cancel_reason == CancelReason::kNone && end.end_sequence == 0;
}

bool possible_finished(const Order& order) noexcept {
  if (order.state == OrderState::kFullyExecuted) {
    return order.leaves == 0 && order.change_reason == ChangeReason::kTrade &&
           order.cancel_reason == CancelReason::kNone;
  }
  return order.state == OrderState::kCanceled &&
         (order.cancel_reason == CancelReason::kNoMoreMarket
              ? order.change_reason == ChangeReason::kNoMoreMarket
              : order.change_reason == ChangeReason::kUserModified && cancelled_by_user(order));
}

constexpr const char* kShort = "the exported state ends too early";

}  // namespace

// Each step returns null, or the sentence that says what is wrong.
class MatchingEngine::State::Importer {
 public:
  Importer(State& state, WordSource& source) noexcept : state_(state), source_(source) {}

  const char* run() noexcept {
    constexpr Step kSteps[] = {&Importer::head,        &Importer::counters,    &Importer::levels,
                               &Importer::finished,    &Importer::instruments, &Importer::sessions,
                               &Importer::sweep_queue, &Importer::final_digest};
    for (const Step step : kSteps) {
      if (const char* fault = (this->*step)()) return fault;
    }
    return nullptr;
  }

 private:
  using Step = const char* (Importer::*)() noexcept;

  bool get(std::span<std::uint64_t> words) noexcept { return source_.get(words); }

  const char* head() noexcept;
  const char* counters() noexcept;
  const char* levels() noexcept;
  const char* level(const LevelWords& words) noexcept;
  const char* finished() noexcept;
  struct Read {
    Index slot = kNoIndex;
    OrderEnd end{};
    std::uint32_t ended_as = 0;
  };
  const char* order(Read& read) noexcept;
  const char* instruments() noexcept;
  const char* sessions() noexcept;
  const char* session(const SessionWords& words) noexcept;
  const char* sweep_queue() noexcept;
  const char* final_digest() noexcept;

  State& state_;
  WordSource& source_;
  CounterWords counters_{};
  std::uint32_t working_ = 0;
  std::uint32_t finished_ = 0;
  std::uint32_t instruments_ = 0;
  std::uint32_t sessions_ = 0;
  std::uint32_t swept_ = 0;
};

const char* MatchingEngine::State::Importer::head() noexcept {
  std::uint64_t magic = 0;
  ExportHeadWords words;
  if (!get({&magic, 1})) return kShort;
  if (magic != kStateMagic) return "this is no exported state";
  if (!get(counters_)) return kShort;
  if (counters_[0] != kStateFormat) {
    return "the exported state is of another format version: use the shmatch that wrote it";
  }
  if (!get(words)) return kShort;
  if (static_cast<OmsId>(words[0]) != state_.oms_id_) return "the exported state is of another OMS";
  const Capacities& capacities = state_.capacities_;
  if (words[1] != pack(capacities.working_orders, capacities.finished_orders)) {
    return "the exported state is of an engine with other capacities for orders";
  }
  working_ = low_half(words[2]);
  finished_ = high_half(words[2]);
  instruments_ = low_half(words[3]);
  sessions_ = high_half(words[3]);
  if (working_ > capacities.working_orders || finished_ > capacities.finished_orders) {
    return "there are more orders than the capacities allow";
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::counters() noexcept {
  if (state_.sequence_ != 0) return "a state can only be put into an engine without inputs";
  const CounterWords& words = counters_;
  const std::uint32_t stopped = high_half(words[3]);
  if (words[2] >= std::uint64_t{1} << 62 ||
      stopped > static_cast<std::uint32_t>(Detail::kJournalFailed)) {
    return "a counter is out of range";
  }
  if (!state_.store_.restore({.round = static_cast<std::int64_t>(words[4]),
                              .cursor = low_half(words[5]),
                              .ended_count = high_half(words[5])})) {
    return "the counters of the order ids are out of range";
  }
  state_.sequence_ = words[1];
  state_.last_trade_ = static_cast<TradeId>(words[2]);
  state_.last_serial_ = low_half(words[3]);
  state_.stopped_ = static_cast<Detail>(stopped);
  state_.sweep_cursor_ = low_half(words[6]);
  swept_ = high_half(words[6]);
  if (state_.sweep_cursor_ >= state_.store_.slot_count() ||
      (swept_ == 0 && state_.sweep_cursor_ != 0)) {
    return "the sweep is out of range";
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::levels() noexcept {
  while (state_.store_.working_count() < working_) {
    LevelWords words;
    if (!get(words)) return kShort;
    if (const char* fault = level(words)) return fault;
  }
  for (Index instrument = 0; instrument < state_.instruments_.size(); ++instrument) {
    const Level* bid = state_.books_.best(instrument, Side::kBuy);
    const Level* ask = state_.books_.best(instrument, Side::kSell);
    if (bid != nullptr && ask != nullptr && bid->price >= ask->price) return "a book is crossed";
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::level(const LevelWords& words) noexcept {
  const auto side = static_cast<Side>(words[0] % 2);
  const Index instrument = state_.instrument_map_.find(static_cast<InstrumentId>(words[0] / 2));
  if (instrument == kNoIndex) return "a price level is of an unknown instrument";
  const auto price = static_cast<Ticks>(words[1]);
  const std::uint64_t count = words[3];
  if (!in_range(price, 1, kAmountMax) || count == 0 ||
      count > working_ - state_.store_.working_count() ||
      state_.books_.at(instrument, side, price) != nullptr) {
    return "a price level is impossible";
  }
  if (state_.books_.full()) return "there are more price levels than the capacity allows";
  OrderId previous = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Read read;
    if (const char* fault = order(read)) return fault;
    const Index slot = read.slot;
    const Order& placed = state_.store_[slot];
    const OrderDetail& detail = state_.store_.detail(slot);
    if (untouched(placed) && !as_entered(placed, detail)) {
      return "an order that nothing has happened to is not as it was entered";
    }
    if (!possible_working(placed, read.end) || detail.price != price ||
        placed.instrument != instrument || placed.side != side || placed.order_id <= previous) {
      return "an order does not belong into its price level";
    }
    previous = placed.order_id;
    state_.books_.add(slot, price, static_cast<TimeNs>(words[2]));
    state_.renew_digest(slot);
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::finished() noexcept {
  OrderStore& store = state_.store_;
  store.take_back_ended_count(finished_);
  for (std::uint32_t i = 0; i < finished_; ++i) {
    Read read;
    if (const char* fault = order(read)) return fault;
    const Index slot = read.slot;
    if (!possible_finished(store[slot])) return "an ended order is impossible";
    if (read.ended_as != store.counters().ended_count) {
      return "an ended order is out of its place";
    }
    store.finish(slot, read.end);
    state_.renew_digest(slot);
  }
  return nullptr;
}

// Reads an order into the slot that its id names, and makes it findable.
const char* MatchingEngine::State::Importer::order(Read& read) noexcept {
  OrderWords words;
  if (!get(words.entered) || !get(words.since)) return kShort;
  Order order{};
  OrderDetail detail{};
  const OrderIds ids = get_order(words, order, detail, read.end, read.ended_as);
  order.place_or_number = read.ended_as;
  const Index account = state_.accounts_.account(ids.account);
  const Index instrument = state_.instrument_map_.find(ids.instrument);
  const Index entered_by = state_.accounts_.user(ids.entered_by);
  const Index ended_by = state_.accounts_.user(ids.ended_by);
  if (account == kNoIndex || instrument == kNoIndex || entered_by == kNoIndex ||
      (cancelled_by_user(order) ? ended_by == kNoIndex : ids.ended_by != 0)) {
    return "an order is of an unknown account, instrument or user";
  }
  if (!possible(order, detail)) return "an order is impossible";
  const Index slot = state_.store_.claim(order.order_id);
  read.slot = slot;
  if (slot == kNoIndex) return "an order has an id that was never given, or another one's place";
  order.next = kNoIndex;
  order.previous = kNoIndex;
  order.level = kNoIndex;
  order.account = static_cast<std::uint16_t>(account);
  order.instrument = static_cast<std::uint16_t>(instrument);
  order.entered_by = static_cast<std::uint16_t>(entered_by);
  order.ended_by = static_cast<std::uint16_t>(ids.ended_by == 0 ? 0 : ended_by);
  state_.store_[slot] = order;
  state_.store_.detail(slot) = detail;
  state_.store_.walk(slot) = {ids.cancel_session, account};
  const OrderIds ids_again = state_.ids_of(slot);
  OrderWords again;
  put_entered(order, detail, ids_again, again.entered);
  put_since(order, detail, read.end, ids_again.ended_by, again.since);
  if (!std::ranges::equal(words.entered, again.entered) ||
      !std::ranges::equal(words.since, again.since)) {
    return "an order holds more than there is";
  }
  state_.start_digest(slot);
  return state_.store_.index_again(slot) ? nullptr : "two orders contradict each other's ids";
}

const char* MatchingEngine::State::Importer::instruments() noexcept {
  // Putting the orders back has counted as changes of their books.
  for (Index i = 0; i < state_.instruments_.size(); ++i) state_.books_.restore_update_id(i, 0);
  for (std::uint32_t i = 0; i < instruments_; ++i) {
    InstrumentWords words;
    if (!get(words)) return kShort;
    const Index instrument = state_.instrument_map_.find(static_cast<InstrumentId>(words[0]));
    if (instrument == kNoIndex) return "an instrument is unknown";
    const auto last = static_cast<Ticks>(words[1]);
    if (!in_range(last, 0, kAmountMax)) return "a last trade price is out of range";
    state_.instruments_[instrument].last_trade_price = last;
    state_.books_.restore_update_id(instrument, words[2]);
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::sessions() noexcept {
  for (std::uint32_t i = 0; i < sessions_; ++i) {
    SessionWords words;
    if (!get(words)) return kShort;
    if (const char* fault = session(words)) return fault;
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::session(const SessionWords& words) noexcept {
  Session session{};
  const SessionSlot slot = get_session(words, session);
  if (slot >= state_.sessions_.size()) return "there are more sessions than the capacity allows";
  session.user = state_.accounts_.user(session.logon.user_id);
  if (session.user == kNoIndex) return "a session is of an unknown user";
  session.accounts = state_.accounts_.row_of(session.user);
  session.permissions = state_.accounts_.permissions(session.user);
  const bool known_state = session.state >= SessionState::kOpen &&
                           session.state <= SessionState::kDetached &&
                           (session.state != SessionState::kDetached || session.logon.resumable);
  if (!known_state || session.serial == 0 || !valid_name(session.logon) ||
      !state_.sessions_.is(slot, SessionState::kFree) ||
      (session.logon.resumable &&
       state_.sessions_.find_resumable(session.logon.user_id, session.logon.name) !=
           state_.sessions_.size())) {
    return "a session is impossible, or there twice";
  }
  SessionWords again;
  put_session(slot, session, again);
  if (!std::equal(words, std::end(words), again)) return "a session holds more than there is";
  state_.sessions_[slot] = session;
  if (session.hears()) state_.sessions_.subscribe(slot, state_.accounts_);
  return nullptr;
}

const char* MatchingEngine::State::Importer::sweep_queue() noexcept {
  std::uint32_t sweeping = 0;
  for (SessionSlot slot = 0; slot < state_.sessions_.size(); ++slot) {
    sweeping += state_.sessions_.is(slot, SessionState::kSweeping) ? 1 : 0;
  }
  if (sweeping != swept_) return "the queue of the sweep does not fit the sessions";
  for (std::uint32_t i = 0; i < swept_; ++i) {
    std::uint64_t word = 0;
    if (!get({&word, 1})) return kShort;
    const SessionSlot slot = low_half(word);
    bool queued = high_half(word) != 0 || !state_.sessions_.is(slot, SessionState::kSweeping);
    for (std::uint32_t place = 0; place < i; ++place) queued |= state_.swept_at(place) == slot;
    if (queued) return "the queue of the sweep names a session wrongly";
    state_.queue_sweep(slot);
  }
  return nullptr;
}

const char* MatchingEngine::State::Importer::final_digest() noexcept {
  std::uint64_t expected = 0;
  if (!get({&expected, 1})) return kShort;
  return state_.digest() == expected ? nullptr
                                     : "the state's digest is not the one that was exported";
}

const char* MatchingEngine::State::import_from(WordSource& source) noexcept {
  return Importer(*this, source).run();
}

const char* import_state(MatchingEngine& engine, WordSource& source) noexcept {
  return engine.state_->import_from(source);
}

}  // namespace shmatch::core
