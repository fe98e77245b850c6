// The journal's writer: what it writes comes back, in segments of any size; what it calls durable
// is; what it says when something fails.
#include "ipc/journal_writer.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "ipc/journal_steps.h"
#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"

namespace shmatch::ipc {
namespace {

using tests::append_up_to;
using tests::FakeFiles;
using tests::FileFailure;
using tests::open_after;
using tests::read_back;
using tests::ReadBack;

const std::string kFolder = "j";
constexpr std::uint64_t kSmall = kSegmentBytesMin;
constexpr std::uint64_t kRoomy = std::uint64_t{1} << 17;

const std::string kFirst = "j/00000000000000000001.journal";

class Writing : public testing::Test {
 protected:
  void expect_all(core::Sequence last) {
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.end, JournalNext::kEnd) << read.fault << read.torn.seen;
    EXPECT_TRUE(read.right);
    EXPECT_EQ(read.last, last);
  }

  FakeFiles files_;
};

TEST_F(Writing, AnEmptyJournalHasNoRecords) {
  expect_all(0);
  JournalWriter writer(files_, kFolder, kSmall);
  ASSERT_FALSE(open_after(writer, 0));
  expect_all(0);
  ASSERT_FALSE(writer.close());
  expect_all(0);
}

TEST_F(Writing, RecordsComeBackFromOneSegment) {
  JournalWriter writer(files_, kFolder);
  ASSERT_FALSE(open_after(writer, 0));
  EXPECT_EQ(files_.contents(kFirst).size(), kHeaderAlignment + kSegmentBytesDefault);
  for (const core::Sequence last : {1U, 2U, 50U, 1000U}) ASSERT_FALSE(append_up_to(writer, last));
  EXPECT_EQ(writer.last_sequence(), 1000U);
  EXPECT_EQ(writer.input_chain(), tests::chain_after(1000));
  expect_all(1000);
}

TEST_F(Writing, RecordsComeBackFromManySegments) {
  JournalWriter writer(files_, kFolder, kSmall);
  ASSERT_FALSE(open_after(writer, 0));
  for (core::Sequence last = 3; last <= 999; last += 3) ASSERT_FALSE(append_up_to(writer, last));
  expect_all(999);
  ASSERT_FALSE(writer.close());
  expect_all(999);
  const ReadBack read = read_back(files_, kFolder);
  EXPECT_GT(read.files.size(), 20U);
  EXPECT_EQ(read.durable, 999U);
  for (const UsedFile& file : read.files) {
    EXPECT_EQ(files_.contents(kFolder + "/" + file.name).size(), file.used_bytes);
  }
}

TEST_F(Writing, AGroupLargerThanASegmentGetsOneOfItsOwn) {
  JournalWriter writer(files_, kFolder, kSmall);
  ASSERT_FALSE(open_after(writer, 0));
  for (const core::Sequence last : {2U, 500U, 502U}) ASSERT_FALSE(append_up_to(writer, last));
  expect_all(502);
  EXPECT_EQ(read_back(files_, kFolder).files.size(), 3U);
}

TEST_F(Writing, TheLargestGroupComesBack) {
  const tests::Words record = tests::record_of(1);
  tests::Words words;
  while (words.size() + record.size() <= kAppendWordsMax) {
    words.insert(words.end(), record.begin(), record.end());
  }
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(writer.append(words, 1));
  ASSERT_FALSE(writer.append(words, writer.last_sequence() + 1));
  const ReadBack read = read_back(files_, kFolder);
  EXPECT_EQ(read.end, JournalNext::kEnd) << read.fault;
  EXPECT_EQ(read.last, 2 * words.size() / record.size());
}

TEST_F(Writing, GoesOnInANewSegmentAfterAStart) {
  for (const core::Sequence last : {10U, 10U, 10U, 25U, 26U}) {
    JournalWriter writer(files_, kFolder, kRoomy);
    const core::Sequence before = read_back(files_, kFolder).last;
    ASSERT_FALSE(open_after(writer, before));
    if (last > before) {
      ASSERT_FALSE(append_up_to(writer, last));
    }
    ASSERT_FALSE(writer.close());
  }
  expect_all(26);
  // The starts without a record left no file.
  EXPECT_EQ(read_back(files_, kFolder).files.size(), 3U);
}

TEST_F(Writing, NeverReplacesRecords) {
  JournalWriter first(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(first, 0));
  ASSERT_FALSE(append_up_to(first, 3));
  ASSERT_FALSE(first.close());
  JournalWriter second(files_, kFolder, kRoomy);
  const FileFault fault = open_after(second, 0);
  EXPECT_EQ(fault.text, "journal: the folder j already holds records from 1 on");
  expect_all(3);
}

TEST_F(Writing, WorksWhereSpaceCannotBeReserved) {
  files_.can_reserve = false;
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 100));
  EXPECT_LT(files_.contents(kFirst).size(), std::size_t{1} << 20);
  expect_all(100);
}

// The header tells where the state stood, for whoever has only later segments.
TEST_F(Writing, HeadersCarryWhatWasKnown) {
  JournalWriter writer(files_, kFolder, kSmall);
  SegmentStart start;
  start.configuration = tests::some_configuration();
  start.build_digest = 5;
  start.created = 6;
  ASSERT_FALSE(writer.open(start));
  ASSERT_FALSE(writer.append(tests::records_of(1, 10), 1, {7, 0xABC}));
  ASSERT_FALSE(writer.append(tests::records_of(11, 60), 11));
  JournalReader reader(files_, kFolder);
  ASSERT_FALSE(reader.open(11));
  EXPECT_EQ(reader.segment().name, segment_name(11));
  const SegmentHeader& header = reader.segment().header;
  EXPECT_EQ(header.first_sequence, 11U);
  EXPECT_EQ(header.input_chain, tests::chain_after(10));
  EXPECT_EQ(header.digest.sequence, 7U);
  EXPECT_EQ(header.digest.digest, 0xABCU);
  EXPECT_EQ(header.build_digest, 5U);
  EXPECT_EQ(static_cast<std::uint64_t>(header.created), tests::record_of(11)[1]);
  const auto configuration = tests::some_configuration();
  EXPECT_TRUE(std::ranges::equal(reader.segment().configuration, configuration));
}

TEST_F(Writing, DurableIsWhatWasSynced) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 5));
  EXPECT_EQ(writer.durable_sequence(), 0U);
  ASSERT_FALSE(writer.sync());
  EXPECT_EQ(writer.durable_sequence(), 5U);
  ASSERT_FALSE(append_up_to(writer, 8));
  EXPECT_EQ(writer.durable_sequence(), 5U);
  EXPECT_EQ(read_back(files_, kFolder).durable, 5U);
}

TEST_F(Writing, AMarkIsWrittenOnlyWhenItSaysSomethingNew) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  const auto marks_after_mark = [&] {
    EXPECT_FALSE(writer.write_mark());
    return read_back(files_, kFolder).marks;
  };
  EXPECT_EQ(marks_after_mark(), 0U);
  ASSERT_FALSE(append_up_to(writer, 5));
  EXPECT_EQ(marks_after_mark(), 0U);
  ASSERT_FALSE(writer.sync());
  EXPECT_EQ(marks_after_mark(), 1U);
  EXPECT_EQ(marks_after_mark(), 1U);
  ASSERT_FALSE(writer.sync());
  EXPECT_EQ(marks_after_mark(), 1U);
  EXPECT_EQ(read_back(files_, kFolder).durable, 5U);
  expect_all(5);
}

TEST_F(Writing, PassesItsStepsInOrder) {
  std::vector<std::string> seen;
  files_.on_step = [&](const char* step) { seen.emplace_back(step); };
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 1));
  ASSERT_FALSE(writer.close());
  const std::vector<std::string> expected = {
      steps::kSegmentCreated,    steps::kSegmentWritten,      steps::kSegmentSynced,
      steps::kSegmentNamed,      steps::kSegmentFolderSynced, steps::kAppendBeforeWrite,
      steps::kAppendAfterWrite,  steps::kSyncBefore,          steps::kSyncAfter,
      steps::kAppendBeforeWrite, steps::kAppendAfterWrite,    steps::kFinishBefore,
      steps::kFinishCut,         steps::kFinishSynced};
  EXPECT_EQ(seen, expected);
}

// ---- failures

TEST_F(Writing, AFailureNamesOperationPathAndReason) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  files_.fail_at(files_.operations() + 1, FileFailure::kNoSpace, false);
  const std::size_t bytes = 64 + tests::record_of(1).size() * 8;
  const FileFault fault = append_up_to(writer, 1);
  EXPECT_EQ(fault.text, "journal: write of " + std::to_string(bytes) + " bytes to " + kFirst +
                            " failed: No space left on device");
  EXPECT_EQ(fault.error, ENOSPC);
}

TEST_F(Writing, TheFirstFailureIsFinal) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 3));
  ASSERT_FALSE(writer.sync());
  ASSERT_FALSE(append_up_to(writer, 5));
  files_.fail_at(files_.operations() + 1, FileFailure::kInputOutput, false);
  const std::string text = writer.sync().text;
  EXPECT_EQ(text, "journal: sync of the data of " + kFirst + " failed: Input/output error");
  const std::uint64_t operations = files_.operations();
  EXPECT_EQ(writer.sync().text, text);
  EXPECT_EQ(append_up_to(writer, 6).text, text);
  EXPECT_EQ(writer.write_mark().text, text);
  EXPECT_EQ(writer.close().text, text);
  EXPECT_EQ(writer.failure().text, text);
  EXPECT_EQ(files_.operations(), operations) << "a failed writer touched its files";
  EXPECT_EQ(writer.durable_sequence(), 3U);
}

TEST_F(Writing, AShortWriteIsContinued) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  files_.fail_at(files_.operations() + 1, FileFailure::kShort, false);
  ASSERT_FALSE(append_up_to(writer, 20));
  EXPECT_EQ(files_.failures(), 1U);
  expect_all(20);
}

TEST_F(Writing, ADiskThatTakesNothingIsFull) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  files_.fail_at(files_.operations() + 1, FileFailure::kShort, true);
  EXPECT_EQ(append_up_to(writer, 20).error, ENOSPC);
}

TEST_F(Writing, AnInterruptedWriteIsRepeated) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  files_.fail_at(files_.operations() + 1, FileFailure::kInterrupted, false);
  ASSERT_FALSE(append_up_to(writer, 20));
  EXPECT_EQ(files_.failures(), 1U);
  expect_all(20);
}

// The space that a failed new segment took would be missing on the full disk.
TEST_F(Writing, AFullDiskAtANewSegmentLeavesNoFile) {
  JournalWriter writer(files_, kFolder, kSmall);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 10));
  // Cut, sync, open the new file, then reserve.
  files_.fail_at(files_.operations() + 4, FileFailure::kNoSpace, false);
  const FileFault fault = append_up_to(writer, 60);
  EXPECT_EQ(fault.text,
            "journal: reserving 8192 bytes for j/00000000000000000011.journal.tmp "
            "failed: No space left on device");
  std::vector<std::string> names;
  ASSERT_EQ(files_.list(kFolder, names), 0);
  EXPECT_EQ(names, std::vector<std::string>{segment_name(1)});
  expect_all(10);
}

}  // namespace
}  // namespace shmatch::ipc
