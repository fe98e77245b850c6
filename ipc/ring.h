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
#include "core/prefetch.h"
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
      : slots_(slots), mask_(slot_count - 1), consumed_(consumed), sequence_(last_sequence) {}

  // Makes sure that `wanted` (at most the ring's size) slots can be written: kDone, kFull or
  // kBreach.
  RingResult reserve(std::uint32_t wanted) noexcept {
    if (position_ + wanted - seen_consumed_ <= mask_ + std::uint64_t{1}) [[likely]] {
      return RingResult::kDone;
    }
    // SYNC POINT progress: pairs with RingReader::publish_progress; whoever sees a position here
    // may overwrite all slots before it, because the reader's loads of them came first.
    const std::uint64_t consumed = load_word(*consumed_, std::memory_order_acquire);
    if (consumed < seen_consumed_ || consumed > position_) [[unlikely]] {
      return RingResult::kBreach;
    }
    seen_consumed_ = consumed;
    return position_ + wanted - consumed <= mask_ + std::uint64_t{1} ? RingResult::kDone
                                                                     : RingResult::kFull;
  }

  // Writes a message of `slot_count` (1 to 4) slots: kDone, kFull or kBreach.
  RingResult write(const std::uint64_t* words, std::uint32_t slot_count) noexcept {
    const RingResult room = reserve(slot_count);
    if (room != RingResult::kDone) [[unlikely]] {
      return room;
    }
    if (slot_count != 1) [[unlikely]] {
      write_continuation(words, slot_count);
    }
    Slot& head = slots_[position_ & mask_];
    store_payload(head, words);
    // SYNC POINT message: pairs with RingReader::read; publishes the payload of the head and of its
    // continuation slots.
    store_word(head.sequence, ++sequence_, std::memory_order_release);
    last_head_ = position_;
    position_ += slot_count;
    return RingResult::kDone;
  }

  // The other way to write a message: where its words belong, as core/report_port.h lays a room
  // out. After reserve said kDone for as many slots; publish then makes it exist. Nobody reads
  // these slots before that, so they need no atomic stores.
  std::uint64_t* room(std::uint32_t slot_count) noexcept {
    if ((position_ & mask_) + slot_count > mask_ + 1) [[unlikely]] {
      return around_end_;
    }
    return reinterpret_cast<std::uint64_t*>(&slots_[position_ & mask_]) + 1;
  }
  void publish(std::uint32_t slot_count) noexcept {
    if (slot_count != 1) [[unlikely]] {
      finish(slot_count);
    }
    // SYNC POINT message: as in write.
    store_word(slots_[position_ & mask_].sequence, ++sequence_, std::memory_order_release);
    last_head_ = position_;
    position_ += slot_count;
  }

  // Number of the last message written; 0 before the first.
  core::Sequence last_sequence() const noexcept { return sequence_; }
  // The first slot of the last message written.
  const Slot& last_head() const noexcept { return slots_[last_head_ & mask_]; }
  // Slots written that the reader has not given back, as far as it has said: at most the ring's.
  // For whoever watches; a hostile reader lies here at will.
  std::uint64_t unread_slots() const noexcept {
    const std::uint64_t consumed = load_word(*consumed_, std::memory_order_relaxed);
    if (consumed > position_) return 0;
    return position_ - consumed > mask_ ? mask_ + 1 : position_ - consumed;
  }

 private:
  static void store_payload(Slot& slot, const std::uint64_t* words) noexcept {
    // Word by word into the slot: a message built elsewhere and copied by wide stores would stall
    // the reader's store forwarding, and atomics keep the race with a hostile reader defined.
#pragma GCC unroll 7
    for (std::uint32_t i = 0; i < core::kSlotWords; ++i) {
      store_word(slot.payload[i], words[i], std::memory_order_relaxed);
    }
  }

  // Whether the longest message would not fit before the ring's end.
  bool goes_around_end() const noexcept {
    return (position_ & mask_) + core::kSlotsPerMessageMax > mask_ + 1;
  }

  // Not inline, as write_continuation.
  [[gnu::noinline]] void finish(std::uint32_t slot_count) noexcept {
    const bool around = goes_around_end();
    if (around) store_payload(slots_[position_ & mask_], around_end_);
    for (std::uint32_t i = 1; i < slot_count; ++i) {
      Slot& slot = slots_[(position_ + i) & mask_];
      store_word(slot.sequence, 0, std::memory_order_relaxed);
      if (around) store_payload(slot, around_end_ + i * core::kRoomStride);
    }
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

  Slot* slots_;
  std::uint64_t mask_;
  const std::uint64_t* consumed_;
  std::uint64_t position_ = 0;
  std::uint64_t last_head_ = 0;
  std::uint64_t seen_consumed_ = 0;
  core::Sequence sequence_;
  std::uint64_t around_end_[core::kRoomWordsMax] =
      {};  // room of a message that goes around the end
};

class RingReader {
 public:
  // As RingWriter's; `consumed` is this side's own progress word.
  RingReader(const Slot* slots, std::uint32_t slot_count, std::uint64_t* consumed,
             core::Sequence last_sequence = 0) noexcept
      : slots_(slots),
        mask_(slot_count - 1),
        publish_step_(slot_count / 4),
        consumed_(consumed),
        sequence_(last_sequence) {}

  // True when `read` would not answer kEmpty.
  bool ready() const noexcept {
    return load_word(next_sequence(), std::memory_order_relaxed) > sequence_;
  }
  // The word that exceeds last_sequence() when the next message is there.
  const std::uint64_t& next_sequence() const noexcept { return slots_[position_ & mask_].sequence; }

  // Copies the next message to `words` (kMessageWordsMax of them; those behind the message keep
  // what they held) and takes it: kDone, kEmpty or kBreach. After a breach nothing more can be
  // read.
  RingResult read(std::uint64_t* words) noexcept {
    if (position_ - published_ >= publish_step_) publish_progress();
    const Slot& head = slots_[position_ & mask_];
    // SYNC POINT message: pairs with RingWriter::write; what it publishes can be read from here on.
    const std::uint64_t sequence = load_word(head.sequence, std::memory_order_acquire);
    if (sequence <= sequence_) {
      return RingResult::kEmpty;
    }
    if (sequence != sequence_ + 1) [[unlikely]] {
      return RingResult::kBreach;
    }
    load_payload(head, words);
    const std::uint64_t slot_count = (words[0] >> 8) & 0xFF;
    if (slot_count - 1 >= core::kSlotsPerMessageMax) [[unlikely]] {
      return RingResult::kBreach;
    }
    if (slot_count != 1 && !read_continuation(words, slot_count)) [[unlikely]] {
      return RingResult::kBreach;
    }
    ++sequence_;
    last_head_ = position_;
    position_ += slot_count;
    return RingResult::kDone;
  }

  // For hints about what comes: the first `count` words (at most two slots' full) of the message
  // that starts `offset` slots behind the next one's start. False when no unread message does.
  // Takes nothing, promises nothing: the words may be others when the message is read.
  bool peek(std::uint32_t offset, std::uint64_t* words, std::uint32_t count) const noexcept {
    const Slot& head = slots_[(position_ + offset) & mask_];
    if (load_word(head.sequence, std::memory_order_acquire) <= sequence_) return false;
    const Slot& next = slots_[(position_ + offset + 1) & mask_];
    for (std::uint32_t i = 0; i < count; ++i) {
      words[i] = i < core::kSlotWords
                     ? load_word(head.payload[i], std::memory_order_relaxed)
                     : load_word(next.payload[i - core::kSlotWords], std::memory_order_relaxed);
    }
    return true;
  }
  void prefetch_next() const noexcept { core::prefetch_shared(&slots_[position_ & mask_]); }

  // Number of the last message read; 0 before the first.
  core::Sequence last_sequence() const noexcept { return sequence_; }
  // Where the last message read begins, as an index into the slots.
  std::size_t last_head() const noexcept { return last_head_ & mask_; }

 private:
  // False when the peer broke the protocol. Not inline: as in RingWriter.
  [[gnu::noinline]] bool read_continuation(std::uint64_t* words,
                                           std::uint64_t slot_count) const noexcept {
    for (std::uint64_t i = 1; i < slot_count; ++i) {
      const Slot& slot = slots_[(position_ + i) & mask_];
      if (load_word(slot.sequence, std::memory_order_relaxed) != 0) return false;
      load_payload(slot, words + i * core::kSlotWords);
    }
    return true;
  }

  void publish_progress() noexcept {
    // SYNC POINT progress: pairs with RingWriter::reserve; says that all loads from slots before
    // `position_` are done.
    store_word(*consumed_, position_, std::memory_order_release);
    published_ = position_;
  }

  static void load_payload(const Slot& slot, std::uint64_t* words) noexcept {
#pragma GCC unroll 7
    for (std::uint32_t i = 0; i < core::kSlotWords; ++i) {
      words[i] = load_word(slot.payload[i], std::memory_order_relaxed);
    }
  }

  const Slot* slots_;
  std::uint64_t mask_;
  std::uint64_t publish_step_;
  std::uint64_t* consumed_;
  std::uint64_t position_ = 0;
  std::uint64_t last_head_ = 0;
  std::uint64_t published_ = 0;
  core::Sequence sequence_;
};

}  // namespace shmatch::ipc
