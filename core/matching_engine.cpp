#include "core/matching_engine.h"

#include <new>

#include "core/engine_state.h"
#include "core/input_record.h"

namespace shmatch::core {

MatchingEngine::State::State(Arena& arena, const Configuration& configuration,
                             std::uint64_t hash_salt, ReportPort& port, bool keep_digest)
    : oms_id_(configuration.oms_id),
      rate_per_second_(configuration.rate_per_second),
      rate_interval_(rate_per_second_ == 0 ? 0 : 1'000'000'000 / rate_per_second_),
      rate_tolerance_(rate_interval_ * (TimeNs{configuration.rate_burst} - 1)),
      capacities_(configuration.capacities),
      accounts_(arena, configuration),
      instrument_map_(arena, configuration.instruments.size()),
      instruments_(arena.take<InstrumentEntry>(configuration.instruments.size())),
      account_marks_(arena.take<std::uint64_t>(configuration.accounts.size())),
      sessions_(arena, configuration),
      store_(arena, configuration.capacities, hash_salt),
      books_(arena, configuration.instruments.size(), configuration.capacities.levels(),
             store_.orders(), hash_salt, keep_digest),
      port_(&port),
      sweep_queue_(arena.take<SessionSlot>(configuration.capacities.sessions)),
      keep_digest_(keep_digest) {}

void MatchingEngine::State::reset(const Configuration& configuration) noexcept {
  accounts_.fill(configuration);
  store_.reset();
  for (Index i = 0; i < instruments_.size(); ++i) {
    const Instrument& instrument = configuration.instruments[i];
    instruments_[i] = InstrumentEntry{instrument.id, 0, instrument.tick, instrument.lot};
    instrument_map_.insert(instrument.id, i);
    books_.name(i, instrument.id);
  }
}

void MatchingEngine::State::request(SessionSlot slot, Sequence request_sequence,
                                    const std::uint64_t* message, TimeNs now) noexcept {
  SHMATCH_CHECK(sessions_.is(slot, SessionState::kOpen));
  const Origin origin{slot, request_sequence};
  begin(now);
  // No switch: which of the two comes is a toss, and a comparison that was guessed wrong costs less
  // than a jump through a table.
  const auto type = static_cast<RequestType>(message[0] & 0xFF);
  if (type == RequestType::kNewOrder) {
    take_number(origin);
    return new_order(origin, message, now);
  }
  if (type == RequestType::kCancelOrder) {
    take_number(origin);
    return cancel_order(origin, message, now);
  }
  answer(origin, type, message);
}

std::size_t MatchingEngine::memory_size(const Configuration& configuration) {
  Arena arena;
  arena.take<std::byte>(sizeof(State));
  class Nobody final : public ReportSink {
    void deliver(SessionSlot, const Report&) noexcept override {}
  } nobody;
  const State measured(arena, configuration, 0, nobody, false);
  return arena.used();
}

MatchingEngine::MatchingEngine(const Configuration& configuration, std::span<std::byte> memory,
                               std::uint64_t hash_salt, ReportPort& port, bool keep_digest) {
  Arena arena(memory);
  void* place = arena.take<std::byte>(sizeof(State)).data();
  state_ = new (place) State(arena, configuration, hash_salt, port, keep_digest);
  state_->reset(configuration);
}

MatchingEngine::~MatchingEngine() { state_->~State(); }

void MatchingEngine::set_port(ReportPort& port) noexcept { state_->port_ = &port; }

SessionSerial MatchingEngine::logon(SessionSlot slot, const Logon& logon, TimeNs) noexcept {
  return state_->logon(slot, logon);
}

void MatchingEngine::request(SessionSlot slot, Sequence request_sequence,
                             const std::uint64_t* message, TimeNs now) noexcept {
  state_->request(slot, request_sequence, message, now);
}

void MatchingEngine::end_session(SessionSlot slot, TimeNs) noexcept { state_->end_session(slot); }

bool MatchingEngine::sweep(TimeNs now) noexcept { return state_->sweep(now); }

void MatchingEngine::stop_accepting(Detail why, TimeNs) noexcept { state_->stop_accepting(why); }

void MatchingEngine::restart(TimeNs) noexcept { state_->restart(); }

void MatchingEngine::resume(SessionSlot slot, const Logon& logon, TimeNs) noexcept {
  state_->resume(slot, logon);
}

void MatchingEngine::forget_session(SessionSlot slot, TimeNs) noexcept {
  state_->forget_session(slot);
}

std::uint32_t MatchingEngine::session_capacity() const noexcept { return state_->sessions_.size(); }

bool MatchingEngine::slot_free(SessionSlot slot) const noexcept {
  return state_->sessions_.is(slot, SessionState::kFree);
}

bool MatchingEngine::session_open(SessionSlot slot) const noexcept {
  return state_->sessions_.is(slot, SessionState::kOpen);
}

Sequence MatchingEngine::last_request(SessionSlot slot) const noexcept {
  return slot < state_->sessions_.size() ? state_->sessions_[slot].last_request : 0;
}

SessionView MatchingEngine::session(SessionSlot slot) const noexcept {
  if (slot >= state_->sessions_.size()) return {};
  const Session& session = state_->sessions_[slot];
  return {session.state, session.serial, session.last_request, session.logon};
}

SessionSlot MatchingEngine::find_resumable(UserId user_id,
                                           const char (&name)[kSessionNameBytes]) const noexcept {
  return state_->sessions_.find_resumable(user_id, name);
}

bool MatchingEngine::user_configured(UserId user_id) const noexcept {
  return state_->accounts_.user(user_id) != kNoIndex;
}

bool MatchingEngine::sweeping() const noexcept { return state_->sweep_count_ > 0; }

Sequence MatchingEngine::last_sequence() const noexcept { return state_->sequence_; }

std::uint32_t MatchingEngine::working_orders() const noexcept {
  return state_->store_.working_count();
}

std::uint32_t MatchingEngine::finished_orders() const noexcept {
  return state_->store_.finished_count();
}

std::uint32_t MatchingEngine::price_levels() const noexcept { return state_->books_.levels_used(); }

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

std::uint64_t MatchingEngine::digest() const noexcept { return state_->digest(); }

void MatchingEngine::check_invariants() const noexcept { state_->check_invariants(); }

}  // namespace shmatch::core
