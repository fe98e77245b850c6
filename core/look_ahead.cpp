#include "core/look_ahead.h"

#include <cstddef>

#include "core/engine_state.h"

namespace shmatch::core {
namespace {

// Working orders whose records come in time without hints: so few are near enough for the processor
// to look ahead by itself.
constexpr std::uint32_t kOrdersNearby = 4'096;
// Price levels that are near enough, while few enough orders work that the last of each level is.
constexpr std::uint32_t kLevelsNearby = 4'096;
constexpr std::uint32_t kLastOnesNearby = 100'000;

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

// The order that a cancel names by its OrderId; 0: the message names none so.
OrderId cancelled_by_id(const std::uint64_t* message) noexcept {
  return type_of(message) == RequestType::kCancelOrder ? order_id_of(message) : 0;
}

}  // namespace

bool LookAhead::worthwhile() const noexcept {
  return state_.store_.working_count() >= kOrdersNearby;
}

// Both have little to do for most cancels; the rest is in functions of its own, whose many
// registers cancels then need not save.
void LookAhead::far(const std::uint64_t* message) noexcept {
  const OrderId order_id = cancelled_by_id(message);
  if (order_id <= 0) return far_without_order_id(message);
  prefetch_order(state_.store_.slot_of(order_id));
}

void LookAhead::near(const std::uint64_t* message) noexcept {
  const OrderId order_id = cancelled_by_id(message);
  if (order_id <= 0) return near_without_order_id(message);
  state_.books_.prefetch(state_.store_[state_.store_.slot_of(order_id)]);
}

void LookAhead::far_without_order_id(const std::uint64_t* message) const noexcept {
  const RequestType type = type_of(message);
  if (type != RequestType::kCancelOrder && type != RequestType::kNewOrder) return;
  state_.store_.client_ids().prefetch(state_.accounts_.account(account_of(message)),
                                      client_id_of(message));
}

void LookAhead::near_without_order_id(const std::uint64_t* message) noexcept {
  const OrderStore& store = state_.store_;
  if (type_of(message) == RequestType::kNewOrder) {
    const bool far_away =
        state_.books_.levels_used() >= kLevelsNearby || store.working_count() >= kLastOnesNearby;
    if (far_away) follow_level(message);
    return;
  }
  if (type_of(message) != RequestType::kCancelOrder) return;
  const Index slot =
      store.find(state_.accounts_.account(account_of(message)), client_id_of(message));
  if (slot == kNoIndex) return;
  prefetch_order(slot);
  state_.books_.prefetch(store[slot]);
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
  place = state_.books_.guess(instrument, side, price.count);
  if (place != kNoIndex) state_.books_.prefetch_level(place);
}

}  // namespace shmatch::core
