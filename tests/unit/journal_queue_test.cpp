// The queue between engine thread and journal thread: order, laps, room, and digests beside it.
#include "ipc/journal_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace shmatch::ipc {
namespace {

constexpr std::size_t kWords = 1U << 12;

// A record of `words` words that carries `number`.
void put_record(JournalQueue& queue, std::uint32_t words, std::uint64_t number) {
  std::uint64_t* const place = queue.place();
  place[0] = core::input_first_word(core::InputKind::kRequest, words, 7);
  for (std::uint32_t i = 1; i < words; ++i) place[i] = number * 100 + i;
  queue.put(words);
}

// Checks that `records` starts with the records from `next` on; returns how many words they are.
std::size_t check_records(std::span<const std::uint64_t> records, std::uint64_t& next) {
  std::size_t at = 0;
  while (at < records.size()) {
    const std::uint32_t words = core::input_words(records[at]);
    EXPECT_GE(words, core::kInputHeaderWords);
    if (words == 0) return at;
    for (std::uint32_t i = 1; i < words; ++i) EXPECT_EQ(records[at + i], next * 100 + i);
    ++next;
    at += words;
  }
  return at;
}

TEST(JournalQueue, NothingIsSeenBeforeItIsPublished) {
  JournalQueue queue(kWords);
  ASSERT_TRUE(queue.room(1));
  put_record(queue, 5, 0);
  EXPECT_TRUE(queue.take().empty());
  EXPECT_TRUE(queue.empty());
  queue.publish();
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.take().size(), 5U);
}

TEST(JournalQueue, EveryLapEndsWithAWholeRecord) {
  // Each record size meets the end of the buffer at another place.
  for (std::uint32_t words = core::kInputHeaderWords; words <= core::kInputRecordWordsMax;
       ++words) {
    JournalQueue queue(kWords);
    std::uint64_t written = 0;
    std::uint64_t read = 0;
    for (int i = 0; i < 2'000; ++i) {
      ASSERT_TRUE(queue.room(1)) << words;
      put_record(queue, words, written++);
      queue.publish();
      while (!queue.empty()) queue.give_back(check_records(queue.take(), read));
      ASSERT_EQ(read, written) << words;
    }
  }
}

TEST(JournalQueue, AFullQueueHasNoRoomUntilSomethingIsGivenBack) {
  JournalQueue queue(kWords);
  std::uint64_t written = 0;
  while (queue.room(1)) put_record(queue, core::kInputRecordWordsMax, written++);
  EXPECT_GT(written, kWords / core::kInputRecordWordsMax / 2);
  queue.publish();
  std::uint64_t read = 0;
  const auto records = queue.take();
  EXPECT_EQ(check_records(records, read), records.size());
  EXPECT_FALSE(queue.room(1));
  queue.give_back(records.size());
  EXPECT_TRUE(queue.room(1));
  EXPECT_TRUE(queue.empty());
}

TEST(JournalQueue, PartsCanBeGivenBack) {
  JournalQueue queue(kWords);
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  for (int round = 0; round < 500; ++round) {
    while (queue.room(1)) put_record(queue, 9, written++);
    queue.publish();
    const auto records = queue.take();
    ASSERT_GE(records.size(), 18U);
    const std::uint64_t before = read;
    ASSERT_EQ(check_records(records.first(18), read), 18U);
    ASSERT_EQ(read, before + 2);
    queue.give_back(18);
  }
}

TEST(JournalQueue, TwoThreadsSeeTheSameRecordsInTheSameOrder) {
  JournalQueue queue(kWords);
  constexpr std::uint64_t kRecords = 300'000;
  std::atomic<bool> right{true};
  std::thread reader([&] {
    std::uint64_t next = 0;
    while (next < kRecords) {
      const auto records = queue.take();
      if (records.empty()) {
        std::this_thread::yield();
        continue;
      }
      const std::uint64_t before = next;
      const std::size_t words = check_records(records, next);
      if (words != records.size() || next == before) right = false;
      queue.give_back(records.size());
      DigestMark mark;
      // A mark that is read whole is one that was written whole.
      if (queue.digest(mark) && mark.digest != mark.sequence * 3) right = false;
    }
  });
  std::minstd_rand random(11);
  for (std::uint64_t written = 0; written < kRecords;) {
    if (!queue.room(8)) {
      std::this_thread::yield();
      continue;
    }
    for (int i = 0; i < 8 && written < kRecords; ++i) {
      const auto words = static_cast<std::uint32_t>(
          core::kInputHeaderWords +
          random() % (core::kInputRecordWordsMax - core::kInputHeaderWords + 1));
      put_record(queue, words, written++);
    }
    queue.publish();
    queue.mark_digest({written, written * 3});
  }
  reader.join();
  EXPECT_TRUE(right);
}

}  // namespace
}  // namespace shmatch::ipc
