#include "ipc/report_pair.h"

#include <cstddef>

namespace shmatch::ipc {
namespace {

using core::AcceptedAndEntered;
using core::OrderAccepted;
using core::OrderChanged;
using core::OrderEntered;
using core::Receipt;
using core::ReceiptAndOutcome;

constexpr std::uint64_t kOrdinalOne = std::uint64_t{1} << 32;
constexpr std::uint64_t kTypeAndSlots = 0xFFFF;
constexpr std::uint64_t kPackedStates = 0xFFFF'0000;  // the header's a and b

// The first word's type and slots.
template <class Message>
constexpr std::uint64_t head() noexcept {
  return static_cast<std::uint64_t>(Message::kType) |
         (std::uint64_t{core::slots_of<Message>()} << 8);
}

// A field's word.
#define SHMATCH_WORD(Message, field) (offsetof(Message, field) / 8)

// What words 3 to 5 of the receipt of a successful cancel say.
constexpr std::uint64_t kCancelDone = static_cast<std::uint64_t>(core::RequestType::kCancelOrder)
                                      << 32;
static_assert(static_cast<std::uint64_t>(core::ErrorCode::kOk) == 0 &&
              static_cast<std::uint64_t>(core::Detail::kNone) == 0);
static_assert(offsetof(Receipt, code) == 24 && offsetof(Receipt, request_type) == 28);

bool cancel_done(const core::Report& report) noexcept {
  return (report.words[0] & (kTypeAndSlots | kPackedStates)) == head<Receipt>() &&
         report.words[SHMATCH_WORD(Receipt, code)] == kCancelDone &&
         report.words[SHMATCH_WORD(Receipt, argument0)] == 0 &&
         report.words[SHMATCH_WORD(Receipt, argument1)] == 0;
}

bool accepted(const core::Report& report) noexcept {
  return (report.words[0] & (kTypeAndSlots | kPackedStates)) == head<OrderAccepted>();
}

template <class Event>
bool follows(const core::Report& reply, const core::Report& event) noexcept {
  return (event.words[0] & kTypeAndSlots) == head<Event>() &&
         (event.words[0] >> 32) == (reply.words[0] >> 32) + 1 && event.words[1] == reply.words[1];
}

// The last word of the second slot, which an OrderEntered leaves empty.
constexpr std::size_t kEnteredEnd = sizeof(OrderEntered) / 8;
static_assert(SHMATCH_WORD(AcceptedAndEntered, request_sequence) == kEnteredEnd);
static_assert(kEnteredEnd + 1 == 2 * core::kSlotWords);

}  // namespace

bool opens_pair(const core::Report& reply) noexcept {
  return cancel_done(reply) || accepted(reply);
}

bool join(const core::Report& reply, const core::Report& event, core::Report& pair) noexcept {
  if (reply.is<Receipt>()) {
    if (!follows<OrderChanged>(reply, event) ||
        event.words[SHMATCH_WORD(OrderChanged, leaves)] != 0 ||
        event.words[SHMATCH_WORD(OrderChanged, time_ns)] !=
            reply.words[SHMATCH_WORD(Receipt, time_ns)]) {
      return false;
    }
    pair.words[0] =
        head<ReceiptAndOutcome>() | (event.words[0] & kPackedStates) | (reply.words[0] >> 32 << 32);
    pair.words[1] = reply.words[1];
    pair.words[2] = reply.words[SHMATCH_WORD(Receipt, request_sequence)];
    pair.words[3] = event.words[SHMATCH_WORD(OrderChanged, order_id)];
    pair.words[4] = event.words[SHMATCH_WORD(OrderChanged, cl_ord_id)];
    pair.words[5] = event.words[SHMATCH_WORD(OrderChanged, executed)];
    pair.words[6] = event.words[SHMATCH_WORD(OrderChanged, time_ns)];
    return true;
  }
  if (!follows<OrderEntered>(reply, event) ||
      event.words[SHMATCH_WORD(OrderEntered, order_id)] !=
          reply.words[SHMATCH_WORD(OrderAccepted, order_id)] ||
      event.words[SHMATCH_WORD(OrderEntered, cl_ord_id)] !=
          reply.words[SHMATCH_WORD(OrderAccepted, cl_ord_id)] ||
      event.words[SHMATCH_WORD(OrderEntered, time_ns)] !=
          reply.words[SHMATCH_WORD(OrderAccepted, time_ns)]) {
    return false;
  }
  pair.words[0] =
      head<AcceptedAndEntered>() | (event.words[0] & kPackedStates) | (reply.words[0] >> 32 << 32);
  for (std::size_t i = 1; i < kEnteredEnd; ++i) pair.words[i] = event.words[i];
  pair.words[kEnteredEnd] = reply.words[SHMATCH_WORD(OrderAccepted, request_sequence)];
  return true;
}

void part(const core::Report& pair, core::Report& reply, core::Report& event) noexcept {
  const std::uint64_t ordinal = pair.words[0] >> 32 << 32;
  const std::uint64_t states = pair.words[0] & kPackedStates;
  reply.words[1] = pair.words[1];
  if (pair.is<ReceiptAndOutcome>()) {
    event.words[0] = head<OrderChanged>() | states | (ordinal + kOrdinalOne);
    event.words[1] = pair.words[1];
    event.words[2] = pair.words[3];
    event.words[3] = pair.words[4];
    event.words[4] = 0;
    event.words[5] = pair.words[5];
    event.words[6] = pair.words[6];
    reply.words[0] = head<Receipt>() | ordinal;
    reply.words[2] = pair.words[2];
    reply.words[3] = kCancelDone;
    reply.words[4] = 0;
    reply.words[5] = 0;
    reply.words[6] = pair.words[6];
    return;
  }
  event.words[0] = head<OrderEntered>() | states | (ordinal + kOrdinalOne);
  for (std::size_t i = 1; i < kEnteredEnd; ++i) event.words[i] = pair.words[i];
  event.words[kEnteredEnd] = 0;
  reply.words[0] = head<OrderAccepted>() | ordinal;
  reply.words[2] = pair.words[kEnteredEnd];
  reply.words[3] = pair.words[SHMATCH_WORD(OrderEntered, order_id)];
  reply.words[4] = pair.words[SHMATCH_WORD(OrderEntered, cl_ord_id)];
  reply.words[5] = pair.words[SHMATCH_WORD(OrderEntered, time_ns)];
  reply.words[6] = 0;
}

#undef SHMATCH_WORD

}  // namespace shmatch::ipc
