// A journal in memory whose groups are known, and what a test expects of reading it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ipc/journal_reader.h"
#include "ipc/journal_writer.h"
#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"

namespace shmatch::tests {

inline const std::string kFolder = "j";
inline constexpr std::uint64_t kRoomy = std::uint64_t{1} << 16;

inline std::string path_of(core::Sequence first) {
  return kFolder + "/" + ipc::segment_name(first);
}

class JournalReading : public testing::Test {
 protected:
  // Where each group of a file starts, and where the next one would.
  std::vector<std::uint64_t> offsets() {
    std::vector<std::uint64_t> result;
    ipc::JournalReader reader(files_, kFolder);
    EXPECT_FALSE(reader.open());
    ipc::JournalGroup group;
    while (reader.next_group(group) == ipc::JournalNext::kGiven) result.push_back(group.offset);
    result.push_back(reader.offset());
    return result;
  }
  // One segment with records 1..30 in three groups; `synced` of them are durable, and a group that
  // comes later says so of those before it.
  void write_three_groups(int synced) {
    ipc::JournalWriter writer(files_, kFolder, kRoomy);
    ASSERT_FALSE(open_after(writer, 0));
    for (int i = 1; i <= 3; ++i) {
      ASSERT_FALSE(append_up_to(writer, static_cast<core::Sequence>(i) * 10));
      if (i <= synced) {
        ASSERT_FALSE(writer.sync());
      }
    }
  }
  void flip(std::uint64_t offset) { files_.contents(path_of(1))[offset] ^= std::byte{1}; }
  void expect_torn(core::Sequence last, std::uint64_t offset, const std::string& seen) {
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.end, ipc::JournalNext::kTornEnd) << read.fault;
    EXPECT_EQ(read.last, last);
    EXPECT_TRUE(read.right);
    EXPECT_EQ(read.torn.path, path_of(1));
    EXPECT_EQ(read.torn.offset, offset);
    EXPECT_EQ(read.torn.seen, seen);
  }
  void expect_fault(const std::string& text) {
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.end, ipc::JournalNext::kFault);
    EXPECT_TRUE(read.right);
    EXPECT_EQ(read.fault, "journal: " + text);
  }

  FakeFiles files_;
};

}  // namespace shmatch::tests
