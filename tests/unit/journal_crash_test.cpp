// Crashes and failing disks: whatever happens at whatever moment, each record that was called
// durable is found again, no record is made up, and the journal can be continued.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "ipc/journal_folder.h"
#include "ipc/journal_repair.h"
#include "ipc/journal_writer.h"
#include "ipc/snapshot_file.h"
#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"

namespace shmatch::ipc {
namespace {

using tests::append_up_to;
using tests::chain_after;
using tests::FakeFiles;
using tests::FileFailure;
using tests::open_after;
using tests::Random;
using tests::read_back;
using tests::ReadBack;

const std::string kFolder = "j";

// What whoever used the journal was told, over all its lives.
struct Promised {
  core::Sequence durable = 0;   // at least these records stay
  core::Sequence written = 0;   // no later one was ever handed in since the last crash
  core::Sequence snapshot = 0;  // the newest that was finished
};

std::uint64_t state_word(core::Sequence sequence, std::uint64_t i) { return sequence * 1000 + i; }

FileFault write_snapshot(FakeFiles& files, core::Sequence sequence) {
  SnapshotStart start;
  start.sequence = sequence;
  start.input_chain = chain_after(sequence);
  start.configuration = tests::some_configuration();
  SnapshotWriter writer(files, kFolder);
  if (FileFault fault = writer.create(start)) return fault;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t word = state_word(sequence, i);
    if (!writer.put({&word, 1})) return writer.failure();
  }
  return writer.commit();
}

// One engine's life on the journal, from its start to the first failure or to the end of what it
// has to do. What it promises is written to `promised` at once.
class Life {
 public:
  Life(FakeFiles& files, Promised& promised, std::uint64_t seed)
      : files_(files), promised_(promised), random_(seed), folder_(files) {}

  // Reads, checks and settles what is there. The test's expectations hold when `fault` is none.
  FileFault start() {
    if (FileFault fault = folder_.take(kFolder)) return fault;
    if (FileFault fault = check_snapshot()) return fault;
    JournalReader reader(files_, kFolder);
    if (FileFault fault = reader.open()) return fault;
    JournalRecord record;
    JournalNext next;
    while ((next = reader.next(record)) == JournalNext::kGiven) {
      EXPECT_TRUE(std::ranges::equal(record.words, tests::record_of(record.sequence)));
    }
    if (next == JournalNext::kFault) return reader.fault();
    const core::Sequence last = reader.last_sequence();
    EXPECT_GE(last, promised_.durable) << "a record that was called durable is gone";
    EXPECT_LE(last, promised_.written) << "a record that was never handed in";
    EXPECT_EQ(reader.input_chain(), chain_after(last));
    promised_.written = last;
    if (FileFault fault = settle_journal(files_, reader)) return fault;
    promised_.durable = last;
    return open_after(writer_, last);
  }

  FileFault run(int operations) {
    for (int i = 0; i < operations; ++i) {
      if (FileFault fault = operate()) return fault;
    }
    return {};
  }

  FileFault close() {
    FileFault fault = writer_.close();
    if (!fault) promised_.durable = writer_.last_sequence();
    return fault;
  }

  // A writer that failed promises what it promised before, and nothing more.
  void expect_same_promise() const {
    if (writer_.failure()) {
      EXPECT_LE(promised_.durable, writer_.durable_sequence());
    }
  }

 private:
  FileFault check_snapshot() {
    SnapshotReader snapshot(files_);
    std::vector<std::string> skipped;
    bool found = false;
    if (FileFault fault =
            open_newest_snapshot(files_, kFolder, ~core::Sequence{0}, snapshot, found, skipped)) {
      return fault;
    }
    // A disk that fails for good makes the newest one unreadable; a crash never does.
    if (!skipped.empty()) return file_fault(skipped.front());
    EXPECT_GE(found ? snapshot.header().sequence : 0, promised_.snapshot);
    if (!found) return {};
    for (std::uint64_t i = 0; i < 100; ++i) {
      std::uint64_t word = 0;
      if (!snapshot.get({&word, 1})) return snapshot.failure();
      EXPECT_EQ(word, state_word(snapshot.header().sequence, i));
    }
    JournalReader reader(files_, kFolder);
    return reader.open(snapshot.header().sequence + 1, snapshot.header().input_chain);
  }

  FileFault operate() {
    const std::uint64_t what = random_.below(10);
    if (what < 5) {
      promised_.written += 1 + random_.below(12);
      return append_up_to(writer_, promised_.written);
    }
    if (what < 8) {
      FileFault fault = writer_.sync();
      if (!fault) promised_.durable = writer_.durable_sequence();
      return fault;
    }
    if (what == 8) return writer_.write_mark();
    if (promised_.durable <= promised_.snapshot) return {};
    FileFault fault = write_snapshot(files_, promised_.durable);
    if (fault) return fault;
    promised_.snapshot = promised_.durable;
    return {};
  }

  FakeFiles& files_;
  Promised& promised_;
  Random random_;
  JournalFolder folder_;
  JournalWriter writer_{files_, kFolder, kSegmentBytesMin};
};

// After a disk has failed: the records are there once it is healed, through a kill and a crash.
void expect_recovery(FakeFiles& files, Promised& promised, std::uint64_t seed,
                     const std::string& what) {
  files.heal();
  {
    Life life(files, promised, seed);
    const FileFault fault = life.start();
    ASSERT_EQ(fault.text, "") << what;
    ASSERT_EQ(life.run(5).text, "") << what;
  }
  files.crash(seed + 1);
  Life life(files, promised, seed);
  ASSERT_EQ(life.start().text, "") << what;
}

constexpr std::array kFailures = {FileFailure::kNoSpace, FileFailure::kInputOutput,
                                  FileFailure::kShort, FileFailure::kInterrupted};

class Failing : public testing::TestWithParam<FileFailure> {
 protected:
  // Lets the operation `number` of two lives fail; false when there are not that many.
  bool fail_at(std::uint64_t number, bool for_good, bool power_goes) {
    const std::string what = "operation " + std::to_string(number) +
                             (for_good ? " and all later" : "") + (power_goes ? ", crash" : "");
    FakeFiles files;
    Promised promised;
    files.fail_at(number, GetParam(), for_good);
    for (const std::uint64_t seed : {1U, 2U}) {
      Life life(files, promised, seed);
      FileFault fault = life.start();
      if (!fault) fault = life.run(40);
      if (!fault) fault = life.close();
      life.expect_same_promise();
      const bool tolerated =
          GetParam() == FileFailure::kShort || GetParam() == FileFailure::kInterrupted;
      EXPECT_TRUE(fault || files.failures() == 0 || tolerated) << what << " went unnoticed";
      if (fault) {
        EXPECT_GT(files.failures(), 0U) << fault.text;
        EXPECT_EQ(fault.text.find("journal: "), 0U) << fault.text;
        break;
      }
    }
    const bool struck = files.failures() > 0;
    if (power_goes) {
      files.crash(number);
    } else {
      files.kill();
    }
    expect_recovery(files, promised, number, what);
    return struck && !HasFatalFailure();
  }
};

TEST_P(Failing, OnceAtEveryOperation) {
  for (const bool power_goes : {false, true}) {
    std::uint64_t number = 1;
    while (fail_at(number, false, power_goes)) ++number;
    EXPECT_GT(number, 200U);
  }
}

TEST_P(Failing, ForGoodFromEveryOperation) {
  // A system call that is interrupted for ever does not exist.
  if (GetParam() == FileFailure::kInterrupted) return;
  for (const bool power_goes : {false, true}) {
    std::uint64_t number = 1;
    while (fail_at(number, true, power_goes)) ++number;
    EXPECT_GT(number, 200U);
  }
}

std::string name_of(const testing::TestParamInfo<FileFailure>& failure) {
  constexpr std::array kNames = {"None", "NoSpace", "InputOutput", "Short", "Interrupted"};
  return kNames[static_cast<std::size_t>(failure.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, Failing, testing::ValuesIn(kFailures), name_of);

// Many journals, each through many lives that end by a kill or a crash, some on failing disks.
TEST(Crashes, LoseNothingThatWasPromised) {
  constexpr std::uint64_t kJournals = 300;
  constexpr int kLives = 12;
  for (std::uint64_t seed = 1; seed <= kJournals; ++seed) {
    Random random(seed);
    FakeFiles files;
    Promised promised;
    for (int life_number = 0; life_number < kLives; ++life_number) {
      const std::string what =
          "seed " + std::to_string(seed) + ", life " + std::to_string(life_number);
      {
        Life life(files, promised, random.next());
        ASSERT_EQ(life.start().text, "") << what;
        if (random.one_in(3)) {
          const FileFailure kind = kFailures[random.below(kFailures.size())];
          files.fail_at(files.operations() + 1 + random.below(40), kind, false);
        }
        const FileFault fault = life.run(static_cast<int>(random.below(60)));
        life.expect_same_promise();
        if (!fault && random.one_in(4)) static_cast<void>(life.close());
        if (random.one_in(2)) files.crash(random.next());
      }
      files.heal();
      files.kill();
      if (testing::Test::HasFailure()) FAIL() << what;
    }
  }
}

// A crash at every step of the write path, by a kill and by the power.
TEST(Crashes, AtEveryStepLoseNothing) {
  for (std::uint64_t number = 1;; ++number) {
    bool reached = false;
    for (const bool power_goes : {false, true}) {
      FakeFiles files;
      Promised promised;
      std::uint64_t steps = 0;
      // Nothing can be written after the step: every operation fails.
      files.on_step = [&](const char*) {
        if (++steps != number) return;
        reached = true;
        files.fail_at(0, FileFailure::kInputOutput, true);
      };
      for (const std::uint64_t seed : {3U, 4U, 5U}) {
        Life life(files, promised, seed);
        if (life.start() || life.run(30) || life.close()) break;
      }
      files.on_step = nullptr;
      if (power_goes) {
        files.crash(number);
      } else {
        files.kill();
      }
      expect_recovery(files, promised, number, "step " + std::to_string(number));
      if (testing::Test::HasFatalFailure()) return;
    }
    if (!reached) {
      EXPECT_GT(number, 100U);
      return;
    }
  }
}

// The kernel may still show what a failed sync never wrote. Whoever starts on that must write it
// again before it promises anything.
TEST(Crashes, WhatAFailedSyncLeftInMemoryIsWrittenAgain) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    FakeFiles files;
    JournalWriter writer(files, kFolder, kSegmentBytesMin);
    ASSERT_FALSE(open_after(writer, 0));
    ASSERT_FALSE(append_up_to(writer, 10));
    files.fail_at(files.operations() + 1, FileFailure::kInputOutput, false);
    ASSERT_TRUE(writer.sync());
    files.heal();
    files.kill();
    Promised promised{.durable = 0, .written = 10, .snapshot = 0};
    {
      Life life(files, promised, seed);
      ASSERT_EQ(life.start().text, "");
      ASSERT_EQ(promised.durable, 10U);
    }
    files.crash(seed);
    ASSERT_EQ(read_back(files, kFolder).last, 10U) << seed;
  }
}

}  // namespace
}  // namespace shmatch::ipc
