// The ring: one writer and one reader in different processes, messages of one to four 64-byte
// slots.
//
//   position p counts slots for ever; it is slot p & mask
//   head slot           [ message sequence | payload words 0..6  ]   its sequence is stored last
//   continuation slots  [ 0                | payload words 7..27 ]   written before that
//
// The head's sequence word is the message's number in the session's stream: 1, 2, 3 ... A reader at
// position p expects exactly the next number there. What an earlier lap left in that slot is 0 or
// smaller, so nothing is ever cleared; what is larger no honest writer wrote. One line transfer
// therefore carries both the news and the payload.
//
// Invariants:
//   1. A message exists when its head sequence is stored (with release). A writer that dies before
//      that has written nothing.
//   2. The writer overwrites a slot only after the reader's published progress has passed it.
//   3. Both sides keep their position in private memory. Of the peer, the writer reads progress
//      only when its credit is used up, and the reader reads nothing but slots.
//   4. The reader copies each word of a message once and judges the copy.
//   5. Progress passes a message only when the next one is asked for: until then its reader may
//      still use its slots (ipc/reply_in_place.h).
//
// The peer may be hostile: whatever it writes, the reader stays inside the ring and answers
// kBreach, and the writer stays inside the ring and answers kBreach when progress runs backwards or
// ahead of what was written.
//
// Threads: a writer and a reader each belong to one thread. Memory is not owned and must outlive
// both; all words are reached through std::atomic_ref, so equal pages mapped at two addresses are
// fine. No call allocates, waits or throws.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/message.h"
#include "core/report_port.h"
#include "ipc/memory_layout.h"

namespace shmatch::ipc {

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free,
              "a word must cross process boundaries without a lock");

// A load through a mapping that may be read-only; C++20's atomic_ref does not take const objects.
inline std::uint64_t load_word(const std::uint64_t& word, std::memory_order order) noexcept {
  return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(word)).load(order);
}
inline void store_word(std::uint64_t& word, std::uint64_t value, std::memory_order order) noexcept {
  std::atomic_ref<std::uint64_t>(word).store(value, order);
}

enum class RingResult : std::uint8_t {
  kDone,
  kEmpty,   // reader: no message yet
  kFull,    // writer: no room now; nothing was written
  kBreach,  // the peer broke the protocol: stop using the ring
};

class RingWriter {
 public:
  // `slots` is the first of `slot_count` (a power of two) slots; `consumed` the reader's progress
  // word, `last_sequence` the number before the first message's.
  RingWriter(Slot* slots, std::uint32_t slot_count, const std::uint64_t* consumed,
             core::Sequence last_sequence = 0) noexcept
      : slots_(slots),
        next_(slots),
        mask_(slot_count - 1),
        end_(slot_count),
        straight_end_(slot_count - core::kSlotsPerMessageMax + 1),
        sequence_(last_sequence),
        consumed_(consumed),
        last_(slots) {}

  // Whether `wanted` slots can be written, as far as is known without a look at progress.
  bool has_room(std::uint32_t wanted) const noexcept { return position_ + wanted <= end_; }
  // Makes sure that `wanted` (at most the ring's size) slots can be written: kDone, kFull or
  // kBreach.
  RingResult reserve(std::uint32_t wanted) noexcept {
    if (has_room(wanted)) [[likely]] {
      return RingResult::kDone;
    }
    return ask_progress(wanted);
  }

  // Writes a message of `slot_count` (1 to 4) slots: kDone, kFull or kBreach.
  RingResult write(const std::uint64_t* words, std::uint32_t slot_count) noexcept {
    const RingResult room = reserve(slot_count);
    if (room != RingResult::kDone) [[unlikely]] {
      return room;
    }
    write_reserved(words, slot_count);
    return RingResult::kDone;
  }
  // The same when there is room, as has_room or reserve has said.
  void write_reserved(const std::uint64_t* words, std::uint32_t slot_count) noexcept {
    if (slot_count != 1) write_continuation(words, slot_count);
    store_payload(*next_, words);
    commit(slot_count);
  }

  // The other way to write a message when there is room: where its words belong, as
  // core/report_port.h lays a room out; publish then makes it exist. Nobody reads these slots
  // before that, so they need no atomic stores. The room is large enough for the longest message.
  std::uint64_t* room() noexcept {
    std::uint64_t* const ready = ready_room();
    return ready != nullptr ? ready : room_around();
  }
  // The same in one comparison, and null when it takes more: what may be written ends, or the ring.
  std::uint64_t* ready_room() noexcept {
    if (position_ >= straight_end_) [[unlikely]] {
      return nullptr;
    }
    return reinterpret_cast<std::uint64_t*>(next_) + 1;
  }
  void publish(std::uint32_t slot_count) noexcept {
    if (position_ >= straight_end_) [[unlikely]] {
      return publish_around(slot_count);
    }
    for (std::uint32_t i = 1; i < slot_count; ++i) {
      store_word(next_[i].sequence, 0, std::memory_order_relaxed);
    }
    commit(slot_count);
  }

  // Number of the last message written; 0 before the first.
  core::Sequence last_sequence() const noexcept { return sequence_; }
  // The first slot of the last message written.
  const Slot& last_head() const noexcept { return *last_; }
  // Slots written that the reader has not given back, as far as it has said: at most the ring's.
  // For whoever watches; a hostile reader lies here at will.
  std::uint64_t unread_slots() const noexcept {
    const std::uint64_t consumed = load_word(*consumed_, std::memory_order_relaxed);
    if (consumed > position_) return 0;
    return position_ - consumed > mask_ ? mask_ + 1 : position_ - consumed;
  }

 private:
  // Not inline: credit is used up once in many messages.
  [[gnu::noinline]] RingResult ask_progress(std::uint32_t wanted) noexcept {
    // SYNC POINT progress: pairs with RingReader::publish_progress; whoever sees a position here
    // may overwrite all slots before it, because the reader's loads of them came first.
    const std::uint64_t consumed = load_word(*consumed_, std::memory_order_acquire);
    if (consumed < end_ - mask_ - 1 || consumed > position_) [[unlikely]] {
      return RingResult::kBreach;
    }
    end_ = consumed + mask_ + 1;
    return position_ + wanted <= end_ ? RingResult::kDone : RingResult::kFull;
  }

  // The message that begins at next_ is complete but for its sequence word.
  void commit(std::uint32_t slot_count) noexcept {
    Slot* const head = next_;
    const core::Sequence sequence = sequence_ + 1;
    const std::uint64_t position = position_ + slot_count;
    next_ = &slots_[position & mask_];
    position_ = position;
    sequence_ = sequence;
    last_ = head;
    // SYNC POINT message: pairs with RingReader's loads of it; publishes the payload of the head
    // and of its continuation slots.
    store_word(head->sequence, sequence, std::memory_order_release);
  }

  // Not inline: once in a lap, or when credit was used up.
  [[gnu::noinline]] std::uint64_t* room_around() noexcept {
    const std::uint64_t lap_end = (position_ | mask_) + 1;
    straight_end_ = (lap_end < end_ ? lap_end : end_) - core::kSlotsPerMessageMax + 1;
    std::uint64_t* const ready = ready_room();
    return ready != nullptr ? ready : around_end_;
  }

  static void store_payload(Slot& slot, const std::uint64_t* words) noexcept {
    // Word by word into the slot: a message built elsewhere and copied by wide stores would stall
    // the reader's store forwarding, and atomics keep the race with a hostile reader defined.
#pragma GCC unroll 7
    for (std::uint32_t i = 0; i < core::kSlotWords; ++i) {
      store_word(slot.payload[i], words[i], std::memory_order_relaxed);
    }
  }

  // Not inline, as write_continuation.
  [[gnu::noinline]] void publish_around(std::uint32_t slot_count) noexcept {
    store_payload(*next_, around_end_);
    for (std::uint32_t i = 1; i < slot_count; ++i) {
      Slot& slot = slots_[(position_ + i) & mask_];
      store_word(slot.sequence, 0, std::memory_order_relaxed);
      store_payload(slot, around_end_ + i * core::kRoomStride);
    }
    commit(slot_count);
  }

  // Not inline: it would push the registers of every message.
  [[gnu::noinline]] void write_continuation(const std::uint64_t* words,
                                            std::uint32_t slot_count) noexcept {
    for (std::uint32_t i = 1; i < slot_count; ++i) {
      Slot& slot = slots_[(position_ + i) & mask_];
      store_word(slot.sequence, 0, std::memory_order_relaxed);
      store_payload(slot, words + i * core::kSlotWords);
    }
  }

  static_assert(sizeof(Slot) == core::kRoomStride * sizeof(std::uint64_t));

  // What a message changes does not lie side by side: two words that are stored as one are slow to
  // be loaded again.
  Slot* slots_;
  Slot* next_;  // at position_
  std::uint64_t mask_;
  std::uint64_t position_ = 0;
  std::uint64_t end_;  // slots before this position may be written: progress seen, plus the size
  // The longest message that begins before this position may be written, and lies in one piece.
  std::uint64_t straight_end_;
  core::Sequence sequence_;
  const std::uint64_t* consumed_;
  Slot* last_;                                          // head of the last message written
  std::uint64_t around_end_[core::kRoomWordsMax] = {};  // the room where it would go around the end
};

class RingReader {
 public:
  // As RingWriter's; `consumed` is this side's own progress word.
  RingReader(const Slot* slots, std::uint32_t slot_count, std::uint64_t* consumed,
             core::Sequence last_sequence = 0) noexcept
      : slots_(slots),
        next_(slots),
        mask_(slot_count - 1),
        publish_at_(slot_count / 4),
        sequence_(last_sequence),
        consumed_(consumed),
        last_(slots),
        publish_step_(slot_count / 4) {}

  // True when `read` would not answer kEmpty.
  bool ready() const noexcept {
    return load_word(next_sequence(), std::memory_order_relaxed) > sequence_;
  }
  // The word that exceeds last_sequence() when the next message is there.
  const std::uint64_t& next_sequence() const noexcept { return next_->sequence; }

  // Copies the next message to `words` (kMessageWordsMax of them; those behind the message keep
  // what they held) and takes it: kDone, kEmpty or kBreach. After a breach nothing more can be
  // read.
  RingResult read(std::uint64_t* words) noexcept {
    if (position_ < publish_at_ &&
        load_word(next_sequence(), std::memory_order_acquire) == sequence_ + 1) [[likely]] {
      // SYNC POINT message, above: pairs with RingWriter::commit; what it publishes can be read
      // from here on.
      load_payload(*next_, words);
      if (slots_of(words[0]) == 1) [[likely]] {
        advance(1);
        return RingResult::kDone;
      }
    }
    return read_out_of_the_ordinary(words);
  }

  // The same for many messages at once: copies are made first, each with the Ahead that the one
  // before has left, and each message is taken when it is its turn. Those that are not taken then
  // are copied anew.
  struct Ahead {
    std::uint64_t position;
    core::Sequence sequence;
  };
  Ahead ahead() const noexcept { return {position_, sequence_}; }
  RingResult copy(Ahead& ahead, std::uint64_t* words) const noexcept {
    const Slot& head = slots_[ahead.position & mask_];
    // SYNC POINT message: as in read.
    const std::uint64_t sequence = load_word(head.sequence, std::memory_order_acquire);
    if (sequence != ahead.sequence + 1) [[unlikely]] {
      return sequence <= ahead.sequence ? RingResult::kEmpty : RingResult::kBreach;
    }
    load_payload(head, words);
    const std::uint64_t slot_count = slots_of(words[0]);
    if (slot_count != 1 && !copy_continuation(ahead.position, words, slot_count)) [[unlikely]] {
      return RingResult::kBreach;
    }
    ahead.position += slot_count;
    ahead.sequence = sequence;
    return RingResult::kDone;
  }
  // Takes the next message, which was copied and has so many slots.
  void take(std::uint64_t slot_count) noexcept {
    if (position_ >= publish_at_) [[unlikely]] {
      publish_progress();
    }
    advance(slot_count);
  }
  static std::uint64_t slots_of(std::uint64_t first_word) noexcept {
    return (first_word >> 8) & 0xFF;
  }

  // Number of the last message read; 0 before the first.
  core::Sequence last_sequence() const noexcept { return sequence_; }
  // Where the last message read begins, as an index into the slots.
  std::size_t last_head() const noexcept { return static_cast<std::size_t>(last_ - slots_); }

 private:
  // Not inline: it would push the registers of every message.
  [[gnu::noinline]] RingResult read_out_of_the_ordinary(std::uint64_t* words) noexcept {
    if (position_ >= publish_at_) publish_progress();
    Ahead behind = ahead();
    const RingResult result = copy(behind, words);
    if (result == RingResult::kDone) advance(behind.position - position_);
    return result;
  }

  // False when the peer broke the protocol. Not inline, as above.
  [[gnu::noinline]] bool copy_continuation(std::uint64_t position, std::uint64_t* words,
                                           std::uint64_t slot_count) const noexcept {
    if (slot_count == 0 || slot_count > core::kSlotsPerMessageMax) return false;
    for (std::uint64_t i = 1; i < slot_count; ++i) {
      const Slot& slot = slots_[(position + i) & mask_];
      if (load_word(slot.sequence, std::memory_order_relaxed) != 0) return false;
      load_payload(slot, words + i * core::kSlotWords);
    }
    return true;
  }

  void advance(std::uint64_t slot_count) noexcept {
    const std::uint64_t position = position_ + slot_count;
    last_ = next_;
    next_ = &slots_[position & mask_];
    position_ = position;
    ++sequence_;
  }

  // Not inline: it is done once in a quarter ring.
  [[gnu::noinline]] void publish_progress() noexcept {
    // SYNC POINT progress: pairs with RingWriter::reserve; says that all loads from slots before
    // `position_` are done.
    store_word(*consumed_, position_, std::memory_order_release);
    publish_at_ = position_ + publish_step_;
  }

  static void load_payload(const Slot& slot, std::uint64_t* words) noexcept {
#pragma GCC unroll 7
    for (std::uint32_t i = 0; i < core::kSlotWords; ++i) {
      words[i] = load_word(slot.payload[i], std::memory_order_relaxed);
    }
  }

  // Not side by side what changes together: as in RingWriter.
  const Slot* slots_;
  const Slot* next_;  // at position_
  std::uint64_t mask_;
  std::uint64_t position_ = 0;
  std::uint64_t publish_at_;  // progress is published when the position is here
  core::Sequence sequence_;
  std::uint64_t* consumed_;
  const Slot* last_;  // head of the last message read
  std::uint64_t publish_step_;
};

}  // namespace shmatch::ipc
