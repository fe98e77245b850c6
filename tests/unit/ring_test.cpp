// The ring: what one side writes the other reads, whatever the sizes and positions, and nothing
// that a hostile peer writes leads outside the ring or to a message that was not written.
#include "ipc/ring.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/message.h"

namespace shmatch::ipc {
namespace {

using core::kMessageWordsMax;
using core::kSlotsPerMessageMax;
using core::kSlotWords;
using Words = std::array<std::uint64_t, kMessageWordsMax>;

// A message of `slots` slots whose words all depend on `seed`.
Words make_message(std::uint32_t slots, std::uint64_t seed) {
  Words words{};
  words[0] = 1 | std::uint64_t{slots} << 8 | seed << 16;
  for (std::uint64_t i = 1; i < slots * kSlotWords; ++i) words[i] = seed * 1000 + i;
  return words;
}

class Ring : public testing::Test {
 protected:
  static constexpr std::uint32_t kSlots = 64;

  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
  std::uint64_t consumed_ = 0;
  RingWriter writer_{slots_.data(), kSlots, &consumed_};
  RingReader reader_{slots_.data(), kSlots, &consumed_};
  std::uint64_t next_head_ = 0;

  RingResult write(const Words& words) {
    return writer_.write(words.data(), static_cast<std::uint32_t>((words[0] >> 8) & 0xFF));
  }
  RingResult read(Words& words) {
    words.fill(0);
    return reader_.read(words.data());
  }
  void pass_one(std::uint32_t slots, std::uint64_t seed) {
    const Words sent = make_message(slots, seed);
    ASSERT_EQ(write(sent), RingResult::kDone);
    Words received;
    ASSERT_EQ(read(received), RingResult::kDone);
    ASSERT_EQ(received, sent);
  }
};

TEST_F(Ring, IsEmptyBeforeTheFirstMessage) {
  Words words;
  EXPECT_FALSE(reader_.ready());
  EXPECT_EQ(read(words), RingResult::kEmpty);
  EXPECT_EQ(reader_.last_sequence(), 0U);
}

TEST_F(Ring, CarriesEveryMessageSizeAtEveryPosition) {
  for (std::uint32_t size = 1; size <= kSlotsPerMessageMax; ++size) {
    for (std::uint32_t start = 0; start < kSlots; ++start) {
      std::fill(slots_.begin(), slots_.end(), Slot{});
      consumed_ = 0;
      writer_ = RingWriter(slots_.data(), kSlots, &consumed_);
      reader_ = RingReader(slots_.data(), kSlots, &consumed_);
      for (std::uint32_t i = 0; i < start; ++i) pass_one(1, i);
      // Three laps, so that every slot is reused as head and as continuation.
      for (std::uint32_t i = 0; i < 3 * kSlots; ++i) pass_one(size, 1000 + i);
      if (HasFatalFailure()) FAIL() << "size " << size << " from position " << start;
    }
  }
}

TEST_F(Ring, CopiesMessagesAheadAndTakesThemOneByOne) {
  for (std::uint64_t lap = 0; lap < 3 * kSlots; ++lap) {
    const Words sent[] = {make_message(1, lap * 10), make_message(2, lap * 10 + 1),
                          make_message(1 + lap % kSlotsPerMessageMax, lap * 10 + 2)};
    RingReader::Ahead ahead = reader_.ahead();
    Words seen{};
    EXPECT_EQ(reader_.copy(ahead, seen.data()), RingResult::kEmpty);
    for (const Words& words : sent) ASSERT_EQ(write(words), RingResult::kDone);
    for (const Words& words : sent) {
      seen.fill(0);
      ASSERT_EQ(reader_.copy(ahead, seen.data()), RingResult::kDone);
      EXPECT_EQ(seen, words);
    }
    EXPECT_EQ(reader_.copy(ahead, seen.data()), RingResult::kEmpty);
    EXPECT_EQ(reader_.last_sequence(), 3 * lap);
    // Two of them are taken as copied, the last one is read again.
    reader_.take(1);
    reader_.take(2);
    EXPECT_EQ(reader_.last_sequence(), 3 * lap + 2);
    ASSERT_EQ(read(seen), RingResult::kDone);
    EXPECT_EQ(seen, sent[2]);
  }
}

TEST_F(Ring, CopyingPublishesNoProgressAndTakingDoes) {
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    ASSERT_EQ(write(make_message(1, i)), RingResult::kDone);
  }
  RingReader::Ahead ahead = reader_.ahead();
  Words seen{};
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    ASSERT_EQ(reader_.copy(ahead, seen.data()), RingResult::kDone);
  }
  EXPECT_EQ(consumed_, 0U);
  for (std::uint32_t i = 0; i < kSlots / 4; ++i) reader_.take(1);
  EXPECT_EQ(consumed_, 0U);
  reader_.take(1);
  EXPECT_EQ(consumed_, kSlots / 4);
}

TEST_F(Ring, CopyingRefusesWhatReadingDoes) {
  Words seen{};
  ASSERT_EQ(write(make_message(1, 1)), RingResult::kDone);
  slots_[1].sequence = 3;
  RingReader::Ahead ahead = reader_.ahead();
  ASSERT_EQ(reader_.copy(ahead, seen.data()), RingResult::kDone);
  EXPECT_EQ(reader_.copy(ahead, seen.data()), RingResult::kBreach);
  for (const std::uint64_t count : {0U, 5U, 255U}) {
    slots_[1] = Slot{.sequence = 2, .payload = {1 | count << 8}};
    EXPECT_EQ(reader_.copy(ahead, seen.data()), RingResult::kBreach);
  }
}

// As a ReportPort's caller does: each word into its place in a room.
TEST_F(Ring, MessagesBuiltInRoomsArriveWhole) {
  for (std::uint32_t size = 1; size <= kSlotsPerMessageMax; ++size) {
    writer_ = RingWriter(slots_.data(), kSlots, &consumed_);
    reader_ = RingReader(slots_.data(), kSlots, &consumed_);
    std::fill(slots_.begin(), slots_.end(), Slot{});
    consumed_ = 0;
    // Sizes and starts such that every way around the end comes.
    for (std::uint32_t i = 0; i < 5 * kSlots; ++i) {
      const std::uint32_t slots = 1 + (i * size) % kSlotsPerMessageMax;
      const Words sent = make_message(slots, i);
      ASSERT_EQ(writer_.reserve(slots), RingResult::kDone);
      std::uint64_t* const room = writer_.room();
      for (std::size_t word = 0; word < slots * kSlotWords; ++word) {
        room[core::room_place(word)] = sent[word];
      }
      Words received;
      ASSERT_EQ(read(received), RingResult::kEmpty);
      writer_.publish(slots);
      ASSERT_EQ(read(received), RingResult::kDone);
      ASSERT_EQ(received, sent);
      pass_one(1 + i % 2, i);
    }
  }
}

TEST_F(Ring, NumbersMessagesWithoutGap) {
  for (std::uint64_t i = 1; i <= 500; ++i) {
    pass_one(1 + i % kSlotsPerMessageMax, i);
    EXPECT_EQ(writer_.last_sequence(), i);
    EXPECT_EQ(reader_.last_sequence(), i);
  }
}

TEST_F(Ring, WhenFullRefusesAndLosesNothing) {
  std::uint64_t written = 0;
  while (write(make_message(3, written)) == RingResult::kDone) ++written;
  EXPECT_EQ(written, kSlots / 3);
  EXPECT_EQ(write(make_message(1, written)), RingResult::kDone);  // the one slot left
  EXPECT_EQ(write(make_message(1, 99)), RingResult::kFull);
  EXPECT_EQ(writer_.last_sequence(), written + 1);
  for (std::uint64_t i = 0; i <= written; ++i) {
    Words received;
    ASSERT_EQ(read(received), RingResult::kDone);
    EXPECT_EQ(received, make_message(i < written ? 3 : 1, i));
  }
  Words received;
  EXPECT_EQ(read(received), RingResult::kEmpty);
}

TEST_F(Ring, ReservesExactlyWhatIsFree) {
  EXPECT_EQ(writer_.reserve(kSlots), RingResult::kDone);
  ASSERT_EQ(write(make_message(1, 1)), RingResult::kDone);
  EXPECT_EQ(writer_.reserve(kSlots - 1), RingResult::kDone);
  EXPECT_EQ(writer_.reserve(kSlots), RingResult::kFull);
}

TEST_F(Ring, PublishesProgressEachQuarter) {
  for (std::uint32_t i = 1; i < kSlots / 4; ++i) pass_one(1, i);
  EXPECT_EQ(consumed_, 0U);
  pass_one(1, 0);
  // The last message's slots are its reader's until it asks for the next one.
  EXPECT_EQ(consumed_, 0U);
  Words words;
  EXPECT_EQ(read(words), RingResult::kEmpty);
  EXPECT_EQ(consumed_, kSlots / 4);
}

TEST_F(Ring, BothSidesKnowWhereTheLastMessageBegins) {
  for (std::uint32_t i = 0; i < 3 * kSlots; ++i) {
    const std::uint64_t head = reader_.last_sequence() == 0 ? 0 : next_head_;
    const std::uint32_t slots = 1 + i % kSlotsPerMessageMax;
    pass_one(slots, i);
    EXPECT_EQ(reader_.last_head(), head % kSlots);
    EXPECT_EQ(&writer_.last_head(), &slots_[head % kSlots]);
    next_head_ = head + slots;
  }
}

TEST_F(Ring, ReaderRefusesASequenceThatJumps) {
  pass_one(1, 1);
  slots_[1].payload[0] = 1 | 1 << 8;
  slots_[1].sequence = 3;
  Words words;
  EXPECT_TRUE(reader_.ready());
  EXPECT_EQ(read(words), RingResult::kBreach);
  EXPECT_EQ(reader_.last_sequence(), 1U);
}

TEST_F(Ring, ReaderTakesAnOldSequenceForNoMessage) {
  pass_one(1, 1);
  pass_one(1, 2);
  slots_[2].sequence = 1;
  Words words;
  EXPECT_FALSE(reader_.ready());
  EXPECT_EQ(read(words), RingResult::kEmpty);
}

TEST_F(Ring, ReaderRefusesImpossibleSlotCounts) {
  for (const std::uint64_t slots : {0U, 5U, 28U, 255U}) {
    slots_[0].payload[0] = 1 | slots << 8;
    slots_[0].sequence = 1;
    Words words;
    EXPECT_EQ(read(words), RingResult::kBreach) << slots;
  }
}

TEST_F(Ring, ReaderRefusesAContinuationWithASequence) {
  for (std::uint32_t bad = 1; bad < kSlotsPerMessageMax; ++bad) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    slots_[0].payload[0] = 1 | kSlotsPerMessageMax << 8;
    slots_[0].sequence = 1;
    slots_[bad].sequence = 7;
    Words words;
    EXPECT_EQ(read(words), RingResult::kBreach) << bad;
  }
}

TEST_F(Ring, WriterRefusesProgressAheadOfWhatWasWritten) {
  while (write(make_message(1, 1)) == RingResult::kDone) {
  }
  consumed_ = kSlots + 1;
  EXPECT_EQ(write(make_message(1, 1)), RingResult::kBreach);
  consumed_ = ~std::uint64_t{0};
  EXPECT_EQ(write(make_message(1, 1)), RingResult::kBreach);
}

TEST_F(Ring, WriterRefusesProgressThatRunsBackwards) {
  while (write(make_message(1, 1)) == RingResult::kDone) {
  }
  consumed_ = 8;
  for (int i = 0; i < 8; ++i) ASSERT_EQ(write(make_message(1, 1)), RingResult::kDone);
  consumed_ = 7;
  EXPECT_EQ(write(make_message(1, 1)), RingResult::kBreach);
}

TEST_F(Ring, CarriesAStreamBetweenThreads) {
  constexpr std::uint64_t kMessages = 50'000;
  std::thread writing([this] {
    for (std::uint64_t i = 1; i <= kMessages; ++i) {
      const Words words = make_message(1 + i % kSlotsPerMessageMax, i);
      while (write(words) == RingResult::kFull) ::sched_yield();
    }
  });
  std::uint64_t next = 1;
  std::uint64_t wrong = 0;
  while (next <= kMessages) {
    Words words;
    const RingResult result = read(words);
    if (result == RingResult::kEmpty) {
      ::sched_yield();
      continue;
    }
    if (result != RingResult::kDone) break;
    wrong += words != make_message(1 + next % kSlotsPerMessageMax, next);
    ++next;
  }
  writing.join();
  EXPECT_EQ(next, kMessages + 1);
  EXPECT_EQ(wrong, 0U);
}

TEST_F(Ring, SurvivesAWriterThatScribblesEverywhere) {
  // Whatever stands in the slots, reading ends with kEmpty or kBreach and stays inside
  // (AddressSanitizer sees the rest).
  std::uint64_t state = 42;
  const auto random = [&state] {
    return state = state * 6364136223846793005U + 1442695040888963407U;
  };
  for (int round = 0; round < 2000; ++round) {
    for (Slot& slot : slots_) {
      slot.sequence = random() >> 61;
      for (std::uint64_t& word : slot.payload) word = random() >> (random() % 64);
    }
    RingReader reader(slots_.data(), kSlots, &consumed_);
    Words words;
    RingResult result = RingResult::kDone;
    for (int i = 0; i < 1000 && result == RingResult::kDone; ++i)
      result = reader.read(words.data());
    EXPECT_NE(result, RingResult::kDone);
  }
}

}  // namespace
}  // namespace shmatch::ipc
