#include "core/look_ahead.h"

#include <cstddef>

#include "core/engine_state.h"

namespace shmatch::core {
namespace {

// Ended orders between a hint for one and its being forgotten: at least so many that it comes in
// time, and not so many that what it fetched would be gone again.
constexpr std::uint32_t kForgottenLead = LookAhead::kNear;
constexpr std::uint32_t kForgottenReach = 256;
constexpr Index kFreeReach = 4'096;
// Working orders that are in the second cache, with their levels and what has ended lately.
constexpr std::uint32_t kOrdersInCache = 4'096;

// A field of a message, read where it stands: hints are given for every request of a long replay,
// and do not decode what they do not use.
template <std::size_t Offset>
std::int64_t field(const std::uint64_t* message) noexcept {
  static_assert(Offset % 8 == 0);
  return static_cast<std::int64_t>(message[Offset / 8]);
}
template <std::size_t Offset>
std::uint8_t byte_field(const std::uint64_t* message) noexcept {
  return static_cast<std::uint8_t>(message[Offset / 8] >> (8 * (Offset % 8)));
}

RequestType type_of(const std::uint64_t* message) noexcept {
  return static_cast<RequestType>(byte_field<0>(message));
}

// Both requests have them at the same place.
static_assert(offsetof(CancelOrder, account_id) == offsetof(NewOrder, account_id));
static_assert(offsetof(CancelOrder, cl_ord_id) == offsetof(NewOrder, cl_ord_id));
constexpr auto account_of = field<offsetof(CancelOrder, account_id)>;
constexpr auto client_id_of = field<offsetof(CancelOrder, cl_ord_id)>;
constexpr auto order_id_of = field<offsetof(CancelOrder, order_id)>;  // only cancels have it

}  // namespace

bool LookAhead::worthwhile() const noexcept {
  return state_.store_.working_count() >= kOrdersInCache;
}

void LookAhead::far(const std::uint64_t* message) noexcept {
  const OrderStore& store = state_.store_;
  const bool enters = type_of(message) == RequestType::kNewOrder;
  if (!enters && type_of(message) != RequestType::kCancelOrder) return;
  if (!enters && order_id_of(message) > 0) {
    prefetch_order(store.slot_of(order_id_of(message)));
  } else {
    store.client_ids().prefetch(state_.accounts_.account(account_of(message)),
                                client_id_of(message));
  }
  if (enters) follow_free();
}

void LookAhead::near(const std::uint64_t* message) noexcept {
  const OrderStore& store = state_.store_;
  if (type_of(message) == RequestType::kNewOrder) return follow_level(message);
  if (type_of(message) != RequestType::kCancelOrder) return;
  Index slot = kNoIndex;
  if (order_id_of(message) > 0) {
    slot = store.slot_of(order_id_of(message));
  } else {
    slot = store.find(state_.accounts_.account(account_of(message)), client_id_of(message));
    if (slot != kNoIndex) prefetch_order(slot);
  }
  if (slot != kNoIndex) state_.books_.prefetch(store[slot]);
  follow_forgotten();
}

// What a cancel of the order needs: with a digest that is all there is of it.
void LookAhead::prefetch_order(Index slot) const noexcept {
  if (state_.keep_digest_) return state_.store_.prefetch(slot);
  state_.store_.prefetch_order(slot);
}

// The level at the price of a new order, and later the order that it will stand behind.
void LookAhead::follow_level(const std::uint64_t* message) noexcept {
  Index& place = levels_[next_level_];
  if (++next_level_ == kTailDelay) next_level_ = 0;
  if (place != kNoIndex) state_.books_.prefetch_tail(place);
  place = kNoIndex;
  const Index instrument =
      state_.instrument_map_.find(field<offsetof(NewOrder, instrument_id)>(message));
  const auto side = static_cast<Side>(byte_field<offsetof(NewOrder, side)>(message));
  if (instrument == kNoIndex || side > Side::kSell) return;
  const Decimal limit{
      field<offsetof(NewOrder, limit_price_mantissa)>(message),
      static_cast<std::int8_t>(byte_field<offsetof(NewOrder, limit_price_exponent)>(message))};
  const Increments price = to_increments(limit, state_.instruments_[instrument].tick);
  if (price.error != DecimalError::kNone) return;
  if (state_.books_.meets(instrument, side, price.count)) {
    // Two orders end, as a rule: this one and the one that it meets.
    follow_forgotten();
    follow_forgotten();
  }
  place = state_.books_.guess(instrument, side, price.count);
  if (place != kNoIndex) state_.books_.prefetch_level(place);
}

// Each order that ends makes the engine forget another one, which ended long ago: its entry in the
// index of client ids is as cold as can be. Nothing else of it is touched.
void LookAhead::follow_forgotten() noexcept {
  const OrderStore& store = state_.store_;
  const std::uint32_t count = store.finished_count();
  if (count < store.finished_capacity()) return;
  // Each is hinted once, whether requests are applied in between or wait for the rest of a batch.
  const std::uint32_t oldest = store.counters().ended_count - count;
  std::uint32_t age = forgotten_ - oldest;
  if (age < kForgottenLead || age > kForgottenReach) age = kForgottenLead;
  forgotten_ = oldest + age + 1;
  if (age < count) store.prefetch_forgetting(age);
}

// New orders take free slots in order, but those are far apart once the engine has run for a while.
void LookAhead::follow_free() noexcept {
  const OrderStore& store = state_.store_;
  const Index cursor = store.counters().cursor;
  if (free_ < cursor || free_ - cursor > kFreeReach) free_ = cursor;
  const Index next = store.free_from(free_);
  if (next == kNoIndex) return;
  store.prefetch_free(next);
  free_ = next + 1;
}

}  // namespace shmatch::core
