// Journals with bytes changed at will: nothing is noticed too late, and nothing is made up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/support/fake_files.h"
#include "tests/support/journal_records.h"
#include "tests/unit/journal_reading.h"
#include "tests/unit/random.h"

namespace shmatch::ipc {
namespace {

using Damaged = tests::JournalReading;
using tests::append_up_to;
using tests::kFolder;
using tests::open_after;
using tests::path_of;
using tests::Random;
using tests::read_back;
using tests::ReadBack;

// What every reading of damaged files must hold to: no wrong record, and a place for a person.
void expect_honest(const ReadBack& read, core::Sequence written, const std::string& what) {
  ASSERT_TRUE(read.right) << what;
  ASSERT_LE(read.last, written) << what;
  if (read.end == JournalNext::kFault) {
    ASSERT_NE(read.fault.find(" at byte "), std::string::npos) << what << ": " << read.fault;
    ASSERT_NE(read.fault.find(".journal"), std::string::npos) << what << ": " << read.fault;
  } else if (read.end == JournalNext::kTornEnd) {
    ASSERT_FALSE(read.torn.seen.empty()) << what;
  } else {
    ASSERT_EQ(read.last, written) << what << ": records vanished without a word";
  }
}

// Small segments, marks and closed files: every byte of each, flipped in two ways.
TEST_F(Damaged, NoFlippedByteGoesUnnoticed) {
  JournalWriter writer(files_, kFolder, kSegmentBytesMin);
  ASSERT_FALSE(open_after(writer, 0));
  for (core::Sequence last = 7; last <= 70; last += 7) {
    ASSERT_FALSE(append_up_to(writer, last));
    if (last % 2 == 0) {
      ASSERT_FALSE(writer.sync());
    }
  }
  ASSERT_FALSE(writer.close());
  const ReadBack whole = read_back(files_, kFolder);
  ASSERT_EQ(whole.end, JournalNext::kEnd);
  ASSERT_GE(whole.files.size(), 3U);
  for (std::size_t i = 0; i < whole.files.size(); ++i) {
    const std::string path = kFolder + "/" + whole.files[i].name;
    const bool last_file = i + 1 == whole.files.size();
    for (std::size_t at = 0; at < files_.contents(path).size(); ++at) {
      for (const std::byte mask : {std::byte{0x01}, std::byte{0xFF}}) {
        files_.contents(path)[at] ^= mask;
        const ReadBack read = read_back(files_, kFolder);
        const std::string what = path + " at " + std::to_string(at);
        ASSERT_NE(read.end, JournalNext::kEnd) << what;
        expect_honest(read, 70, what);
        if (HasFatalFailure()) return;
        // All was durable and marked as such: only the last mark itself can look torn.
        const bool in_last_mark = last_file && at >= files_.contents(path).size() - 64;
        ASSERT_EQ(read.end, in_last_mark ? JournalNext::kTornEnd : JournalNext::kFault) << what;
        if (in_last_mark) {
          ASSERT_EQ(read.last, 70U);
        }
        files_.contents(path)[at] ^= mask;
      }
    }
  }
}

// Random damage of any kind, several at once.
TEST_F(Damaged, NoDamageLeadsToAWrongRecord) {
  write_three_groups(2);
  const auto whole = files_.contents(path_of(1));
  const std::uint64_t used = offsets().back();
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    auto& bytes = files_.contents(path_of(1));
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) {
      const std::size_t at = random.below(used);
      const std::size_t length = std::min<std::size_t>(1 + random.below(200), used - at);
      const std::size_t from = random.below(used - length);
      switch (random.below(4)) {
        case 0:
          for (std::size_t i = 0; i < length; ++i) bytes[at + i] = std::byte(random.next() & 0xFF);
          break;
        case 1:
          std::memmove(&bytes[at], &bytes[from], length);
          break;
        case 2:
          std::memset(&bytes[at], 0, length);
          break;
        default:
          bytes.resize(std::max(at, std::size_t{64}));
          bytes.resize(whole.size());
      }
    }
    if (!std::ranges::equal(bytes, whole)) {
      const ReadBack read = read_back(files_, kFolder);
      ASSERT_TRUE(read.right) << seed;
      ASSERT_LE(read.last, 30U) << seed;
    }
    bytes = whole;
  }
}

// A length is believed only after its header's checksum: forged ones with a right checksum are
// still bounded by the file and by the largest group.
TEST_F(Damaged, ForgedLengthsLeadNowhere) {
  write_three_groups(0);
  const auto at = offsets();
  const auto whole = files_.contents(path_of(1));
  SegmentHeader segment;
  std::memcpy(static_cast<void*>(&segment), whole.data(), sizeof segment);
  for (const std::uint32_t bytes :
       {0U, 8U, 63U, 65U, 72U, kGroupBytesMax, kGroupBytesMax + 8, 0xFFFF'FFF8U, 0xFFFF'FFFFU}) {
    auto& file = files_.contents(path_of(1));
    GroupHeader header;
    std::memcpy(static_cast<void*>(&header), &file[at[1]], sizeof header);
    header.bytes = bytes;
    header.header_checksum = 0;
    header.header_checksum = crc32c(std::as_bytes(std::span(&header, 1)), segment.prefix.checksum);
    std::memcpy(&file[at[1]], &header, sizeof header);
    const ReadBack read = read_back(files_, kFolder);
    EXPECT_EQ(read.end, JournalNext::kTornEnd) << bytes;
    EXPECT_EQ(read.last, 10U);
    file = whole;
  }
}

}  // namespace
}  // namespace shmatch::ipc
