// Snapshot files: every word comes back or the file is refused, and only a finished one has a name.
#include "ipc/snapshot_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"

namespace shmatch::ipc {
namespace {

using tests::FakeFiles;
using tests::FileFailure;
using tests::Random;

const std::string kFolder = "j";

class Snapshot : public testing::Test {
 protected:
  static std::uint64_t word_at(core::Sequence sequence, std::uint64_t i) {
    return Random(sequence * 1'000'003 + i).next();
  }
  static std::string path_of(core::Sequence sequence) {
    return kFolder + "/" + snapshot_name(sequence);
  }
  FileFault write(core::Sequence sequence, std::uint64_t words, std::uint64_t piece = 1000) {
    SnapshotStart start;
    start.sequence = sequence;
    start.input_chain = 11;
    start.digest = 22;
    start.build_digest = 33;
    start.created = 44;
    start.configuration = tests::some_configuration();
    SnapshotWriter writer(files_, kFolder);
    if (FileFault fault = writer.create(start)) return fault;
    tests::Words part;
    for (std::uint64_t i = 0; i < words; ++i) {
      part.push_back(word_at(sequence, i));
      if (part.size() < piece && i + 1 < words) continue;
      if (!writer.put(part)) return writer.failure();
      part.clear();
    }
    return writer.commit();
  }
  // Whether the words of an opened snapshot are those that were written, and no more.
  bool read_words(SnapshotReader& reader, core::Sequence sequence, std::uint64_t words,
                  std::uint64_t piece = 777) {
    tests::Words part;
    for (std::uint64_t i = 0; i < words;) {
      part.assign(std::min(piece, words - i), 0);
      if (!reader.get(part)) return false;
      for (const std::uint64_t word : part) {
        if (word != word_at(sequence, i++)) return false;
      }
    }
    std::uint64_t more = 0;
    return !reader.get({&more, 1}) && !reader.failure();
  }
  std::string open(core::Sequence sequence) {
    SnapshotReader reader(files_);
    return reader.open(kFolder, snapshot_name(sequence)).text;
  }

  FakeFiles files_;
};

TEST_F(Snapshot, ComesBackWholeInAnySizeAndPieces) {
  for (const std::uint64_t words : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{kChunkWords},
                                    std::uint64_t{kChunkWords} - 1, std::uint64_t{kChunkWords} + 1,
                                    3 * std::uint64_t{kChunkWords} + 5}) {
    ASSERT_FALSE(write(7, words, words / 2 + 1));
    SnapshotReader reader(files_);
    ASSERT_EQ(reader.open(kFolder, snapshot_name(7)).text, "");
    EXPECT_TRUE(read_words(reader, 7, words)) << words;
  }
}

TEST_F(Snapshot, CarriesWhatItTakesToGoOn) {
  ASSERT_FALSE(write(7, 10));
  SnapshotReader reader(files_);
  ASSERT_FALSE(reader.open(kFolder, snapshot_name(7)));
  EXPECT_EQ(reader.header().sequence, 7U);
  EXPECT_EQ(reader.header().input_chain, 11U);
  EXPECT_EQ(reader.header().digest, 22U);
  EXPECT_EQ(reader.header().build_digest, 33U);
  EXPECT_EQ(reader.header().created, 44);
  EXPECT_EQ(reader.header().word_count, 10U);
  EXPECT_TRUE(std::ranges::equal(reader.configuration(), tests::some_configuration()));
}

TEST_F(Snapshot, NotCommittedLeavesNothing) {
  {
    SnapshotWriter writer(files_, kFolder);
    ASSERT_FALSE(writer.create({.sequence = 5}));
    const tests::Words words(300'000, 1);
    ASSERT_TRUE(writer.put(words));
  }
  std::vector<std::string> names;
  ASSERT_EQ(files_.list(kFolder, names), 0);
  EXPECT_TRUE(names.empty());
}

TEST_F(Snapshot, OfTheSameStateIsWrittenByOneOnly) {
  SnapshotWriter first(files_, kFolder);
  ASSERT_FALSE(first.create({.sequence = 5}));
  SnapshotWriter second(files_, kFolder);
  const FileFault fault = second.create({.sequence = 5});
  EXPECT_EQ(fault.error, EEXIST);
  EXPECT_NE(fault.text.find("somebody makes the same snapshot"), std::string::npos) << fault.text;
  EXPECT_FALSE(first.commit());
  EXPECT_EQ(open(5), "");
}

TEST_F(Snapshot, WithAnyByteChangedIsRefused) {
  ASSERT_FALSE(write(7, 100));
  for (std::size_t i = 0; i < files_.contents(path_of(7)).size(); ++i) {
    files_.contents(path_of(7))[i] ^= std::byte{4};
    const std::string fault = open(7);
    EXPECT_NE(fault.find(path_of(7) + " at byte "), std::string::npos) << i << fault;
    files_.contents(path_of(7))[i] ^= std::byte{4};
  }
  EXPECT_EQ(open(7), "");
}

TEST_F(Snapshot, WithAnotherLengthIsRefused) {
  ASSERT_FALSE(write(7, 100));
  const auto whole = files_.contents(path_of(7));
  for (const std::size_t length : {std::size_t{0}, whole.size() / 2, whole.size() - 1,
                                   whole.size() - 8, whole.size() + 1, whole.size() + 8}) {
    files_.contents(path_of(7)).resize(length);
    EXPECT_NE(open(7), "") << length;
    files_.contents(path_of(7)) = whole;
  }
}

// Whole chunks, each with its checksum, but not in their places.
TEST_F(Snapshot, WithChunksExchangedIsRefused) {
  ASSERT_FALSE(write(7, 2 * std::uint64_t{kChunkWords}));
  auto& bytes = files_.contents(path_of(7));
  constexpr std::ptrdiff_t kChunkBytes = (1 + std::ptrdiff_t{kChunkWords}) * 8;
  const auto first = bytes.begin() + kHeaderAlignment;
  std::swap_ranges(first, first + kChunkBytes, first + kChunkBytes);
  EXPECT_EQ(open(7),
            "journal: damaged: " + path_of(7) + " at byte 4096: the chunk fails its checksum");
}

TEST_F(Snapshot, WithChunksOfAnotherStateIsRefused) {
  ASSERT_FALSE(write(7, 100));
  ASSERT_FALSE(write(8, 100));
  const auto& other = files_.contents(path_of(8));
  std::copy(other.begin() + kHeaderAlignment, other.end(),
            files_.contents(path_of(7)).begin() + kHeaderAlignment);
  EXPECT_NE(open(7), "");
}

TEST_F(Snapshot, UnderAnotherNameIsRefused) {
  ASSERT_FALSE(write(7, 100));
  files_.rename(path_of(7), path_of(9));
  EXPECT_EQ(open(9), "journal: damaged: " + path_of(9) +
                         " at byte 0: the header is that of the snapshot " + snapshot_name(7));
}

TEST_F(Snapshot, OfAnUnknownVersionIsRefused) {
  ASSERT_FALSE(write(7, 100));
  files_.contents(path_of(7))[8] = std::byte{3};
  EXPECT_EQ(open(7), "journal: " + path_of(7) +
                         " at byte 8 has format version 3, and this program "
                         "reads version 2: use the shmatch that wrote it");
}

TEST_F(Snapshot, TheNewestWholeOneIsFound) {
  for (const core::Sequence sequence : {5U, 20U, 100U, 101U}) ASSERT_FALSE(write(sequence, 50));
  files_.contents(path_of(100))[60] ^= std::byte{1};
  const auto newest = [&](core::Sequence at_most, std::size_t skips) {
    SnapshotReader reader(files_);
    std::vector<std::string> skipped;
    bool found = false;
    EXPECT_FALSE(open_newest_snapshot(files_, kFolder, at_most, reader, found, skipped));
    EXPECT_EQ(skipped.size(), skips);
    if (found) {
      EXPECT_TRUE(read_words(reader, reader.header().sequence, 50));
    }
    return found ? reader.header().sequence : 0;
  };
  EXPECT_EQ(newest(1000, 0), 101U);
  EXPECT_EQ(newest(101, 0), 101U);
  EXPECT_EQ(newest(100, 1), 20U);
  EXPECT_EQ(newest(19, 0), 5U);
  EXPECT_EQ(newest(4, 0), 0U);
}

TEST_F(Snapshot, EveryFailureIsSaidAndLeavesNoWrongFile) {
  for (const FileFailure kind : {FileFailure::kNoSpace, FileFailure::kInputOutput}) {
    for (std::uint64_t number = 1;; ++number) {
      FakeFiles fresh;
      fresh.fail_at(number, kind, true);
      SnapshotWriter writer(fresh, kFolder);
      FileFault fault = writer.create({.sequence = 3});
      const tests::Words words(kChunkWords + 10, 9);
      if (!fault && !writer.put(words)) fault = writer.failure();
      if (!fault) fault = writer.commit();
      if (fresh.failures() == 0) {
        EXPECT_GT(number, 5U);
        break;
      }
      EXPECT_TRUE(fault);
      fresh.heal();
      fresh.crash(number);
      if (!fresh.exists(path_of(3))) continue;
      SnapshotReader reader(fresh);
      EXPECT_EQ(reader.open(kFolder, snapshot_name(3)).text, "");
    }
  }
}

// A file that is damaged between its check and its use.
TEST_F(Snapshot, IsCheckedAgainWhileItIsRead) {
  ASSERT_FALSE(write(7, 2 * std::uint64_t{kChunkWords}));
  SnapshotReader reader(files_);
  ASSERT_FALSE(reader.open(kFolder, snapshot_name(7)));
  files_.contents(path_of(7)).back() ^= std::byte{1};
  EXPECT_FALSE(read_words(reader, 7, 2 * std::uint64_t{kChunkWords}));
  EXPECT_TRUE(reader.failure());
}

}  // namespace
}  // namespace shmatch::ipc
