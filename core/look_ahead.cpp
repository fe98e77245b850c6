#include "core/look_ahead.h"

#include <cstddef>

#include "core/engine_state.h"

namespace shmatch::core {
namespace {

// How far ahead of the engine the walks over ended orders and free slots go.
constexpr std::uint32_t kLead = 8;
constexpr Index kFreeReach = 4'096;

// What records of the two requests name, word by word: hints are given for every record of a long
// replay, and do not decode what they do not use.
class NamedKeys {
 public:
  explicit NamedKeys(const std::uint64_t* words) noexcept {
    constexpr std::uint32_t kRequestAt = kInputHeaderWords + 1;
    if (input_kind(words[0]) != InputKind::kRequest) return;
    const std::uint32_t size = input_words(words[0]);
    if (size < kRequestAt + sizeof(CancelOrder) / 8) return;
    message_ = words + kRequestAt;
    const auto type = static_cast<RequestType>(message_[0] & 0xFF);
    cancels_ = type == RequestType::kCancelOrder;
    enters_ = type == RequestType::kNewOrder && size >= kRequestAt + sizeof(NewOrder) / 8;
  }

  bool cancels() const noexcept { return cancels_; }
  bool enters() const noexcept { return enters_; }
  // Of a cancel; 0 where it names none.
  OrderId order_id() const noexcept { return field<offsetof(CancelOrder, order_id)>(); }
  // Of both: they have these at the same place.
  AccountId account_id() const noexcept { return field<offsetof(CancelOrder, account_id)>(); }
  ClOrdId cl_ord_id() const noexcept { return field<offsetof(CancelOrder, cl_ord_id)>(); }

 private:
  static_assert(offsetof(CancelOrder, account_id) == offsetof(NewOrder, account_id));
  static_assert(offsetof(CancelOrder, cl_ord_id) == offsetof(NewOrder, cl_ord_id));

  template <std::size_t Offset>
  std::int64_t field() const noexcept {
    return static_cast<std::int64_t>(message_[Offset / 8]);
  }

  const std::uint64_t* message_ = nullptr;
  bool cancels_ = false;
  bool enters_ = false;
};

}  // namespace

void LookAhead::far(const std::uint64_t* words) noexcept {
  const OrderStore& store = state_.store_;
  const NamedKeys keys(words);
  if (keys.cancels() && keys.order_id() > 0) {
    store.prefetch(store.slot_of(keys.order_id()));
  } else if (keys.cancels() || keys.enters()) {
    store.prefetch(state_.accounts_.account(keys.account_id()), keys.cl_ord_id());
  }
  if (keys.enters()) follow_free();
}

void LookAhead::near(const std::uint64_t* words) noexcept {
  const OrderStore& store = state_.store_;
  const NamedKeys keys(words);
  if (!keys.cancels()) return;
  Index slot = kNoIndex;
  if (keys.order_id() > 0) {
    slot = store.slot_of(keys.order_id());
  } else {
    slot = store.find(state_.accounts_.account(keys.account_id()), keys.cl_ord_id());
    if (slot != kNoIndex) store.prefetch(slot);
  }
  if (slot != kNoIndex) state_.books_.prefetch(store[slot]);
  follow_forgotten();
}

// Each order that ends makes the engine forget another one, which ended long ago: its record and
// its entry in the index of client ids are as cold as can be.
void LookAhead::follow_forgotten() noexcept {
  const OrderStore& store = state_.store_;
  const Index oldest = store.oldest_finished();
  if (forgotten_lead_ > 0 && oldest != oldest_) --forgotten_lead_;
  oldest_ = oldest;
  if (forgotten_ == kNoIndex || store[forgotten_].order_id == 0) {
    forgotten_ = oldest;
    forgotten_lead_ = 0;
  }
  // Two steps a record at most: each waits for the one before.
  for (int step = 0; step < 2 && forgotten_ != kNoIndex && forgotten_lead_ < kLead; ++step) {
    const Order& order = store[forgotten_];
    if (order.state == OrderState::kWorking) {
      forgotten_ = kNoIndex;
      return;
    }
    if (order.cl_ord_id != 0) store.prefetch(order.account, order.cl_ord_id);
    forgotten_ = order.next;
    ++forgotten_lead_;
    if (forgotten_ != kNoIndex) store.prefetch(forgotten_);
  }
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
