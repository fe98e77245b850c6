// JournalQueue: input records from the engine thread to the journal thread, in private memory.
//
// One writer, one reader. A record is written once, in place, and read in place; a store for a
// batch of records publishes them. Records never wrap: one that starts before the end of the buffer
// may reach into the room behind it, and the next one starts at the front again.
//
// Beside the records stands the newest digest of the state, for whoever writes digest marks.
//
// Thread: room, place, put, publish and mark_digest on the engine's; take, give_back and digest on
// the journal's. Nothing allocates or waits once constructed.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "core/input_record.h"
#include "core/prefetch.h"
#include "ipc/journal_format.h"

namespace shmatch::ipc {

class JournalQueue {
 public:
  // `words` (a power of two, at least 2^12) words of room. Touches all of it.
  explicit JournalQueue(std::size_t words)
      : words_(words + core::kInputRecordWordsMax), mask_(words - 1) {}
  JournalQueue(const JournalQueue&) = delete;
  JournalQueue& operator=(const JournalQueue&) = delete;

  // ---- engine thread

  // Whether `records` more records of any kind fit.
  bool room(std::uint32_t records) noexcept {
    const std::uint64_t wanted = (records + 1) * std::uint64_t{core::kInputRecordWordsMax};
    if (position_ + wanted - seen_taken_ <= mask_) [[likely]] {
      return true;
    }
    // SYNC POINT journal room: pairs with give_back; what was taken is read no more.
    seen_taken_ = taken_.load(std::memory_order_acquire);
    return position_ + wanted - seen_taken_ <= mask_;
  }
  // Where the next record goes: kInputRecordWordsMax words. Only after room said so.
  std::uint64_t* place() noexcept { return &words_[position_ & mask_]; }
  // The record in place() has `count` words.
  void put(std::uint32_t count) noexcept {
    const std::uint64_t end = position_ + count;
    if ((end ^ position_) > mask_) [[unlikely]] {
      // It reached the end: the next one starts at the front, and the reader learns where this lap
      // ended.
      lap_ends_[(position_ / (mask_ + 1)) & 1] = end;
      position_ = (position_ | mask_) + 1;
    } else {
      position_ = end;
    }
    // The journal thread has read these lines a lap ago. Fetched now, they keep no report waiting:
    // stores leave a core in their order.
    core::prefetch(&words_[(position_ + 16) & mask_]);
    core::prefetch(&words_[(position_ + 24) & mask_]);
  }
  void publish() noexcept {
    // SYNC POINT journal records: pairs with take; publishes the records put so far.
    published_.store(position_, std::memory_order_release);
  }
  void mark_digest(const DigestMark& mark) noexcept {
    // SYNC POINT digest: pairs with digest(); an odd version says that the two words are being
    // changed, and whoever sees one of the new words sees the odd version, too. (Stores in place of
    // the usual fence: ThreadSanitizer knows no fences.)
    const std::uint64_t version = digest_version_.load(std::memory_order_relaxed);
    digest_version_.store(version + 1, std::memory_order_relaxed);
    digest_sequence_.store(mark.sequence, std::memory_order_release);
    digest_value_.store(mark.digest, std::memory_order_release);
    digest_version_.store(version + 2, std::memory_order_release);
  }

  // ---- journal thread

  // Records that wait, in order and contiguous; fewer than all when a lap ends in between. Empty
  // when none waits.
  std::span<const std::uint64_t> take() noexcept {
    // SYNC POINT journal records: pairs with publish.
    const std::uint64_t published = published_.load(std::memory_order_acquire);
    const std::uint64_t lap = mask_ + 1;
    const std::uint64_t begin = taken_position_;
    const std::uint64_t end =
        published / lap == begin / lap ? published : lap_ends_[(begin / lap) & 1];
    return {&words_[begin & mask_], static_cast<std::size_t>(end - begin)};
  }
  // The first `count` words of what take() returned, whole records, are needed no more.
  void give_back(std::size_t count) noexcept {
    const std::uint64_t lap = mask_ + 1;
    const std::uint64_t begin = taken_position_;
    taken_position_ += count;
    // SYNC POINT journal records: pairs with publish; the lap's end is read below.
    const std::uint64_t published = published_.load(std::memory_order_acquire);
    if (published / lap != begin / lap && taken_position_ == lap_ends_[(begin / lap) & 1]) {
      taken_position_ = (begin | mask_) + 1;
    }
    // SYNC POINT journal room: pairs with room().
    taken_.store(taken_position_, std::memory_order_release);
  }
  // Any thread may ask.
  bool empty() const noexcept {
    return published_.load(std::memory_order_acquire) == taken_.load(std::memory_order_acquire);
  }
  // The newest mark; false while it changes.
  bool digest(DigestMark& mark) const noexcept {
    const std::uint64_t version = digest_version_.load(std::memory_order_acquire);
    mark.sequence = digest_sequence_.load(std::memory_order_acquire);
    mark.digest = digest_value_.load(std::memory_order_acquire);
    return version % 2 == 0 && digest_version_.load(std::memory_order_relaxed) == version;
  }

 private:
  static constexpr std::size_t kApart = 128;  // cache lines are fetched in pairs

  std::vector<std::uint64_t> words_;
  std::uint64_t mask_;
  std::uint64_t lap_ends_[2] = {};  // where the records of even and odd laps end

  // The engine thread's own.
  alignas(kApart) std::uint64_t position_ = 0;
  std::uint64_t seen_taken_ = 0;
  // Written by the engine thread, read by the other one: each look there takes the line away.
  alignas(kApart) std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> digest_version_{0};
  std::atomic<std::uint64_t> digest_sequence_{0};
  std::atomic<std::uint64_t> digest_value_{0};
  // The journal thread's, and what it writes.
  alignas(kApart) std::atomic<std::uint64_t> taken_{0};
  std::uint64_t taken_position_ = 0;
};

}  // namespace shmatch::ipc
