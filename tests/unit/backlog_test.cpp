// The bounded store of reports: order, sizes, laps, and what a full one does.
#include "ipc/backlog.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "tests/unit/random.h"

namespace shmatch::ipc {
namespace {

constexpr std::uint32_t kSlots = 16;

// A report of `slots` slots whose every word depends on `number`.
core::Report report_of(std::uint32_t slots, std::uint64_t number) {
  core::Report report;
  for (std::uint32_t i = 0; i < slots * core::kSlotWords; ++i) report.words[i] = number * 1000 + i;
  report.words[0] = static_cast<std::uint64_t>(core::ReportType::kPong) | std::uint64_t{slots} << 8;
  report.words[1] = number;
  return report;
}

bool same(const core::Report& a, const core::Report& b) {
  return std::equal(a.words, a.words + a.slots() * core::kSlotWords, b.words,
                    b.words + b.slots() * core::kSlotWords);
}

class BacklogTest : public testing::Test {
 protected:
  // One slot more than the backlog knows of: whatever it writes there is wrong.
  std::vector<std::uint64_t> words_ =
      std::vector<std::uint64_t>((kSlots + 1) * core::kSlotWords, 0xFEED);
  Backlog backlog_{words_.data(), kSlots};
};

TEST_F(BacklogTest, AnswersInTheOrderOfPushes) {
  EXPECT_TRUE(backlog_.empty());
  EXPECT_EQ(backlog_.slot_count(), kSlots);
  for (std::uint32_t slots = 1; slots <= 4; ++slots) {
    ASSERT_TRUE(backlog_.push(report_of(slots, slots)));
  }
  EXPECT_EQ(backlog_.used_slots(), 10U);
  for (std::uint32_t slots = 1; slots <= 4; ++slots) {
    core::Report front;
    EXPECT_EQ(backlog_.front_sequence(), slots);
    backlog_.front(front);
    EXPECT_TRUE(same(front, report_of(slots, slots)));
    backlog_.pop();
  }
  EXPECT_TRUE(backlog_.empty());
}

TEST_F(BacklogTest, AReportThatDoesNotFitChangesNothing) {
  for (std::uint64_t i = 0; i < kSlots / 4 - 1; ++i) {
    ASSERT_TRUE(backlog_.push(report_of(4, i)));
  }
  ASSERT_TRUE(backlog_.push(report_of(3, 100)));
  const std::vector<std::uint64_t> before = words_;
  EXPECT_FALSE(backlog_.push(report_of(2, 200)));
  EXPECT_EQ(words_, before);
  EXPECT_TRUE(backlog_.push(report_of(1, 300)));
  EXPECT_FALSE(backlog_.push(report_of(1, 301)));
  EXPECT_EQ(backlog_.used_slots(), kSlots);
  for (std::size_t i = kSlots * core::kSlotWords; i < words_.size(); ++i) {
    EXPECT_EQ(words_[i], 0xFEEDU) << "written behind its memory";
  }
}

TEST_F(BacklogTest, LikeAQueueOverManyLaps) {
  tests::Random random(7);
  std::deque<core::Report> expected;
  std::uint64_t used = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    if (random.one_in(2)) {
      const core::Report report = report_of(1 + static_cast<std::uint32_t>(random.below(4)), i);
      const bool fits = used + report.slots() <= kSlots;
      ASSERT_EQ(backlog_.push(report), fits) << i;
      if (fits) {
        expected.push_back(report);
        used += report.slots();
      }
    } else if (!expected.empty()) {
      core::Report front;
      backlog_.front(front);
      ASSERT_TRUE(same(front, expected.front())) << i;
      backlog_.pop();
      used -= expected.front().slots();
      expected.pop_front();
    }
    ASSERT_EQ(backlog_.used_slots(), used);
    ASSERT_EQ(backlog_.empty(), expected.empty());
  }
}

TEST_F(BacklogTest, AWalkSeesEverythingAndTakesNothing) {
  // The walk crosses the end of the memory.
  ASSERT_TRUE(backlog_.push(report_of(4, 1)));
  ASSERT_TRUE(backlog_.push(report_of(4, 2)));
  ASSERT_TRUE(backlog_.push(report_of(4, 3)));
  backlog_.pop();
  backlog_.pop();
  ASSERT_TRUE(backlog_.push(report_of(3, 4)));
  ASSERT_TRUE(backlog_.push(report_of(4, 5)));
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t at = backlog_.first(); at != backlog_.end();) {
    core::Report report;
    at = backlog_.read(at, report);
    EXPECT_TRUE(same(report, report_of(report.slots(), report.words[1])));
    numbers.push_back(report.words[1]);
  }
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_EQ(backlog_.used_slots(), 11U);
}

}  // namespace
}  // namespace shmatch::ipc
