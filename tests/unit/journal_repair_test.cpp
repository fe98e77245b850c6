// What changes the end and the beginning of a journal: settling after a crash, retention, and the
// repair that a person forces.
#include "ipc/journal_repair.h"

#include <gtest/gtest.h>

#include "ipc/snapshot_file.h"
#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"

namespace shmatch::ipc {
namespace {

using tests::append_up_to;
using tests::FakeFiles;
using tests::open_after;
using tests::read_back;
using tests::ReadBack;

const std::string kFolder = "j";
constexpr std::uint64_t kRoomy = std::uint64_t{1} << 16;

std::string path_of(core::Sequence first) { return kFolder + "/" + segment_name(first); }

class Repair : public testing::Test {
 protected:
  // Segments that start with records 1, 21 and 41, each of two groups of ten.
  void SetUp() override {
    for (const core::Sequence before : {0U, 20U, 40U}) {
      JournalWriter writer(files_, kFolder, kRoomy);
      ASSERT_FALSE(open_after(writer, before));
      ASSERT_FALSE(append_up_to(writer, before + 10));
      ASSERT_FALSE(append_up_to(writer, before + 20));
      ASSERT_FALSE(writer.close());
    }
  }
  void write_snapshot(core::Sequence sequence) {
    SnapshotWriter writer(files_, kFolder);
    SnapshotStart start;
    start.sequence = sequence;
    start.input_chain = tests::chain_after(sequence);
    ASSERT_FALSE(writer.create(start));
    ASSERT_FALSE(writer.commit());
  }
  std::uint64_t size_of(core::Sequence first) { return files_.contents(path_of(first)).size(); }
  // Where the second group of a segment starts.
  std::uint64_t second_group(core::Sequence first) {
    JournalReader reader(files_, kFolder);
    EXPECT_FALSE(reader.open(first));
    JournalGroup group;
    EXPECT_EQ(reader.next_group(group), JournalNext::kGiven);
    return reader.offset();
  }
  std::string cut(core::Sequence first, std::uint64_t offset, bool only_look = false) {
    return truncate_journal(files_, kFolder, segment_name(first), offset, only_look, loss_).text;
  }
  void expect_last(core::Sequence last) {
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.end, JournalNext::kEnd) << read.fault << read.torn.seen;
    EXPECT_EQ(read.last, last);
  }

  FakeFiles files_;
  Loss loss_;
};

TEST_F(Repair, CutsWhereDamageIsAndSaysWhatIsLost) {
  const std::uint64_t offset = second_group(21);
  const std::uint64_t lost = size_of(21) - offset + size_of(41);
  files_.contents(path_of(21))[offset + 80] ^= std::byte{1};
  EXPECT_EQ(read_back(files_, kFolder).end, JournalNext::kFault);
  ASSERT_EQ(cut(21, offset), "");
  expect_last(30);
  EXPECT_EQ(loss_.remaining_sequence, 30U);
  // Behind the damaged group: one mark there; two groups and a mark in the next segment.
  EXPECT_EQ(loss_.groups, 4U);
  EXPECT_EQ(loss_.records, 20U);
  EXPECT_EQ(loss_.first_sequence, 41U);
  EXPECT_EQ(loss_.last_sequence, 60U);
  EXPECT_EQ(loss_.bytes, lost);
  EXPECT_EQ(loss_.removed, std::vector<std::string>{segment_name(41)});
  EXPECT_EQ(size_of(21), offset);
}

TEST_F(Repair, OnlyLooksIfAskedTo) {
  const std::uint64_t offset = second_group(21);
  ASSERT_EQ(cut(21, offset, true), "");
  EXPECT_EQ(loss_.records, 30U);
  EXPECT_EQ(loss_.removed.size(), 1U);
  expect_last(60);
}

TEST_F(Repair, IsDurable) {
  const std::uint64_t offset = second_group(21);
  ASSERT_EQ(cut(21, offset), "");
  files_.crash(1);
  expect_last(30);
}

TEST_F(Repair, RemovesSnapshotsOfStatesThatAreNoLongerReached) {
  for (const core::Sequence sequence : {10U, 30U, 31U, 60U}) write_snapshot(sequence);
  ASSERT_EQ(cut(21, second_group(21)), "");
  const std::vector<std::string> removed = {snapshot_name(60), snapshot_name(31), segment_name(41)};
  EXPECT_EQ(loss_.removed, removed);
  JournalListing listing;
  ASSERT_FALSE(list_journal(files_, kFolder, listing));
  ASSERT_EQ(listing.snapshots.size(), 2U);
  EXPECT_EQ(listing.snapshots.back().sequence, 30U);
}

TEST_F(Repair, TakesAWholeSegmentAwayWhoseHeaderIsDamaged) {
  files_.contents(path_of(21))[30] ^= std::byte{1};
  ASSERT_EQ(cut(21, 0), "");
  expect_last(20);
  EXPECT_EQ(loss_.remaining_sequence, 20U);
  EXPECT_EQ(loss_.records, 20U) << "those of the damaged segment cannot be recognised";
  const std::vector<std::string> removed = {segment_name(41), segment_name(21)};
  EXPECT_EQ(loss_.removed, removed);
}

TEST_F(Repair, CanTakeEverythingAway) {
  ASSERT_EQ(cut(1, 0), "");
  expect_last(0);
  EXPECT_EQ(loss_.records, 60U);
  EXPECT_EQ(loss_.first_sequence, 1U);
  EXPECT_EQ(loss_.last_sequence, 60U);
  EXPECT_EQ(loss_.remaining_sequence, 0U);
}

TEST_F(Repair, CutsAtTheEndOfASegmentBeforeAGap) {
  const std::uint64_t end = size_of(1);
  files_.remove(path_of(21));
  ASSERT_EQ(cut(1, end), "");
  expect_last(20);
  EXPECT_EQ(loss_.records, 20U);
  EXPECT_EQ(loss_.removed, std::vector<std::string>{segment_name(41)});
}

// Groups that lie across the pieces in which a file is read are counted, too.
TEST_F(Repair, CountsLargeGroups) {
  JournalWriter writer(files_, kFolder, std::uint64_t{8} << 20);
  ASSERT_FALSE(open_after(writer, 60));
  constexpr core::Sequence kGroups = 8;
  constexpr core::Sequence kRecords = 4'000;  // about half a megabyte
  for (core::Sequence i = 1; i <= kGroups; ++i) {
    ASSERT_FALSE(append_up_to(writer, 60 + i * kRecords));
  }
  ASSERT_EQ(cut(61, kHeaderAlignment), "");
  EXPECT_EQ(loss_.groups, kGroups);
  EXPECT_EQ(loss_.records, kGroups * kRecords);
  EXPECT_EQ(loss_.last_sequence, 60 + kGroups * kRecords);
  expect_last(60);
}

// What a person does: read where the damage is, and cut there.
TEST_F(Repair, CutsAtEveryPlaceThatAReaderNames) {
  const FakeFiles::Bytes whole[] = {files_.contents(path_of(1)), files_.contents(path_of(21)),
                                    files_.contents(path_of(41))};
  const core::Sequence firsts[] = {1, 21, 41};
  for (std::size_t damaged = 0; damaged < 3; ++damaged) {
    for (std::size_t at = 0; at < whole[damaged].size(); at += at < 160 ? 3 : 61) {
      files_.contents(path_of(firsts[damaged]))[at] ^= std::byte{1};
      JournalReader reader(files_, kFolder);
      JournalGroup group;
      if (!reader.open()) {
        while (reader.next_group(group) == JournalNext::kGiven) {
        }
      }
      ASSERT_TRUE(reader.fault() || reader.torn_end().bytes > 0);
      ASSERT_EQ(
          truncate_journal(files_, kFolder, reader.segment().name, reader.offset(), false, loss_)
              .text,
          "")
          << damaged << " " << at;
      expect_last(loss_.remaining_sequence);
      EXPECT_LE(loss_.remaining_sequence + loss_.records, 60U);
      for (std::size_t i = 0; i < 3; ++i) {
        if (files_.exists(path_of(firsts[i]))) files_.remove(path_of(firsts[i]));
        File file;
        ASSERT_FALSE(file.open(files_, path_of(firsts[i]), OpenMode::kCreate));
        files_.contents(path_of(firsts[i])) = whole[i];
      }
    }
  }
}

TEST_F(Repair, RefusesWherePlacesAreNotGroups) {
  EXPECT_EQ(cut(21, second_group(21) + 8), "journal: no group starts at byte " +
                                               std::to_string(second_group(21) + 8) + " of " +
                                               segment_name(21) + "; cut where one does");
  EXPECT_EQ(cut(21, 8).find("journal: no group starts at byte 8 of"), 0U);
  EXPECT_EQ(cut(41, size_of(41) + 8), "journal: cannot cut at byte " +
                                          std::to_string(size_of(41) + 8) + " of " +
                                          segment_name(41) + ", because the journal ends at byte " +
                                          std::to_string(size_of(41)) + " of " + segment_name(41));
  EXPECT_EQ(cut(22, 0), "journal: there is no segment " + segment_name(22) + " in j");
  expect_last(60);
}

TEST_F(Repair, RefusesBehindOtherDamage) {
  files_.contents(path_of(1))[kHeaderAlignment + 80] ^= std::byte{1};
  const std::string fault = cut(21, kHeaderAlignment);
  EXPECT_EQ(fault.find("journal: cannot cut at byte 4096 of " + segment_name(21) +
                       ", because the journal ends before: journal: damaged: " + path_of(1) +
                       " at byte 4096: "),
            0U)
      << fault;
  EXPECT_NE(cut(41, 0), "");
  EXPECT_TRUE(files_.exists(path_of(41)));
  ASSERT_EQ(cut(1, kHeaderAlignment), "");
  expect_last(0);
}

// Interrupted anywhere, a repair leaves what a second one can finish.
TEST_F(Repair, CanBeRepeatedAfterAFailure) {
  for (std::uint64_t number = 1;; ++number) {
    for (const core::Sequence first : {1U, 21U, 41U}) {
      if (files_.exists(path_of(first))) files_.remove(path_of(first));
    }
    SetUp();
    write_snapshot(60);
    const std::uint64_t offset = second_group(21);
    files_.contents(path_of(21))[offset + 80] ^= std::byte{1};
    const std::uint64_t failures = files_.failures();
    files_.fail_at(files_.operations() + number, tests::FileFailure::kInputOutput, true);
    const std::string fault = cut(21, offset);
    files_.heal();
    if (files_.failures() == failures) {
      EXPECT_GT(number, 20U);
      return;
    }
    EXPECT_NE(fault, "");
    files_.crash(number);
    ASSERT_EQ(cut(21, offset), "") << number;
    expect_last(30);
    EXPECT_FALSE(files_.exists(kFolder + "/" + snapshot_name(60)));
  }
}

// ------------------------------------------------------------------------------------- retention

class Retention : public Repair {
 protected:
  std::vector<std::string> removed_;
};

TEST_F(Retention, RemovesOnlyWholeSegmentsBehindTheSnapshot) {
  const struct {
    core::Sequence snapshot;
    std::vector<std::string> removed;
  } cases[] = {{19, {}},
               {20, {segment_name(1)}},
               {39, {}},
               {40, {segment_name(21)}},
               {60, {}}};  // the last segment always stays
  for (const auto& expected : cases) {
    write_snapshot(expected.snapshot);
    ASSERT_FALSE(remove_segments_behind(files_, kFolder, expected.snapshot, removed_));
    EXPECT_EQ(removed_, expected.removed) << expected.snapshot;
    JournalReader reader(files_, kFolder);
    EXPECT_FALSE(reader.open(expected.snapshot + 1, tests::chain_after(expected.snapshot)));
  }
}

TEST_F(Retention, RemovesSeveralAndIsDurable) {
  write_snapshot(45);
  ASSERT_FALSE(remove_segments_behind(files_, kFolder, 45, removed_));
  EXPECT_EQ(removed_.size(), 2U);
  files_.crash(3);
  EXPECT_FALSE(files_.exists(path_of(21)));
  JournalReader reader(files_, kFolder);
  EXPECT_FALSE(reader.open(46, tests::chain_after(45)));
}

TEST_F(Retention, NeedsASnapshotThatIsWhole) {
  EXPECT_TRUE(remove_segments_behind(files_, kFolder, 40, removed_));
  write_snapshot(40);
  files_.contents(kFolder + "/" + snapshot_name(40))[50] ^= std::byte{1};
  EXPECT_TRUE(remove_segments_behind(files_, kFolder, 40, removed_));
  expect_last(60);
}

TEST_F(Retention, RemovesOlderSnapshots) {
  for (const core::Sequence sequence : {10U, 30U, 50U}) write_snapshot(sequence);
  ASSERT_FALSE(remove_snapshots_before(files_, kFolder, 30, removed_));
  EXPECT_EQ(removed_, std::vector<std::string>{snapshot_name(10)});
}

// -------------------------------------------------------------------------------------- settling

TEST_F(Repair, SettlingCutsATornEnd) {
  const std::uint64_t offset = second_group(41);
  auto& bytes = files_.contents(path_of(41));
  bytes.resize(offset + 40);  // without the mark that made it durable
  JournalReader reader(files_, kFolder);
  ASSERT_FALSE(reader.open());
  JournalRecord record;
  JournalNext next;
  while ((next = reader.next(record)) == JournalNext::kGiven) {
  }
  ASSERT_EQ(next, JournalNext::kTornEnd);
  ASSERT_FALSE(settle_journal(files_, reader));
  EXPECT_EQ(size_of(41), offset);
  expect_last(50);
}

}  // namespace
}  // namespace shmatch::ipc
