// The reply in place: a request's own first line, used once more on the way back.
//
// A request whose header has core::kReplyInPlace set gets its reply twice: on the report ring, in
// its order, as every reply; and, before that, in the line that the request came in. The line is in
// both cores' caches already, so the reply makes one line's way less than through the ring
// (`round_trip` shows both).
//
//   client   writes the request, remembers its first payload word, and looks at that word
//   engine   may write the reply over the payload: words 1 to 6, then word 0 with release
//
// Invariants:
//   1. The slot's sequence word stays as it is, so that no reader takes the line for a new message.
//   2. The engine writes before its progress passes the request (ipc/ring.h, invariant 5), so a
//      client that keeps to the protocol never has the line in use again.
//   3. Word 0 of a reply that fits one slot never equals that of a request with the flag: the
//      flag's place is zero in it.
//   4. This is the one departure from one writer a page. The engine never reads back what it wrote;
//      a client that writes there meanwhile spoils its own reply, which still comes by the ring.
//
// The engine gives no such reply when it has reason not to: durability sync (the reply must wait
// for the disk), reports that wait in the backlog, a client that keeps several requests under way,
// and replies of more than one slot. A client therefore looks at the ring, too.
//
// Threads: each function belongs to one side's one thread. No call allocates, waits or throws.
#pragma once

#include "core/message.h"
#include "ipc/memory_layout.h"
#include "ipc/ring.h"

namespace shmatch::ipc {

// The flag as it lies in a request's first word.
inline constexpr std::uint64_t kReplyInPlaceBit = std::uint64_t{core::kReplyInPlace} << 16;

// Engine. `reply` are the words of a reply that takes one slot.
inline void write_reply_in_place(Slot& line, const std::uint64_t* reply) noexcept {
#pragma GCC unroll 7
  for (std::uint32_t i = 1; i < core::kSlotWords; ++i) {
    store_word(line.payload[i], reply[i], std::memory_order_relaxed);
  }
  // SYNC POINT reply in place: pairs with read_reply_in_place; publishes words 1 to 6, and all
  // reports written before.
  store_word(line.payload[0], reply[0], std::memory_order_release);
}

// Client. `asked` is the first word of the request in `line`. False while there is no reply.
inline bool read_reply_in_place(const Slot& line, std::uint64_t asked,
                                core::Report& reply) noexcept {
  // SYNC POINT reply in place: pairs with write_reply_in_place.
  const std::uint64_t word = load_word(line.payload[0], std::memory_order_acquire);
  if (word == asked) return false;
  reply.words[0] = word;
#pragma GCC unroll 7
  for (std::uint32_t i = 1; i < core::kSlotWords; ++i) {
    reply.words[i] = load_word(line.payload[i], std::memory_order_relaxed);
  }
  return true;
}

}  // namespace shmatch::ipc
