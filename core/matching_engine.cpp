#include "core/matching_engine.h"

#include <new>

#include "core/engine_state.h"

namespace shmatch::core {

MatchingEngine::State::State(Arena& arena, const Configuration& configuration,
                             std::uint64_t hash_salt, ReportSink& sink)
    : oms_id_(configuration.oms_id),
      rate_per_second_(configuration.rate_per_second),
      rate_interval_(rate_per_second_ == 0 ? 0 : 1'000'000'000 / rate_per_second_),
      rate_tolerance_(rate_interval_ * (TimeNs{configuration.rate_burst} - 1)),
      working_capacity_(configuration.capacities.working_orders),
      accounts_(arena, configuration),
      instrument_map_(arena, configuration.instruments.size()),
      instruments_(arena.take<InstrumentEntry>(configuration.instruments.size())),
      account_marks_(arena.take<std::uint64_t>(configuration.accounts.size())),
      sessions_(arena, configuration),
      store_(arena, configuration.capacities, hash_salt),
      books_(arena, configuration.instruments.size(), configuration.capacities.working_orders,
             store_.orders()),
      reporter_(accounts_, sessions_, store_, books_, instruments_, sink),
      sweep_queue_(arena.take<SessionSlot>(configuration.capacities.sessions)) {}

void MatchingEngine::State::reset(const Configuration& configuration) noexcept {
  accounts_.fill(configuration);
  store_.reset();
  for (Index i = 0; i < instruments_.size(); ++i) {
    const Instrument& instrument = configuration.instruments[i];
    instruments_[i] = InstrumentEntry{instrument.id, 0, instrument.tick, instrument.lot};
    instrument_map_.insert(instrument.id, i);
  }
}

SessionSerial MatchingEngine::State::logon(SessionSlot slot, const Logon& logon) noexcept {
  SHMATCH_CHECK(slot < sessions_.size() && sessions_[slot].state == Session::State::kFree);
  const Index user = accounts_.user(logon.user_id);
  SHMATCH_CHECK(user != kNoIndex);
  ++sequence_;
  if (++last_serial_ == 0) ++last_serial_;  // 0 is no session
  sessions_[slot] = Session{.serial = last_serial_,
                            .user = user,
                            .theoretical_arrival = 0,
                            .state = Session::State::kOpen,
                            .cancel_on_disconnect = logon.cancel_on_disconnect,
                            .whole_objects = logon.whole_objects,
                            .entered_orders = false};
  const bool all = logon.all_accounts && accounts_.may(user, kPermissionOperator);
  sessions_.subscribe(slot, accounts_, all);
  return last_serial_;
}

void MatchingEngine::State::request(SessionSlot slot, Sequence request_sequence,
                                    const Request& request, TimeNs now) noexcept {
  SHMATCH_CHECK(slot < sessions_.size() && sessions_[slot].state == Session::State::kOpen);
  const Origin origin{slot, request_sequence};
  const auto type = static_cast<RequestType>(request.type());
  const bool is_input = type == RequestType::kCancelOrder || type == RequestType::kNewOrder;
  reporter_.begin(is_input ? ++sequence_ : sequence_, now);
  switch (type) {
    case RequestType::kCancelOrder:
      return cancel_order(origin, request.as<CancelOrder>(), now);
    case RequestType::kNewOrder:
      return new_order(origin, request.as<NewOrder>(), now);
    case RequestType::kOrderStatus:
      return order_status(origin, request.as<OrderStatusQuery>());
    case RequestType::kOpenOrders:
      return open_orders(origin, request.as<OpenOrdersQuery>());
    case RequestType::kL2Snapshot:
      return l2_snapshot(origin, request.as<L2Query>());
    case RequestType::kPing:
      return reporter_.pong(slot, request_sequence);
    case RequestType::kNone:
      break;
  }
  check_failed("well_formed(request)", __FILE__, __LINE__);
}

void MatchingEngine::State::end_session(SessionSlot slot) noexcept {
  SHMATCH_CHECK(slot < sessions_.size() && sessions_[slot].state == Session::State::kOpen);
  ++sequence_;
  sessions_.unsubscribe(slot, accounts_);
  if (!sessions_[slot].entered_orders) {
    sessions_[slot].state = Session::State::kFree;
    return;
  }
  sessions_[slot].state = Session::State::kSweeping;
  sweep_queue_[(sweep_head_ + sweep_count_) % sweep_queue_.size()] = slot;
  ++sweep_count_;
}

bool MatchingEngine::State::sweep(TimeNs now) noexcept {
  if (sweep_count_ == 0) return false;
  reporter_.begin(++sequence_, now);
  Session& session = sessions_[sweep_queue_[sweep_head_]];
  const Index end = store_.slot_count();
  const Index stop =
      end - sweep_cursor_ < kSweepOrdersPerStep ? end : sweep_cursor_ + kSweepOrdersPerStep;
  Index cancelled = 0;
  for (; sweep_cursor_ < stop && cancelled < kSweepCancelsPerStep; ++sweep_cursor_) {
    if (store_.cancel_session(sweep_cursor_) != session.serial) continue;
    const Order& order = store_[sweep_cursor_];
    if (order.order_id == 0 || order.state != OrderState::kWorking) continue;
    cancel_working(sweep_cursor_, CancelReason::kCancelOnDisconnect, session.user, kNoSession, now);
    ++cancelled;
  }
  if (sweep_cursor_ == end) {
    session.state = Session::State::kFree;
    sweep_head_ = static_cast<std::uint32_t>((sweep_head_ + 1) % sweep_queue_.size());
    --sweep_count_;
    sweep_cursor_ = 0;
  }
  return true;
}

void MatchingEngine::State::check_invariants() const noexcept {
  store_.check_invariants();
  SHMATCH_CHECK(books_.check_invariants() == store_.working_count());
}

std::size_t MatchingEngine::memory_size(const Configuration& configuration) {
  Arena arena;
  arena.take<std::byte>(sizeof(State));
  class Nobody final : public ReportSink {
    void deliver(SessionSlot, const Report&) noexcept override {}
  } nobody;
  const State measured(arena, configuration, 0, nobody);
  return arena.used();
}

MatchingEngine::MatchingEngine(const Configuration& configuration, std::span<std::byte> memory,
                               std::uint64_t hash_salt, ReportSink& sink) {
  Arena arena(memory);
  void* place = arena.take<std::byte>(sizeof(State)).data();
  state_ = new (place) State(arena, configuration, hash_salt, sink);
  state_->reset(configuration);
}

MatchingEngine::~MatchingEngine() { state_->~State(); }

SessionSerial MatchingEngine::logon(SessionSlot slot, const Logon& logon, TimeNs) noexcept {
  return state_->logon(slot, logon);
}

void MatchingEngine::request(SessionSlot slot, Sequence request_sequence, const Request& request,
                             TimeNs now) noexcept {
  state_->request(slot, request_sequence, request, now);
}

void MatchingEngine::end_session(SessionSlot slot, TimeNs) noexcept { state_->end_session(slot); }

bool MatchingEngine::sweep(TimeNs now) noexcept { return state_->sweep(now); }

void MatchingEngine::stop_accepting(Detail why, TimeNs) noexcept { state_->stop_accepting(why); }

bool MatchingEngine::slot_free(SessionSlot slot) const noexcept {
  return slot < state_->sessions_.size() && state_->sessions_[slot].state == Session::State::kFree;
}

bool MatchingEngine::sweeping() const noexcept { return state_->sweep_count_ > 0; }

Sequence MatchingEngine::last_sequence() const noexcept { return state_->sequence_; }

std::uint32_t MatchingEngine::working_orders() const noexcept {
  return state_->store_.working_count();
}

std::uint32_t MatchingEngine::finished_orders() const noexcept {
  return state_->store_.finished_count();
}

std::uint64_t MatchingEngine::trade_count() const noexcept {
  return static_cast<std::uint64_t>(state_->last_trade_);
}

Touch MatchingEngine::best(InstrumentId instrument, Side side) const noexcept {
  const Index index = state_->instrument_map_.find(instrument);
  const Level* level = index == kNoIndex ? nullptr : state_->books_.best(index, side);
  return level == nullptr ? Touch{} : Touch{level->price, level->quantity};
}

Wide MatchingEngine::quantity_at(InstrumentId instrument, Side side, Ticks price) const noexcept {
  const Index index = state_->instrument_map_.find(instrument);
  const Level* level = index == kNoIndex ? nullptr : state_->books_.at(index, side, price);
  return level == nullptr ? 0 : level->quantity;
}

Ticks MatchingEngine::last_trade_price(InstrumentId instrument) const noexcept {
  const Index index = state_->instrument_map_.find(instrument);
  return index == kNoIndex ? 0 : state_->instruments_[index].last_trade_price;
}

void MatchingEngine::check_invariants() const noexcept { state_->check_invariants(); }

}  // namespace shmatch::core
