// The digest of the whole state, and the walk that proves it together with all other invariants.
#include "core/engine_state.h"

namespace shmatch::core {

OrderIds MatchingEngine::State::ids_of(Index index) const noexcept {
  const Order& order = store_[index];
  return {.account = accounts_.account_id(order.account),
          .instrument = instruments_[order.instrument].id,
          .entered_by = accounts_.user_id(order.entered_by),
          .ended_by = ended_by(order),
          .cancel_session = store_.walk(index).cancel_session};
}

UserId MatchingEngine::State::ended_by(const Order& order) const noexcept {
  return cancelled_by_user(order) ? accounts_.user_id(order.ended_by) : 0;
}

void MatchingEngine::State::put_order(Index index, OrderWords& words) const noexcept {
  const Order& order = store_[index];
  const OrderDetail& detail = store_.detail(index);
  const OrderIds ids = ids_of(index);
  put_entered(order, detail, ids, words.entered);
  put_since(order, detail, store_.end_of(index), ids.ended_by, words.since);
}

std::uint64_t MatchingEngine::State::entered_digest(Index index) const noexcept {
  OrderHalf words;
  put_entered(store_[index], store_.detail(index), ids_of(index), words);
  return digest_of(0, words);
}

std::uint64_t MatchingEngine::State::since_digest(Index index) const noexcept {
  const Order& order = store_[index];
  if (untouched(order)) return 0;
  OrderHalf words;
  put_since(order, store_.detail(index), store_.end_of(index), ended_by(order), words);
  // The words do not say whose they are. No order has the other half's seed for its id.
  return digest_of(static_cast<std::uint64_t>(order.order_id), words);
}

std::uint64_t MatchingEngine::State::walk_orders_digest() const noexcept {
  std::uint64_t sum = 0;
  for (Index slot = 0; slot < store_.slot_count(); ++slot) {
    if (!store_.known(slot)) continue;
    SHMATCH_CHECK(!untouched(store_[slot]) || as_entered(store_[slot], store_.detail(slot)));
    const std::uint64_t digest = entered_digest(slot) + since_digest(slot);
    SHMATCH_CHECK(!keep_digest_ || digest == store_.digest(slot));
    sum += digest;
  }
  return sum;
}

std::uint64_t MatchingEngine::State::digest() const noexcept {
  std::uint64_t sum = keep_digest_ ? orders_digest_ : walk_orders_digest();
  sum += books_.digest();
  for_each_instrument_words(
      [&](const InstrumentWords& words) noexcept { sum += digest_of(0, words); });
  for_each_session_words([&](const SessionWords& words) noexcept { sum += digest_of(0, words); });
  for (std::uint32_t place = 0; place < sweep_count_; ++place) {
    sum += digest_of(0, {place, swept_at(place), 0, 0});
  }
  CounterWords counters;
  put_counters(counters);
  return digest_of(sum, counters);
}

void MatchingEngine::State::put_counters(CounterWords& words) const noexcept {
  const OrderStore::Counters ids = store_.counters();
  words[0] = kStateFormat;
  words[1] = sequence_;
  words[2] = static_cast<std::uint64_t>(last_trade_);
  words[3] = pack(last_serial_, static_cast<std::uint64_t>(stopped_));
  words[4] = static_cast<std::uint64_t>(ids.round);
  words[5] = pack(ids.cursor, ids.ended_count);
  words[6] = pack(sweep_cursor_, sweep_count_);
}

void MatchingEngine::State::check_invariants() const noexcept {
  store_.check_invariants();
  SHMATCH_CHECK(books_.check_invariants() == store_.working_count());
  books_.for_each_level([&](const Level& level) noexcept {
    for (Index slot = level.head; slot != kNoIndex; slot = store_[slot].next) {
      SHMATCH_CHECK(store_.detail(slot).price == level.price);
    }
  });
  SHMATCH_CHECK(!keep_digest_ || orders_digest_ == walk_orders_digest());
  std::uint32_t swept = 0;
  for (SessionSlot slot = 0; slot < sessions_.size(); ++slot) {
    const Session& session = sessions_[slot];
    if (session.state == SessionState::kFree) continue;
    swept += session.state == SessionState::kSweeping ? 1 : 0;
    SHMATCH_CHECK(session.state != SessionState::kDetached || session.logon.resumable);
    SHMATCH_CHECK(!session.logon.resumable ||
                  sessions_.find_resumable(session.logon.user_id, session.logon.name) == slot);
  }
  SHMATCH_CHECK(swept == sweep_count_ && (swept > 0 || sweep_cursor_ == 0));
  for (std::uint32_t place = 0; place < sweep_count_; ++place) {
    SHMATCH_CHECK(sessions_.is(swept_at(place), SessionState::kSweeping));
  }
}

}  // namespace shmatch::core
