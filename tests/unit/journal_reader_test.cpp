// The journal's reader: what it says of files that are whole, torn, damaged, foreign or being
// written, and that it never gives a record that was not written.
#include "ipc/journal_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"
#include "tests/unit/journal_reading.h"

namespace shmatch::ipc {
namespace {

using Reading = tests::JournalReading;
using tests::append_up_to;
using tests::kFolder;
using tests::kRoomy;
using tests::open_after;
using tests::path_of;
using tests::read_back;
using tests::ReadBack;

// ------------------------------------------------------------------------- ends, torn and damaged

TEST_F(Reading, ABadLastGroupIsATornEnd) {
  write_three_groups(3);
  const auto at = offsets();
  flip(at[2] + 100);
  expect_torn(20, at[2],
              "the group of records 21 to 30 fails its checksum; there is the header of a group of "
              "records 21 to 30 at byte " +
                  std::to_string(at[2]));
  EXPECT_EQ(read_back(files_, kFolder).torn.bytes, at[3] - at[2]);
}

TEST_F(Reading, ABadGroupThatNoLaterOneCallsDurableIsATornEnd) {
  write_three_groups(1);
  const auto at = offsets();
  flip(at[1] + 1);
  expect_torn(10, at[1],
              "this is no group; there is a whole group of records 21 to 30 at byte " +
                  std::to_string(at[2]));
}

TEST_F(Reading, ABadGroupThatALaterOneCallsDurableIsDamage) {
  write_three_groups(2);
  const auto at = offsets();
  const std::string where = "damaged: " + path_of(1) + " at byte " + std::to_string(at[1]) + ": ";
  const std::string mark =
      ", and the group at byte " + std::to_string(at[2]) + " says that it was on disk";
  flip(at[1] + 100);
  expect_fault(where + "the group of records 11 to 20 fails its checksum" + mark);
  flip(at[1] + 40);
  expect_fault(where + "the group's header fails its checksum" + mark);
  flip(at[1]);
  expect_fault(where + "this is no group" + mark);
}

// The header of the later group is whole, so what it says is true, whatever became of its records.
TEST_F(Reading, AMarkCountsEvenIfItsOwnGroupIsTorn) {
  write_three_groups(2);
  const auto at = offsets();
  flip(at[1] + 100);
  flip(at[2] + 100);
  EXPECT_EQ(read_back(files_, kFolder).end, JournalNext::kFault);
}

TEST_F(Reading, AMarkWithoutRecordsTurnsATornEndIntoDamage) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 10));
  ASSERT_FALSE(writer.sync());
  const auto at = offsets();
  flip(at[0] + 100);
  EXPECT_EQ(read_back(files_, kFolder).end, JournalNext::kTornEnd);
  ASSERT_FALSE(writer.write_mark());
  EXPECT_EQ(read_back(files_, kFolder).end, JournalNext::kFault);
  flip(at[0] + 100);
  EXPECT_EQ(read_back(files_, kFolder).end, JournalNext::kEnd);
}

// A mark that is gone takes no record with it, but whatever lies behind it.
TEST_F(Reading, ABadMarkIsJudgedLikeAnyGroup) {
  JournalWriter writer(files_, kFolder, kRoomy);
  ASSERT_FALSE(open_after(writer, 0));
  ASSERT_FALSE(append_up_to(writer, 10));
  ASSERT_FALSE(writer.sync());
  ASSERT_FALSE(writer.write_mark());
  const auto at = offsets();
  flip(at[1] + 8);
  expect_torn(10, at[1], "the group's header fails its checksum");
  flip(at[1] + 8);
  ASSERT_FALSE(append_up_to(writer, 20));
  ASSERT_FALSE(writer.sync());
  ASSERT_FALSE(append_up_to(writer, 30));
  flip(at[1] + 8);
  EXPECT_EQ(read_back(files_, kFolder).end, JournalNext::kFault);
}

TEST_F(Reading, ALostWriteBeforeAnotherIsTornOrDamage) {
  for (const int synced : {1, 2}) {
    files_.remove(path_of(1));
    write_three_groups(synced);
    const auto at = offsets();
    auto& bytes = files_.contents(path_of(1));
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at[1]),
              bytes.begin() + static_cast<std::ptrdiff_t>(at[2]), std::byte{0});
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.last, 10U);
    EXPECT_EQ(read.end, synced == 1 ? JournalNext::kTornEnd : JournalNext::kFault);
    const std::string& said = synced == 1 ? read.torn.seen : read.fault;
    EXPECT_NE(said.find("zeros are where a group should be"), std::string::npos) << said;
  }
}

TEST_F(Reading, AFileCutInsideAGroupHasATornEnd) {
  write_three_groups(3);
  const auto at = offsets();
  for (const std::uint64_t length : {at[2] + 3, at[2] + 8, at[2] + 64, at[3] - 1}) {
    files_.contents(path_of(1)).resize(length);
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.end, JournalNext::kTornEnd);
    EXPECT_EQ(read.torn.seen.find("the group is cut off by the file's end"), 0U) << read.torn.seen;
    EXPECT_GT(read.torn.bytes, 0U);
    EXPECT_LE(read.torn.bytes, length - at[2]);
    EXPECT_EQ(read.last, 20U);
    files_.remove(path_of(1));
    write_three_groups(3);
  }
}

// What calls the bad group durable, or is lost with it, may lie megabytes behind it.
TEST_F(Reading, LaterGroupsAreFoundHoweverFarBehind) {
  tests::Words words;
  core::Sequence count = 0;
  for (tests::Words record = tests::record_of(1);
       words.size() + record.size() <= kAppendWordsMax * 7 / 10;
       record = tests::record_of(count + 1)) {
    words.insert(words.end(), record.begin(), record.end());
    ++count;
  }
  for (const bool marked : {false, true}) {
    JournalWriter writer(files_, kFolder);
    ASSERT_FALSE(writer.open({}));
    for (core::Sequence i = 0; i < 9; ++i) {
      ASSERT_FALSE(writer.append(words, i * count + 1));
      if (marked && i == 7) {
        ASSERT_FALSE(writer.sync());
      }
    }
    flip(kHeaderAlignment + sizeof(GroupHeader) + 16);
    const ReadBack read = read_back(files_, kFolder);
    const std::uint64_t group_bytes = sizeof(GroupHeader) + words.size() * 8;
    if (marked) {
      EXPECT_NE(read.fault.find("and the group at byte " +
                                std::to_string(kHeaderAlignment + 8 * group_bytes) +
                                " says that it was on disk"),
                std::string::npos)
          << read.fault;
    } else {
      EXPECT_EQ(read.end, JournalNext::kTornEnd);
      // Its own header, and the eight behind it.
      EXPECT_NE(read.torn.seen.find(" at byte 4096, and 8 more"), std::string::npos)
          << read.torn.seen;
      EXPECT_EQ(read.torn.bytes, 9 * group_bytes);
    }
    files_.remove(path_of(1));
  }
}

// Groups of another segment, and bytes that a client may have put into a record, are nothing.
TEST_F(Reading, AGroupOfAnotherSegmentIsNoGroup) {
  write_three_groups(3);
  const auto at = offsets();
  const auto bytes = files_.contents(path_of(1));
  files_.remove(path_of(1));
  JournalWriter writer(files_, kFolder, kRoomy);
  SegmentStart start;
  start.created = 4711;
  ASSERT_FALSE(writer.open(start));
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(at[0]), bytes.end(),
            files_.contents(path_of(1)).begin() + static_cast<std::ptrdiff_t>(at[0]));
  expect_torn(0, at[0], "the group's header fails its checksum");
}

// ------------------------------------------------------------------------------ several segments

class Segments : public Reading {
 protected:
  // Segments that start with records 1, 11 and 21, as three starts leave them.
  void SetUp() override {
    for (const core::Sequence last : {0U, 10U, 20U}) {
      JournalWriter writer(files_, kFolder, kRoomy);
      ASSERT_FALSE(open_after(writer, last));
      ASSERT_FALSE(append_up_to(writer, last + 10));
      ASSERT_FALSE(writer.close());
    }
  }
  std::string used(core::Sequence first) {
    return std::to_string(files_.contents(path_of(first)).size());
  }
};

TEST_F(Segments, AreReadInOrder) {
  const ReadBack read = read_back(files_, kFolder);
  EXPECT_EQ(read.end, JournalNext::kEnd) << read.fault;
  EXPECT_EQ(read.last, 30U);
  EXPECT_EQ(read.durable, 30U);
  ASSERT_EQ(read.files.size(), 3U);
  EXPECT_EQ(read.files[1].name, segment_name(11));
  EXPECT_EQ(std::to_string(read.files[1].used_bytes), used(11));
}

TEST_F(Segments, AMissingOneIsDamage) {
  files_.remove(path_of(11));
  expect_fault("damaged: " + path_of(1) + " at byte " + used(1) +
               ": records 11 to 20 should follow and are missing: the next segment is " +
               segment_name(21));
}

TEST_F(Segments, WithoutTheFirstOneTheJournalBeginsLater) {
  files_.remove(path_of(1));
  JournalReader reader(files_, kFolder);
  const FileFault fault = reader.open(5);
  EXPECT_EQ(fault.text,
            "journal: the journal in j begins with record 11, and record 5 is asked for");
  JournalReader again(files_, kFolder);
  ASSERT_FALSE(again.open());
  JournalRecord record;
  ASSERT_EQ(again.next(record), JournalNext::kGiven);
  EXPECT_EQ(record.sequence, 11U);
}

TEST_F(Segments, ABadGroupBeforeTheLastOneIsDamage) {
  files_.contents(path_of(11))[kHeaderAlignment + 100] ^= std::byte{1};
  expect_fault("damaged: " + path_of(11) +
               " at byte 4096: the group of records 11 to 20 fails its "
               "checksum, and a later segment exists");
}

TEST_F(Segments, ACutOneBeforeTheLastOneIsDamage) {
  files_.contents(path_of(11)).resize(kHeaderAlignment);
  expect_fault("damaged: " + path_of(11) +
               " at byte 4096: records 11 to 20 should follow and are "
               "missing: the next segment is " +
               segment_name(21));
}

TEST_F(Segments, ThatOverlapAreDamage) {
  auto& bytes = files_.contents(path_of(11));
  JournalWriter writer(files_, "other", kRoomy);
  ASSERT_FALSE(open_after(writer, 10));
  ASSERT_FALSE(append_up_to(writer, 25));
  ASSERT_FALSE(writer.close());
  bytes = files_.contents("other/" + segment_name(11));
  expect_fault("damaged: " + path_of(21) +
               " at byte 0: the segment before it already ends with record 25");
}

TEST_F(Segments, OfDifferentJournalsAreDamage) {
  JournalWriter writer(files_, "other", kRoomy);
  SegmentStart start;
  start.first_sequence = 21;
  start.input_chain = 12345;
  ASSERT_FALSE(writer.open(start));
  ASSERT_FALSE(writer.close());
  files_.contents(path_of(21)) = files_.contents("other/" + segment_name(21));
  expect_fault("damaged: " + path_of(21) +
               " at byte 0: it does not go on where the segment before "
               "it ends: the input chains differ");
}

TEST_F(Segments, UnderAWrongNameAreDamage) {
  files_.rename(path_of(11), path_of(10));
  expect_fault("damaged: " + path_of(10) +
               " at byte 0: the header is that of a segment whose first record is 11");
}

TEST_F(Segments, OfAnUnknownVersionAreRefused) {
  files_.contents(path_of(21))[8] = std::byte{9};
  expect_fault(path_of(21) +
               " at byte 8 has format version 9, and this program reads version 2: "
               "use the shmatch that wrote it");
}

TEST_F(Segments, AreEnteredWhereAskedFor) {
  for (core::Sequence from = 1; from <= 31; ++from) {
    JournalReader reader(files_, kFolder);
    ASSERT_FALSE(reader.open(from, tests::chain_after(from - 1))) << reader.fault().text;
    EXPECT_EQ(reader.last_sequence(), from - 1);
    JournalRecord record;
    for (core::Sequence sequence = from; sequence <= 30; ++sequence) {
      ASSERT_EQ(reader.next(record), JournalNext::kGiven);
      ASSERT_EQ(record.sequence, sequence);
      ASSERT_TRUE(std::ranges::equal(record.words, tests::record_of(sequence)));
      ASSERT_EQ(reader.input_chain(), tests::chain_after(sequence));
    }
    EXPECT_EQ(reader.next(record), JournalNext::kEnd);
    EXPECT_EQ(reader.input_chain(), tests::chain_after(30));
  }
}

// A snapshot of another history must not be continued with this journal.
TEST_F(Segments, AreNotEnteredWithAnotherChain) {
  for (const core::Sequence from : {1U, 5U, 11U, 15U, 31U}) {
    JournalReader reader(files_, kFolder);
    const FileFault fault = reader.open(from, tests::chain_after(from - 1) + 1);
    EXPECT_EQ(fault.text, "journal: the journal in j does not lead to record " +
                              std::to_string(from - 1) +
                              " by the inputs that the snapshot of it had");
  }
}

TEST_F(Segments, AreNotEnteredBehindTheirEnd) {
  JournalReader reader(files_, kFolder);
  EXPECT_EQ(reader.open(32).text, "journal: the journal ends with record 30 at byte " + used(21) +
                                      " of " + path_of(21) + ", before record 31");
}

TEST_F(Segments, OnlyTheLastOneIsReadForARecordThere) {
  files_.contents(path_of(1))[kHeaderAlignment + 100] ^= std::byte{1};
  JournalReader reader(files_, kFolder);
  EXPECT_FALSE(reader.open(25));
  EXPECT_EQ(reader.files().size(), 1U);
}

TEST_F(Segments, AReadErrorIsAFaultWithItsNumber) {
  for (std::uint64_t operation = 1;; ++operation) {
    files_.fail_at(files_.operations() + operation, tests::FileFailure::kInputOutput, false);
    const std::uint64_t failures = files_.failures();
    const ReadBack read = read_back(files_, kFolder);
    files_.heal();
    if (files_.failures() == failures) return;
    EXPECT_EQ(read.end, JournalNext::kFault);
    EXPECT_NE(read.fault.find("Input/output error"), std::string::npos) << read.fault;
  }
}

// ------------------------------------------------------------------------------------- following

TEST_F(Reading, AFollowerSeesWhatComes) {
  JournalReader reader(files_, kFolder, ReadMode::kFollow);
  ASSERT_FALSE(reader.open());
  JournalRecord record;
  EXPECT_EQ(reader.next(record), JournalNext::kEnd);
  JournalWriter writer(files_, kFolder, kSegmentBytesMin);
  ASSERT_FALSE(open_after(writer, 0));
  EXPECT_EQ(reader.next(record), JournalNext::kEnd);
  for (core::Sequence sequence = 1; sequence <= 500; ++sequence) {
    ASSERT_FALSE(append_up_to(writer, sequence));
    if (sequence % 5 == 0) {
      ASSERT_FALSE(writer.sync());
      ASSERT_FALSE(writer.write_mark());
    }
    if (sequence % 3 != 0) continue;
    while (reader.next(record) == JournalNext::kGiven) {
      ASSERT_TRUE(std::ranges::equal(record.words, tests::record_of(record.sequence)));
    }
    ASSERT_EQ(reader.last_sequence(), sequence) << reader.fault().text;
    ASSERT_EQ(reader.input_chain(), tests::chain_after(sequence));
  }
  EXPECT_GT(reader.files().size(), 5U);
  EXPECT_EQ(reader.durable_sequence(), 495U);
}

// The kernel may show a reader any part of a write that is under way.
TEST_F(Reading, AFollowerWaitsForAGroupThatIsBeingWritten) {
  write_three_groups(2);
  const auto at = offsets();
  const auto whole = files_.contents(path_of(1));
  auto& bytes = files_.contents(path_of(1));
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at[2]), bytes.end(), std::byte{0});
  JournalReader reader(files_, kFolder, ReadMode::kFollow);
  ASSERT_FALSE(reader.open(21));
  JournalRecord record;
  for (std::uint64_t part = at[2]; part < at[3]; part += 8) {
    EXPECT_EQ(reader.next(record), JournalNext::kEnd);
    std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(part), 8,
                bytes.begin() + static_cast<std::ptrdiff_t>(part));
  }
  EXPECT_EQ(reader.next(record), JournalNext::kGiven);
  EXPECT_EQ(record.sequence, 21U);
}

}  // namespace
}  // namespace shmatch::ipc
