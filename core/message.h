// What holds messages (core/message_types.h), and reads them: a buffer for any one message, the
// judge of a request's form, and readers of the fields that a header packs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "core/message_types.h"

namespace shmatch::core {

// Small fields that share a word are told apart by shifts (core/order_rules.h, core/order.h).
static_assert(std::endian::native == std::endian::little, "messages are little-endian");

template <class Message>
constexpr std::uint32_t slots_of() noexcept {
  return (sizeof(Message) / 8 + kSlotWords - 1) / kSlotWords;
}

constexpr std::uint8_t pack_nibbles(std::uint8_t low, std::uint8_t high) noexcept {
  return static_cast<std::uint8_t>(low | (high << 4));
}
constexpr std::uint8_t low_nibble(std::uint8_t packed) noexcept { return packed & 15; }
constexpr std::uint8_t high_nibble(std::uint8_t packed) noexcept { return packed >> 4; }

// Readers of the packed header fields, for the reports that have them.
constexpr OrderState order_state(const ReportHeader& header) noexcept {
  return static_cast<OrderState>(low_nibble(header.a));
}
constexpr CancelReason cancel_reason(const ReportHeader& header) noexcept {
  return static_cast<CancelReason>(high_nibble(header.a));
}
constexpr ChangeReason change_reason(const ReportHeader& header) noexcept {
  return static_cast<ChangeReason>(header.b);
}
constexpr Side trade_side(const ReportHeader& header) noexcept {
  return static_cast<Side>(low_nibble(header.a));
}
constexpr Direction trade_direction(const ReportHeader& header) noexcept {
  return static_cast<Direction>(high_nibble(header.a));
}
constexpr bool trade_is_maker(const ReportHeader& header) noexcept { return header.b == 1; }

// Word by word, and kept so: a message's fields were stored a moment ago, and a vector load across
// several of those stores waits until they have left the store buffer. That was 20 ns of a round
// trip.
inline void copy_words(void* to, const void* from, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, static_cast<const char*>(from) + 8 * i, sizeof word);
    asm("" : "+r"(word));
    std::memcpy(static_cast<char*>(to) + 8 * i, &word, sizeof word);
  }
}

// The message that starts at `words`, of which only as many are read as it has.
template <class Message>
Message message_of(const std::uint64_t* words) noexcept {
  static_assert(std::is_trivially_copyable_v<Message>);
  Message message;
  copy_words(&message, words, sizeof(Message) / 8);
  return message;
}

// The same where it lies, without a copy: the caller's memory, which nobody else may write
// meanwhile, since a field that is used twice may be read twice. Of types that may alias words.
template <class Message>
const Message& message_at(const std::uint64_t* words) noexcept {
  static_assert(std::is_trivially_copyable_v<Message>);
  return *reinterpret_cast<const Message*>(words);
}

// A buffer for any one message. `as` reads it as the type its header names; the caller checks
// first.
template <class Header>
struct MessageBuffer {
  // Only the words of the message's slots are ever set: a buffer is made for each report, and
  // clearing all 224 bytes would cost more than the report.
  alignas(16) std::uint64_t words[kMessageWordsMax];

  MessageBuffer() noexcept { words[0] = 0; }

  std::uint8_t type() const noexcept { return static_cast<std::uint8_t>(words[0] & 0xFF); }
  std::uint8_t slots() const noexcept { return static_cast<std::uint8_t>((words[0] >> 8) & 0xFF); }

  template <class Message>
  bool is() const noexcept {
    return type() == static_cast<std::uint8_t>(Message::kType);
  }

  template <class Message>
  Message as() const noexcept {
    static_assert(sizeof(Message) <= sizeof(words));
    return message_of<Message>(words);
  }

  // Stores `message` with its type and slot count filled in.
  template <class Message>
  void assign(const Message& message) noexcept {
    static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) <= sizeof(words));
    copy_words(words, &message, sizeof(Message) / 8);
    words[0] = static_cast<std::uint64_t>(Message::kType) |
               (std::uint64_t{slots_of<Message>()} << 8) | rest_of_first_word(message.header);
    put_packed_words(message);
    // Whole slots travel: what an earlier message left behind this one must not.
    for (std::size_t i = sizeof(Message) / 8; i < slots_of<Message>() * kSlotWords; ++i) {
      words[i] = 0;
    }
  }

 private:
  // Words of several small fields are put together in a register, for the same reason: those that
  // entering and cancelling an order meets.
  static std::uint64_t rest_of_first_word(const RequestHeader& header) noexcept {
    return (std::uint64_t{header.flags} << 16) | (std::uint64_t{header.reserved} << 32);
  }
  static std::uint64_t rest_of_first_word(const ReportHeader& header) noexcept {
    return (std::uint64_t{header.a} << 16) | (std::uint64_t{header.b} << 24) |
           (std::uint64_t{header.ordinal} << 32);
  }
  void put_packed_words(const Receipt& receipt) noexcept {
    static_assert(offsetof(Receipt, code) == 3 * 8);
    words[3] = static_cast<std::uint64_t>(receipt.code) |
               (static_cast<std::uint64_t>(receipt.detail) << 16) |
               (std::uint64_t{receipt.request_type} << 32);
  }
  void put_packed_words(const OrderEntered& entered) noexcept {
    static_assert(offsetof(OrderEntered, instrument_id) == 9 * 8);
    words[9] = std::uint64_t{entered.instrument_id} | (std::uint64_t{entered.entered_by} << 32);
    static_assert(offsetof(OrderEntered, side) == 10 * 8);
    words[10] = static_cast<std::uint64_t>(entered.side) |
                (static_cast<std::uint64_t>(entered.order_type) << 8) |
                (static_cast<std::uint64_t>(entered.time_in_force) << 16) |
                (std::uint64_t{entered.order_flags} << 24) |
                (std::uint64_t{entered.reserved} << 32);
  }
  void put_packed_words(const NewOrder& order) noexcept {
    static_assert(offsetof(NewOrder, quantity_exponent) == 7 * 8);
    words[7] = std::uint64_t{static_cast<std::uint8_t>(order.quantity_exponent)} |
               (std::uint64_t{static_cast<std::uint8_t>(order.limit_price_exponent)} << 8) |
               (static_cast<std::uint64_t>(order.side) << 16) |
               (static_cast<std::uint64_t>(order.order_type) << 24) |
               (static_cast<std::uint64_t>(order.time_in_force) << 32) |
               (std::uint64_t{order.reserved} << 40) | (std::uint64_t{order.features} << 48);
  }
  template <class Message>
  void put_packed_words(const Message&) noexcept {}
};

using Request = MessageBuffer<RequestHeader>;
using Report = MessageBuffer<ReportHeader>;

// True when type, slot count and reserved fields are what this protocol version sends. The engine
// must only be given such requests; a session that sends another one, but for kReplyInPlace, has
// broken the protocol.
// `words` has as many words as its type's message, or more; fewer only when there is no such type.
inline bool well_formed(const std::uint64_t* words) noexcept {
  // By RequestType, from kCancelOrder on.
  static constexpr std::uint32_t kSlots[] = {
      slots_of<CancelOrder>(),     slots_of<NewOrder>(), slots_of<OrderStatusQuery>(),
      slots_of<OpenOrdersQuery>(), slots_of<L2Query>(),  slots_of<Ping>()};
  const auto type = static_cast<RequestType>(words[0] & 0xFF);
  const std::uint64_t place = (words[0] & 0xFF) - 1;
  // The header's flags and reserved bytes are the upper six of the first word.
  if (place >= std::size(kSlots) || words[0] >> 8 != kSlots[place]) return false;
  if (type == RequestType::kNewOrder) {
    constexpr std::size_t kAt = offsetof(NewOrder, reserved);
    return (words[kAt / 8] >> (8 * (kAt % 8)) & 0xFF) == 0;
  }
  return type != RequestType::kPing || words[offsetof(Ping, fence) / 8] <= 1;
}
inline bool well_formed(const Request& request) noexcept { return well_formed(request.words); }

// The request that `report` replies to, or 0 for events.
Sequence replied_request(const Report& report) noexcept;

constexpr Wide wide(std::uint64_t low, std::uint64_t high) noexcept {
  return (static_cast<Wide>(high) << 64) | low;
}
constexpr std::uint64_t low_word(Wide value) noexcept { return static_cast<std::uint64_t>(value); }
constexpr std::uint64_t high_word(Wide value) noexcept {
  return static_cast<std::uint64_t>(value >> 64);
}

}  // namespace shmatch::core

#include "core/message_layout.h"  // IWYU pragma: keep (the asserts)
